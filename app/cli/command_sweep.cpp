// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <chrono>

#include <CLI/CLI.hpp>

#include "app/cli/chart_files.h"
#include "app/cli/command.h"
#include "app/cli/correction_report.h"
#include "app/cli/findings.h"
#include "app/cli/output_file.h"
#include "app/cli/pipeline.h"
#include "app/cli/text.h"
#include "core/base/file.h"
#include "core/sweep/sweep.h"

namespace quantoscope::cli {

namespace {

using sweep::Bits;
using sweep::SweepPoint;
using sweep::SweepResult;

Json bitsJson(Bits bits) { return bits ? Json(*bits) : Json("float"); }

/// The grid of word-lengths: table, JSON, CSV and charts. What was finished before a cancellation is shown and written
/// all the same.
class Sweep : public Command {
public:
    explicit Sweep(CLI::App& command)
    {
        m_common.addTo(command);
        command.add_option("--csv", m_csv, "Write the points as CSV");
        auto* chart
            = command.add_option("--chart", m_charts, "Draw accuracy against bits: F.png, F.svg or F.pdf; repeatable");
        chart->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
        m_data.addTo(command, true);
        m_quantization.addTo(command, WordLengths::Grid);
        m_graph.addTo(command);
    }

    Result<void> readOptions() override
    {
        QS_TRY(m_grid.weightBits,
            sweep::parseBits(m_quantization.weights.bits.empty() ? "2..8" : m_quantization.weights.bits));
        QS_TRY(m_grid.activationBits,
            sweep::parseBits(m_quantization.activations.bits.empty() ? "2..8" : m_quantization.activations.bits));
        QS_TRY(const auto hardware, m_quantization.hardwareProfile());
        if (hardware) {
            QS_CHECK(leaveOut(*hardware, quant::Role::Weight, m_grid.weightBits));
            QS_CHECK(leaveOut(*hardware, quant::Role::Activation, m_grid.activationBits));
        }
        QS_CHECK(m_data.preprocessing({}));
        m_grid.request.seed = m_common.seed;
        QS_TRY(m_grid.request, m_quantization.request(m_grid.request, WordLengths::Grid));
        for (const auto& chart : m_charts)
            QS_CHECK(checkChartFile(chart));
        return {};
    }

    Result<void> run(const base::Job& job, Report& report) override
    {
        const auto start = std::chrono::steady_clock::now();
        QS_CHECK(checkOutput(m_csv, m_common, m_data));
        for (const auto& chart : m_charts)
            QS_CHECK(checkOutput(chart, m_common, m_data));
        Pipeline pipeline(m_common, job, report);
        QS_CHECK(pipeline.openModel(m_graph));
        QS_CHECK(pipeline.openLabelledData(m_data));
        m_grid.best = m_quantization.bestFlow();
        m_grid.evaluation.threads = m_common.threads;
        QS_TRY(const auto* quantizer, pipeline.openQuantizer(m_quantization, m_data, needsCalibration()));
        QS_TRY(const auto result, sweep::runGrid(*quantizer, *pipeline.samples(), m_grid, job));
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
        pipeline.reportStatistics();
        if (!m_quantization.profile.empty())
            report.fact("profile", m_quantization.profile);
        for (const auto& note : m_leftOut)
            report.note(note);
        report.fact("scope", result.scope);
        describe(report, result, elapsed.count());
        m_finished = true;
        QS_CHECK(writeFiles(report, result));
        if (!result.complete)
            return base::cancelled();
        return {};
    }

    bool worthPrinting() const override { return m_finished; }

private:
    bool needsCalibration() const
    {
        auto request = m_grid.request;
        request.activations.bits.reset();
        const auto quantizes = [](Bits b) { return b.has_value(); };
        return m_grid.best || std::ranges::any_of(m_grid.activationBits, quantizes) || flow::needsCalibration(request);
    }

    /// Takes the word-lengths out of the grid that the profile does not allow. InvalidInput if none is left.
    Result<void> leaveOut(const quant::HardwareProfile& hardware, quant::Role role, std::vector<Bits>& bits)
    {
        std::vector<Bits> out;
        std::optional<planning::Violation> violation;
        std::erase_if(bits, [&](Bits wished) {
            auto found = planning::checkBits(hardware, role, wished);
            if (!found)
                return false;
            violation = std::move(found);
            out.push_back(wished);
            return true;
        });
        if (!violation)
            return {};
        if (bits.empty())
            return refuse({ *violation }, "ask for word-lengths that the profile takes");
        m_leftOut.push_back(
            "left out " + quant::toString(role) + " bits " + sweep::toString(out) + ": " + violation->reason);
        return {};
    }

