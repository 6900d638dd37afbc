// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/session/session.h"

class QLabel;
class QListWidget;

namespace quantoscope::ui {

/// Some images as the network would get them, with their labels, and whether they fit the model's input.
class DataPreviewView : public QWidget {
    Q_OBJECT

public:
    explicit DataPreviewView(Session& session, QWidget* parent = nullptr);

    QListWidget* images() const { return m_images; }
    QString text() const; ///< what is said of them

private:
    void refresh();

    Session& m_session;
    QListWidget* m_images = nullptr;
    QLabel* m_text = nullptr;
};

} // namespace quantoscope::ui
