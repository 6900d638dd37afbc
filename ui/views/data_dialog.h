// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>
#include <QTimer>

#include "ui/session/workbench.h"

class QComboBox;
class QFormLayout;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace quantoscope::ui {

class DataPreviewView;

/// Which labelled images, how they are prepared for the network, and which of them calibrate, with a look at some of
/// them. Not modal; stays open so that another preparation can be tried, shows the float accuracy that came of it, and
/// offers a better preparation where there is one.
class DataDialog : public QDialog {
    Q_OBJECT

public:
    DataDialog(Session& session, Workbench& workbench, QWidget* parent = nullptr);

    void setRequest(const DataRequest& request);
    /// What the fields say; InvalidInput where a field cannot be understood.
    Result<DataRequest> request() const;
    DataPreviewView* preview() const { return m_preview; }
    QPushButton* variantButton() const { return m_variant; }
    QString outcome() const;

signals:
    void openWanted(const quantoscope::ui::DataRequest& request);

private:
    QWidget* buildSource();
    QWidget* buildPreparation();
    QWidget* buildCalibration();
    enum class Wanted { File, FileOrFolder };
    QWidget* pathRow(QLineEdit* edit, const QString& name, Wanted wanted);
    void addPath(QFormLayout* form, const QString& label, QLineEdit* edit, const QString& name, Wanted wanted);
    void browse(QLineEdit* edit, const QString& name, bool folder);
    void presetChosen();
    void accept() override;
    void showOutcome();
    void useVariant();
    void alignForms();
    void watchFields();
    void askPreview();
    void showEvent(QShowEvent* event) override;

    Session& m_session;
    Workbench& m_workbench;
    DataPreviewView* m_preview = nullptr;
    QTimer m_quiet; ///< runs while fields are being changed
    QLineEdit* m_path = nullptr;
    QComboBox* m_kind = nullptr;
    QLineEdit* m_labels = nullptr;
    QLineEdit* m_classes = nullptr;
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
    QPushButton* m_variant = nullptr;
};

} // namespace quantoscope::ui