    Result<void> writeFiles(Report& report, const SweepResult& result) const
    {
        std::vector<std::string> files;
        if (!m_csv.empty()) {
            QS_CHECK(base::writeFileAtomically(m_csv, sweep::toCsv(result)));
            files.push_back(m_csv);
        }
        if (!m_charts.empty())
            QS_CHECK(writeCharts(result, m_charts));
        files.insert(files.end(), m_charts.begin(), m_charts.end());
        std::string lines;
        for (const auto& file : files)
            lines += "wrote        " + file + "\n";
        if (!files.empty())
            report.text(lines);
        report.json()["files"] = files;
        return {};
    }

    void describe(Report& report, const SweepResult& result, double seconds) const
    {
        const auto& reference = *result.floatResult;
        Json& json = report.json();
        json["images"] = reference.images();
        json["float"] = toJson(reference);
        json["points"] = Json::array();
        for (const auto& point : result.points)
            json["points"].push_back(describePoint(point));
        json["complete"] = result.complete;
        json["seconds"] = seconds;
        report.text("float        top-1 " + fixed(reference.top1()) + " % " + interval(reference.top1Interval())
            + " (95 %) on " + describeSpeed(reference) + "\n");
        report.text(listPoints(result));
        report.text(drawGrid(result));
        report.text(count(static_cast<std::int64_t>(result.points.size())) + " points in " + significant(seconds) + " s"
            + (result.complete ? "" : "; cancelled, the rest was not evaluated") + "\n");
    }

    static Json describePoint(const SweepPoint& point)
    {
        return { { "weight_bits", bitsJson(point.weightBits) }, { "activation_bits", bitsJson(point.activationBits) },
            { "top1", point.top1 }, { "top5", point.top5 }, { "loss", point.loss },
            { "top1_ci95", toJson(point.top1Interval) }, { "delta_top1", point.againstFloat.delta },
            { "delta_top1_ci95", toJson(point.againstFloat.deltaInterval) }, { "p_value", point.againstFloat.pValue },
            { "agreement", point.againstFloat.agreement }, { "cost", toJson(point.cost) },
            { "corrections", toJson(point.corrections) } };
    }

    static std::string listPoints(const SweepResult& result)
    {
        Table table({ { "W" }, { "A" }, { "top-1 [%]" }, { "95 % interval" }, { "difference" }, { "95 % interval" },
            { "p" }, { "agreement [%]" }, { "size [B]" }, { "BOP" } });
        for (const auto& point : result.points) {
            const auto& paired = point.againstFloat;
            table.add({ sweep::toString(point.weightBits), sweep::toString(point.activationBits), fixed(point.top1),
                interval(point.top1Interval), signedFixed(paired.delta), interval(paired.deltaInterval),
                probability(paired.pValue), fixed(paired.agreement), metric(point.cost.sizeBytes),
                metric(point.cost.bops) });
        }
        return table.toString();
    }

    /// Top-1 with weight bits downwards and activation bits to the right.
    std::string drawGrid(const SweepResult& result) const
    {
        std::vector<Table::Column> columns { { "top-1 [%]", Table::Align::Left } };
        for (const Bits bits : m_grid.activationBits)
            columns.push_back({ "A" + sweep::toString(bits) });
        Table table(columns);
        auto point = result.points.begin(); // weight bits outer, activation bits inner
        for (const Bits bits : m_grid.weightBits) {
            std::vector<std::string> row { "W" + sweep::toString(bits) };
            while (row.size() < columns.size())
                row.push_back(point == result.points.end() ? "" : fixed((point++)->top1));
            table.add(std::move(row));
        }
        return table.toString();
    }

    std::string m_csv;
    std::vector<std::string> m_charts;
    DataOptions m_data;
    QuantizationOptions m_quantization;
    GraphOptions m_graph;
    sweep::GridOptions m_grid;
    std::vector<std::string> m_leftOut; ///< word-lengths that the profile does not take, and why
    bool m_finished = false;
};

} // namespace

CommandPtr makeSweep(CLI::App& command) { return std::make_unique<Sweep>(command); }

} // namespace quantoscope::cli
