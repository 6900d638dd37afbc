// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

#include <QComboBox>

#include "core/quant/option_texts.h"

namespace quantoscope::ui {

/// A choice of words. Every item says in its tip what it does; one that cannot be chosen stays in the list, greyed, and
/// says why.
class ChoiceBox : public QComboBox {
    Q_OBJECT

public:
    explicit ChoiceBox(const QString& accessibleName, QWidget* parent = nullptr);

    /// `tip` is rich text.
    void add(const QString& text, const QString& key, const QString& tip);
    void add(quant::OptionTexts texts);

    QString key() const { return currentData().toString(); }
    /// Shows a choice without being asked by a person. A key that is not offered is added as it is: a plan from
    /// elsewhere may have what this window does not offer.
    void setKey(const QString& key);
    /// Asks for every item why it cannot be chosen; empty: it can.
    void setRefusals(const std::function<QString(const QString& key)>& why);
    QString refusalOf(const QString& key) const; ///< as it is shown; empty: it can be chosen

private:
    void refreshTip();
};

} // namespace quantoscope::ui
