// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <functional>

#include <QWidget>

#include "core/base/error.h"

class QVBoxLayout;

namespace quantoscope::ui {

/// What went wrong and what to do about it, in place, until it is read. At most three messages; the newest on top.
class MessageBar : public QWidget {
    Q_OBJECT

public:
    enum class Kind { Problem, Notice };

    explicit MessageBar(QWidget* parent = nullptr);

    /// A button that mends it.
    struct Remedy {
        QString text;
        std::function<void()> act;
    };
    void showError(const base::Error& error, const QString& context, const Remedy& remedy = {});
    void showNotice(const QString& text);
    /// Something that is for a person to decide; stays until it is closed or taken up.
    void showOffer(const QString& text, const Remedy& remedy);
    /// The newest message as plain text; empty if there is none.
    QString text() const;
    void clear();

    /// Shows an error in the message bar of `widget`'s window.
    static void tell(QWidget* widget, const base::Error& error, const QString& context);

private:
    void add(Kind kind, const QString& richText, const QString& plainText, const Remedy& remedy);

    QVBoxLayout* m_layout = nullptr;
};

} // namespace quantoscope::ui
