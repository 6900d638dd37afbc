// SPDX-License-Identifier: GPL-3.0-or-later
// Two runs beside each other.
#include <algorithm>
#include <numeric>

#include "ui/session/study_keeper.h"
#include "ui/session/work.h"
#include "ui/session/workbench.h"

namespace quantoscope::ui {

namespace {

constexpr std::int64_t comparedImages = 64;
const QString compareChannel = QStringLiteral("compare runs");

std::optional<int> bitsOf(const Run& run, const std::string& tensor)
{
    const quant::TensorQuantizer* quantizer = run.plan && !tensor.empty() ? run.plan->find(tensor) : nullptr;
    return quantizer ? std::optional(quantizer->config.bits) : std::nullopt;
}

using SidePtr = ComparedLayer::Side ComparedLayer::*;

void setBits(RunComparison& comparison, const LoadedModel& model, const Run& run, SidePtr side)
{
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        (comparison.layers[i].*side).weightBits = bitsOf(run, model.layers[i].weightTensor);
        (comparison.layers[i].*side).activationBits = bitsOf(run, model.layers[i].inputTensor);
    }
}

std::optional<evaluation::TensorError> errorOf(
    const std::vector<evaluation::TensorError>& errors, const std::string& tensor)
{
    const auto found = std::ranges::find(errors, tensor, &evaluation::TensorError::name);
    return found == errors.end() ? std::nullopt : std::optional(*found);
}

Result<void> measure(RunComparison& comparison, const LoadedModel& model, const Run& run,
    const dataset::SampleSet& samples, SidePtr side, const base::Job& job)
{
    if (!run.plan || run.plan->empty() || !run.graph)
        return {}; // float: there is no error
    QS_TRY(const auto errors, evaluation::compareLayers(*run.graph, *run.plan, samples, {}, job));
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        (comparison.layers[i].*side).weight = errorOf(errors, model.layers[i].weightTensor);
        (comparison.layers[i].*side).activation = errorOf(errors, model.layers[i].inputTensor);
    }
    return {};
}

} // namespace

StudyRuns Workbench::studyRuns()
{
    return { quantizer(), m_session.model(), m_session.data(), m_session.floatResult(), keepingResults(),
        m_session.energyModel() };
}

StudyKeeper Workbench::studyKeeper() { return { m_project.store(), m_session.model(), m_session.data() }; }

void Workbench::compareRuns(int first, int second)
{
    m_jobs.drop(compareChannel);
    const auto model = m_session.model();
    const Run one = m_session.runs()[static_cast<std::size_t>(first)];
    const Run other = m_session.runs()[static_cast<std::size_t>(second)];
    auto comparison = std::make_shared<RunComparison>();
    comparison->first = first;
    comparison->second = second;
    for (const LayerInfo& layer : model->layers)
        comparison->layers.push_back({ layer.name, {}, {} });
    setBits(*comparison, *model, one, &ComparedLayer::first);
    setBits(*comparison, *model, other, &ComparedLayer::second);
    if (one.key.samples == other.key.samples && one.result->images() == other.result->images())
        comparison->outcomes = evaluation::compare(one.result->outcomes, other.result->outcomes);
    m_session.setRunComparison(comparison);
    const auto data = m_session.data();
    if (!data)
        return;
    m_jobs.start<RunComparisonPtr>(
        { tr("Comparing runs %1 and %2").arg(first + 1).arg(second + 1), Lane::Detail, compareChannel },
        [known = RunComparison(*comparison), one, other, model, data](
            const base::Job& job) -> Result<RunComparisonPtr> {
            std::vector<std::int64_t> few(static_cast<std::size_t>(std::min(comparedImages, data->evaluation->size())));
            std::iota(few.begin(), few.end(), 0);
            const auto samples = data->evaluation->subset(few);
            auto measured = std::make_shared<RunComparison>(known);
            measured->images = samples->size();
            QS_CHECK(measure(*measured, *model, one, *samples, &ComparedLayer::first, job));
            QS_CHECK(measure(*measured, *model, other, *samples, &ComparedLayer::second, job));
            return RunComparisonPtr(std::move(measured));
        },
        [this](Result<RunComparisonPtr> result) {
            if (result)
                m_session.setRunComparison(*result);
            else
                report(result.error(), tr("The runs could not be compared layer by layer"));
        });
}

} // namespace quantoscope::ui
