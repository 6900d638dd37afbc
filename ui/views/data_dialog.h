// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>

#include "ui/session/session.h"

class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace quantoscope::ui {

/// Which labelled images, how they are prepared for the network, and which of them calibrate. Not modal; stays open so
/// that another preparation can be tried, and shows the float accuracy that came of it.
class DataDialog : public QDialog {
    Q_OBJECT

public:
    explicit DataDialog(Session& session, QWidget* parent = nullptr);

    void setRequest(const DataRequest& request);
    /// What the fields say; InvalidInput where a field cannot be understood.
    Result<DataRequest> request() const;

signals:
    void openWanted(const quantoscope::ui::DataRequest& request);

private:
    QWidget* buildSource();
    QWidget* buildPreparation();
    QWidget* buildCalibration();
    QWidget* pathRow(QLineEdit* edit, const QString& name);
    void presetChosen();
    void accept() override;
    void showOutcome();

    Session& m_session;
    QLineEdit* m_path = nullptr;
    QComboBox* m_kind = nullptr;
    QLineEdit* m_labels = nullptr;
    QSpinBox* m_limit = nullptr;
    QComboBox* m_preset = nullptr;
    QComboBox* m_channels = nullptr;
    QComboBox* m_layout = nullptr;
    QSpinBox* m_resize = nullptr;
    QSpinBox* m_crop = nullptr;
    QLineEdit* m_scale = nullptr;
    QLineEdit* m_mean = nullptr;
    QLineEdit* m_std = nullptr;
    QLineEdit* m_calibrationPath = nullptr;
    QSpinBox* m_calibrationCount = nullptr;
    QSpinBox* m_calibrationResize = nullptr;
    QLabel* m_outcome = nullptr;
};

} // namespace quantoscope::ui
