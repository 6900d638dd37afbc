// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/weight_correction.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/planning/transforms/adaptive_rounding.h"
#include "core/planning/transforms/chosen_layers.h"
#include "core/planning/transforms/layer_bias.h"
#include "core/planning/transforms/layer_fit.h"
#include "core/planning/transforms/layer_samples.h"
#include "core/planning/transforms/spread.h"
#include "core/planning/transforms/replay.h"
#include "core/planning/transforms/weight_rounding.h"

namespace quantoscope::planning {

namespace {

using graph::Graph;
using graph::Layer;

class WeightCorrector {
public:
    WeightCorrector(const CorrectionData& data, const WeightCorrection& correction, std::shared_ptr<const Stage> stage,
        const quant::QuantizationPlan& plan, const base::Job& job)
        : m_data(data)
        , m_correction(correction)
        , m_job(job)
        , m_stage(std::move(stage))
        , m_graph(m_stage->graph())
        , m_quantized(m_stage, data.threads, correction.limits.activationMemory)
        , m_float(m_stage, data.threads, correction.limits.activationMemory)
    {
        m_result.plan = plan;
    }

    Result<CorrectedPlan> run(const std::vector<Layer>& layers)
    {
        m_job.begin("Correcting weights", std::ssize(layers), "layers");
        for (const auto& chosen : layers) {
            if (const auto layer = graph::computeLayer(m_graph, chosen.node))
                QS_CHECK(visit(*layer));
            m_job.advance();
        }
        m_job.finish();
        return std::move(m_result);
    }

private:
    Result<void> visit(const Layer& layer)
    {
        if (!layer.weight.valid() || !m_result.plan.find(m_graph.value(layer.weight).name))
            return {};
        if (m_done.contains(m_graph.value(layer.weight).name))
            return note(layer, "an earlier layer has the same weight, which is rounded for that one");
        const auto matrix = LayerMatrix::create(m_graph, layer);
        if (!matrix || matrix->positions() % m_stage->batch() != 0)
            return note(layer, matrix ? "its positions do not divide among the images" : matrix.error().what);
        if (matrix->columns() > m_correction.limits.columns)
            return note(layer, "each output reads " + std::to_string(matrix->columns()) + " inputs");
        auto corrected = correct(layer, *matrix);
        if (!corrected && corrected.error().where.empty() && corrected.error().code != ErrorCode::Cancelled)
            corrected.error().where = "layer '" + layer.name + "'";
        return corrected;
    }

    Result<void> note(const Layer& layer, const std::string& why)
    {
        m_result.notes.push_back("layer '" + layer.name + "': weight not corrected: " + why);
        return {};
    }

    Result<void> correct(const Layer& layer, const LayerMatrix& matrix)
    {
        const auto& limits = m_correction.limits;
        const PositionSampler sampler(
            matrix, m_stage->images(), m_stage->batch(), limits.positions, limits.sampleMemory, m_data.seed);
        const bool movesBias = (m_correction.reconstruct || m_correction.bias) && affine(layer);
        QS_TRY(const auto samples, takeSamples(layer, matrix, sampler, movesBias));
        const RowRange allRows { 0, sampler.rows() };
        QS_TRY(const auto moments, momentsOf(samples.inputs, samples.targets, allRows));
        QS_TRY(const auto goals, goalsOf(samples, moments, allRows));
        Tensor wanted = tensor::convert(m_graph.value(layer.weight).constant->view(), DType::Float32);
        if (movesBias && m_correction.reconstruct && sampler.heldBackRows() > 0) {
            QS_TRY(const auto fit, fitted(layer, matrix, sampler, samples, goals));
            place(fit.rows, matrix, wanted);
        }
        const auto& name = m_graph.value(layer.weight).name;
        auto quantizer = *m_result.plan.find(name);
        QS_TRY(auto rounded, round(matrix, moments, wanted, quantizer));
        followScale(layer, quantizer.encoding);
        // The levels are chosen; reading them back must not round anything but the last bit of a float.
        quantizer.encoding.rounding = quant::Rounding::HalfEven;
        m_result.plan.set(name, std::move(quantizer));
        m_result.plan.setConstant(name, std::make_shared<const Tensor>(rounded));
        if (movesBias)
            moveBias(layer, matrix, goals, rounded);
        m_done.insert(name);
        return {};
    }

    /// Whether the layer is y = W x + b with a bias that can be moved.
    bool affine(const Layer& layer) const
    {
        return biasObstacle(m_graph, layer).empty()
            && (layer.op != "Gemm" || m_graph.node(layer.node).floatAttribute("alpha", 1) == 1);
    }

