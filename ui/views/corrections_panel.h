// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string_view>
#include <vector>

#include <QWidget>

#include "ui/session/outcomes.h"
#include "ui/session/workbench.h"

class QCheckBox;
class QLabel;
class QPushButton;
class QVBoxLayout;

namespace quantoscope::ui {

/// Corrections without retraining, each with a switch and with what became of it, and the search for the set that suits
/// the model.
class CorrectionsPanel : public QWidget {
    Q_OBJECT

public:
    CorrectionsPanel(Session& session, Workbench& workbench, QWidget* parent = nullptr);

    QCheckBox* foldBatchNorm() const { return m_fold; }
    QCheckBox* box(std::string_view word) const; ///< by its word in quant::correctionTexts()
    QLabel* outcome(std::string_view word) const; ///< what became of it; empty while that is not known
    QPushButton* findBest() const { return m_findBest; }
    QLabel* reasons() const { return m_reasons; }
    QString summary() const;

private:
    struct Row {
        CorrectionSwitch of;
        QCheckBox* box = nullptr;
        QLabel* outcome = nullptr;
    };
    void addRow(const CorrectionSwitch& of, QVBoxLayout* layout);
    void refresh();
    void refreshOutcomes();
    void refreshSearch();

    Session& m_session;
    Workbench& m_workbench;
    bool m_updating = false;
    QCheckBox* m_fold = nullptr;
    std::vector<Row> m_rows;
    QPushButton* m_findBest = nullptr;
    QLabel* m_reasons = nullptr;
};

} // namespace quantoscope::ui
