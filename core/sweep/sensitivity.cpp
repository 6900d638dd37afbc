// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "core/evaluation/reuse.h"
#include "core/sweep/sensitivity_curvature.h"
#include "core/sweep/sensitivity_trial.h"
#include "core/sweep/wave.h"

namespace quantoscope::sweep {

namespace {

using quant::Role;

/// A wave computes what its networks have in common once: many share that better.
constexpr WaveLimits waves { .seconds = 10, .least = 16, .most = 64 };
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

/// A network with all weights, or all activations, at one word-length, and what that does to each tensor.
struct UniformNetwork {
    Role role = Role::Weight;
    flow::QuantizedNetwork network;
    std::vector<evaluation::TensorError> errors;
};

/// A unit and the uniform network that says how it is quantized.
struct Task {
    std::size_t unit;
    int bits;
    std::size_t network;
};

class SensitivityRun {
public:
    SensitivityRun(const flow::Quantizer& quantizer, const dataset::SampleSet* samples,
        const SensitivityOptions& options, const base::Job& job)
        : m_quantizer(quantizer)
        , m_options(options)
        , m_request(options.keepOwnBits ? options.request : withoutOwnBits(options.request))
        , m_job(job)
        , m_trials(quantizer, samples, options.evaluation, { options.measure, true })
    {
        if (m_trials.measures())
            m_result.data = samples->description() + "; " + samples->preprocessing().describe();
    }

    Result<SensitivityResult> run(evaluation::EvaluationResultPtr floatResult)
    {
        m_job.begin("Preparing the sensitivity of layers", 0, "steps");
        QS_CHECK(m_trials.begin(std::move(floatResult), { nullptr, m_job.stop }));
        m_result.floatResult = m_trials.floatResult();
        m_result.scope = m_request.describeOptions();
        const auto& calibration = *m_quantizer.calibration();
        m_result.estimatedOn = calibration.description() + "; " + calibration.preprocessing().describe();
        if (m_request != m_options.request)
            m_result.notes.push_back("word-lengths that single layers have of their own do not matter here: every "
                                     "tensor is tried at the ones asked for, everything else float");
        QS_CHECK(chooseTasks());
        QS_TRY(const auto curvatures, curvatureOf());
        m_job.begin("Sensitivity of " + std::to_string(m_result.units.size()) + " tensors",
            std::ssize(m_tasks) * m_trials.imagesPerTrial(), "images");
        QS_CHECK(tryAll(curvatures));
        std::ranges::sort(m_result.points, {}, [&](const SensitivityPoint& point) { return orderOf(point); });
        addCosts();
        m_job.finish();
        if (m_trials.measures())
            m_result.trust = rankEstimates(m_result);
        return std::move(m_result);
    }

private:
    const std::vector<int>& bitsFor(Role role) const
    {
        return role == Role::Weight ? m_options.weightBits : m_options.activationBits;
    }

    /// Plans the uniform networks and lists what is to be tried, by unit.
    Result<void> chooseTasks()
    {
        m_result.units = findUnits(*m_quantizer.graph(), m_request.scope, m_request.floatOperators);
        std::erase_if(m_result.units, [&](const auto& unit) { return bitsFor(unit.role).empty(); });
        if (m_options.weightBits.empty() && m_options.activationBits.empty())
            return fail(ErrorCode::InvalidInput, "no word-length is to be tried", {}, "give word-lengths: 2..8");
        if (m_result.units.empty())
            return fail(ErrorCode::InvalidInput, "the network has no layer that could be quantized");
        for (const Role role : { Role::Weight, Role::Activation })
            for (const int bits : bitsFor(role))
                QS_CHECK(addNetwork(role, bits));
        std::int64_t number = 0;
        for (std::size_t unit = 0; unit < m_result.units.size(); ++unit) {
            std::vector<int> tried;
            for (std::size_t at = 0; at < m_networks.size(); ++at) {
                const auto& [role, network, errors] = m_networks[at];
                const Bits bits = bitsOf(*network.plan, m_result.units[unit]);
                if (role != m_result.units[unit].role || !bits || std::ranges::find(tried, *bits) != tried.end())
                    continue;
                tried.push_back(*bits);
                if (m_options.shard.takes(number++))
                    m_tasks.push_back({ unit, *bits, at });
            }
        }
        m_result.asked = std::ssize(m_tasks);
        return {};
    }

