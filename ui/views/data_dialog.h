// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <set>
#include <utility>

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
class SizeField;

/// Which labelled images, how they are prepared for the network, and which of them calibrate, with a look at some of
/// them. Not modal; stays open so that another preparation can be tried, shows the float accuracy that came of it, and
/// offers a better preparation where there is one.
class DataDialog : public QDialog {
    Q_OBJECT

public:
    DataDialog(Session& session, Workbench& workbench, QWidget* parent = nullptr);

    void setRequest(const DataRequest& request);
    /// Other images, as if a person had given their path: what suits them is found out by itself.
    void choosePath(const QString& path);
    /// What the fields say; InvalidInput where a field cannot be understood.
    Result<DataRequest> request() const;
    DataPreviewView* preview() const { return m_preview; }
    QPushButton* variantButton() const { return m_variant; }
    QPushButton* openButton() const { return m_open; }
    QString outcome() const;
    QString warning() const; ///< empty: none

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
    void pathChanged();
    void fieldChanged(QWidget* field);
    void takePreview();
    void refuse(const QString& why);
    void showPreparation(const dataset::Preprocessing& preparation, const std::set<QWidget*>& except);
    void showEvent(QShowEvent* event) override;

    /// While fields are filled in by the program.
    class Filling {
    public:
        explicit Filling(DataDialog& dialog)
            : m_dialog(dialog)
            , m_before(std::exchange(dialog.m_filling, true))
        {
        }
        ~Filling() { m_dialog.m_filling = m_before; }
        Filling(const Filling&) = delete;
        Filling& operator=(const Filling&) = delete;

    private:
        DataDialog& m_dialog;
        bool m_before;
    };
    /// What a person said of the images at the present path.
    struct Choices {
        bool known = false; ///< these are images that can be read, not a path half written
        bool guess = false; ///< what suits them is still to be found out
        bool open = false; ///< and then they are to be opened
        std::set<QWidget*> fields; ///< that were changed for them
        QString calibrationBefore; ///< of the images before, for others in the same folder
    };

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
    SizeField* m_resize = nullptr;
    SizeField* m_crop = nullptr;
    QLineEdit* m_scale = nullptr;
    QLineEdit* m_mean = nullptr;
    QLineEdit* m_std = nullptr;
    QLineEdit* m_calibrationPath = nullptr;
    QSpinBox* m_calibrationCount = nullptr;
    SizeField* m_calibrationResize = nullptr;
    SizeField* m_calibrationCrop = nullptr;
    bool m_filling = false;
    bool m_refused = false; ///< the outcome says why these images are not opened
    Choices m_choices;
    QPushButton* m_open = nullptr;
    QLabel* m_warning = nullptr;
    QLabel* m_outcome = nullptr;
    QPushButton* m_variant = nullptr;
};

} // namespace quantoscope::ui
