// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include <CLI/CLI.hpp>

#include "app/cli/allowed_bits.h"
#include "app/cli/command.h"
#include "app/cli/energy_option.h"
#include "app/cli/findings.h"
#include "app/cli/pipeline.h"
#include "app/cli/result_files.h"
#include "app/cli/shard_option.h"
#include "app/cli/text.h"
#include "core/sweep/sensitivity.h"
#include "core/sweep/study_document.h"

namespace quantoscope::cli {

namespace {

using sweep::Bits;
using sweep::SensitivityPoint;
using sweep::SensitivityResult;

/// The word-lengths that are numbers: float is what everything is compared with.
std::vector<int> numbers(const std::vector<Bits>& bits)
{
    std::vector<int> list;
    for (const Bits b : bits)
        if (b)
            list.push_back(*b);
    return list;
}

std::string correlationText(const std::optional<double>& value, const evaluation::Interval& interval)
{
    return value ? signedFixed(*value) + " " + cli::interval(interval) : "-";
}

/// What each layer does alone: table, JSON, CSV and charts.
class Sensitivity : public Command {
public:
    explicit Sensitivity(CLI::App& command)
    {
        m_common.addTo(command);
        command.add_option("--bits", m_bits,
            "Word-lengths to try: 2..8 or 4,8; --weight-bits and --activation-bits set them apart (float: not looked "
            "at)");
        command
            .add_option("--measure", m_measure, "Measure accuracy; off: only estimates that need no labels. Default on")
            ->check(CLI::IsMember({ "on", "off" }));
        m_energy.addTo(command);
        m_shard.addTo(command);
        m_files.addTo(command, "Draw what each layer costs");
        m_data.addTo(command, true);
        m_quantization.addTo(command, WordLengths::Grid);
        m_graph.addTo(command);
    }

    Result<void> readOptions() override
    {
        QS_TRY(m_options.weightBits, bitsFor(quant::Role::Weight, m_quantization.weights));
        QS_TRY(m_options.activationBits, bitsFor(quant::Role::Activation, m_quantization.activations));
        if (m_options.weightBits.empty() && m_options.activationBits.empty())
            return fail(ErrorCode::InvalidInput, "there is no word-length to try", "--bits", "give some: 2..8");
        QS_TRY(m_options.shard, m_shard.shard());
        QS_CHECK(m_energy.check());
        QS_CHECK(m_data.preprocessing({}));
        m_options.request.seed = m_common.seed;
        QS_TRY(m_options.request, m_quantization.request(m_options.request, WordLengths::Grid));
        return m_files.checkFormats();
    }

    Result<void> run(const base::Job& job, Report& report) override
    {
        const auto start = std::chrono::steady_clock::now();
        QS_CHECK(m_files.check(m_common, m_data));
        Pipeline pipeline(m_common, job, report);
        QS_CHECK(pipeline.openModel(m_graph));
        m_options.measure = m_measure == "on";
        QS_CHECK(m_options.measure ? pipeline.openLabelledData(m_data) : pipeline.openData(m_data));
        QS_TRY(m_options.energy, pipeline.energyModel(m_energy));
        m_options.evaluation = pipeline.evaluation(m_quantization);
        QS_TRY(const auto* quantizer, pipeline.openQuantizer(m_quantization, m_data, true));
        QS_TRY(auto result, sweep::runSensitivity(*quantizer, pipeline.samples().get(), m_options, job));
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
        pipeline.reportStatistics();
        if (!m_quantization.profile.empty())
            report.fact("profile", m_quantization.profile);
        for (const auto& note : m_leftOut)
            report.note(note);
        for (const auto& note : result.notes)
            report.note(note);
        report.fact("scope", "each tensor alone, everything else float: " + result.scope);
        describeEnergy(report, m_options.energy);
        describe(report, result, elapsed.count());
        m_finished = true;
        const auto finished = std::make_shared<const SensitivityResult>(std::move(result));
        QS_CHECK(m_files.write(sweep::toCsv(*finished), finished, report));
        QS_CHECK(pipeline.keepStudy(
            "sensitivity", sweep::settingsOf(m_options), finished->complete && m_options.shard.isWhole()));
        if (!finished->complete)
            return base::cancelled();
        return {};
    }

    bool worthPrinting() const override { return m_finished; }

private:
    /// --bits or what is said of this kind of tensor, as far as the profile goes.
    Result<std::vector<int>> bitsFor(quant::Role role, const OperandOptions& operand)
    {
        QS_TRY(auto bits, sweep::parseBits(operand.bits.empty() ? m_bits : operand.bits));
        std::erase(bits, Bits());
        QS_TRY(const auto hardware, m_quantization.hardwareProfile());
        if (hardware && !bits.empty())
            QS_CHECK(leaveOutForbidden(*hardware, role, bits, m_leftOut));
        return numbers(bits);
    }

