// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/models/plan_model.h"
#include "ui/session/session.h"

class QLabel;
class QPushButton;
class QTableView;
class QToolButton;

namespace quantoscope::ui {

/// A chosen point of a study: what was measured of it, its plan layer by layer, and the button that makes it the
/// current one. Hidden while no point is chosen.
class PlanPanel : public QWidget {
    Q_OBJECT

public:
    explicit PlanPanel(Session& session, QWidget* parent = nullptr);

    /// `summary` is rich text, and so is what the plan is in short, which is told while its table is not open.
    void showPoint(const QString& summary, quant::PlanPtr plan, const QString& inShort = {});
    void clear();
    /// A second thing that can be done with a point; empty: there is none.
    void setOther(const QString& text, const QString& tip);

    QLabel* summary() const { return m_summary; }
    QPushButton* currentButton() const { return m_makeCurrent; }
    QPushButton* otherButton() const { return m_other; }
    QToolButton* planButton() const { return m_showPlan; }
    QTableView* table() const { return m_table; }

protected:
    bool eventFilter(QObject* watched, QEvent* event) override; ///< the page's size is shared with the chart above
    void changeEvent(QEvent* event) override;

signals:
    void currentWanted();
    void otherWanted();

private:
    void refresh();

    Session& m_session;
    PlanModel m_model;
    QString m_text;
    QString m_inShort;
    QLabel* m_summary = nullptr;
    QPushButton* m_makeCurrent = nullptr;
    QPushButton* m_other = nullptr;
    QToolButton* m_showPlan = nullptr;
    QTableView* m_table = nullptr;
};

} // namespace quantoscope::ui
