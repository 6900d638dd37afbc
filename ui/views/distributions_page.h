// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/session/state.h"

class QAction;
class QCheckBox;
class QComboBox;
class QHBoxLayout;
class QStackedWidget;
class QToolButton;

namespace quantoscope::ui {

class ChannelsPanel;
class DistributionPanel;
class RangesPanel;
class Session;

/// Three looks at distributions: weights and activations of the selected layer one above the other; the range of every
/// channel of one of them above the histogram of the chosen channel; and the ranges of all layers.
class DistributionsPage : public QWidget {
    Q_OBJECT

public:
    enum class View { Histograms, Channels, Layers };

    explicit DistributionsPage(Session& session, QWidget* parent = nullptr);

    DistributionPanel* weights() const { return m_weights; }
    DistributionPanel* activations() const { return m_activations; }
    ChannelsPanel* channels() const { return m_channels; }
    RangesPanel* ranges() const { return m_ranges; }
    QToolButton* viewButton(View view) const { return m_views[static_cast<int>(view)]; }
    QComboBox* operandBox() const { return m_operand; }
    QComboBox* channelChartBox() const { return m_channelChart; }
    QAction* logarithmicShares() const { return m_logarithmicShares; }
    QAction* logarithmicValues() const { return m_logarithmicValues; }
    void setView(View view);

signals:
    void openDataWanted();

protected:
    void changeEvent(QEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    QHBoxLayout* buildBar();
    void showKeys();
    void buildAxes();
    void refreshView();

    DistributionPanel* m_weights = nullptr;
    DistributionPanel* m_activations = nullptr;
    ChannelsPanel* m_channels = nullptr;
    RangesPanel* m_ranges = nullptr;
    QStackedWidget* m_stack = nullptr;
    QToolButton* m_views[3] {};
    QComboBox* m_operand = nullptr; ///< of channels and layers
    QComboBox* m_channelChart = nullptr;
    QToolButton* m_axes = nullptr;
    QAction* m_logarithmicShares = nullptr;
    QAction* m_logarithmicValues = nullptr;
    QCheckBox* m_overlay = nullptr;
    QCheckBox* m_grid = nullptr;
    bool m_roomy = false; ///< the bar has room for the axes beside what channels need
};

} // namespace quantoscope::ui