    Result<void> addNetwork(Role role, int bits)
    {
        planning::PlanRequest request = m_request;
        (role == Role::Weight ? request.weights : request.activations).bits = bits;
        (role == Role::Weight ? request.activations : request.weights).bits.reset();
        const base::Job quiet { nullptr, m_job.stop };
        UniformNetwork uniform { role, {}, {} };
        QS_TRY(uniform.network, m_quantizer.quantize(request, quiet));
        QS_TRY(uniform.errors,
            evaluation::compareLayers(*uniform.network.graph, *uniform.network.plan, *m_quantizer.calibration(),
                { .threads = m_options.evaluation.threads, .onPartial = {} }, quiet));
        for (const auto& note : uniform.network.notes)
            if (std::ranges::find(m_result.notes, note) == m_result.notes.end())
                m_result.notes.push_back(note);
        m_networks.push_back(std::move(uniform));
        return {};
    }

    /// The second-order estimate of every task. Networks that were equalized have a graph of their own.
    Result<std::vector<double>> curvatureOf() const
    {
        std::map<flow::GraphPtr, std::vector<std::size_t>> byGraph;
        for (std::size_t i = 0; i < m_tasks.size(); ++i)
            byGraph[m_networks[m_tasks[i].network].network.graph].push_back(i);
        std::vector<double> curvatures(m_tasks.size(), unknown);
        const CurvatureOptions options { .threads = m_options.evaluation.threads, .seed = m_request.seed };
        for (const auto& [graph, tasks] : byGraph) {
            std::vector<UnitChange> changes;
            for (const std::size_t i : tasks)
                changes.push_back(
                    { &m_result.units[m_tasks[i].unit], m_networks[m_tasks[i].network].network.plan.get() });
            QS_TRY(const auto errors,
                relativeOutputErrors(*graph, *m_quantizer.calibration(), changes, options, { nullptr, m_job.stop }));
            for (std::size_t k = 0; k < tasks.size(); ++k)
                curvatures[tasks[k]] = errors[k];
        }
        return curvatures;
    }

    /// In waves, the last layers first: within one, a network runs only from the layer that it quantizes on.
    Result<void> tryAll(const std::vector<double>& curvatures)
    {
        // Networks of a wave share all weights but one tensor's.
        const bool affordable = 2 * weightBytes(*m_quantizer.graph()) <= m_trials.reuse().kernels()->budget();
        const std::size_t size = affordable ? waveSize(m_result.floatResult.get(), waves) : 1;
        for (std::size_t end = m_tasks.size(); end > 0;) {
            const std::size_t begin = end - std::min(end, size);
            const auto done = tryWave(begin, end, curvatures);
            if (!done && done.error().code == ErrorCode::Cancelled && !m_result.points.empty()) {
                m_result.complete = false;
                return {};
            }
            QS_CHECK(done);
            end = begin;
        }
        return {};
    }

    Result<void> tryWave(std::size_t begin, std::size_t end, const std::vector<double>& curvatures)
    {
        std::vector<flow::QuantizedNetwork> networks;
        for (std::size_t i = end; i-- > begin;)
            networks.push_back(alone(m_tasks[i]));
        QS_TRY(const auto trials, m_trials.runAll(networks, m_job));
        for (std::size_t i = begin; i < end; ++i) {
            auto point = describe(m_tasks[i], trials[end - 1 - i], curvatures[i]);
            if (m_options.onPoint)
                m_options.onPoint(point, m_result.units[point.unit]);
            m_result.points.push_back(std::move(point));
        }
        return {};
    }

    /// Where a point belongs among all.
    std::ptrdiff_t orderOf(const SensitivityPoint& point) const
    {
        const auto belongs = [&](const Task& task) { return task.unit == point.unit && task.bits == point.bits; };
        return std::ranges::find_if(m_tasks, belongs) - m_tasks.begin();
    }

    flow::QuantizedNetwork alone(const Task& task) const
    {
        const auto& uniform = m_networks[task.network];
        flow::QuantizedNetwork network;
        network.graph = uniform.network.graph;
        network.plan = std::make_shared<const quant::QuantizationPlan>(
            onlyUnit(*uniform.network.plan, m_result.units[task.unit]));
        return network;
    }

