// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/choice_box.h"

#include <QStandardItemModel>

#include "ui/views/option_words.h"

namespace quantoscope::ui {

namespace {

constexpr int tipRole = Qt::UserRole + 1; ///< what the item does, without a refusal
constexpr int refusalRole = Qt::UserRole + 2;

} // namespace

ChoiceBox::ChoiceBox(const QString& accessibleName, QWidget* parent)
    : QComboBox(parent)
{
    setAccessibleName(accessibleName);
    setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    setMinimumContentsLength(5);
    connect(this, &QComboBox::currentIndexChanged, this, &ChoiceBox::refreshTip);
}

void ChoiceBox::add(const QString& text, const QString& key, const QString& tip)
{
    addItem(text, key);
    setItemData(count() - 1, tip, tipRole);
    setItemData(count() - 1, tip, Qt::ToolTipRole);
    refreshTip();
}

void ChoiceBox::add(quant::OptionTexts texts)
{
    for (const quant::OptionText& text : texts)
        add(optionName(text), QString::fromUtf8(text.word.data(), static_cast<qsizetype>(text.word.size())),
            optionTip(text));
}

void ChoiceBox::setKey(const QString& key)
{
    int index = findData(key);
    if (index < 0) {
        add(key, key, {});
        index = count() - 1;
    }
    setCurrentIndex(index);
}

void ChoiceBox::setRefusals(const std::function<QString(const QString& key)>& why)
{
    auto* items = qobject_cast<QStandardItemModel*>(model());
    for (int i = 0; i < count(); ++i) {
        const QString reason = why(itemData(i).toString());
        items->item(i)->setEnabled(reason.isEmpty());
        setItemData(i, reason, refusalRole);
        setItemData(i, wrapped(reason) + itemData(i, tipRole).toString(), Qt::ToolTipRole);
    }
    refreshTip();
}

QString ChoiceBox::refusalOf(const QString& key) const { return itemData(findData(key), refusalRole).toString(); }

void ChoiceBox::refreshTip()
{
    // The box is narrow; its tip begins with the whole name of what is chosen.
    setToolTip(currentIndex() < 0
            ? QString()
            : QStringLiteral("<b>%1</b>").arg(currentText().toHtmlEscaped()) + currentData(Qt::ToolTipRole).toString());
}

} // namespace quantoscope::ui
