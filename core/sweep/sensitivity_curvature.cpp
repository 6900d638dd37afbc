// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/sensitivity_curvature.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "core/base/parallel.h"
#include "core/graph/layers.h"
#include "core/planning/transforms/hessian.h"
#include "core/planning/transforms/layer_matrix.h"
#include "core/planning/transforms/layer_samples.h"
#include "core/planning/transforms/replay.h"

namespace quantoscope::sweep {

namespace {

using graph::Layer;
using planning::LayerMatrix;
using planning::PositionSampler;
using planning::SampleMatrix;
using planning::SecondMoments;

constexpr std::size_t keptActivations = std::size_t { 512 } << 20;
constexpr std::size_t keptSamples = std::size_t { 256 } << 20;
constexpr std::int64_t mostColumns = 6144; // as error-compensating rounding has it

/// sum over groups and rows of v^T M v, v the rows of a weight, M the leading part of a group's moments.
double quadraticForm(const LayerMatrix& matrix, const SecondMoments& moments, const TensorView& weight)
{
    const auto values = weight.as<float>();
    std::vector<double> row(static_cast<std::size_t>(matrix.columns()));
    double sum = 0;
    for (std::int64_t group = 0; group < matrix.groups(); ++group) {
        for (std::int64_t r = 0; r < matrix.rows(); ++r) {
            for (std::int64_t c = 0; c < matrix.columns(); ++c)
                row[static_cast<std::size_t>(c)] = values[static_cast<std::size_t>(matrix.weightIndex(group, r, c))];
            for (std::int64_t c = 0; c < matrix.columns(); ++c) {
                const double* moment = moments.of(group) + c * moments.columns();
                double product = 0;
                for (std::int64_t k = 0; k < matrix.columns(); ++k)
                    product += moment[k] * row[static_cast<std::size_t>(k)];
                sum += product * row[static_cast<std::size_t>(c)];
            }
        }
    }
    return sum;
}

Tensor difference(const Tensor& changed, const TensorView& original)
{
    Tensor result(DType::Float32, original.shape());
    const auto a = changed.as<float>();
    const auto b = original.as<float>();
    const auto out = result.as<float>();
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = a[i] - b[i];
    return result;
}

/// One walk through the float network.
class CurvatureWalk {
public:
    CurvatureWalk(std::shared_ptr<const planning::Stage> stage, const std::vector<UnitChange>& changes,
        const CurvatureOptions& options, const base::Job& job)
        : m_stage(std::move(stage))
        , m_graph(m_stage->graph())
        , m_changes(changes)
        , m_options(options)
        , m_job(job)
        , m_replay(m_stage, options.threads, keptActivations)
        , m_errors(changes.size(), std::numeric_limits<double>::quiet_NaN())
    {
    }

    Result<std::vector<double>> run()
    {
        for (const auto& layer : graph::computeLayers(m_graph)) {
            std::vector<std::size_t> own;
            for (std::size_t i = 0; i < m_changes.size(); ++i)
                if (std::ranges::find(m_changes[i].unit->layers, layer.name) != m_changes[i].unit->layers.end())
                    own.push_back(i);
            if (!own.empty() && layer.weight.valid())
                QS_CHECK(visit(layer, own));
            m_job.advance();
        }
        return std::move(m_errors);
    }

private:
    Result<void> visit(const Layer& layer, const std::vector<std::size_t>& own)
    {
        const auto matrix = LayerMatrix::create(m_graph, layer);
        if (!matrix || matrix->positions() % m_stage->batch() != 0 || matrix->columns() > mostColumns)
            return {};
        const PositionSampler sampler(
            *matrix, m_stage->images(), m_stage->batch(), m_options.positions, keptSamples, m_options.seed);
        QS_CHECK(m_replay.advance({}, layer.node, m_job));
        QS_TRY(const auto moments, momentsOf(layer, *matrix, sampler, nullptr));
        const Tensor weight = tensor::convert(m_graph.value(layer.weight).constant->view(), DType::Float32);
        const double power = quadraticForm(*matrix, moments, weight.view());
        if (!(power > 0))
            return {};
        for (const std::size_t i : own) {
            double error = 0;
            if (m_changes[i].unit->role == quant::Role::Weight) {
                error = quadraticForm(*matrix, moments, changeOf(layer, weight, *m_changes[i].plan).view());
            } else if (const auto* quantizer = m_changes[i].plan->find(m_graph.value(layer.input).name)) {
                QS_TRY(const auto noise, momentsOf(layer, *matrix, sampler, quantizer));
                error = quadraticForm(*matrix, noise, weight.view());
            }
            add(i, error / power);
        }
        return {};
    }

    void add(std::size_t change, double error)
    {
        m_errors[change] = std::isnan(m_errors[change]) ? error : m_errors[change] + error;
    }

    Tensor changeOf(const Layer& layer, const Tensor& weight, const quant::QuantizationPlan& plan) const
    {
        const auto& name = m_graph.value(layer.weight).name;
        const auto corrected = plan.constants().find(name);
        const TensorView wanted = corrected == plan.constants().end() ? weight.view() : corrected->second->view();
        const auto* quantizer = plan.find(name);
        if (!quantizer)
            return Tensor(DType::Float32, weight.shape());
        return difference(quant::fakeQuantize(quantizer->encoding, wanted, plan.seedFor(name)), weight.view());
    }

    /// Of what the layer reads, or of what `quantizer` changes in it.
    Result<SecondMoments> momentsOf(const Layer& layer, const LayerMatrix& matrix, const PositionSampler& sampler,
        const quant::TensorQuantizer* quantizer)
    {
        SampleMatrix samples(matrix.groups(), matrix.columns() + 1, sampler.rows());
        const auto take = [&](std::int64_t batch, std::span<const TensorView> seen) {
            if (!quantizer)
                return sampler.collectInputs(batch, seen[0], samples);
            const Tensor noise = difference(quant::fakeQuantize(quantizer->encoding, seen[0]), seen[0]);
            sampler.collectInputs(batch, noise.view(), samples);
        };
        QS_CHECK(m_replay.run({}, { layer.input }, take, m_job));
        return planning::secondMoments(samples, { 0, sampler.rows() }, m_options.threads, m_job);
    }

    std::shared_ptr<const planning::Stage> m_stage;
    const graph::Graph& m_graph;
    const std::vector<UnitChange>& m_changes;
    const CurvatureOptions& m_options;
    const base::Job& m_job;
    planning::Replay m_replay;
    std::vector<double> m_errors;
};

} // namespace

Result<std::vector<double>> relativeOutputErrors(const graph::Graph& graph, const dataset::SampleSet& samples,
    const std::vector<UnitChange>& changes, const CurvatureOptions& options, const base::Job& job)
{
    QS_TRY(auto stage, planning::Stage::create(graph, samples, std::min(options.images, samples.size())));
    return CurvatureWalk(std::move(stage), changes, options, job).run();
}

} // namespace quantoscope::sweep
