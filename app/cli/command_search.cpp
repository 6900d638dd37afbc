// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <chrono>
#include <map>

#include <CLI/CLI.hpp>

#include "app/cli/allowed_bits.h"
#include "app/cli/command.h"
#include "app/cli/energy_option.h"
#include "app/cli/findings.h"
#include "app/cli/output_file.h"
#include "app/cli/pipeline.h"
#include "app/cli/result_files.h"
#include "app/cli/shard_option.h"
#include "app/cli/text.h"
#include "core/planning/profile_rules.h"
#include "core/sweep/search.h"
#include "core/sweep/study_document.h"

namespace quantoscope::cli {

namespace {

using sweep::Bits;
using sweep::SearchPoint;
using sweep::SearchResult;

/// Word-lengths layer by layer under a budget: the front, what was chosen, JSON, CSV, charts and the plan.
class Search : public Command {
public:
    explicit Search(CLI::App& command)
    {
        m_common.addTo(command);
        command
            .add_option("--budget", m_budget,
                "What may be spent: size=40%, bops=25%, energy=30% of the float network, size=W4A8 (what uniform "
                "word-lengths take), or drop=1.0 points of top-1")
            ->required();
        command.add_option("--minimize", m_minimize, "What drop=... is to be cheap in; default bops")
            ->check(CLI::IsMember({ "size", "bops", "energy" }));
        command
            .add_option("--estimate", m_estimate,
                "What word-lengths are chosen by: kl, logit-mse, second-order or noise; default kl")
            ->check(CLI::IsMember({ "kl", "logit-mse", "second-order", "noise" }));
        command.add_option("--refine", m_options.refinements, "Rounds of refinement at most; default 3")
            ->check(CLI::Range(0, 100));
        command.add_option("--uniform", m_uniform, "Measure uniform word-lengths beside; default on")
            ->check(CLI::IsMember({ "on", "off" }));
        m_energy.addTo(command);
        command.add_option("--save-plan", m_savePlan, "Write the plan that was chosen");
        m_shard.addTo(command);
        m_files.addTo(command, "Draw accuracy against cost");
        m_data.addTo(command, true);
        m_quantization.addTo(command, WordLengths::Grid);
        m_graph.addTo(command);
    }

    Result<void> readOptions() override
    {
        QS_TRY(m_options.budget, sweep::Budget::parse(m_budget));
        QS_TRY(m_options.minimize, sweep::parsePrice(m_minimize));
        QS_TRY(m_options.estimate, sweep::parseEstimate(m_estimate));
        QS_CHECK(m_energy.check());
        QS_TRY(m_options.weightBits, bitsFor(quant::Role::Weight, m_quantization.weights.bits));
        QS_TRY(m_options.activationBits, bitsFor(quant::Role::Activation, m_quantization.activations.bits));
        if (m_quantization.corrections.best())
            return fail(ErrorCode::InvalidInput, "the flow would be chosen anew for every network", "--flow best",
                "choose ranges and corrections, as 'evaluate --flow best' shows them");
        QS_TRY(m_options.shard, m_shard.shard());
        QS_CHECK(m_data.preprocessing({}));
        m_options.uniform = m_uniform == "on";
        m_options.request.seed = m_common.seed;
        QS_TRY(m_options.request, m_quantization.request(m_options.request, WordLengths::Grid));
        return m_files.checkFormats();
    }

