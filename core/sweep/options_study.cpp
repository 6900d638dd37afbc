// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/options_study.h"

#include <algorithm>
#include <utility>

#include "core/calibration/feed.h"
#include "core/evaluation/reuse.h"
#include "core/quant/option_texts.h"

namespace quantoscope::sweep {

namespace {

using evaluation::EvaluationResultPtr;
using planning::PlanRequest;
using planning::TensorWish;

template <typename T> std::vector<T> orElse(std::vector<T> list, T alone)
{
    return list.empty() ? std::vector<T> { std::move(alone) } : std::move(list);
}

/// Every request with every choice put in, the last choice changing fastest.
template <typename T, typename Put>
std::vector<PlanRequest> crossed(const std::vector<PlanRequest>& requests, const std::vector<T>& choices, Put put)
{
    std::vector<PlanRequest> all;
    for (const auto& request : requests)
        for (const auto& choice : choices) {
            all.push_back(request);
            put(all.back(), choice);
        }
    return all;
}

std::vector<PlanRequest> combine(const OptionsStudySettings& settings)
{
    const auto& base = settings.request;
    std::vector<PlanRequest> all { base };
    all = crossed(all, orElse(settings.weightBits, base.weights.bits), [](auto& r, Bits b) { r.weights.bits = b; });
    all = crossed(
        all, orElse(settings.activationBits, base.activations.bits), [](auto& r, Bits b) { r.activations.bits = b; });
    const auto cross = [&](TensorWish PlanRequest::*side, const auto& ranges, const auto& schemes, const auto& grains) {
        all = crossed(all, orElse(grains, (base.*side).perChannel),
            [side](auto& r, bool channel) { (r.*side).perChannel = channel; });
        all = crossed(
            all, orElse(schemes, (base.*side).scheme), [side](auto& r, const auto& s) { (r.*side).scheme = s; });
        all = crossed(all, orElse(ranges, (base.*side).range), [side](auto& r, const auto& s) { (r.*side).range = s; });
    };
    cross(&PlanRequest::weights, settings.weightRanges, settings.weightSchemes, settings.weightPerChannel);
    cross(&PlanRequest::activations, settings.activationRanges, settings.activationSchemes,
        settings.activationPerChannel);
    return crossed(all, orElse(settings.corrections, base.corrections),
        [](auto& r, const auto& corrections) { r.corrections = corrections; });
}

/// The same with what does not matter set to one value, so that requests that make the same network are equal.
PlanRequest canonical(PlanRequest request)
{
    for (auto* wish : { &request.weights, &request.activations })
        if (!wish->bits)
            *wish = TensorWish { std::nullopt };
    if (!request.weights.bits && !request.activations.bits)
        request.corrections = {};
    return request;
}

std::string describeWish(const TensorWish& wish)
{
    if (!wish.bits)
        return "float";
    return wish.scheme + (wish.perChannel ? " per channel, " : " per tensor, ") + wish.range.toString();
}

std::string describeAll(const PlanRequest& request)
{
    return planning::describeBits(request.weights.bits, request.activations.bits) + ", weights "
        + describeWish(request.weights) + ", activations " + describeWish(request.activations)
        + (request.corrections.any() ? ", " + request.corrections.describe() : "");
}

/// One study on its way.
class StudyRun {
public:
    StudyRun(const flow::Quantizer& quantizer, const dataset::SampleSet& samples, const OptionsStudySettings& settings,
        const base::Job& job)
        : m_quantizer(quantizer)
        , m_samples(samples)
        , m_settings(settings)
        , m_job(job)
        , m_evaluation(settings.evaluation)
    {
        m_evaluation.partOfStage = true;
        if (!m_evaluation.reuse)
            m_evaluation.reuse = std::make_shared<evaluation::Reuse>();
    }

    Result<OptionsStudy> run(EvaluationResultPtr floatResult)
    {
        const auto requests = chooseRequests();
        m_study.scope = scope();
        m_study.data = m_samples.description() + "; " + m_samples.preprocessing().describe();
        if (m_evaluation.batch == 0) {
            QS_TRY(m_evaluation.batch, calibration::chooseBatch(*m_quantizer.graph(), m_samples));
        }
        const auto runs = static_cast<std::int64_t>(requests.size()) + (floatResult ? 0 : 1);
        m_job.begin("Comparing options", runs * m_samples.size(), "images");
        if (!floatResult) {
            QS_TRY(floatResult, evaluation::evaluate(*m_quantizer.graph(), {}, m_samples, m_evaluation, m_job));
        }
        m_study.floatResult = std::move(floatResult);
        for (const auto& request : requests) {
            auto measured = measure(request);
            if (!measured && measured.error().code != ErrorCode::Cancelled)
                return tl::make_unexpected(std::move(measured).error());
            if (!measured) {
                m_study.complete = false;
                break;
            }
        }
        return finish();
    }

private:
    /// Those worth planning: valid and not the same as an earlier one.
    std::vector<PlanRequest> chooseRequests()
    {
        std::vector<PlanRequest> chosen;
        std::vector<PlanRequest> known;
        std::int64_t doubles = 0;
        for (auto& request : combine(m_settings)) {
            if (const auto valid = request.validate(); !valid) {
                m_study.leftOut.push_back({ describeAll(request), valid.error().message() });
                continue;
            }
            auto bare = canonical(request);
            if (std::ranges::find(known, bare) != known.end()) {
                ++doubles;
                continue;
            }
            if (m_settings.shard.takes(std::ssize(known)))
                chosen.push_back(std::move(request));
            known.push_back(std::move(bare));
        }
        if (doubles > 0)
            m_study.notes.push_back(std::to_string(doubles)
                + " combinations differ from others only in options of tensors that stay float; they are measured "
                  "once");
        return chosen;
    }

