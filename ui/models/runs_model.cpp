// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/runs_model.h"

#include <algorithm>

#include <QFont>

#include "ui/charts/number_format.h"
#include "ui/charts/range_words.h"
#include "ui/session/outcomes.h"
#include "ui/session/work.h"

namespace quantoscope::ui {

RunsModel::RunsModel(Session& session, QObject* parent)
    : QAbstractTableModel(parent)
    , m_session(session)
{
    connect(&session, &Session::runsChanged, this, &RunsModel::update);
    connect(&session, &Session::requestChanged, this, [this] { // the current one is another
        if (m_rows > 0)
            emit dataChanged(
                index(0, 0), index(m_rows - 1, ColumnCount - 1), { Qt::FontRole, CurrentRole, Qt::AccessibleTextRole });
    });
    update();
}

void RunsModel::update()
{
    // Runs are appended, replaced in their place, or all of them go.
    const int rows = static_cast<int>(m_session.runs().size());
    if (rows >= m_rows && m_rows > 0)
        emit dataChanged(index(0, 0), index(m_rows - 1, ColumnCount - 1));
    if (rows < m_rows) {
        beginResetModel();
        m_rows = rows;
        endResetModel();
    } else if (rows > m_rows) {
        beginInsertRows({}, m_rows, rows - 1);
        m_rows = rows;
        endInsertRows();
    }
}

int RunsModel::rowCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : m_rows; }

int RunsModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

bool RunsModel::hasOwnBits(const planning::PlanRequest& request, bool weights)
{
    return request.firstLastBits || std::ranges::any_of(request.overrides, [weights](const auto& own) {
        return (weights ? own.weights : own.activations).bits.has_value();
    });
}

QString RunsModel::correctionsText(const Run& run)
{
    const QString kept = keptCorrections(run.corrections);
    const QString dropped = droppedCorrections(run.corrections);
    if (dropped.isEmpty())
        return kept.isEmpty() ? QStringLiteral("–") : kept;
    return kept.isEmpty() ? tr("⚠ dropped: %1").arg(dropped) : tr("%1 (⚠ dropped: %2)").arg(kept, dropped);
}

QString RunsModel::scopeText(const Run& run)
{
    if (run.isFloat || run.scope.toStdString() != run.request.describe())
        return inWords(run.scope.toStdString());
    planning::PlanRequest others = run.request;
    others.corrections = {};
    return inWords(others.describeOptions());
}

QString RunsModel::title(const Run& run)
{
    if (!run.name.isEmpty())
        return run.name;
    return run.isFloat ? tr("float") : shortScope(run.request);
}

bool RunsModel::isCurrent(const Run& run) const { return !run.isFloat && run.request == m_session.request(); }

Qt::ItemFlags RunsModel::flags(const QModelIndex& index) const
{
    const Qt::ItemFlags usual = QAbstractTableModel::flags(index);
    return index.isValid() && index.column() == Name ? usual | Qt::ItemIsEditable : usual;
}

bool RunsModel::setData(const QModelIndex& index, const QVariant& value, int role)
{
    if (role != Qt::EditRole || !index.isValid() || index.column() != Name)
        return false;
    Run unnamed = m_session.runs()[static_cast<std::size_t>(index.row())];
    unnamed.name.clear();
    // The name that it has without one is none.
    const QString name = value.toString().trimmed();
    m_session.renameRun(index.row(), name == title(unnamed) ? QString() : name);
    return true;
}

QString RunsModel::display(int row, int column) const
{
    const Run& run = m_session.runs()[static_cast<std::size_t>(row)];
    const QString none = QStringLiteral("–");
    const auto interval
        = [](const evaluation::Interval& i, auto format) { return tr("%1 to %2").arg(format(i.low), format(i.high)); };
    const qint64 images = run.result->images();
    const auto plain = [images](double value) { return formatShare(value, images); };
    const auto sign = [images](double value) { return formatPoints(value, images); };
    switch (column) {
    case Number:
        return QString::number(row + 1);
    case Name:
        return title(run);
    case Scope:
        return scopeText(run);
    case Corrections:
        return correctionsText(run);
    case WeightBits:
    case ActivationBits:
        if (run.isFloat)
            return formatBits(std::nullopt);
        return formatBits(column == WeightBits ? run.weightBits : run.activationBits)
            + (hasOwnBits(run.request, column == WeightBits) ? QStringLiteral("*") : QString());
    case Images:
        return formatCount(run.result->images());
    case Top1:
        return plain(run.result->top1());
    case Top1Interval:
        return interval(run.result->top1Interval(), plain);
    case FloatTop1:
        return run.isFloat ? plain(run.result->top1()) : run.floatResult ? plain(run.floatResult->top1()) : none;
    case Delta:
        return run.againstFloat ? sign(run.againstFloat->delta) : none;
    case DeltaInterval:
        return run.againstFloat ? interval(run.againstFloat->deltaInterval, sign) : none;
    case PValue:
        return run.againstFloat ? formatProbability(run.againstFloat->pValue) : none;
    case Agreement:
        return run.againstFloat ? plain(run.againstFloat->agreement) : none;
    case Size:
        return formatBytes(run.cost.sizeBytes);
    case Energy:
        return formatEnergy(run.cost.energyPj);
    case Speed:
        return formatSignificant(run.result->imagesPerSecond());
    default:
        return {};
    }
}