    Result<void> run(const base::Job& job, Report& report) override
    {
        const auto start = std::chrono::steady_clock::now();
        QS_CHECK(m_files.check(m_common, m_data));
        QS_CHECK(checkOutput(m_savePlan, m_common, m_data));
        Pipeline pipeline(m_common, job, report);
        QS_CHECK(pipeline.openModel(m_graph));
        QS_CHECK(pipeline.openLabelledData(m_data));
        QS_TRY(m_options.energy, pipeline.energyModel(m_energy));
        m_options.evaluation = pipeline.evaluation(m_quantization);
        QS_TRY(const auto* quantizer, pipeline.openQuantizer(m_quantization, m_data, true));
        QS_TRY(auto found, sweep::runSearch(*quantizer, *pipeline.samples(), m_options, job));
        const auto result = std::make_shared<const SearchResult>(std::move(found));
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
        pipeline.reportStatistics();
        if (!m_quantization.profile.empty())
            report.fact("profile", m_quantization.profile);
        for (const auto& note : m_leftOut)
            report.note(note);
        for (const auto& note : result->notes)
            report.note(note);
        report.fact("scope", result->scope);
        describeEnergy(report, m_options.energy);
        describe(report, *result, elapsed.count());
        m_finished = true;
        QS_CHECK(savePlan(report, *result));
        QS_CHECK(m_files.write(sweep::toCsv(*result), result, report));
        QS_CHECK(
            pipeline.keepStudy("search", sweep::settingsOf(m_options), result->complete && m_options.shard.isWhole()));
        if (!result->complete)
            return base::cancelled();
        return {};
    }

    bool worthPrinting() const override { return m_finished; }

private:
    Result<std::vector<int>> bitsFor(quant::Role role, const std::string& text)
    {
        QS_TRY(auto bits, sweep::parseBits(text.empty() ? "2..8" : text));
        if (std::ranges::find(bits, Bits()) != bits.end())
            return fail(ErrorCode::InvalidInput, "a search chooses from word-lengths, float is none", text,
                "give numbers: 2..8");
        QS_TRY(const auto hardware, m_quantization.hardwareProfile());
        if (hardware)
            QS_CHECK(leaveOutForbidden(*hardware, role, bits, m_leftOut));
        std::vector<int> list;
        for (const Bits b : bits)
            list.push_back(*b);
        std::ranges::sort(list);
        return list;
    }

    Result<void> savePlan(Report& report, const SearchResult& result) const
    {
        if (!result.chosen) {
            if (result.complete && m_options.shard.isWhole())
                report.note("nothing that was tried keeps to the budget");
            return {};
        }
        const auto& plan = *result.points[*result.chosen].plan;
        if (const auto hardware = m_quantization.hardwareProfile(); hardware && *hardware)
            QS_CHECK(refuse(planning::check(**hardware, plan), "this is a fault of the program: please report it"));
        if (m_savePlan.empty())
            return {};
        QS_CHECK(quant::savePlan(plan, m_savePlan));
        report.text("wrote        " + m_savePlan + "\n");
        return {};
    }

    static void describe(Report& report, const SearchResult& result, double seconds)
    {
        Json& json = report.json();
        const Json found = sweep::toJson(result);
        for (const auto& [key, value] : found.items())
            if (key != "scope" && key != "data")
                json[key] = value;
        json["seconds"] = seconds;
        const auto& reference = *result.floatResult;
        report.text("float        top-1 " + fixed(reference.top1()) + " % " + interval(reference.top1Interval())
            + " (95 %) on " + describeSpeed(reference) + "\n");
        report.text("Measured points that none is both cheaper than and more accurate than:\n"
            + listPoints(result, result.front));
        if (const auto sentence = sweep::describeFront(result); !sentence.empty())
            report.text(sentence + "\n");
        report.text(listReplacements(result, result.atEqualPrice,
            "At most the price of uniform word-lengths, chosen without labels, then measured on the same images:"));
        report.text(listReplacements(
            result, result.atEqualAccuracy, "Cheapest with at least the measured accuracy of uniform word-lengths:"));
        if (result.chosen)
            report.text(describeChosen(result));
        report.text(count(std::ssize(result.points)) + " networks measured in " + significant(seconds) + " s"
            + (result.complete ? "" : "; cancelled, the rest was not tried") + "\n");
    }

