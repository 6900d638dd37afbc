// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/plan_model.h"

#include "ui/charts/distribution_series.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

PlanModel::PlanModel(QObject* parent)
    : QAbstractTableModel(parent)
{
}

void PlanModel::setPlan(LoadedModelPtr model, quant::PlanPtr plan)
{
    if (model == m_model && plan == m_plan)
        return;
    beginResetModel();
    m_model = std::move(model);
    m_plan = std::move(plan);
    endResetModel();
}

int PlanModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() || !m_model || !m_plan ? 0 : static_cast<int>(m_model->layers.size());
}

int PlanModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

QString PlanModel::display(int row, int column) const
{
    const LayerInfo& layer = m_model->layers[static_cast<std::size_t>(row)];
    if (column == Number)
        return QString::number(row + 1);
    if (column == Layer)
        return layer.name;
    const bool weight = column == WeightBits || column == WeightRange;
    const std::string& tensor = weight ? layer.weightTensor : layer.inputTensor;
    if (tensor.empty())
        return QStringLiteral("–");
    const quant::TensorQuantizer* quantizer = m_plan->find(tensor);
    if (column == WeightBits || column == ActivationBits)
        return quantizer ? QString::number(quantizer->config.bits) : formatBits(std::nullopt);
    if (!quantizer)
        return QStringLiteral("–");
    const Span span = representableSpan(quantizer->encoding);
    return tr("%1 to %2").arg(formatSignificant(span.low), formatSignificant(span.high));
}

QVariant PlanModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    switch (role) {
    case Qt::DisplayRole:
    case Qt::ToolTipRole:
        return display(index.row(), index.column());
    case Qt::TextAlignmentRole:
        return QVariant::fromValue(
            Qt::Alignment((index.column() == Layer ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    default:
        return {};
    }
}

QVariant PlanModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return QAbstractTableModel::headerData(section, orientation, role);
    if (role == Qt::DisplayRole) {
        const QString titles[ColumnCount] = { tr("#"), tr("Layer"), tr("W\n[bits]"), tr("Weights\nrepresentable"),
            tr("A\n[bits]"), tr("Activations\nrepresentable") };
        return titles[section];
    }
    if (role == Qt::ToolTipRole) {
        const QString tips[ColumnCount] = { tr("Position in the network"), tr("Name in the file"),
            tr("Word-length of the weights"), tr("Widest range of all channels"),
            tr("Word-length of the activations that enter the layer"), tr("Widest range of all channels") };
        return tips[section];
    }
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(
            Qt::Alignment((section == Layer ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    return {};
}

} // namespace quantoscope::ui
