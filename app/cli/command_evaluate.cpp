// SPDX-License-Identifier: GPL-3.0-or-later
#include <chrono>

#include <CLI/CLI.hpp>

#include "app/cli/accumulator_report.h"
#include "app/cli/command.h"
#include "app/cli/energy_option.h"
#include "app/cli/findings.h"
#include "app/cli/output_file.h"
#include "app/cli/pipeline.h"
#include "app/cli/text.h"
#include "core/cost/cost.h"
#include "core/evaluation/evaluator.h"
#include "core/quant/plan_fingerprint.h"

namespace quantoscope::cli {

namespace {

using evaluation::EvaluationResult;
using evaluation::EvaluationResultPtr;

/// Float accuracy first, then the quantized network on the same images.
class Evaluate : public Command {
public:
    explicit Evaluate(CLI::App& command)
    {
        m_common.addTo(command);
        m_data.addTo(command, true);
        m_quantization.addTo(command, WordLengths::Single);
        m_files.addTo(command);
        m_energy.addTo(command);
        m_graph.addTo(command);
    }

    Result<void> readOptions() override
    {
        QS_CHECK(m_data.preprocessing({}));
        QS_CHECK(m_quantization.request({}, WordLengths::Single));
        QS_CHECK(m_energy.model());
        return {};
    }

    Result<void> run(const base::Job& job, Report& report) override
    {
        const auto start = std::chrono::steady_clock::now();
        QS_CHECK(checkOutput(m_files.save, m_common, m_data));
        Pipeline pipeline(m_common, job, report);
        QS_CHECK(pipeline.openModel(m_graph));
        QS_CHECK(pipeline.openLabelledData(m_data));
        QS_TRY(const auto plan, pipeline.makePlan(m_quantization, m_data, m_files));

        const auto options = pipeline.evaluation(m_quantization);
        QS_TRY(const auto floatResult,
            evaluation::evaluate(*pipeline.floatGraph(), {}, *pipeline.samples(), options, job));
        EvaluationResultPtr quantized = floatResult;
        if (!plan->empty()) {
            QS_TRY(quantized, evaluation::evaluate(pipeline.graph(), *plan, *pipeline.samples(), options, job));
        }
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
        QS_TRY(const auto energy, m_energy.model());
        describeEnergy(report, energy);
        describe(report, *floatResult, *quantized, cost::computeCost(pipeline.graph(), *plan, energy), elapsed.count());
        QS_CHECK(reportAccumulators(pipeline, *plan, m_quantization, m_common, job, report));
        describeFormats(report, *plan);
        return pipeline.keepStudy(
            "evaluate", { { "plan", quant::fingerprint(*plan) }, { "engine", m_quantization.engine } });
    }

private:
    static std::string describeArithmetic(const engine::ArithmeticUse& use)
    {
        if (use.integerLayers == 0)
            return "float arithmetic";
        return "integer arithmetic on " + std::to_string(use.integerLayers) + " of "
            + std::to_string(use.integerLayers + use.floatLayers) + " layers";
    }

    static void describe(Report& report, const EvaluationResult& floatResult, const EvaluationResult& quantized,
        const cost::Cost& cost, double seconds)
    {
        const auto paired = evaluation::compare(floatResult.outcomes, quantized.outcomes);
        Json& json = report.json();
        json["images"] = quantized.images();
        json["output"] = quantized.output;
        json["float"] = toJson(floatResult);
        json["quantized"] = toJson(quantized);
        json["delta_top1"] = paired.delta;
        json["delta_top1_ci95"] = toJson(paired.deltaInterval);
        json["p_value"] = paired.pValue;
        json["agreement"] = paired.agreement;
        json["cost"] = toJson(cost);
        json["engine"] = quantized.arithmetic.toString();
        json["integer_layers"] = quantized.arithmetic.integerLayers;
        json["float_layers"] = quantized.arithmetic.floatLayers;
        json["images_per_second"] = quantized.imagesPerSecond();
        json["seconds"] = seconds;

        using enum Table::Align;
        Table table({ { "", Left }, { "images" }, { "top-1 [%]" }, { "95 % interval" }, { "top-5 [%]" }, { "loss" } });
        const auto add = [&](const std::string& name, const EvaluationResult& r) {
            table.add({ name, count(r.images()), fixed(r.top1()), interval(r.top1Interval()), fixed(r.top5()),
                fixed(r.loss(), 4) });
        };
        add("float", floatResult);
        add("quantized", quantized);
        report.text(table.toString());
        report.text("difference   " + signedFixed(paired.delta) + " points " + interval(paired.deltaInterval)
            + ", p = " + probability(paired.pValue) + " (exact McNemar), agreement " + fixed(paired.agreement) + " %\n"
            + "cost         " + describeCost(cost) + "\n" + "engine       " + describeArithmetic(quantized.arithmetic)
            + ", " + describeSpeed(quantized) + ", " + significant(seconds) + " s in all\n");
    }

    DataOptions m_data;
    QuantizationOptions m_quantization;
    PlanFileOptions m_files;
    EnergyOption m_energy;
    GraphOptions m_graph;
};

} // namespace

CommandPtr makeEvaluate(CLI::App& command) { return std::make_unique<Evaluate>(command); }

} // namespace quantoscope::cli
