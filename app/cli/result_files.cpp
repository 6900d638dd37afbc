// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/result_files.h"

#include <filesystem>

#include <CLI/CLI.hpp>

#include "app/cli/output_file.h"
#include "core/base/file.h"

namespace quantoscope::cli {

std::string withModelName(const std::string& file, const std::string& model)
{
    if (file.empty())
        return file;
    std::filesystem::path path(file);
    const auto name = path.stem().string() + "-" + std::filesystem::path(model).stem().string();
    return path.replace_filename(name + path.extension().string()).string();
}

void ResultFiles::addTo(CLI::App& command, const std::string& whatCharts)
{
    command.add_option("--csv", m_csv, "Write the points as CSV");
    auto* chart = command.add_option("--chart", m_charts, whatCharts + ": F.png, F.svg or F.pdf; repeatable");
    chart->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    std::string words;
    for (const auto metric : cost::allMetrics)
        words += (words.empty() ? "" : ", ") + cost::toString(metric);
    command.add_option("--chart-axis", m_axis, "Draw accuracy over a cost instead: " + words)->needs(chart);
}

Result<void> ResultFiles::checkFormats() const
{
    for (const auto& chart : m_charts)
        QS_CHECK(checkChartFile(chart));
    return m_axis.empty() ? Result<void>() : cost::parseMetric(m_axis).map([](auto) {});
}

ChartAxis ResultFiles::axis() const
{
    return m_axis.empty() ? ChartAxis() : *cost::parseMetric(m_axis); // found good by checkFormats()
}

Result<void> ResultFiles::check(const CommonOptions& common, const DataOptions& data) const
{
    QS_CHECK(checkOutput(m_csv, common, data));
    for (const auto& chart : m_charts)
        QS_CHECK(checkOutput(chart, common, data));
    return {};
}

ResultFiles ResultFiles::named(const std::string& model) const
{
    ResultFiles files = *this;
    files.m_csv = withModelName(m_csv, model);
    for (auto& chart : files.m_charts)
        chart = withModelName(chart, model);
    return files;
}

Result<void> ResultFiles::writeCsv(const std::string& csv) const
{
    return m_csv.empty() ? Result<void> {} : base::writeFileAtomically(m_csv, csv);
}

void ResultFiles::list(Report& report, const std::vector<std::string>& others) const
{
    std::vector<std::string> files;
    if (!m_csv.empty())
        files.push_back(m_csv);
    files.insert(files.end(), m_charts.begin(), m_charts.end());
    files.insert(files.end(), others.begin(), others.end());
    std::string lines;
    for (const auto& file : files)
        lines += "wrote        " + file + "\n";
    if (!files.empty())
        report.text(lines);
    report.json()["files"] = files;
}

} // namespace quantoscope::cli