    /// `wanted` on the grid; may change the scales of the quantizer.
    Result<Tensor> round(
        const LayerMatrix& matrix, const LayerMoments& moments, const Tensor& wanted, quant::TensorQuantizer& quantizer)
    {
        const int threads = m_data.threads;
        auto& encoding = quantizer.encoding;
        const bool freeScale = quantizer.config.scale == quant::ScaleRestriction::None;
        const RoundingOptions options { m_correction.compensate, threads };
        QS_TRY(const auto factors, factorizeGroups(moments.inputs, m_correction.damping, threads, m_job));
        if (m_correction.refineScales && freeScale) {
            QS_TRY(encoding, chooseScales(matrix, encoding, factors, wanted, options, m_job));
        }
        QS_TRY(auto rounded, roundWeights(matrix, encoding, factors, wanted, options, m_job));
        if (m_correction.sweeps > 0)
            QS_CHECK(descend(matrix, encoding, moments.inputs, factors, wanted, rounded.values, m_correction.sweeps,
                threads, m_job));
        if (!m_correction.gain || !freeScale)
            return std::move(rounded.values);
        if (moments.targetPower.empty())
            restoreGain(matrix, ownTargets(matrix, moments.inputs, wanted), 1, encoding, rounded.values);
        else
            restoreGain(matrix, moments, 0.5, encoding, rounded.values);
        return std::move(rounded.values);
    }

    static void place(const AffineRows& rows, const LayerMatrix& matrix, Tensor& weight)
    {
        const auto values = weight.as<float>();
        for (std::int64_t group = 0; group < matrix.groups(); ++group)
            for (std::int64_t row = 0; row < matrix.rows(); ++row)
                for (std::int64_t column = 0; column < matrix.columns(); ++column)
                    values[static_cast<std::size_t>(matrix.weightIndex(group, row, column))]
                        = static_cast<float>(rows[static_cast<std::size_t>(group)]
                                                 [static_cast<std::size_t>(row * (matrix.columns() + 1) + column)]);
    }

    struct Samples {
        SampleMatrix inputs;
        SampleMatrix targets; ///< what the layer puts out in the float network
        SampleMatrix goals; ///< what it should put out instead so that a sum behind it is right; none: the targets
    };

    Result<LayerMoments> momentsOf(const SampleMatrix& inputs, const SampleMatrix& targets, RowRange rows)
    {
        LayerMoments moments;
        QS_TRY(moments.inputs, secondMoments(inputs, rows, m_data.threads, m_job));
        QS_CHECK(addTargets(moments, inputs, targets, rows));
        return moments;
    }

    Result<void> addTargets(
        LayerMoments& moments, const SampleMatrix& inputs, const SampleMatrix& targets, RowRange rows)
    {
        if (targets.rows() == 0)
            return {};
        QS_TRY(moments.targets, crossMoments(targets, inputs, rows, m_data.threads, m_job));
        moments.targetPower = powers(targets, rows);
        return {};
    }

    /// The moments with goals in the place of targets.
    Result<LayerMoments> goalsOf(const Samples& samples, const LayerMoments& moments, RowRange rows)
    {
        LayerMoments goals = moments;
        QS_CHECK(addTargets(goals, samples.inputs, samples.goals, rows));
        return goals;
    }

    /// A sum of what a layer puts out and a value that is known before the layer runs.
    struct Residual {
        graph::ValueId sum;
        graph::ValueId other;
    };

    /// The sum that is the only reader of the layer's output; empty where there is none.
    std::optional<Residual> residualOf(const Layer& layer) const
    {
        const auto readers = m_graph.consumers(layer.output);
        if (readers.size() != 1 || m_graph.isOutput(layer.output))
            return std::nullopt;
        const auto& node = m_graph.node(readers[0]);
        if (node.opType != "Add" || node.inputs[0] == node.inputs[1])
            return std::nullopt;
        const auto other = node.inputs[node.inputs[0] == layer.output ? 1 : 0];
        const auto& value = m_graph.value(other);
        if (value.constant || !value.producer.valid()
            || m_stage->position(value.producer) > m_stage->position(layer.node)
            || value.type.dims != m_graph.value(layer.output).type.dims)
            return std::nullopt;
        return Residual { node.outputs[0], other };
    }

    /// What the layer reads in the quantized network, and what it puts out in the float one.
    Result<Samples> takeSamples(
        const Layer& layer, const LayerMatrix& matrix, const PositionSampler& sampler, bool withTargets)
    {
        Samples samples;
        samples.inputs = SampleMatrix(matrix.groups(), matrix.columns() + 1, sampler.rows());
        const auto& plan = m_result.plan;
        const std::string input = m_graph.value(layer.input).name;
        const auto* quantizer = plan.scope == quant::Scope::Compute ? plan.find(input) : nullptr;
        QS_CHECK(m_quantized.advance(plan, layer.node, m_job));
        const auto residual = withTargets && m_correction.reconstruct ? residualOf(layer) : std::nullopt;
        SampleMatrix others(residual ? matrix.groups() : 0, matrix.rows(), sampler.rows());
        const auto takeInputs = [&](std::int64_t batch, std::span<const TensorView> seen) {
            if (residual)
                sampler.collectOutputs(batch, seen.back(), others);
            if (!quantizer)
                return sampler.collectInputs(batch, seen[0], samples.inputs);
            const Tensor read = quant::fakeQuantize(quantizer->encoding, seen[0], plan.seedFor(input));
            sampler.collectInputs(batch, read.view(), samples.inputs);
        };
        std::vector values { layer.input };
        if (residual && residual->other != layer.input)
            values.push_back(residual->other);
        QS_CHECK(m_quantized.run(plan, values, takeInputs, m_job));
        if (!withTargets)
            return samples;
        samples.targets = SampleMatrix(matrix.groups(), matrix.rows(), sampler.rows());
        if (residual)
            samples.goals = SampleMatrix(matrix.groups(), matrix.rows(), sampler.rows());
        QS_CHECK(m_float.advance({}, layer.node, m_job));
        const auto takeOutputs = [&](std::int64_t batch, std::span<const TensorView> seen) {
            sampler.collectOutputs(batch, seen[0], samples.targets);
            if (residual)
                sampler.collectOutputs(batch, seen[1], samples.goals);
        };
        values = { layer.output };
        if (residual)
            values.push_back(residual->sum);
        QS_CHECK(m_float.run({}, values, takeOutputs, m_job));
        if (residual)
            samples.goals.subtract(others);
        return samples;
    }

