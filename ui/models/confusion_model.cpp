// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/confusion_model.h"

#include <cstdlib>

#include "ui/charts/number_format.h"
#include "ui/models/flips_model.h"

namespace quantoscope::ui {

ConfusionModel::ConfusionModel(QObject* parent)
    : QAbstractTableModel(parent)
{
}

void ConfusionModel::setRun(const Run& run)
{
    beginResetModel();
    m_samples = run.samples;
    m_changes.clear();
    if (!run.isFloat && run.floatResult && run.samples && run.floatResult->images() == run.result->images())
        m_changes = evaluation::confusionChanges(run.floatResult->outcomes, run.result->outcomes);
    endResetModel();
}

void ConfusionModel::clear()
{
    beginResetModel();
    m_changes.clear();
    m_samples.reset();
    endResetModel();
}

int ConfusionModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_changes.size());
}

int ConfusionModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QVariant ConfusionModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const auto& cell = m_changes[static_cast<std::size_t>(index.row())];
    const std::int64_t values[ColumnCount] = { cell.label, cell.prediction, cell.before, cell.after, cell.change() };
    const std::int64_t value = values[index.column()];
    switch (role) {
    case SortRole:
        if (index.column() < Float)
            return classSortKey(*m_samples, static_cast<std::int32_t>(value));
        return static_cast<qlonglong>(value);
    case Qt::TextAlignmentRole:
        return QVariant::fromValue(
            Qt::Alignment((index.column() < Float ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    case Qt::DisplayRole:
    case Qt::ToolTipRole:
        if (index.column() < Float && role == Qt::ToolTipRole)
            return classTip(*m_samples, static_cast<std::int32_t>(value));
        if (index.column() < Float)
            return classText(*m_samples, static_cast<std::int32_t>(value));
        if (index.column() == Change)
            return (value < 0 ? QStringLiteral("−") : QStringLiteral("+")) + formatCount(std::abs(value));
        return formatCount(value);
    default:
        return {};
    }
}

QVariant ConfusionModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return QAbstractTableModel::headerData(section, orientation, role);
    if (role == Qt::DisplayRole) {
        const QString titles[ColumnCount] = { tr("Label"), tr("Taken for"), tr("Float\n[images]"),
            tr("Quantized\n[images]"), tr("Change\n[images]") };
        return titles[section];
    }
    if (role == Qt::ToolTipRole)
        return tr("Cells of the confusion matrix that differ between the float and the quantized network");
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(
            Qt::Alignment((section < Float ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    return {};
}

} // namespace quantoscope::ui
