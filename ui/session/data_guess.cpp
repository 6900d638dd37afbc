// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/data_guess.h"

#include <algorithm>
#include <cmath>

#include <QCoreApplication>

#include "core/evaluation/input_defaults.h"
#include "core/evaluation/preparation.h"

namespace quantoscope::ui {

namespace {

using evaluation::ImagesSeen;

constexpr double alike = 1.5; // ratio of sizes of images of one kind
constexpr double resizable = 3; // the same where a person gave calibration images a size of their own

QString tr(const char* text) { return QCoreApplication::translate("DataChecks", text); }

QString sizeText(const ImagesSeen& images)
{
    const QChar times(0x00d7);
    if (!images.array.empty()) {
        QStringList extents;
        for (const auto extent : images.array)
            extents << QString::number(extent);
        return tr("arrays of %1").arg(extents.join(times));
    }
    const dataset::Extent& sides = images.sides.front();
    const QString size = QString::number(sides.width) + times + QString::number(sides.height);
    const QString colour = images.channels == 1 ? tr(" gray") : QString();
    return (images.oneSize() ? tr("%1%2 pixels") : tr("of many sizes, as %1%2 pixels")).arg(size, colour);
}

double sideOf(const ImagesSeen& images)
{
    return std::sqrt(static_cast<double>(images.sides.front().width) * images.sides.front().height);
}

bool sameKind(const ImagesSeen& one, const ImagesSeen& other, bool ownSize)
{
    if (one.array.empty() != other.array.empty() || one.array != other.array || one.channels != other.channels)
        return false;
    if (!one.array.empty())
        return true;
    const double ratio = std::max(sideOf(one), sideOf(other)) / std::max(1.0, std::min(sideOf(one), sideOf(other)));
    if (ownSize)
        return ratio <= resizable;
    const bool sameSize = one.sides.front() == other.sides.front();
    return ratio <= alike && (sameSize || !one.oneSize() || !other.oneSize());
}

QString pixelsOf(const dataset::Extent& extent)
{
    return QString::fromStdString(extent.toString()).replace(QLatin1Char('x'), QChar(0x00d7));
}

} // namespace

Result<dataset::Preprocessing> guessPreprocessing(
    const dataset::Dataset& data, const dataset::Preprocessing& before, const LoadedModel* model)
{
    QS_TRY(const auto images, evaluation::lookAt(data));
    dataset::Preprocessing guess = before;
    const auto input = model ? evaluation::imageInput(*model->graph) : std::vector<std::int64_t>();
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
        evaluation::fitSize(guess, images, input);
    return guess;
}

Result<QString> dataWarning(const DataRequest& request, const dataset::DatasetPtr& data)
{
    QS_TRY(const auto images, evaluation::lookAt(*data));
    const dataset::Preprocessing& preparation = request.preprocessing;
    QStringList warnings;
    if (evaluation::isPadded(images, preparation.resize, preparation.crop))
        warnings << tr("The crop of %1 pixels is larger than the images (%2): their edges would be filled with zeros. "
                       "Set Resize to %1 or more, or crop less.")
                        .arg(pixelsOf(preparation.crop), sizeText(images));
    if (request.calibrationPath.empty())
        return warnings.join(QLatin1Char(' '));
    QS_TRY(const auto calibration, dataset::openDataset(request.calibrationPath, {}));
    QS_TRY(const auto others, evaluation::lookAt(*calibration));
    const dataset::Preprocessing theirs = request.forCalibration();
    if (!sameKind(images, others, request.calibrationResize.has_value()))
        warnings << tr("The calibration images, %1, are %2; those evaluated are %3. Ranges found on them would not "
                       "suit these. Choose images of the same data set under Calibration, From, or leave it empty.")
                        .arg(QString::fromStdString(others.name), sizeText(others), sizeText(images));
    else if (evaluation::isPadded(others, theirs.resize, theirs.crop)
        && !evaluation::isPadded(images, preparation.resize, preparation.crop))
        warnings << tr("The crop of %1 pixels is larger than the calibration images (%2): their edges would be filled "
                       "with zeros. Set Resize under Calibration to %1 or more.")
                        .arg(pixelsOf(theirs.crop), sizeText(others));
    return warnings.join(QLatin1Char(' '));
}

} // namespace quantoscope::ui
