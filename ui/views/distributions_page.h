// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

namespace quantoscope::ui {

class DistributionPanel;
class Session;

/// Weights and activations of the selected layer, one above the other, with what is drawn chosen for both.
class DistributionsPage : public QWidget {
    Q_OBJECT

public:
    explicit DistributionsPage(Session& session, QWidget* parent = nullptr);

    DistributionPanel* weights() const { return m_weights; }
    DistributionPanel* activations() const { return m_activations; }

signals:
    void openDataWanted();

private:
    DistributionPanel* m_weights = nullptr;
    DistributionPanel* m_activations = nullptr;
};

} // namespace quantoscope::ui
