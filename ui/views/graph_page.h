// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/session/session.h"

class QHBoxLayout;
class QLabel;
class QLineEdit;

namespace quantoscope::ui {

class GraphView;
class MeasureLegend;

/// The network as a graph, with a search, what its layers are coloured by, and zoom.
class GraphPage : public QWidget {
    Q_OBJECT

public:
    explicit GraphPage(Session& session, QWidget* parent = nullptr);

    GraphView* view() const { return m_view; }
    QLineEdit* searchField() const { return m_search; }
    MeasureLegend* legend() const { return m_legend; }
    QString found() const; ///< what the search says; empty: it found something, or nothing is wanted

protected:
    void changeEvent(QEvent* event) override;

private:
    QHBoxLayout* buildKey();
    void refreshKey();
    void find(bool further);
    void showFound();

    Session& m_session;
    GraphView* m_view = nullptr;
    QLineEdit* m_search = nullptr;
    QLabel* m_found = nullptr;
    QLabel* m_key = nullptr; ///< what the colours of edges and badges mean
    MeasureLegend* m_legend = nullptr;
};

} // namespace quantoscope::ui
