// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/run_comparison_model.h"

#include <cmath>
#include <limits>

#include <QFont>

#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr double notKnown = std::numeric_limits<double>::quiet_NaN();

double sqnrOf(const std::optional<evaluation::TensorError>& error) { return error ? error->sqnrDb : notKnown; }

} // namespace

RunComparisonModel::RunComparisonModel(Session& session, QObject* parent)
    : QAbstractTableModel(parent)
    , m_session(session)
    , m_comparison(session.runComparison())
{
    connect(&session, &Session::runComparisonChanged, this, [this] {
        beginResetModel();
        m_comparison = m_session.runComparison();
        endResetModel();
    });
}

int RunComparisonModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() || !m_comparison ? 0 : static_cast<int>(m_comparison->layers.size());
}

int RunComparisonModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

double RunComparisonModel::sqnr(int row, int column) const
{
    const ComparedLayer& layer = m_comparison->layers[static_cast<std::size_t>(row)];
    switch (column) {
    case FirstWeightSqnr:
        return sqnrOf(layer.first.weight);
    case SecondWeightSqnr:
        return sqnrOf(layer.second.weight);
    case WeightDifference:
        return sqnrOf(layer.second.weight) - sqnrOf(layer.first.weight);
    case FirstActivationSqnr:
        return sqnrOf(layer.first.activation);
    case SecondActivationSqnr:
        return sqnrOf(layer.second.activation);
    case ActivationDifference:
        return sqnrOf(layer.second.activation) - sqnrOf(layer.first.activation);
    default:
        return notKnown;
    }
}

QVariant RunComparisonModel::display(int row, int column) const
{
    const ComparedLayer& layer = m_comparison->layers[static_cast<std::size_t>(row)];
    switch (column) {
    case Number:
        return QString::number(row + 1);
    case Name:
        return layer.name;
    case FirstWeightBits:
        return formatBits(layer.first.weightBits);
    case SecondWeightBits:
        return formatBits(layer.second.weightBits);
    case FirstActivationBits:
        return formatBits(layer.first.activationBits);
    case SecondActivationBits:
        return formatBits(layer.second.activationBits);
    default:
        break;
    }
    const double value = sqnr(row, column);
    if (std::isnan(value))
        return QStringLiteral("–");
    const bool difference = column == WeightDifference || column == ActivationDifference;
    const QString text = QString::number(std::abs(value), 'f', 1);
    const QChar sign = value < 0 ? QChar(0x2212) : QLatin1Char('+');
    return difference ? sign + text : value < 0 ? sign + text : text;
}

QVariant RunComparisonModel::sortKey(int row, int column) const
{
    if (column >= FirstWeightSqnr) {
        const double value = sqnr(row, column);
        return std::isnan(value) ? -1e9 : value;
    }
    if (column == Number)
        return row;
    if (column == Name)
        return display(row, column);
    const QString bits = display(row, column).toString();
    bool number = false;
    const int value = bits.toInt(&number);
    return number ? value : 99;
}

QVariant RunComparisonModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const int column = index.column();
    switch (role) {
    case Qt::DisplayRole:
    case Qt::ToolTipRole:
        return display(index.row(), column);
    case Qt::TextAlignmentRole:
        return QVariant::fromValue(Qt::Alignment((column == Name ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    case Qt::FontRole: {
        // What differs between the plans stands out.
        const bool weights = column == SecondWeightBits;
        if (!weights && column != SecondActivationBits)
            return {};
        const ComparedLayer& layer = m_comparison->layers[static_cast<std::size_t>(index.row())];
        QFont font;
        font.setBold(weights ? layer.first.weightBits != layer.second.weightBits
                             : layer.first.activationBits != layer.second.activationBits);
        return font;
    }
    case SortRole:
        return sortKey(index.row(), column);
    default:
        return {};
    }
}

QVariant RunComparisonModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return QAbstractTableModel::headerData(section, orientation, role);
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(
            Qt::Alignment((section == Name ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    const QString first = m_comparison ? QString::number(m_comparison->first + 1) : tr("A");
    const QString second = m_comparison ? QString::number(m_comparison->second + 1) : tr("B");
    if (role == Qt::DisplayRole) {
        const QString titles[ColumnCount] = { tr("#"), tr("Layer"), tr("W in %1\n[bits]").arg(first),
            tr("W in %1\n[bits]").arg(second), tr("A in %1\n[bits]").arg(first), tr("A in %1\n[bits]").arg(second),
            tr("SQNR W\nin %1 [dB]").arg(first), tr("SQNR W\nin %1 [dB]").arg(second),
            tr("SQNR W\n%2 − %1 [dB]").arg(first, second), tr("SQNR A\nin %1 [dB]").arg(first),
            tr("SQNR A\nin %1 [dB]").arg(second), tr("SQNR A\n%2 − %1 [dB]").arg(first, second) };
        return titles[section];
    }
    if (role == Qt::ToolTipRole) {
        if (section >= FirstWeightBits && section <= SecondActivationBits)
            return (section < FirstActivationBits ? tr("Word-length of the weights in run %1")
                                                  : tr("Word-length of the activations that enter the layer in run %1"))
                .arg(section == FirstWeightBits || section == FirstActivationBits ? first : second);
        if (section == WeightDifference || section == ActivationDifference)
            return tr("SQNR in run %1 less SQNR in run %2: positive where run %1 is more exact").arg(second, first);
        if (section >= FirstActivationSqnr)
            return tr("Signal to quantization noise of the activations that enter the layer, in the running network: "
                      "10 log10(Σx² / Σ(x − x̂)²)");
        if (section >= FirstWeightSqnr)
            return tr("Signal to quantization noise of the weights: 10 log10(Σw² / Σ(w − ŵ)²)");
    }
    return {};
}

} // namespace quantoscope::ui