    Result<LayerFit> fitted(const Layer& layer, const LayerMatrix& matrix, const PositionSampler& sampler,
        const Samples& samples, const LayerMoments& all)
    {
        const std::int64_t border = sampler.rows() - sampler.heldBackRows();
        const auto& goals = samples.goals.rows() > 0 ? samples.goals : samples.targets;
        QS_TRY(const auto front, momentsOf(samples.inputs, goals, { 0, border }));
        QS_TRY(const auto back, momentsOf(samples.inputs, goals, { border, sampler.rows() }));
        return fitLayer(front, back, all, affineRows(layer, matrix), m_data.threads, m_job);
    }

    AffineRows affineRows(const Layer& layer, const LayerMatrix& matrix) const
    {
        const Tensor converted = tensor::convert(m_graph.value(layer.weight).constant->view(), DType::Float32);
        const auto weight = converted.as<float>();
        const Tensor bias = biasOf(m_graph, {}, layer);
        AffineRows rows(static_cast<std::size_t>(matrix.groups()));
        for (std::int64_t group = 0; group < matrix.groups(); ++group)
            for (std::int64_t row = 0; row < matrix.rows(); ++row) {
                auto& values = rows[static_cast<std::size_t>(group)];
                for (std::int64_t column = 0; column < matrix.columns(); ++column)
                    values.push_back(
                        static_cast<double>(weight[static_cast<std::size_t>(matrix.weightIndex(group, row, column))]));
                values.push_back(
                    static_cast<double>(bias.as<float>()[static_cast<std::size_t>(group * matrix.rows() + row)]));
            }
        return rows;
    }

    /// A quantized bias is stored at s_x s_w.
    void followScale(const Layer& layer, const quant::Encoding& weight)
    {
        const auto& before = m_result.plan.find(m_graph.value(layer.weight).name)->encoding;
        const auto name = layer.bias.valid() ? m_graph.value(layer.bias).name : quant::addedBiasName(layer.name);
        const auto* known = m_result.plan.find(name);
        if (!known || known->role != quant::Role::Bias || weight.scale == before.scale)
            return;
        auto bias = *known;
        for (std::size_t c = 0; c < bias.encoding.scale.size(); ++c)
            bias.encoding.scale[c] *= weight.scale[c % weight.scale.size()] / before.scale[c % before.scale.size()];
        m_result.plan.set(name, std::move(bias));
    }

    /// b = E[t] - W~ E[x].
    void moveBias(const Layer& layer, const LayerMatrix& matrix, const LayerMoments& moments, const Tensor& rounded)
    {
        Tensor bias = biasOf(m_graph, m_result.plan, layer);
        for (std::int64_t group = 0; group < matrix.groups(); ++group)
            for (std::int64_t row = 0; row < matrix.rows(); ++row) {
                double mean = moments.targets.at(group, row, matrix.columns());
                for (std::int64_t column = 0; column < matrix.columns(); ++column)
                    mean -= moments.inputs.at(group, column, matrix.columns())
                        * static_cast<double>(
                            rounded.as<float>()[static_cast<std::size_t>(matrix.weightIndex(group, row, column))]);
                bias.as<float>()[static_cast<std::size_t>(group * matrix.rows() + row)]
                    = static_cast<float>(mean / biasFactor(m_graph, layer));
            }
        setBias(m_graph, m_result.plan, layer, std::move(bias), m_result.notes);
    }

    const CorrectionData& m_data;
    const WeightCorrection& m_correction;
    const base::Job& m_job;
    std::shared_ptr<const Stage> m_stage;
    const Graph& m_graph;
    Replay m_quantized;
    Replay m_float;
    std::set<std::string> m_done; ///< weights
    CorrectedPlan m_result;
};

} // namespace

Result<CorrectedPlan> correctWeights(const CorrectionData& data, const quant::QuantizationPlan& plan,
    const WeightCorrection& correction, const base::Job& job)
{
    QS_TRY(const auto layers, chosenLayers(data));
    QS_TRY(auto stage, Stage::create(data.graph, data.samples, data.images));
    return WeightCorrector(data, correction, std::move(stage), plan, job).run(layers);
}

} // namespace quantoscope::planning
