// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>

#include "ui/session/session.h"

class QLabel;

namespace quantoscope::ui {

/// The accuracy of the current plan, always in sight: plan, top-1 with half its interval, float top-1, images so far.
class AccuracyBadge : public QFrame {
    Q_OBJECT

public:
    explicit AccuracyBadge(Session& session, QWidget* parent = nullptr);

    QString text() const; ///< what it shows, as plain text

protected:
    void changeEvent(QEvent* event) override;

private:
    void refresh();
    QString planText() const; ///< word-lengths and what was corrected
    QString valueText() const;
    QString detailText() const;

    Session& m_session;
    QLabel* m_plan = nullptr;
    QLabel* m_value = nullptr;
    QLabel* m_detail = nullptr;
};

} // namespace quantoscope::ui
