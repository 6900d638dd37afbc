// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <numeric>

#include "ui/session/workbench.h"

namespace quantoscope::ui {

namespace {

constexpr std::int64_t usualImages = 64;
const QString flipChannel = QStringLiteral("flip");

/// Errors over the first images, which tell what is usual.
Result<std::shared_ptr<const std::vector<evaluation::TensorError>>> usualErrors(const Run& run, const base::Job& job)
{
    std::vector<std::int64_t> first(static_cast<std::size_t>(std::min(usualImages, run.samples->size())));
    std::iota(first.begin(), first.end(), 0);
    QS_TRY(auto errors, evaluation::compareLayers(*run.graph, *run.plan, *run.samples->subset(first), {}, job));
    return std::make_shared<const std::vector<evaluation::TensorError>>(std::move(errors));
}

} // namespace

void Workbench::traceFlip(const Run& run, std::int64_t image)
{
    m_jobs.drop(flipChannel);
    m_session.setFlipTrace(nullptr);
    if (!run.plan || run.plan->empty() || !run.graph || !run.samples)
        return;
    auto known = m_usual.plan == run.plan ? m_usual.errors : nullptr;
    m_jobs.start<FlipTracePtr>(
        { tr("Following image %1").arg(image), Lane::Detail, flipChannel },
        [run, image, known](const base::Job& job) -> Result<FlipTracePtr> {
            auto trace = std::make_shared<FlipTrace>();
            trace->plan = run.plan;
            trace->image = image;
            trace->usual = known;
            trace->usualImages = std::min(usualImages, run.samples->size());
            if (!trace->usual) {
                QS_TRY(trace->usual, usualErrors(run, job));
            }
            const std::array position { image };
            const auto alone = run.samples->subset(position);
            QS_TRY(trace->own, evaluation::compareLayers(*run.graph, *run.plan, *alone, {}, job));
            trace->divergence = evaluation::firstDivergence(*trace->usual, trace->own);
            return FlipTracePtr(std::move(trace));
        },
        [this](Result<FlipTracePtr> result) {
            if (!result) {
                report(result.error(), tr("The image could not be followed through the network"));
                return;
            }
            m_usual = { (*result)->plan, (*result)->usual };
            m_session.setFlipTrace(*result);
        });
}

} // namespace quantoscope::ui
