// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/options_model.h"

#include "ui/charts/number_format.h"
#include "ui/charts/range_words.h"
#include "ui/session/outcomes.h"

namespace quantoscope::ui {

OptionsModel::OptionsModel(Session& session, QObject* parent)
    : QAbstractTableModel(parent)
    , m_session(session)
{
    connect(&session, &Session::optionsStudyChanged, this, &OptionsModel::update);
    update();
}

void OptionsModel::update()
{
    // A row that comes in changes the ranks of the others.
    beginResetModel();
    m_study = m_session.optionsStudy();
    endResetModel();
}

int OptionsModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() || !m_study ? 0 : static_cast<int>(m_study->rows.size());
}

int OptionsModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

bool OptionsModel::isText(int column) { return column == Weights || column == Activations || column == Corrections; }

QString OptionsModel::display(const sweep::StudyRow& row, int number, int column) const
{
    switch (column) {
    case Number:
        return QString::number(number);
    case WeightBits:
        return formatBits(row.weightBits());
    case ActivationBits:
        return formatBits(row.activationBits());
    case Rank:
        return QString::number(row.rank);
    case Group:
        return QString::number(row.tier);
    case Top1:
        return formatShare(row.top1, row.images);
    case Top1Interval:
        return tr("%1 to %2")
            .arg(formatShare(row.top1Interval.low, row.images), formatShare(row.top1Interval.high, row.images));
    case Delta:
        return formatPoints(row.againstFloat.delta, row.images);
    case Weights:
        return inWords(row.weights);
    case Activations:
        return inWords(row.activations);
    case Corrections: {
        const QString dropped = droppedCorrections(row.outcomes);
        return QString::fromStdString(row.corrections)
            + (dropped.isEmpty() ? QString() : tr(" (dropped: %1)").arg(dropped));
    }
    case PValue:
        return row.rank == 1 ? QStringLiteral("–") : formatProbability(row.pAgainstBest);
    case Agreement:
        return formatShare(row.againstFloat.agreement, row.images);
    default:
        return {};
    }
}

QVariant OptionsModel::sortKey(const sweep::StudyRow& row, int number, int column) const
{
    switch (column) {
    case Number:
        return number;
    case WeightBits:
        return row.weightBits().value_or(quant::maxBits + 1);
    case ActivationBits:
        return row.activationBits().value_or(quant::maxBits + 1);
    case Rank:
        return row.rank;
    case Group:
        return row.tier;
    case Top1:
    case Top1Interval:
        return row.top1;
    case Delta:
        return row.againstFloat.delta;
    case PValue:
        return row.pAgainstBest;
    case Agreement:
        return row.againstFloat.agreement;
    default:
        return display(row, number, column);
    }
}

QVariant OptionsModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const sweep::StudyRow& row = m_study->rows[static_cast<std::size_t>(index.row())];
    switch (role) {
    case Qt::DisplayRole:
    case Qt::ToolTipRole:
        return display(row, index.row() + 1, index.column());
    case Qt::TextAlignmentRole:
        return QVariant::fromValue(
            Qt::Alignment((isText(index.column()) ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    case SortRole:
        return sortKey(row, index.row() + 1, index.column());
    case BestRole:
        return row.tier <= 1;
    default:
        return {};
    }
}

QVariant OptionsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return QAbstractTableModel::headerData(section, orientation, role);
    if (role == Qt::DisplayRole) {
        const QString titles[ColumnCount] = { tr("#"), tr("W\n[bits]"), tr("A\n[bits]"), tr("Rank"), tr("Group"),
            tr("Top-1\n[%]"), tr("95 % interval\n[%]"), tr("To float\n[points]"), tr("Weights"), tr("Activations"),
            tr("Corrections"), tr("p-value\nto best"), tr("Agreement\n[%]") };
        return titles[section];
    }
    if (role == Qt::ToolTipRole) {
        const QString tips[ColumnCount] = { tr("Row of the chart"), tr("Word-length of the weights"),
            tr("Word-length of the activations"), tr("Among the rows with the same word-lengths, 1 the best"),
            tr("1: cannot be told from the best row of these word-lengths; 2: from the best of the others; and so on"),
            tr("Share of images whose label got the largest output"), tr("Wilson score interval of top-1"),
            tr("Top-1 less float top-1 on the same images, in percentage points"), tr("How weights were quantized"),
            tr("How activations were quantized"), tr("Corrections asked for, and those that the guard dropped"),
            tr("Exact McNemar test against the best of these word-lengths, corrected after Holm for all comparisons"),
            tr("Images with the same prediction as the float network") };
        return tips[section];
    }
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(
            Qt::Alignment((isText(section) ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    return {};
}

QString OptionsModel::describe(const sweep::OptionsStudy& study, std::size_t index)
{
    const sweep::StudyRow& row = study.rows[index];
    QStringList lines;
    lines << QStringLiteral("<b>%1</b> &nbsp; %2")
                 .arg(formatWordLengths(row.weightBits(), row.activationBits()),
                     inWords(row.request.describeOptions()).toHtmlEscaped());
    lines << tr("Rank %1: significantly better than %2, worse than %3 of the rows with these word-lengths")
                 .arg(row.rank)
                 .arg(row.beats)
                 .arg(row.beatenBy);
    for (const flow::CorrectionOutcome& outcome : row.outcomes)
        lines << outcomeMark(outcome) + QLatin1Char(' ')
                + tr("%1 %2").arg(correctionName(outcome.correction), outcomeText(outcome)).toHtmlEscaped();
    return lines.join(QStringLiteral("<br>"));
}

} // namespace quantoscope::ui
