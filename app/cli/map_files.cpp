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
    auto* nearFloat = command.add_option("--near-float", m_nearFloat,
        "Draw accuracy against word-length, the last 5 points below float alone: F.png, F.svg or F.pdf; repeatable");
    for (CLI::Option* option : { map, nearFloat })
        option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
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
    for (const auto* files : { &m_maps, &m_nearFloat })
        for (const auto& file : *files)
            QS_CHECK(checkChartFile(file));
    return m_contours == noContours ? Result<void>() : cost::parseMetric(m_contours).map([](auto) {});
}

Result<void> MapFiles::check(const CommonOptions& common, const DataOptions& data) const
{
    for (const auto* files : { &m_maps, &m_nearFloat })
        for (const auto& file : *files)
            QS_CHECK(checkOutput(file, common, data));
    return {};
}

MapFiles MapFiles::named(const std::string& model) const
{
    MapFiles files = *this;
    for (auto* names : { &files.m_maps, &files.m_nearFloat })
        for (auto& name : *names)
            name = withModelName(name, model);
    return files;
}

Result<std::vector<std::string>> MapFiles::write(const sweep::SweepResult& result) const
{
    if (!m_maps.empty())
        QS_CHECK(writeMaps(result, m_maps, metricOf(m_contours)));
    if (!m_nearFloat.empty())
        QS_CHECK(writeNearFloat(result, m_nearFloat));
    std::vector<std::string> written = m_maps;
    written.insert(written.end(), m_nearFloat.begin(), m_nearFloat.end());
    return written;
}

} // namespace quantoscope::cli
