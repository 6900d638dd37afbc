// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/layer_delegates.h"

#include <QApplication>
#include <QPainter>

#include "ui/charts/theme.h"
#include "ui/models/layers_model.h"
#include "ui/views/bits_spin_box.h"

namespace quantoscope::ui {

namespace {

constexpr qsizetype longestSample = 2000; // letters
constexpr double leeway = 1.05; // for names of wider letters than most

} // namespace

BitsDelegate::BitsDelegate(Commit commit, QObject* parent)
    : QStyledItemDelegate(parent)
    , m_commit(std::move(commit))
{
}

void BitsDelegate::initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const
{
    QStyledItemDelegate::initStyleOption(option, index);
    option->font.setBold(index.data(LayersModel::OverriddenRole).toBool());
}

void BitsDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    QStyledItemDelegate::paint(painter, option, index);
    const Theme theme = Theme::forPalette(option.palette);
    const bool weight = index.data(LayersModel::OperandRole).toInt() == static_cast<int>(Operand::Weight);
    painter->fillRect(QRect(option.rect.left(), option.rect.top() + 4, 3, option.rect.height() - 8),
        weight ? theme.weights : theme.activations);
}

QWidget* BitsDelegate::createEditor(QWidget* parent, const QStyleOptionViewItem& /*option*/, const QModelIndex&) const
{
    auto* editor = new BitsSpinBox(parent);
    editor->setFrame(false);
    editor->setButtonSymbols(QAbstractSpinBox::NoButtons);
    return editor;
}

void BitsDelegate::setEditorData(QWidget* editor, const QModelIndex& index) const
{
    // Once: results that arrive while a person types must not take the text away.
    constexpr const char* filled = "filled";
    if (editor->property(filled).toBool())
        return;
    editor->setProperty(filled, true);
    auto* box = qobject_cast<BitsSpinBox*>(editor);
    box->setBits(LayersModel::bitsFromEditor(index.data(Qt::EditRole).toInt()));
    box->selectAll();
}

void BitsDelegate::setModelData(QWidget* editor, QAbstractItemModel* /*model*/, const QModelIndex& index) const
{
    auto* box = qobject_cast<BitsSpinBox*>(editor);
    box->interpretText();
    m_commit(index, box->bits());
}

void MeasureDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    QStyledItemDelegate::paint(painter, option, index);
    const QVariant position = index.data(LayersModel::MeasureRole);
    if (!position.isValid())
        return;
    const QColor fill = Theme::viridis(position.toDouble());
    const QRect box = option.rect.adjusted(2, 2, -2, -2);
    painter->save();
    painter->fillRect(box, fill);
    painter->setFont(option.font);
    painter->setPen(Theme::textOn(fill));
    painter->drawText(box.adjusted(0, 0, -3, 0), Qt::AlignRight | Qt::AlignVCenter, index.data().toString());
    painter->restore();
}

void NameDelegate::setNames(const QStringList& names)
{
    m_names = DistinctNames(names);
    m_sample = names.join(QString()).left(longestSample);
    m_letter = 0;
}

void NameDelegate::initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const
{
    QStyledItemDelegate::initStyleOption(option, index);
    const QStyle* style = option->widget ? option->widget->style() : QApplication::style();
    const int room = option->rect.width() - 2 * (style->pixelMetric(QStyle::PM_FocusFrameHMargin, option) + 1);
    if (room <= 0 || m_sample.isEmpty() || option->fontMetrics.horizontalAdvance(option->text) <= room)
        return;
    // As many letters for all, so that names that are alike are cut alike.
    if (m_letter <= 0 || option->font != m_font) {
        m_font = option->font;
        m_letter = leeway * option->fontMetrics.horizontalAdvance(m_sample) / static_cast<double>(m_sample.size());
    }
    option->text = m_names.shortened(option->text, static_cast<int>(room / m_letter));
}

void ThumbnailDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    QStyledItemDelegate::paint(painter, option, index);
    const auto heights = index.data(LayersModel::ThumbnailRole).value<QVector<float>>();
    if (heights.isEmpty())
        return;
    const QRectF area = QRectF(option.rect).adjusted(4, 4, -4, -4);
    const double width = area.width() / static_cast<double>(heights.size());
    painter->save();
    painter->setPen(Qt::NoPen);
    // Blue on the blue of the selection could not be seen.
    const bool selected = option.state & QStyle::State_Selected;
    painter->setBrush(
        selected ? option.palette.color(QPalette::HighlightedText) : Theme::forPalette(option.palette).weights);
    for (qsizetype i = 0; i < heights.size(); ++i) {
        const double height = static_cast<double>(heights[i]) * area.height();
        painter->drawRect(QRectF(area.left() + static_cast<double>(i) * width, area.bottom() - height, width, height));
    }
    painter->setPen(QPen(option.palette.color(QPalette::Mid), 1));
    painter->drawLine(area.bottomLeft(), area.bottomRight());
    painter->restore();
}

} // namespace quantoscope::ui
