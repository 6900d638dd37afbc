// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>

#include "ui/session/session.h"

class QDialogButtonBox;
class QVBoxLayout;

namespace quantoscope::ui {

/// What there is to know of the model that was opened: operators, batch norms, weights outside the file, and
/// whether biases fit. Not modal.
class ModelCheckDialog : public QDialog {
    Q_OBJECT

public:
    explicit ModelCheckDialog(Session& session, QWidget* parent = nullptr);

    QStringList titles() const; ///< of the findings, as shown

protected:
    void changeEvent(QEvent* event) override;
    void showEvent(QShowEvent* event) override;

private:
    void refresh();
    void fitHeight();
    void add(const ModelFinding& finding);

    Session& m_session;
    QVBoxLayout* m_list = nullptr;
    QDialogButtonBox* m_buttons = nullptr;
};

} // namespace quantoscope::ui
