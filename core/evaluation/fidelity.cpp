// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/evaluation/fidelity.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <span>
#include <utility>

#include "core/base/parallel.h"
#include "core/calibration/feed.h"
#include "core/evaluation/classifier.h"
#include "core/evaluation/reuse.h"

namespace quantoscope::evaluation {

namespace {

using calibration::Feed;
using calibration::Network;
using calibration::SharedFeed;
using calibration::SharedFeedWorker;

constexpr double farthest = std::numeric_limits<double>::infinity();

/// Natural logarithms of the softmax of `logits`.
std::vector<double> logSoftmax(std::vector<double> logits)
{
    const double largest = *std::ranges::max_element(logits);
    double sum = 0;
    for (const double v : logits)
        sum += std::exp(v - largest);
    for (double& v : logits)
        v -= largest + std::log(sum);
    return logits;
}

std::ptrdiff_t prediction(std::span<const double> logits)
{
    return std::ranges::max_element(logits) - logits.begin(); // the first of equals
}

double divergenceOf(std::span<const double> logP, std::span<const double> logQ)
{
    double sum = 0;
    for (std::size_t i = 0; i < logP.size(); ++i)
        sum += std::exp(logP[i]) * (logP[i] - logQ[i]);
    return std::max(0.0, sum); // rounding may leave it a hair below
}

double squaredDifference(std::span<const double> a, std::span<const double> b)
{
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

bool allFinite(std::span<const float> values)
{
    return std::ranges::all_of(values, [](float v) { return std::isfinite(v); });
}

/// Squared error over power.
double relativeError(std::span<const float> reference, std::span<const float> actual)
{
    double power = 0;
    double noise = 0;
    for (std::size_t i = 0; i < reference.size(); ++i) {
        const double error = static_cast<double>(actual[i]) - reference[i];
        power += static_cast<double>(reference[i]) * reference[i];
        noise += error * error;
    }
    if (!std::isfinite(noise))
        return farthest;
    return noise == 0 ? 0 : noise / std::max<double>(power, std::numeric_limits<float>::min());
}

/// One row an image in every output.
bool rowsArePerImage(const Feed& feed)
{
    return feed.batch() == 1 || std::ranges::all_of(feed.compiled().outputs(), [&](const engine::PortInfo& port) {
        return port.shape.rank() > 0 && port.shape[0] == feed.batch();
    });
}

} // namespace

double Fidelity::agreement() const
{
    return classifies && images > 0 ? 100 * static_cast<double>(agreeing) / static_cast<double>(images) : 0;
}

std::string Fidelity::describe() const
{
    char text[96];
    if (classifies)
        std::snprintf(text, sizeof text, "agreement %.1f %%, divergence %.3g", agreement(), divergence);
    else
        std::snprintf(text, sizeof text, "relative output error %.3g", divergence);
    return text;
}

bool notWorse(const Fidelity& candidate, const Fidelity& current)
{
    if (candidate.classifies && candidate.agreeing != current.agreeing)
        return candidate.agreeing > current.agreeing;
    return !(candidate.divergence > current.divergence);
}

bool clearlyCloser(const Fidelity& candidate, const Fidelity& current)
{
    if (!candidate.classifies || !std::isfinite(candidate.divergence) || !std::isfinite(current.divergence))
        return candidate.divergence < 0.99 * current.divergence;
    if (candidate.agreeing < current.agreeing)
        return false;
    const auto n = static_cast<double>(candidate.divergences.size());
    const double mean = current.divergence - candidate.divergence;
    double squares = 0;
    for (std::size_t i = 0; i < candidate.divergences.size(); ++i) {
        const double off = current.divergences[i] - candidate.divergences[i] - mean;
        squares += off * off;
    }
    return n > 1 && mean > std::sqrt(squares / (n - 1) / n);
}

Result<FloatReference> FloatReference::create(
    const graph::Graph& graph, const dataset::SampleSet& samples, int threads, const base::Job& job)
{
    FloatReference reference;
    reference.m_samples = &samples;
    reference.m_threads = threads;
    QS_TRY(Feed feed, Feed::create(graph, {}, samples, {}));
    reference.m_batch = rowsArePerImage(feed) ? feed.batch() : 1;
    if (const auto scores = findScores(graph, feed.compiled()))
        reference.m_classes = Classes { scores->index, scores->probabilities };
    const quant::QuantizationPlan nothing;
    const Network network { &graph, &nothing };
    QS_TRY(auto rows, reference.run({ &network, 1 }, nullptr, { nullptr, job.stop }));
    reference.m_rows = std::move(rows.front());
    return reference;
}

Result<std::vector<FloatReference::Rows>> FloatReference::run(
    std::span<const Network> networks, const std::shared_ptr<Reuse>& reuse, const base::Job& job) const
{
    const auto shared = reuse ? reuse : std::make_shared<Reuse>();
    QS_TRY(const SharedFeed feed,
        SharedFeed::create(networks, *m_samples, { .batch = m_batch, .cache = shared->kernels() }, m_threads,
            shared->sharedValues(), job.stop));
    const auto& ports = feed.first().compiled().outputs();
    const auto row = [&](std::size_t output) { return static_cast<std::size_t>(ports[output].shape.size() / m_batch); };
    Rows empty(ports.size());
    for (std::size_t o = 0; o < empty.size(); ++o)
        if (ports[o].dtype == DType::Float32)
            empty[o].resize(row(o) * static_cast<std::size_t>(m_samples->size()));
    std::vector<Rows> all(networks.size(), empty);
    const auto threads = static_cast<std::size_t>(base::resolveThreads(m_threads));
    std::vector<std::optional<SharedFeedWorker>> workers;
    const SharedFeed::Group* group = nullptr;
    const auto work = [&](int worker, std::int64_t item) -> Result<void> {
        auto& own = workers[static_cast<std::size_t>(worker)];
        if (!own)
            own.emplace(feed, *group);
        own->begin(item);
        const std::int64_t count = feed.first().count(item);
        for (std::size_t i = group->begin; i < group->begin + group->family->size(); ++i) {
            if (job.stopRequested())
                return base::cancelled();
            QS_CHECK(own->run(i - group->begin));
            for (std::size_t o = 0; o < ports.size(); ++o) {
                if (all[i][o].empty())
                    continue;
                const auto real = own->output(o).as<float>().first(row(o) * static_cast<std::size_t>(count));
                const auto first = static_cast<std::ptrdiff_t>(row(o)) * feed.first().first(item);
                std::ranges::copy(real, all[i][o].begin() + first);
            }
            job.advance(count);
        }
        return {};
    };
    for (const SharedFeed::Group& next : feed.groups()) {
        group = &next;
        workers.clear();
        workers.resize(threads);
        QS_CHECK(base::parallelFor(m_threads, feed.first().batches(), job.stop, work));
    }
    return all;
}

Result<Fidelity> FloatReference::compare(
    const graph::Graph& graph, const quant::QuantizationPlan& plan, const base::Job& job) const
{
    const Network network { &graph, &plan };
    QS_TRY(const auto rows, run({ &network, 1 }, nullptr, { nullptr, job.stop }));
    return judge(rows.front());
}

Result<std::vector<Fidelity>> FloatReference::compareAll(
    std::span<const Network> networks, const std::shared_ptr<Reuse>& reuse, const base::Job& job) const
{
    QS_TRY(const auto all, run(networks, reuse, job));
    std::vector<Fidelity> fidelities;
    for (const Rows& rows : all)
        fidelities.push_back(judge(rows));
    return fidelities;
}

Fidelity FloatReference::judge(const Rows& rows) const
{
    Fidelity fidelity { .classifies = m_classes.has_value(), .images = images() };
    if (!m_classes) {
        for (std::size_t o = 0; o < rows.size(); ++o)
            fidelity.divergence += relativeError(m_rows[o], rows[o]) / static_cast<double>(rows.size());
        return fidelity;
    }
    const std::span<const float> reference = m_rows[m_classes->output];
    const std::span<const float> actual = rows[m_classes->output];
    const std::size_t classes = reference.size() / static_cast<std::size_t>(images());
    for (std::size_t at = 0; at < reference.size(); at += classes) {
        const auto scores = actual.subspan(at, classes);
        if (!allFinite(scores)) {
            fidelity.divergences.push_back(farthest);
            fidelity.logitError = farthest;
            continue;
        }
        const auto wanted = logitsOf(reference.subspan(at, classes), m_classes->probabilities);
        const auto found = logitsOf(scores, m_classes->probabilities);
        fidelity.logitError += squaredDifference(wanted, found) / static_cast<double>(reference.size());
        const auto p = logSoftmax(wanted);
        const auto q = logSoftmax(found);
        fidelity.agreeing += prediction(p) == prediction(q);
        fidelity.divergences.push_back(divergenceOf(p, q));
    }
    for (const double divergence : fidelity.divergences)
        fidelity.divergence += divergence / static_cast<double>(images());
    return fidelity;
}

} // namespace quantoscope::evaluation