    void describe(Report& report, const SensitivityResult& result, double seconds) const
    {
        Json& json = report.json();
        const Json found = sweep::toJson(result);
        for (const auto& [key, value] : found.items())
            if (key != "scope" && key != "data")
                json[key] = value;
        json["seconds"] = seconds;
        if (result.floatResult)
            report.text("float        top-1 " + fixed(result.floatResult->top1()) + " % "
                + interval(result.floatResult->top1Interval()) + " (95 %) on " + describeSpeed(*result.floatResult)
                + "\n");
        report.text(listPoints(result));
        for (const auto role : { quant::Role::Weight, quant::Role::Activation })
            report.text(drawGrid(result, role));
        if (!result.trust.empty())
            report.text(listTrust(result) + "\n" + sweep::describeTrust(result) + "\n");
        report.text(count(std::ssize(result.points)) + " points in " + significant(seconds) + " s"
            + (result.complete ? "" : "; cancelled, the rest was not tried") + "\n");
    }

    static std::string listPoints(const SensitivityResult& result)
    {
        using Align = Table::Align;
        std::vector<Table::Column> columns { { "layer", Align::Left }, { "kind", Align::Left }, { "bits" } };
        if (result.floatResult)
            for (const char* header : { "top-1 [%]", "difference", "95 % interval", "p" })
                columns.push_back({ header });
        for (const char* header : { "SQNR [dB]", "KL [nat]", "logit MSE", "second order" })
            columns.push_back({ header });
        Table table(columns);
        for (const auto& point : result.points) {
            const auto& unit = result.units[point.unit];
            std::vector<std::string> row { unit.name, quant::toString(unit.role), std::to_string(point.bits) };
            if (point.measured) {
                const auto& paired = point.measured->againstFloat;
                for (auto& cell : { fixed(point.measured->top1), signedFixed(paired.delta),
                         interval(paired.deltaInterval), probability(paired.pValue) })
                    row.push_back(cell);
            }
            row.push_back(significant(point.sqnrDb));
            for (const auto estimate :
                { sweep::Estimate::Divergence, sweep::Estimate::LogitError, sweep::Estimate::SecondOrder })
                row.push_back(significant(point.estimate(estimate)));
            table.add(std::move(row));
        }
        return table.toString();
    }

    /// Layers downwards, word-lengths to the right: the difference in top-1, or the divergence if none was measured.
    static std::string drawGrid(const SensitivityResult& result, quant::Role role)
    {
        std::map<int, std::size_t> columnOf;
        for (const auto& point : result.points)
            if (result.units[point.unit].role == role)
                columnOf.emplace(point.bits, 0);
        if (columnOf.empty())
            return {};
        std::vector<Table::Column> columns { { quant::toString(role)
                + (result.floatResult ? ": top-1 against float" : ": KL [nat]"),
            Table::Align::Left } };
        for (auto& [bits, column] : columnOf) {
            column = columns.size();
            columns.push_back({ std::to_string(bits) });
        }
        Table table(columns);
        for (std::size_t unit = 0; unit < result.units.size(); ++unit) {
            std::vector<std::string> row(columns.size());
            row.front() = result.units[unit].name;
            bool any = false;
            for (const auto& point : result.points)
                if (point.unit == unit && result.units[unit].role == role) {
                    any = true;
                    row[columnOf.at(point.bits)] = point.measured
                        ? signedFixed(point.measured->againstFloat.delta)
                        : significant(point.estimate(sweep::Estimate::Divergence));
                }
            if (any)
                table.add(std::move(row));
        }
        return table.toString();
    }

    /// Over all word-lengths together, and each alone.
    static std::string listTrust(const SensitivityResult& result)
    {
        using Align = Table::Align;
        Table table({ { "estimate", Align::Left }, { "kind", Align::Left }, { "bits" }, { "points" }, { "Spearman" },
            { "Kendall" } });
        for (const auto& trust : result.trust) {
            const auto& c = trust.correlation;
            table.add({ sweep::toString(trust.estimate), trust.role ? quant::toString(*trust.role) : "both",
                trust.bits ? std::to_string(*trust.bits) : "all", count(c.pairs),
                correlationText(c.spearman, c.spearmanInterval), correlationText(c.kendall, c.kendallInterval) });
        }
        return table.toString();
    }

    std::string m_bits = "2..8";
    std::string m_measure = "on";
    ResultFiles m_files;
    EnergyOption m_energy;
    ShardOption m_shard;
    DataOptions m_data;
    QuantizationOptions m_quantization;
    GraphOptions m_graph;
    sweep::SensitivityOptions m_options;
    std::vector<std::string> m_leftOut; ///< word-lengths that the profile does not take, and why
    bool m_finished = false;
};

} // namespace

CommandPtr makeSensitivity(CLI::App& command) { return std::make_unique<Sensitivity>(command); }

} // namespace quantoscope::cli