    static std::string listPoints(const SearchResult& result, const std::vector<std::size_t>& indices)
    {
        using Align = Table::Align;
        Table table({ { "word-lengths", Align::Left }, { "top-1 [%]" }, { "95 % interval" }, { "difference" },
            { "95 % interval" }, { "size [B]" }, { "BOP" }, { "energy [pJ]" }, { "divergence [nat]" } });
        for (const std::size_t i : indices) {
            const auto& point = result.points[i];
            const auto& paired = point.againstFloat;
            table.add({ point.label() + (result.chosen == i ? " (chosen)" : ""), fixed(point.top1),
                interval(point.top1Interval), signedFixed(paired.delta), interval(paired.deltaInterval),
                metric(point.cost.sizeBytes), metric(point.cost.bops), metric(point.cost.energyPj),
                significant(point.divergence) });
        }
        return table.toString();
    }

    static std::string listReplacements(
        const SearchResult& result, const std::vector<sweep::Replacement>& replacements, const std::string& title)
    {
        if (replacements.empty())
            return {};
        using Align = Table::Align;
        const std::string price = sweep::toString(result.price) + " [" + sweep::unitOf(result.price) + "]";
        Table table({ { "uniform", Align::Left }, { price }, { "top-1 [%]" }, { "mixed: " + price }, { "of it [%]" },
            { "top-1 [%]" }, { "difference" }, { "95 % interval" }, { "p" }, { "p (Holm)" } });
        for (const auto& [uniform, mixed, comparison, corrected] : replacements) {
            const auto& from = result.points[uniform];
            const auto& to = result.points[mixed];
            table.add({ from.label(), metric(from.price), fixed(from.top1), metric(to.price),
                fixed(100 * to.price / from.price, 1), fixed(to.top1), signedFixed(comparison.delta),
                interval(comparison.deltaInterval), probability(comparison.pValue), probability(corrected) });
        }
        return title + "\n" + table.toString();
    }

    static std::string describeChosen(const SearchResult& result)
    {
        using Align = Table::Align;
        const auto& point = result.points[*result.chosen];
        std::string text = "chosen       " + point.label() + ": top-1 " + fixed(point.top1) + " % "
            + interval(point.top1Interval) + ", " + signedFixed(point.againstFloat.delta) + " "
            + interval(point.againstFloat.deltaInterval) + " against float; " + describeCost(point.cost) + "\n";
        if (point.provenBest)
            text += "             its sum of harms is proven to be the least at this price\n";
        // A layer's weight and what it reads.
        std::map<std::string, std::pair<std::string, std::string>> bits;
        std::vector<std::string> layers;
        for (std::size_t unit = 0; unit < point.bits.size(); ++unit)
            for (const auto& layer : result.units[unit].layers) {
                if (bits.emplace(layer, std::pair<std::string, std::string>()).second)
                    layers.push_back(layer);
                auto& [weight, activation] = bits[layer];
                (result.units[unit].role == quant::Role::Weight ? weight : activation)
                    = std::to_string(point.bits[unit]);
            }
        Table table({ { "layer", Align::Left }, { "weight bits" }, { "activation bits" } });
        for (const auto& layer : layers)
            table.add({ layer, bits[layer].first, bits[layer].second });
        return text + "\n" + table.toString();
    }

    std::string m_budget;
    std::string m_minimize = "bops";
    std::string m_estimate = "kl";
    std::string m_uniform = "on";
    EnergyOption m_energy;
    std::string m_savePlan;
    ResultFiles m_files;
    ShardOption m_shard;
    DataOptions m_data;
    QuantizationOptions m_quantization;
    GraphOptions m_graph;
    sweep::SearchOptions m_options;
    std::vector<std::string> m_leftOut; ///< word-lengths that the profile does not take, and why
    bool m_finished = false;
};

} // namespace

CommandPtr makeSearch(CLI::App& command) { return std::make_unique<Search>(command); }

} // namespace quantoscope::cli
