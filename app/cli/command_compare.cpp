// SPDX-License-Identifier: GPL-3.0-or-later
#include <cmath>
#include <filesystem>

#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "app/cli/findings.h"
#include "app/cli/pipeline.h"
#include "app/cli/text.h"
#include "core/cost/metric.h"
#include "core/evaluation/plan_comparison.h"
#include "core/importing/open_model.h"
#include "core/importing/transplant.h"

namespace quantoscope::cli {

namespace {

using evaluation::PlanComparison;
using evaluation::PlannedTensor;
using evaluation::TensorPair;

/// Two plans or quantized models, layer by layer.
class Compare : public Command {
public:
    explicit Compare(CLI::App& command)
    {
        command.add_option("A", m_files[0], "A plan that --save-plan wrote, or a quantized ONNX model")->required();
        command.add_option("B", m_files[1], "What to compare it with, likewise")->required();
        command.add_option("--model", m_common.model,
            "The float model that both are for: plans need it, and SQNR of weights is measured against it");
        command.add_flag("--json", m_common.json, "One JSON document on standard output, nothing else");
        command.add_flag("--all", m_all, "List tensors that are the same too");
        m_common.noCache = true;
        m_data.addTo(command, false);
        m_graph.addTo(command);
    }

    Result<void> readOptions() override
    {
        QS_CHECK(m_data.preprocessing({}));
        for (const auto& file : m_files)
            if (m_common.model.empty() && !isModel(file))
                return fail(ErrorCode::InvalidInput, "a plan says nothing without its model", file,
                    "give the model with --model FILE.onnx");
        if (m_common.model.empty() && (!m_data.data.empty() || !m_data.calibration.empty()))
            return fail(ErrorCode::InvalidInput, "SQNR on images is measured against the float model", {},
                "give it with --model FILE.onnx, or leave --data out");
        if (m_data.limit == 0)
            m_data.limit = defaultImages;
        return {};
    }

    Result<void> run(const base::Job& job, Report& report) override
    {
        Pipeline pipeline(m_common, job, report);
        if (!m_common.model.empty()) {
            QS_CHECK(pipeline.openModel(m_graph));
            QS_CHECK(pipeline.openData(m_data));
            if (!pipeline.samples() && !m_data.calibration.empty())
                QS_CHECK(pipeline.openCalibrationData(m_data));
        }
        QS_TRY(const auto a, open(m_files[0], pipeline, job));
        QS_TRY(const auto b, open(m_files[1], pipeline, job));
        const auto comparison = evaluation::comparePlans({ *a.graph, *a.plan, a.sqnr }, { *b.graph, *b.plan, b.sqnr });
        report.fact("a", m_files[0] + ": " + a.plan->title);
        report.fact("b", m_files[1] + ": " + b.plan->title);
        describe(report, comparison);
        return {};
    }

private:
    static constexpr std::int64_t defaultImages = 64; ///< SQNR is a mean over many elements an image

    /// One of the two.
    struct Side {
        flow::GraphPtr graph;
        quant::PlanPtr plan;
        evaluation::TensorSqnr sqnr;
    };

    static bool isModel(const std::string& file) { return std::filesystem::path(file).extension() == ".onnx"; }

    Result<Side> open(const std::string& file, const Pipeline& pipeline, const base::Job& job) const
    {
        const auto& original = pipeline.floatGraph();
        Side side;
        if (!isModel(file)) {
            QS_TRY(auto plan, quant::loadPlan(file));
            QS_TRY(side.graph, flow::Quantizer(original, nullptr).graphFor(plan));
            side.plan = std::make_shared<const quant::QuantizationPlan>(std::move(plan));
        } else {
            QS_TRY(const auto opened, importing::openModel(file));
            if (!opened.plan)
                return fail(
                    ErrorCode::InvalidInput, "the model is not quantized", file, "give a quantized model or a plan");
            side.graph = opened.graph;
            side.plan = opened.plan;
            if (!original)
                return side;
            auto moved = importing::transplant(*opened.plan, *opened.graph, *original);
            if (!moved) {
                moved.error().where = file + ", " + moved.error().where;
                return tl::make_unexpected(std::move(moved).error());
            }
            side.graph = original;
            side.plan = std::make_shared<const quant::QuantizationPlan>(*std::move(moved));
        }
        const auto& samples = pipeline.samples() ? pipeline.samples() : pipeline.calibrationSamples();
        QS_TRY(side.sqnr, evaluation::tensorSqnr(*side.graph, *side.plan, samples.get(), job));
        return side;
    }

    static std::pair<double, double> rangeOf(const quant::Encoding& encoding)
    {
        std::pair<double, double> range { encoding.low(0), encoding.high(0) };
        for (std::size_t c = 1; c < encoding.scale.size(); ++c)
            range
                = { std::min<double>(range.first, encoding.low(c)), std::max<double>(range.second, encoding.high(c)) };
        return range;
    }

    static Json toJson(const std::optional<PlannedTensor>& side)
    {
        if (!side)
            return nullptr;
        const auto& encoding = side->quantizer.encoding;
        const auto [low, high] = rangeOf(encoding);
        return { { "bits", encoding.bits() }, { "low", low }, { "high", high },
            { "granularity", encoding.perChannel() ? "channel" : "tensor" },
            { "sqnr_db", side->sqnrDb ? Json(*side->sqnrDb) : Json() }, { "encoding", encoding.toJson() } };
    }

