// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <optional>

#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "app/cli/output_file.h"
#include "app/cli/pipeline.h"
#include "app/cli/text.h"
#include "core/evaluation/evaluator.h"
#include "core/evaluation/flips.h"
#include "core/quant/plan_fingerprint.h"

namespace quantoscope::cli {

namespace {

using evaluation::Flip;
using evaluation::FlipKind;

constexpr std::int64_t usualImages = 256; ///< for the usual error of a layer
constexpr std::size_t confusionRows = 10;

/// Where one flip comes from.
struct Origin {
    std::string tensor; ///< empty: nowhere in particular
    double sqnrDb = 0;
    double usualDb = 0;
};

/// Images whose prediction quantization changed, with the place where the two networks part.
class Flips : public Command {
public:
    explicit Flips(CLI::App& command)
    {
        m_common.addTo(command);
        m_data.addTo(command, true);
        m_quantization.addTo(command, WordLengths::Single);
        m_files.addTo(command);
        m_graph.addTo(command);
        command.add_option("--show", m_show, "Rows of the table; default 20. JSON has every image")
            ->check(CLI::NonNegativeNumber);
        command
            .add_option("--trace", m_trace,
                "Find for so many images the first tensor where the quantized network errs more than it usually does "
                "there; default 10")
            ->check(CLI::NonNegativeNumber);
    }

    Result<void> readOptions() override
    {
        QS_CHECK(m_data.preprocessing({}));
        QS_CHECK(m_quantization.request({}, WordLengths::Single));
        return {};
    }

    Result<void> run(const base::Job& job, Report& report) override
    {
        QS_CHECK(checkOutput(m_files.save, m_common, m_data));
        Pipeline pipeline(m_common, job, report);
        QS_CHECK(pipeline.openModel(m_graph));
        QS_CHECK(pipeline.openLabelledData(m_data));
        QS_TRY(const auto plan, pipeline.makePlan(m_quantization, m_data, m_files));
        const auto options = pipeline.evaluation(m_quantization);
        QS_TRY(const auto before, evaluation::evaluate(*pipeline.floatGraph(), {}, *pipeline.samples(), options, job));
        QS_TRY(const auto after, evaluation::evaluate(pipeline.graph(), *plan, *pipeline.samples(), options, job));
        const auto flips = evaluation::findFlips(before->outcomes, after->outcomes);
        QS_TRY(const auto origins, trace(pipeline, *plan, flips, options, job));
        describe(report, pipeline, flips, origins, before->images());
        describeConfusion(report, pipeline, evaluation::confusionChanges(before->outcomes, after->outcomes));
        return pipeline.keepStudy("flips", { { "plan", quant::fingerprint(*plan) } });
    }

private:
    Result<std::vector<Origin>> trace(const Pipeline& pipeline, const quant::QuantizationPlan& plan,
        const std::vector<Flip>& flips, const evaluation::EvaluationOptions& options, const base::Job& job) const
    {
        std::vector<Origin> origins;
        const auto traced = std::min(flips.size(), static_cast<std::size_t>(m_trace));
        if (traced == 0 || plan.empty())
            return origins;
        const auto& samples = *pipeline.samples();
        std::vector<std::int64_t> some = dataset::sampleIndices(samples.size(), usualImages, m_common.seed);
        QS_TRY(
            const auto usual, evaluation::compareLayers(pipeline.graph(), plan, *samples.subset(some), options, job));
        for (std::size_t i = 0; i < traced; ++i) {
            const std::array position { flips[i].image };
            QS_TRY(const auto own,
                evaluation::compareLayers(pipeline.graph(), plan, *samples.subset(position), options, job));
            const auto found = evaluation::firstDivergence(usual, own);
            origins.push_back(found ? Origin { own[found->tensor].name, found->sqnrDb, found->usualDb } : Origin {});
        }
        return origins;
    }