    SensitivityPoint describe(const Task& task, const Trial& trial, double curvature) const
    {
        const auto& unit = m_result.units[task.unit];
        const auto& uniform = m_networks[task.network];
        SensitivityPoint point { .unit = task.unit, .bits = task.bits };
        point.plan = std::make_shared<const quant::QuantizationPlan>(onlyUnit(*uniform.network.plan, unit));
        const double noise = ownNoise(uniform, unit);
        point.sqnrDb = noise > 0 ? -10 * std::log10(noise) : std::numeric_limits<double>::infinity();
        const bool classifies = trial.fidelity.classifies;
        point.estimates
            = { trial.fidelity.divergence, classifies ? trial.fidelity.logitError : unknown, curvature, noise };
        if (trial.measured) {
            const auto& measured = *trial.measured;
            point.measured = { measured.top1(), measured.loss(), measured.top1Interval(),
                evaluation::compare(m_result.floatResult->outcomes, measured.outcomes) };
        }
        return point;
    }

    void addCosts()
    {
        for (auto& point : m_result.points) {
            const auto belongs = [&](const Task& task) { return task.unit == point.unit && task.bits == point.bits; };
            const auto task = std::ranges::find_if(m_tasks, belongs);
            const auto& whole = m_networks[task->network].network;
            point.cost = cost::computeCost(*whole.graph, *point.plan, m_options.energy);
            point.cost.layers.clear();
        }
    }

    /// Error power over signal power of the unit's first tensor, without what arrives from upstream.
    static double ownNoise(const UniformNetwork& uniform, const QuantizedUnit& unit)
    {
        const auto found = std::ranges::find(uniform.errors, unit.tensors.front(), &evaluation::TensorError::name);
        if (found == uniform.errors.end())
            return unknown;
        if (found->mse == 0 || !std::isfinite(found->sqnrDb))
            return 0;
        const double power = found->mse * std::pow(10.0, found->sqnrDb / 10);
        return found->ownError / power;
    }

    const flow::Quantizer& m_quantizer;
    const SensitivityOptions& m_options;
    const planning::PlanRequest m_request;
    const base::Job& m_job;
    TrialRunner m_trials;
    SensitivityResult m_result;
    std::vector<UniformNetwork> m_networks;
    std::vector<Task> m_tasks;
};

} // namespace

planning::PlanRequest withoutOwnBits(planning::PlanRequest request)
{
    request.firstLastBits.reset();
    for (auto& layer : request.overrides) {
        layer.weights.bits.reset();
        layer.activations.bits.reset();
    }
    std::erase_if(request.overrides,
        [](const planning::LayerOverride& layer) { return layer.weights.empty() && layer.activations.empty(); });
    return request;
}

Result<SensitivityResult> runSensitivity(const flow::Quantizer& quantizer, const dataset::SampleSet* samples,
    const SensitivityOptions& options, const base::Job& job, evaluation::EvaluationResultPtr floatResult)
{
    return SensitivityRun(quantizer, samples, options, job).run(std::move(floatResult));
}

std::vector<EstimateTrust> rankEstimates(const SensitivityResult& result)
{
    std::vector<std::optional<int>> lengths { std::nullopt };
    for (const auto& point : result.points)
        if (std::ranges::find(lengths, std::optional(point.bits)) == lengths.end())
            lengths.emplace_back(point.bits);
    std::vector<EstimateTrust> trust;
    for (const Estimate estimate : allEstimates)
        for (const std::optional<Role> role : { std::optional<Role> {}, { Role::Weight }, { Role::Activation } })
            for (const auto& bits : lengths) {
                std::vector<double> guessed;
                std::vector<double> dropped;
                for (const auto& point : result.points) {
                    const bool other = role && result.units[point.unit].role != *role;
                    if (!point.measured || other || (bits && point.bits != *bits))
                        continue;
                    guessed.push_back(point.estimate(estimate));
                    dropped.push_back(-point.measured->againstFloat.delta);
                }
                const auto correlation = rankCorrelation(guessed, dropped);
                if (correlation.pairs > 1)
                    trust.push_back({ estimate, role, bits, correlation });
            }
    return trust;
}

} // namespace quantoscope::sweep
