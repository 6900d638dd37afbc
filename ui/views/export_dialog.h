// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QDialog>

#include "core/exporting/exporter.h"
#include "ui/session/session.h"

class QComboBox;
class QLabel;
class QTreeWidget;

namespace quantoscope::ui {

/// In which format to export, and what becomes of every tensor in it: word-length, element type, bytes in the file,
/// its values,
/// what its layer is computed in. Says so before anything is written.
class ExportDialog : public QDialog {
    Q_OBJECT

public:
    explicit ExportDialog(Session& session, QWidget* parent = nullptr);

    exporting::ExportOptions options() const;
    void setOptions(const exporting::ExportOptions& options);
    QString summary() const; ///< the sentences under the choices
    QTreeWidget* tensors() const { return m_tensors; }
    QString suggestedFile() const; ///< name of a file of that format
    QString fileFilter() const;

private:
    void refresh();

    Session& m_session;
    QComboBox* m_format = nullptr;
    QComboBox* m_containers = nullptr;
    QComboBox* m_version = nullptr;
    QLabel* m_summary = nullptr;
    QTreeWidget* m_tensors = nullptr;
};

} // namespace quantoscope::ui