    std::string scope() const
    {
        std::string text = quant::toString(m_settings.request.scope);
        if (m_settings.request.firstLastBits)
            text += ", first and last at " + std::to_string(*m_settings.request.firstLastBits);
        return text;
    }

    Result<flow::QuantizedNetwork> quantize(const PlanRequest& request) const
    {
        base::PartOfJob part(m_job);
        return m_quantizer.quantize(request, part.job());
    }

    /// Adds a row, or says why there is none. An error ends the study.
    Result<void> measure(const PlanRequest& request)
    {
        auto network = quantize(request);
        if (!network && network.error().code == ErrorCode::Cancelled)
            return base::cancelled();
        if (!network) {
            m_study.leftOut.push_back({ describeAll(request), network.error().message() });
            m_job.advance(m_samples.size());
            return {};
        }
        EvaluationResultPtr result = m_study.floatResult;
        if (!network->plan->empty()) {
            QS_TRY(result, evaluation::evaluate(*network->graph, *network->plan, m_samples, m_evaluation, m_job));
        } else {
            m_job.advance(m_samples.size());
        }
        m_study.rows.push_back(row(request, *std::move(network), *result));
        if (m_settings.onRow)
            m_settings.onRow(m_study.rows.back());
        return {};
    }

    StudyRow row(
        const PlanRequest& request, flow::QuantizedNetwork network, const evaluation::EvaluationResult& result) const
    {
        StudyRow row;
        row.request = request;
        row.weights = describeWish(request.weights);
        row.activations = describeWish(request.activations);
        row.corrections = request.corrections.any() ? request.corrections.describe() : "none";
        row.outcomes = std::move(network.corrections);
        row.cost = cost::computeCost(*network.graph, *network.plan, m_settings.energy);
        row.cost.layers.clear();
        row.plan = std::move(network.plan);
        row.images = result.images();
        row.top1 = result.top1();
        row.top5 = result.top5();
        row.loss = result.loss();
        row.top1Interval = result.top1Interval();
        row.againstFloat = evaluation::compare(m_study.floatResult->outcomes, result.outcomes);
        row.predictions = result.outcomes;
        return row;
    }

    Result<OptionsStudy> finish()
    {
        if (m_study.rows.empty() && m_study.complete && m_settings.shard.isWhole())
            return fail(ErrorCode::InvalidInput, "none of the combinations can be measured",
                m_study.leftOut.empty() ? std::string() : m_study.leftOut.front().what,
                m_study.leftOut.empty() ? std::string() : m_study.leftOut.front().why);
        rankRows(m_study.rows);
        m_job.finish();
        return std::move(m_study);
    }

    const flow::Quantizer& m_quantizer;
    const dataset::SampleSet& m_samples;
    const OptionsStudySettings& m_settings;
    const base::Job& m_job;
    evaluation::EvaluationOptions m_evaluation;
    OptionsStudy m_study;
};

} // namespace

std::string StudyRow::label() const { return weights + " | " + activations + " | " + corrections; }

std::int64_t OptionsStudySettings::combinations() const
{
    std::int64_t count = 1;
    for (const std::size_t choices :
        { weightBits.size(), activationBits.size(), weightRanges.size(), activationRanges.size(), weightSchemes.size(),
            activationSchemes.size(), weightPerChannel.size(), activationPerChannel.size(), corrections.size() })
        count *= static_cast<std::int64_t>(std::max<std::size_t>(1, choices));
    return count;
}

Result<OptionsStudy> runOptionsStudy(const flow::Quantizer& quantizer, const dataset::SampleSet& samples,
    const OptionsStudySettings& settings, const base::Job& job, EvaluationResultPtr floatResult)
{
    return StudyRun(quantizer, samples, settings, job).run(std::move(floatResult));
}

} // namespace quantoscope::sweep