    static Json toJson(const std::optional<cost::LayerCost>& side)
    {
        if (!side)
            return nullptr;
        return { { "weight_bits", side->weightBits }, { "activation_bits", side->activationBits },
            { "weight_bytes", side->weightBytes }, { "bops", side->bops }, { "energy_pj", side->energyPj } };
    }

    /// "8", or "8 -> 4" where they differ.
    static std::string both(const std::string& a, const std::string& b) { return a == b ? a : a + " -> " + b; }

    template <typename Side, typename Text>
    static std::string both(const std::optional<Side>& a, const std::optional<Side>& b, Text text)
    {
        return both(a ? text(*a) : "-", b ? text(*b) : "-");
    }

    void describe(Report& report, const PlanComparison& comparison) const
    {
        describeLayers(report, comparison);
        describeTensors(report, comparison);
        Json& json = report.json();
        json["tensors_different"] = comparison.different;
        json["cost"] = { { "a", cost::toJson(comparison.costA) }, { "b", cost::toJson(comparison.costB) } };
        report.text("cost of a    " + describeCost(comparison.costA) + "\ncost of b    "
            + describeCost(comparison.costB) + "\n");
        report.text(comparison.different == 0 ? "Both quantize every tensor to the same values.\n"
                                              : count(static_cast<std::int64_t>(comparison.different)) + " of "
                    + count(static_cast<std::int64_t>(comparison.tensors.size())) + " tensors differ.\n");
    }

    static void describeLayers(Report& report, const PlanComparison& comparison)
    {
        using enum Table::Align;
        Table table({ { "layer", Left }, { "W bits" }, { "A bits" }, { "W SQNR [dB]" }, { "A SQNR [dB]" }, { "bytes" },
            { "BOPs" }, { "energy [uJ]" } });
        Json rows = Json::array();
        const auto sqnrOf = [&](const std::string& tensor) {
            const auto it = std::ranges::find(comparison.tensors, tensor, &TensorPair::tensor);
            const auto text = [](const PlannedTensor& side) { return side.sqnrDb ? fixed(*side.sqnrDb, 1) : "?"; };
            return it == comparison.tensors.end() ? std::string("-") : both(it->a, it->b, text);
        };
        const auto bits = [](int value) { return value == 32 ? std::string("float") : std::to_string(value); };
        for (const auto& pair : comparison.layers) {
            rows.push_back({ { "name", pair.layer }, { "weight", pair.weight.empty() ? Json() : Json(pair.weight) },
                { "activation", pair.activation }, { "a", toJson(pair.a) }, { "b", toJson(pair.b) } });
            const auto cell = [&](auto text) { return both(pair.a, pair.b, text); };
            using L = cost::LayerCost;
            table.add({ pair.layer, cell([&](const L& l) { return bits(l.weightBits); }),
                cell([&](const L& l) { return bits(l.activationBits); }), sqnrOf(pair.weight), sqnrOf(pair.activation),
                cell([](const L& l) { return count(std::llround(l.weightBytes)); }),
                cell([](const L& l) { return metric(l.bops); }),
                cell([](const L& l) { return significant(l.energyPj / 1e6); }) });
        }
        report.json()["layers"] = std::move(rows);
        report.text(table.toString());
    }

    void describeTensors(Report& report, const PlanComparison& comparison) const
    {
        using enum Table::Align;
        Table table({ { "tensor", Left }, { "kind", Left }, { "bits" }, { "range" }, { "scales" }, { "SQNR [dB]" } });
        Json rows = Json::array();
        const auto range = [](const PlannedTensor& side) {
            const auto [low, high] = rangeOf(side.quantizer.encoding);
            return "[" + significant(low) + ", " + significant(high) + "]";
        };
        for (const auto& pair : comparison.tensors) {
            rows.push_back({ { "name", pair.tensor }, { "kind", quant::toString(pair.role) }, { "layers", pair.layers },
                { "same", pair.same() }, { "a", toJson(pair.a) }, { "b", toJson(pair.b) } });
            if (pair.same() && !m_all)
                continue;
            const auto cell = [&](auto text) { return both(pair.a, pair.b, text); };
            using P = PlannedTensor;
            table.add({ pair.tensor, quant::toString(pair.role),
                cell([](const P& p) { return std::to_string(p.quantizer.encoding.bits()); }), cell(range),
                cell([](const P& p) { return count(static_cast<std::int64_t>(p.quantizer.encoding.scale.size())); }),
                cell([](const P& p) { return p.sqnrDb ? fixed(*p.sqnrDb, 1) : std::string("?"); }) });
        }
        report.json()["tensors"] = std::move(rows);
        if (!table.empty())
            report.text((m_all ? "Tensors:\n" : "Tensors that differ:\n") + table.toString());
    }

    std::array<std::string, 2> m_files;
    bool m_all = false;
    DataOptions m_data;
    GraphOptions m_graph;
};

} // namespace

CommandPtr makeCompare(CLI::App& command) { return std::make_unique<Compare>(command); }

} // namespace quantoscope::cli
