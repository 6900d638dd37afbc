// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/data_checks.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>

#include <QCoreApplication>

#include "core/evaluation/preparation.h"
#include "core/evaluation/preprocessing_variants.h"
#include "ui/session/data_guess.h"

namespace quantoscope::ui {

namespace {

constexpr std::int64_t previewImages = 18;
constexpr std::int64_t triedImages = 200;

QString tr(const char* text) { return QCoreApplication::translate("DataChecks", text); }

Result<dataset::SampleSetPtr> some(
    const dataset::DatasetPtr& data, const DataRequest& request, std::int64_t count, const base::Job& job)
{
    dataset::SampleSet::Options options;
    options.preprocessing = request.preprocessing;
    options.indices = dataset::sampleIndices(data->size(), count, 0);
    return dataset::SampleSet::load(data, options, job);
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
    const std::int64_t height = wanted[channelsFirst ? 1 : 0];
    const std::int64_t width = wanted[channelsFirst ? 2 : 1];
    if (height < 0 || width < 0)
        return both + QLatin1Char(' ') + tr("Set Resize or Crop to sides that fit.");
    const QString side = QString::number(width);
    return both + QLatin1Char(' ')
        + tr("Set Resize or Crop to %1 pixels.")
              .arg(height == width ? side : side + QLatin1Char('x') + QString::number(height));
}

/// What core says of a scaling, in the person's language.
QString scalingWords(std::string_view scaling)
{
    static const std::array texts {
        QT_TRANSLATE_NOOP("DataChecks", "values from 0 to 1"),
        QT_TRANSLATE_NOOP("DataChecks", "values from 0 to 255"),
        QT_TRANSLATE_NOOP("DataChecks", "values from −1 to 1"),
        QT_TRANSLATE_NOOP("DataChecks", "mean and deviation of ImageNet"),
        QT_TRANSLATE_NOOP("DataChecks", "mean and deviation of CIFAR-10"),
        QT_TRANSLATE_NOOP("DataChecks", "0 to 255 less the mean of ImageNet"),
    };
    const auto known = std::ranges::find(texts, scaling, [](const char* text) { return std::string_view(text); });
    return known == texts.end() ? QString::fromUtf8(scaling.data(), static_cast<qsizetype>(scaling.size()))
                                : tr(*known);
}

} // namespace

Result<DataPreviewPtr> previewData(
    const DataRequest& request, const LoadedModel* model, bool guess, const base::Job& job)
{
    auto preview = std::make_shared<DataPreview>();
    preview->request = request;
    QS_TRY(const auto data, dataset::openDataset(request.path, request.openOptions()));
    if (guess) {
        QS_TRY(preview->request.preprocessing, guessPreprocessing(*data, request.preprocessing, model));
    }
    QS_TRY(preview->samples, some(data, preview->request, previewImages, job));
    QS_TRY(preview->warning, dataWarning(preview->request, data));
    preview->description = QString::fromStdString(preview->samples->dataset()->description());
    preview->shape = preview->samples->sampleShape();
    std::vector<float> values(static_cast<std::size_t>(preview->samples->size() * preview->samples->sampleSize()));
    preview->samples->fill(0, preview->samples->size(), values);
    const auto [low, high] = std::ranges::minmax(values);
    preview->low = static_cast<double>(low);
    preview->high = static_cast<double>(high);
    preview->mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
    if (model)
        preview->misfit = misfit(preview->shape, evaluation::imageInput(*model->graph));
    return DataPreviewPtr(std::move(preview));
}

Result<DataVariantPtr> findVariant(const DataRequest& request, const LoadedModel& model, const base::Job& job)
{
    QS_TRY(const auto data, dataset::openDataset(request.path, request.openOptions()));
    QS_TRY(const auto better,
        evaluation::findBetterPreprocessing(*model.graph, data, request.preprocessing, triedImages, job));
    if (!better)
        return DataVariantPtr();
    auto variant = std::make_shared<DataVariant>();
    variant->request = request;
    variant->request.preprocessing = better->preprocessing;
    variant->images = better->images;
    variant->before = better->before;
    variant->after = better->after;
    QStringList words;
    if (better->otherChannelOrder)
        words << (better->preprocessing.channels == dataset::Channels::Bgr ? tr("BGR") : tr("RGB"));
    if (!better->scaling.empty())
        words << scalingWords(better->scaling);
    variant->difference = words.join(QStringLiteral(", "));
    return DataVariantPtr(std::move(variant));
}

} // namespace quantoscope::ui
