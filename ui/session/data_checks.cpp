// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/data_checks.h"

#include <algorithm>
#include <array>
#include <numeric>

#include <QCoreApplication>

#include "core/evaluation/evaluator.h"

namespace quantoscope::ui {

namespace {

constexpr std::int64_t previewImages = 18;
constexpr std::int64_t triedImages = 200;

QString tr(const char* text) { return QCoreApplication::translate("DataChecks", text); }

Result<dataset::SampleSetPtr> some(const DataRequest& request, std::int64_t count, const base::Job& job)
{
    QS_TRY(const auto data, dataset::openDataset(request.path, { request.kind, request.labels }));
    dataset::SampleSet::Options options;
    options.preprocessing = request.preprocessing;
    options.indices = dataset::sampleIndices(data->size(), count, 0);
    return dataset::SampleSet::load(data, options, job);
}

/// Extents of the model's image input without the batch; empty where they are not known.
std::vector<std::int64_t> inputShape(const LoadedModel& model)
{
    const auto& inputs = model.graph->inputs();
    if (inputs.empty())
        return {};
    const auto& dims = model.graph->value(inputs.front()).type.dims;
    if (!dims || dims->size() != 4)
        return {};
    std::vector<std::int64_t> shape;
    for (std::size_t i = 1; i < dims->size(); ++i)
        shape.push_back((*dims)[i].known() ? (*dims)[i].value : -1);
    return shape;
}

QString shapeText(const std::vector<std::int64_t>& shape)
{
    QStringList parts;
    for (const std::int64_t extent : shape)
        parts << (extent < 0 ? QStringLiteral("?") : QString::number(extent));
    return parts.join(QChar(0x00d7));
}

QString misfit(const std::vector<std::int64_t>& got, const std::vector<std::int64_t>& wanted)
{
    if (wanted.empty() || wanted.size() != got.size())
        return {};
    const auto fits = [](std::int64_t extent, std::int64_t limit) { return limit < 0 || extent == limit; };
    if (std::ranges::equal(got, wanted, fits))
        return {};
    const QString both = tr("The model takes %1, these are %2.").arg(shapeText(wanted), shapeText(got));
    const bool channelsFirst = wanted.front() == 1 || wanted.front() == 3;
    if (channelsFirst != (got.front() == 1 || got.front() == 3))
        return both + QLatin1Char(' ') + tr("Choose the other order, NCHW or NHWC.");
    const std::size_t channel = channelsFirst ? 0 : 2;
    if (!fits(got[channel], wanted[channel]))
        return both + QLatin1Char(' ')
            + (wanted[channel] == 1 ? tr("Choose gray channels.") : tr("Choose RGB or BGR channels."));
    return both + QLatin1Char(' ') + tr("Set resize or crop to %1 pixels.").arg(wanted[channelsFirst ? 1 : 0]);
}

/// A way to scale values, in words.
struct Scaling {
    const char* words;
    float scale;
    std::array<float, 3> mean;
    std::array<float, 3> std;
};
constexpr float unit = 1.0F / 255;
constexpr std::array scalings {
    Scaling { QT_TRANSLATE_NOOP("DataChecks", "values from 0 to 1"), unit, { 0, 0, 0 }, { 1, 1, 1 } },
    Scaling { QT_TRANSLATE_NOOP("DataChecks", "values from 0 to 255"), 1, { 0, 0, 0 }, { 1, 1, 1 } },
    Scaling {
        QT_TRANSLATE_NOOP("DataChecks", "values from −1 to 1"), unit, { 0.5F, 0.5F, 0.5F }, { 0.5F, 0.5F, 0.5F } },
    Scaling { QT_TRANSLATE_NOOP("DataChecks", "mean and deviation of ImageNet"), unit, { 0.485F, 0.456F, 0.406F },
        { 0.229F, 0.224F, 0.225F } },
    Scaling { QT_TRANSLATE_NOOP("DataChecks", "mean and deviation of CIFAR-10"), unit, { 0.4914F, 0.4822F, 0.4465F },
        { 0.2470F, 0.2435F, 0.2616F } },
    Scaling { QT_TRANSLATE_NOOP("DataChecks", "0 to 255 less the mean of ImageNet"), 1, { 123.68F, 116.779F, 103.939F },
        { 1, 1, 1 } },
};

struct Candidate {
    dataset::Preprocessing preprocessing;
    QStringList words; ///< what is other than asked for
};

std::vector<Candidate> candidates(const dataset::Preprocessing& asked)
{
    using dataset::Channels;
    std::vector<Channels> orders { asked.channels };
    if (asked.channels != Channels::Gray)
        orders.push_back(asked.channels == Channels::Rgb ? Channels::Bgr : Channels::Rgb);
    std::vector<Candidate> all;
    for (const Channels order : orders) {
        const QStringList other
            = order == asked.channels ? QStringList() : QStringList(order == Channels::Bgr ? tr("BGR") : tr("RGB"));
        Candidate same { asked, other };
        same.preprocessing.channels = order;
        all.push_back(same);
        for (const Scaling& scaling : scalings) {
            Candidate candidate { same.preprocessing, other + QStringList(tr(scaling.words)) };
            candidate.preprocessing.name = "custom";
            candidate.preprocessing.scale = scaling.scale;
            candidate.preprocessing.mean = scaling.mean;
            candidate.preprocessing.std = scaling.std;
            if (order == Channels::Bgr) { // figures are in the order of the channels
                std::ranges::reverse(candidate.preprocessing.mean);
                std::ranges::reverse(candidate.preprocessing.std);
            }
            const bool known = std::ranges::any_of(all, [&candidate](const Candidate& c) {
                return c.preprocessing.channels == candidate.preprocessing.channels
                    && c.preprocessing.scale == candidate.preprocessing.scale
                    && c.preprocessing.mean == candidate.preprocessing.mean
                    && c.preprocessing.std == candidate.preprocessing.std;
            });
            if (!known)
                all.push_back(std::move(candidate));
        }
    }
    return all;
}

} // namespace

Result<DataPreviewPtr> previewData(const DataRequest& request, const LoadedModel* model, const base::Job& job)
{
    auto preview = std::make_shared<DataPreview>();
    preview->request = request;
    QS_TRY(preview->samples, some(request, previewImages, job));
    preview->description = QString::fromStdString(preview->samples->dataset()->description());
    preview->shape = preview->samples->sampleShape();
    std::vector<float> values(static_cast<std::size_t>(preview->samples->size() * preview->samples->sampleSize()));
    preview->samples->fill(0, preview->samples->size(), values);
    const auto [low, high] = std::ranges::minmax(values);
    preview->low = static_cast<double>(low);
    preview->high = static_cast<double>(high);
    preview->mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    if (model)
        preview->misfit = misfit(preview->shape, inputShape(*model));
    return DataPreviewPtr(std::move(preview));
}

Result<DataVariantPtr> findVariant(const DataRequest& request, const LoadedModel& model, const base::Job& job)
{
    const auto all = candidates(request.preprocessing);
    job.begin("Trying other preparations", static_cast<std::int64_t>(all.size()), "preparations");
    auto best = std::make_shared<DataVariant>();
    evaluation::Interval asked;
    evaluation::Interval found;
    double chance = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (job.stopRequested())
            return base::cancelled();
        DataRequest tried = request;
        tried.preprocessing = all[i].preprocessing;
        const base::Job part { nullptr, job.stop };
        QS_TRY(const auto samples, some(tried, triedImages, part));
        QS_TRY(const auto result, evaluation::evaluate(*model.graph, {}, *samples, {}, part));
        job.advance();
        if (i == 0) {
            asked = result->top1Interval();
            best->before = result->top1();
            best->images = result->images();
            chance = 100.0 / std::max(1, result->classes);
        } else if (result->top1() > best->after) {
            found = result->top1Interval();
            best->after = result->top1();
            best->request = tried;
            best->difference = all[i].words.join(QStringLiteral(", "));
        }
    }
    job.finish();
    if (found.low <= asked.high || found.low <= 2 * chance)
        return DataVariantPtr();
    return DataVariantPtr(std::move(best));
}

} // namespace quantoscope::ui