QVariant RunsModel::sortKey(int row, int column) const
{
    const Run& run = m_session.runs()[static_cast<std::size_t>(row)];
    const double missing = -1000;
    switch (column) {
    case Number:
        return row;
    case WeightBits:
        return run.isFloat ? quant::maxBits + 1 : run.weightBits.value_or(quant::maxBits + 1);
    case ActivationBits:
        return run.isFloat ? quant::maxBits + 1 : run.activationBits.value_or(quant::maxBits + 1);
    case Images:
        return static_cast<qlonglong>(run.result->images());
    case Top1:
    case Top1Interval:
        return run.result->top1();
    case FloatTop1:
        return run.floatResult ? run.floatResult->top1() : run.result->top1();
    case Delta:
    case DeltaInterval:
        return run.againstFloat ? run.againstFloat->delta : missing;
    case PValue:
        return run.againstFloat ? run.againstFloat->pValue : missing;
    case Agreement:
        return run.againstFloat ? run.againstFloat->agreement : missing;
    case Size:
        return run.cost.sizeBytes;
    case Energy:
        return run.cost.energyPj;
    case Speed:
        return run.result->imagesPerSecond();
    default:
        return display(row, column);
    }
}

QVariant RunsModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    switch (role) {
    case Qt::DisplayRole:
        return display(index.row(), index.column());
    case Qt::EditRole:
        return display(index.row(), index.column());
    case Qt::FontRole: {
        QFont font;
        font.setBold(isCurrent(m_session.runs()[static_cast<std::size_t>(index.row())]));
        return font;
    }
    case CurrentRole:
        return isCurrent(m_session.runs()[static_cast<std::size_t>(index.row())]);
    case Qt::AccessibleTextRole:
        if (index.column() == Number && data(index, CurrentRole).toBool())
            return tr("%1, the current options").arg(display(index.row(), Number));
        return display(index.row(), index.column());
    case Qt::ToolTipRole:
        if (index.column() == Number && data(index, CurrentRole).toBool())
            return tr("These are the current options");
        if (index.column() == Name)
            return tr("%1. Double-click to give it a name").arg(display(index.row(), Name));
        if (index.column() == Scope) {
            const Run& run = m_session.runs()[static_cast<std::size_t>(index.row())];
            return tr("%1\n%2").arg(inWords(run.scope.toStdString()), run.data);
        }
        return display(index.row(), index.column());
    case Qt::TextAlignmentRole:
        return QVariant::fromValue(
            Qt::Alignment((isText(index.column()) ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    case SortRole:
        return sortKey(index.row(), index.column());
    default:
        return {};
    }
}

QVariant RunsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return QAbstractTableModel::headerData(section, orientation, role);
    if (role == Qt::DisplayRole) {
        const QString titles[ColumnCount] = { tr("#"), tr("Name"), tr("What was quantized"), tr("Corrections"),
            tr("W\n[bits]"), tr("A\n[bits]"), tr("Images"), tr("Top-1\n[%]"), tr("95 % interval\n[%]"),
            tr("Float top-1\n[%]"), tr("Difference\n[points]"), tr("95 % interval\n[points]"), tr("p-value"),
            tr("Agreement\n[%]"), tr("Size"), tr("Energy\nan image"), tr("Speed\n[images/s]") };
        return titles[section];
    }
    if (role == Qt::ToolTipRole) {
        const QString tips[ColumnCount] = { tr("In the order they were evaluated; the dot marks the current options"),
            tr("Given by you, or the word-lengths; double-click to change it"), tr("Scope and options of the plan"),
            tr("Corrections that were in, and those that the guard dropped"),
            tr("Word-length of the weights; * some layers have their own"),
            tr("Word-length of the activations; * some layers have their own"), tr("Images evaluated"),
            tr("Share of images whose label got the largest output"), tr("Wilson score interval of top-1"),
            tr("Top-1 of the float network on the same images"), tr("Top-1 less float top-1, in percentage points"),
            tr("Newcombe's interval for paired proportions"),
            tr("Exact McNemar test: how likely a difference at least as large is if there is none"),
            tr("Images with the same prediction as the float network"), tr("Parameters at their word-lengths"),
            tr("What one image takes after the energy model (Run, Energy model)"),
            tr("Images evaluated a second on this machine") };
        return tips[section];
    }
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(
            Qt::Alignment((isText(section) ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    return {};
}

QString toTsv(const QAbstractItemModel& model, const std::vector<int>& columns, const std::vector<int>* rows)
{
    const auto clean = [](const QVariant& value) {
        return plainNumber(value.toString().replace(QLatin1Char('\n'), QLatin1Char(' ')));
    };
    QStringList lines;
    QStringList header;
    for (const int column : columns)
        header << clean(model.headerData(column, Qt::Horizontal));
    lines << header.join(QLatin1Char('\t'));
    const int count = rows ? static_cast<int>(rows->size()) : model.rowCount();
    for (int i = 0; i < count; ++i) {
        const int row = rows ? (*rows)[static_cast<std::size_t>(i)] : i;
        QStringList cells;
        for (const int column : columns)
            cells << clean(model.index(row, column).data());
        lines << cells.join(QLatin1Char('\t'));
    }
    return lines.join(QLatin1Char('\n')) + QLatin1Char('\n');
}

} // namespace quantoscope::ui
