// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/map_files.h"

#include <CLI/CLI.hpp>

#include "app/cli/output_file.h"
#include "app/cli/result_files.h"

namespace quantoscope::cli {

namespace {

const std::string noContours = "none";

ChartAxis metricOf(const std::string& contours)
{
    return contours == noContours ? ChartAxis() : *cost::parseMetric(contours); // found good by checkFormats()
}

} // namespace

void MapFiles::addTo(CLI::App& command)
{
    auto* map = command.add_option(
        "--map", m_maps, "Draw accuracy over both word-lengths as a map: F.png, F.svg or F.pdf; repeatable");
    map->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    std::string words;
    for (const auto metric : cost::allMetrics)
        words += cost::toString(metric) + ", ";
    command
        .add_option("--contours", m_contours,
            "Lines of equal cost on the map: " + words + noContours
                + "; default bops. A cost that word-lengths do not "
                  "change has none")
        ->needs(map);
}

Result<void> MapFiles::checkFormats() const
{
    for (const auto& map : m_maps)
        QS_CHECK(checkChartFile(map));
    return m_contours == noContours ? Result<void>() : cost::parseMetric(m_contours).map([](auto) {});
}

Result<void> MapFiles::check(const CommonOptions& common, const DataOptions& data) const
{
    for (const auto& map : m_maps)
        QS_CHECK(checkOutput(map, common, data));
    return {};
}

MapFiles MapFiles::named(const std::string& model) const
{
    MapFiles files = *this;
    for (auto& map : files.m_maps)
        map = withModelName(map, model);
    return files;
}

Result<std::vector<std::string>> MapFiles::write(const sweep::SweepResult& result) const
{
    if (!m_maps.empty())
        QS_CHECK(writeMaps(result, m_maps, metricOf(m_contours)));
    return m_maps;
}

} // namespace quantoscope::cli
