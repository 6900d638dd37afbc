// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/flips_model.h"

#include <algorithm>

namespace quantoscope::ui {

namespace {

constexpr int thumbnailSide = 28; // pixels

/// With a true minus, as numbers beside it are aligned by it.
QString signedFigure(float value)
{
    const QString digits = QString::number(std::abs(static_cast<double>(value)), 'f', 2);
    return (value < 0 ? QStringLiteral("−") : QStringLiteral("+")) + digits;
}

/// Null where the data name no such class.
const std::string* nameOf(const dataset::SampleSet& samples, std::int32_t number)
{
    const auto& names = samples.dataset()->classNames();
    return number >= 0 && static_cast<std::size_t>(number) < names.size() ? &names[static_cast<std::size_t>(number)]
                                                                          : nullptr;
}

} // namespace

QString classText(const dataset::SampleSet& samples, std::int32_t number)
{
    if (number < 0)
        return FlipsModel::tr("none");
    const std::string* name = nameOf(samples, number);
    if (!name)
        return QString::number(number);
    const bool alone = std::ranges::count(samples.dataset()->classNames(), *name) == 1;
    return alone ? QString::fromStdString(*name)
                 : QStringLiteral("%1 (%2)").arg(QString::fromStdString(*name)).arg(number);
}

QString classTip(const dataset::SampleSet& samples, std::int32_t number)
{
    const std::string* name = nameOf(samples, number);
    return name      ? FlipsModel::tr("%1, class %2").arg(QString::fromStdString(*name)).arg(number)
        : number < 0 ? classText(samples, number)
                     : FlipsModel::tr("class %1").arg(number);
}

QString classSortKey(const dataset::SampleSet& samples, std::int32_t number)
{
    const std::string* name = nameOf(samples, number);
    const QString figure = QStringLiteral("%1").arg(number, 6, 10, QLatin1Char(number < 0 ? ' ' : '0'));
    return name ? QString::fromStdString(*name).toCaseFolded() + QLatin1Char(' ') + figure : figure;
}

QImage pictureOf(const dataset::SampleSet& samples, std::int64_t position)
{
    const auto picture = samples.picture(position);
    if (!picture)
        return {};
    const auto format = picture->channels == 1 ? QImage::Format_Grayscale8 : QImage::Format_RGB888;
    return QImage(picture->pixels.data(), picture->width, picture->height, picture->width * picture->channels, format)
        .copy();
}

QString flipKindText(evaluation::FlipKind kind)
{
    switch (kind) {
    case evaluation::FlipKind::Lost:
        return FlipsModel::tr("lost");
    case evaluation::FlipKind::Gained:
        return FlipsModel::tr("gained");
    case evaluation::FlipKind::Moved:
        break;
    }
    return FlipsModel::tr("moved");
}

FlipsModel::FlipsModel(QObject* parent)
    : QAbstractTableModel(parent)
{
}

void FlipsModel::setRun(const Run& run)
{
    beginResetModel();
    m_thumbnails.clear();
    m_samples = run.samples;
    m_flips.clear();
    if (!run.isFloat && run.floatResult && run.samples && run.floatResult->images() == run.result->images())
        m_flips = evaluation::findFlips(run.floatResult->outcomes, run.result->outcomes);
    endResetModel();
}

void FlipsModel::clear()
{
    beginResetModel();
    m_flips.clear();
    m_samples.reset();
    endResetModel();
}

int FlipsModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_flips.size());
}

int FlipsModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QImage FlipsModel::thumbnail(std::int64_t position) const
{
    if (const QImage* kept = m_thumbnails.object(position))
        return *kept;
    const QImage picture = pictureOf(*m_samples, position);
    if (picture.isNull())
        return {};
    auto* small
        = new QImage(picture.scaled(thumbnailSide, thumbnailSide, Qt::KeepAspectRatio, Qt::SmoothTransformation));
    const QImage result = *small;
    m_thumbnails.insert(position, small);
    return result;
}

std::int32_t FlipsModel::classIn(const evaluation::Flip& flip, int column)
{
    return column == Label ? flip.before.label : column == FloatClass ? flip.before.prediction : flip.after.prediction;
}

QString FlipsModel::display(const evaluation::Flip& flip, int column) const
{
    switch (column) {
    case Name:
        return QString::fromStdString(m_samples->dataset()->name(m_samples->originalIndex(flip.image)));
    case Kind:
        return flipKindText(flip.kind);
    case Label:
    case FloatClass:
    case QuantizedClass:
        return classText(*m_samples, classIn(flip, column));
    case FloatMargin:
        return signedFigure(flip.before.margin);
    case QuantizedMargin:
        return signedFigure(flip.after.margin);
    default:
        return {};
    }
}

QVariant FlipsModel::sortKey(int row, int column) const
{
    const auto& flip = m_flips[static_cast<std::size_t>(row)];
    switch (column) {
    case Name:
        return static_cast<qlonglong>(m_samples->originalIndex(flip.image));
    case Kind:
        return row; // the order in which flips are found: by kind, then by surprise
    case Label:
    case FloatClass:
    case QuantizedClass:
        return classSortKey(*m_samples, classIn(flip, column));
    case FloatMargin:
        return flip.before.margin;
    default:
        return flip.after.margin;
    }
}

QVariant FlipsModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const auto& flip = m_flips[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::ToolTipRole:
        if (index.column() >= Label && index.column() <= QuantizedClass)
            return classTip(*m_samples, classIn(flip, index.column()));
        return display(flip, index.column());
    case Qt::DisplayRole:
        return display(flip, index.column());
    case Qt::DecorationRole:
        if (index.column() == Name) {
            const QImage small = thumbnail(flip.image);
            return small.isNull() ? QVariant() : QVariant(small);
        }
        return {};
    case Qt::TextAlignmentRole:
        return QVariant::fromValue(
            Qt::Alignment((isText(index.column()) ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    case SortRole:
        return sortKey(index.row(), index.column());
    default:
        return {};
    }
}

QVariant FlipsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return QAbstractTableModel::headerData(section, orientation, role);
    if (role == Qt::DisplayRole) {
        const QString titles[ColumnCount] = { tr("Image"), tr("Change"), tr("Label"), tr("Float\nsays"),
            tr("Quantized\nsays"), tr("Margin\nfloat"), tr("Margin\nquantized") };
        return titles[section];
    }
    if (role == Qt::ToolTipRole) {
        const QString tips[ColumnCount] = { tr("As the network sees it, and its name in the data"),
            tr("lost: right in float, wrong quantized; gained: the reverse; moved: wrong in both"),
            tr("Class that the data say"), tr("Class of the largest output of the float network"),
            tr("Class of the largest output of the quantized network"),
            tr("Output of the label less the largest other one, in the float network"),
            tr("Output of the label less the largest other one, in the quantized network") };
        return tips[section];
    }
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(
            Qt::Alignment((isText(section) ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    return {};
}

} // namespace quantoscope::ui
