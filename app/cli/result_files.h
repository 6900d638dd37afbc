// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "app/cli/chart_files.h"
#include "app/cli/options.h"
#include "app/cli/report.h"
#include "core/base/error.h"

namespace quantoscope::cli {

/// grid.csv, models/resnet20.onnx -> grid-resnet20.csv; nothing for nothing.
std::string withModelName(const std::string& file, const std::string& model);

/// --csv and --chart of a command whose result is a table.
class ResultFiles {
public:
    void addTo(CLI::App& command, const std::string& whatCharts);
    /// InvalidInput for a chart in a format that none can be written in, or over what is no cost: wrong usage.
    Result<void> checkFormats() const;
    /// Whether all could be written, found out before the work.
    Result<void> check(const CommonOptions& common, const DataOptions& data) const;

    /// The same with the name of a model's file in every file's name: grid.csv -> grid-resnet20.csv.
    ResultFiles named(const std::string& model) const;

    /// Writes what is asked for, and says so in the report, with `others` that are written already. `chartable` is what
    /// writeCharts() takes.
    template <typename Chartable>
    Result<void> write(const std::string& csv, const Chartable& chartable, Report& report,
        const std::vector<std::string>& others = {}) const
    {
        QS_CHECK(writeCsv(csv));
        if (!m_charts.empty())
            QS_CHECK(writeCharts(chartable, m_charts, axis()));
        list(report, others);
        return {};
    }

private:
    ChartAxis axis() const;
    Result<void> writeCsv(const std::string& csv) const;
    void list(Report& report, const std::vector<std::string>& others) const;

    std::string m_csv;
    std::vector<std::string> m_charts;
    std::string m_axis;
};

} // namespace quantoscope::cli