    void describe(Report& report, const Pipeline& pipeline, const std::vector<Flip>& flips,
        const std::vector<Origin>& origins, std::int64_t images) const
    {
        const auto& samples = *pipeline.samples();
        const auto nameOf = [&](std::int32_t c) { return className(samples, c); };
        using enum Table::Align;
        Table table({ { "image", Left }, { "", Left }, { "label", Left }, { "float", Left }, { "quantized", Left },
            { "margin" }, { "quantized" }, { "parts at", Left } });
        Json rows = Json::array();
        for (std::size_t i = 0; i < flips.size(); ++i) {
            const auto& flip = flips[i];
            const auto index = samples.originalIndex(flip.image);
            Json row { { "index", index }, { "name", samples.dataset()->name(index) },
                { "kind", evaluation::toString(flip.kind) }, { "label", flip.before.label },
                { "float_prediction", flip.before.prediction }, { "quantized_prediction", flip.after.prediction },
                { "margin_before", flip.before.margin }, { "margin_after", flip.after.margin } };
            std::string place;
            if (i < origins.size()) {
                place = origins[i].tensor.empty() ? "nowhere in particular" : origins[i].tensor;
                row["parts_at"] = origins[i].tensor.empty()
                    ? Json()
                    : Json { { "tensor", origins[i].tensor }, { "sqnr_db", origins[i].sqnrDb },
                          { "usual_sqnr_db", origins[i].usualDb } };
                if (!origins[i].tensor.empty())
                    place += " (" + fixed(origins[i].sqnrDb, 1) + " dB, usually " + fixed(origins[i].usualDb, 1) + ")";
            }
            rows.push_back(std::move(row));
            if (i < static_cast<std::size_t>(m_show))
                table.add({ samples.dataset()->name(index), evaluation::toString(flip.kind), nameOf(flip.before.label),
                    nameOf(flip.before.prediction), nameOf(flip.after.prediction), signedFixed(flip.before.margin),
                    signedFixed(flip.after.margin), place });
        }
        report.json()["count"] = images;
        report.json()["class_names"] = samples.dataset()->classNames();
        report.json()["images"] = std::move(rows);
        summarize(report, flips, images);
        if (!table.empty())
            report.text(table.toString());
        if (flips.size() > static_cast<std::size_t>(m_show))
            report.text(count(static_cast<std::int64_t>(flips.size()) - m_show) + " more: --show N\n");
    }

    static void summarize(Report& report, const std::vector<Flip>& flips, std::int64_t images)
    {
        const auto ofKind = [&](FlipKind kind) { return std::ranges::count(flips, kind, &Flip::kind); };
        const auto lost = ofKind(FlipKind::Lost);
        const auto gained = ofKind(FlipKind::Gained);
        report.json()["lost"] = lost;
        report.json()["gained"] = gained;
        report.json()["moved"] = ofKind(FlipKind::Moved);
        report.text(count(static_cast<std::int64_t>(flips.size())) + " of " + count(images)
            + " images are seen as another class: " + count(lost) + " right in float and wrong quantized, "
            + count(gained) + " the reverse, " + count(ofKind(FlipKind::Moved)) + " between wrong classes.\n");
    }

    static void describeConfusion(
        Report& report, const Pipeline& pipeline, const std::vector<evaluation::ConfusionChange>& changes)
    {
        const auto& samples = *pipeline.samples();
        using enum Table::Align;
        Table table({ { "label", Left }, { "taken for", Left }, { "float" }, { "quantized" }, { "change" } });
        Json rows = Json::array();
        for (const auto& change : changes) {
            rows.push_back({ { "label", change.label }, { "prediction", change.prediction }, { "float", change.before },
                { "quantized", change.after } });
            if (rows.size() <= confusionRows)
                table.add(
                    { className(samples, change.label), className(samples, change.prediction), count(change.before),
                        count(change.after), (change.change() > 0 ? "+" : "-") + count(std::abs(change.change())) });
        }
        report.json()["confusion"] = std::move(rows);
        if (!table.empty())
            report.text("Largest changes of the confusion matrix:\n" + table.toString());
    }

    /// "7 (horse)", or the number where the data name no classes.
    static std::string className(const dataset::SampleSet& samples, std::int32_t number)
    {
        const auto& names = samples.dataset()->classNames();
        if (number < 0)
            return "none";
        const auto i = static_cast<std::size_t>(number);
        return std::to_string(number) + (i < names.size() ? " (" + names[i] + ")" : "");
    }

    DataOptions m_data;
    QuantizationOptions m_quantization;
    PlanFileOptions m_files;
    GraphOptions m_graph;
    std::int64_t m_show = 20;
    std::int64_t m_trace = 10;
};

} // namespace

CommandPtr makeFlips(CLI::App& command) { return std::make_unique<Flips>(command); }

} // namespace quantoscope::cli
