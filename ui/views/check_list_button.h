// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QToolButton>

namespace quantoscope::ui {

/// A list of check boxes that opens under a button; the button says what is checked.
class CheckListButton : public QToolButton {
    Q_OBJECT

public:
    explicit CheckListButton(const QString& accessibleName, QWidget* parent = nullptr);

    /// `tip` is rich text.
    void add(const QString& text, const QString& key, const QString& tip);
    QStringList checked() const; ///< keys, in the order of the list
    QString summary() const; ///< their names, or that Options decide
    void setChecked(const QStringList& keys);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

signals:
    void changed();

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void refresh();
};

} // namespace quantoscope::ui
