// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/data_guess.h"

#include <algorithm>
#include <cmath>

#include <QCoreApplication>

#include "core/evaluation/input_defaults.h"

namespace quantoscope::ui {

namespace {

constexpr std::int64_t lookedAt = 6; // images
constexpr int photoSide = 96; // from here on photos are resized with a margin before the crop, as is usual
constexpr double alike = 1.5; // ratio of sizes of images of one kind
constexpr double resizable = 3; // the same where a person gave calibration images a size of their own
constexpr int usualResize = 256;
constexpr int usualCrop = 224;

QString tr(const char* text) { return QCoreApplication::translate("DataChecks", text); }

/// Images as they are on disk.
struct Originals {
    std::string name;
    int width = 0; ///< of the first
    int height = 0;
    int channels = 0;
    int smallest = 0; ///< the shortest side of any
    bool oneSize = true;
    std::vector<std::int64_t> array; ///< extents of samples that are no images

    double side() const { return std::sqrt(static_cast<double>(width) * height); }
};

Result<Originals> lookAt(const dataset::Dataset& data)
{
    Originals seen;
    seen.name = data.path().filename().string();
    if (const auto* floats = dynamic_cast<const dataset::FloatDataset*>(&data)) {
        seen.array = floats->sampleShape();
        return seen;
    }
    for (const auto index : dataset::sampleIndices(data.size(), lookedAt, 0)) {
        QS_TRY(const auto image, data.image(index));
        const int shorter = std::min(image.width, image.height);
        if (seen.width == 0) {
            seen.width = image.width;
            seen.height = image.height;
            seen.channels = image.channels;
            seen.smallest = shorter;
        }
        seen.oneSize = seen.oneSize && image.width == seen.width && image.height == seen.height;
        seen.smallest = std::min(seen.smallest, shorter);
    }
    return seen;
}

QString sizeText(const Originals& images)
{
    if (!images.array.empty()) {
        QStringList extents;
        for (const auto extent : images.array)
            extents << QString::number(extent);
        return tr("arrays of %1").arg(extents.join(QChar(0x00d7)));
    }
    const QString size = QString::number(images.width) + QChar(0x00d7) + QString::number(images.height);
    const QString colour = images.channels == 1 ? tr(" gray") : QString();
    return (images.oneSize ? tr("%1%2 pixels") : tr("of many sizes, as %1%2 pixels")).arg(size, colour);
}

void fitSize(dataset::Preprocessing& guess, const Originals& images, const std::vector<std::int64_t>& input)
{
    guess.resize = 0;
    guess.crop = 0;
    const bool last = guess.layout == dataset::MemoryLayout::Nhwc;
    const std::int64_t height = input.size() == 3 ? input[last ? 0 : 1] : -1;
    const std::int64_t width = input.size() == 3 ? input[last ? 1 : 2] : -1;
    if (height <= 0 || height != width) {
        // Any size will do, or none that a square crop gives.
        if (!images.oneSize) {
            guess.resize = usualResize;
            guess.crop = usualCrop;
        }
        return;
    }
    const int side = static_cast<int>(height);
    if (images.oneSize && images.width == side && images.height == side)
        return;
    const bool photos = side >= photoSide && images.smallest >= photoSide;
    guess.resize = photos ? static_cast<int>(std::lround(side * 8.0 / 7)) : side; // 256 for 224
    guess.crop = side;
}

bool sameKind(const Originals& one, const Originals& other, bool ownResize)
{
    if (one.array.empty() != other.array.empty() || one.array != other.array || one.channels != other.channels)
        return false;
    if (!one.array.empty())
        return true;
    const double ratio = std::max(one.side(), other.side()) / std::max(1.0, std::min(one.side(), other.side()));
    if (ownResize)
        return ratio <= resizable;
    const bool sameSize = one.width == other.width && one.height == other.height;
    return ratio <= alike && (sameSize || !one.oneSize || !other.oneSize);
}

/// Whether the crop reaches beyond the image that it is cut from.
bool isPadded(const Originals& images, int resize, int crop)
{
    return images.array.empty() && crop > (resize > 0 ? resize : images.smallest);
}

} // namespace

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

Result<dataset::Preprocessing> guessPreprocessing(
    const dataset::Dataset& data, const dataset::Preprocessing& before, const LoadedModel* model)
{
    QS_TRY(const auto images, lookAt(data));
    dataset::Preprocessing guess = before;
    const auto input = model ? inputShape(*model) : std::vector<std::int64_t>();
    bool gray = images.channels == 1;
    guess.layout = dataset::MemoryLayout::Nchw;
    if (model && model->source) {
        if (const auto defaults = evaluation::inputDefaults(*model->source)) {
            if (model->source->metadata.contains("preprocess")) {
                guess.name = defaults->preprocessing.name;
                guess.scale = defaults->preprocessing.scale;
                guess.mean = defaults->preprocessing.mean;
                guess.std = defaults->preprocessing.std;
            }
            guess.layout = defaults->preprocessing.layout;
            const std::int64_t channels
                = input.size() == 3 ? input[guess.layout == dataset::MemoryLayout::Nhwc ? 2 : 0] : -1;
            if (channels > 0)
                gray = channels == 1;
        }
    }
    if (gray)
        guess.channels = dataset::Channels::Gray;
    else if (guess.channels == dataset::Channels::Gray)
        guess.channels = dataset::Channels::Rgb; // whoever had BGR keeps it: that is the model's
    if (images.array.empty())
        fitSize(guess, images, input);
    return guess;
}

Result<QString> dataWarning(const DataRequest& request, const dataset::DatasetPtr& data)
{
    QS_TRY(const auto images, lookAt(*data));
    const dataset::Preprocessing& preparation = request.preprocessing;
    QStringList warnings;
    if (isPadded(images, preparation.resize, preparation.crop))
        warnings << tr("The crop of %1 pixels is larger than the images (%2): their edges would be filled with zeros. "
                       "Set Resize to %1 or more, or crop less.")
                        .arg(preparation.crop)
                        .arg(sizeText(images));
    if (request.calibrationPath.empty())
        return warnings.join(QLatin1Char(' '));
    QS_TRY(const auto calibration, dataset::openDataset(request.calibrationPath, {}));
    QS_TRY(const auto others, lookAt(*calibration));
    const int resize = request.calibrationResize.value_or(preparation.resize);
    if (!sameKind(images, others, request.calibrationResize.has_value()))
        warnings << tr("The calibration images, %1, are %2; those evaluated are %3. Ranges found on them would not "
                       "suit these. Choose images of the same data set under Calibration, From, or leave it empty.")
                        .arg(QString::fromStdString(others.name), sizeText(others), sizeText(images));
    else if (isPadded(others, resize, preparation.crop) && !isPadded(images, preparation.resize, preparation.crop))
        warnings << tr("The crop of %1 pixels is larger than the calibration images (%2): their edges would be filled "
                       "with zeros. Set Resize under Calibration to %1 or more.")
                        .arg(preparation.crop)
                        .arg(sizeText(others));
    return warnings.join(QLatin1Char(' '));
}

} // namespace quantoscope::ui
