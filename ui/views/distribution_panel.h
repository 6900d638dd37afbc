// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

#include "ui/charts/distribution_chart.h"
#include "ui/session/session.h"

class QBoxLayout;
class QDoubleSpinBox;
class QLabel;
class QSpinBox;
class QToolButton;
class QVBoxLayout;

namespace quantoscope::ui {

/// One tensor of the selected layer: its histogram under the quantizer, what the quantizer costs in words, and the
/// clipping range to drag or type. While a handle moves all figures come from the bins; when it is left the range
/// becomes an edit.
class DistributionPanel : public QWidget {
    Q_OBJECT

public:
    DistributionPanel(Session& session, Operand operand, QWidget* parent = nullptr);

    DistributionChart* chart() const { return m_chart; }
    QString readout() const;
    int channel() const; ///< the one that is shown; -1: all
    void setChannel(int channel);
    void setLogarithmicValues(bool on); ///< the axis of the values

signals:
    void openDataWanted();
    void channelChanged(int channel); ///< -1: all

protected:
    void resizeEvent(QResizeEvent* event) override;

private:
    void buildHeader(QVBoxLayout* layout);
    void refresh(bool keepView);
    void showNothing(const QString& title, const QString& message);
    void showTensor(bool keepView);
    void showConfidence();
    void showError();
    void showFigures(const quant::Encoding& encoding, const quant::QuantizationError& error, bool byHand);
    void follow(double low, double high, bool highMoves);
    void leave(double low, double high, bool highMoved);
    Span completed(double low, double high, bool highMoves) const;
    void rangeTyped(bool high);

    const calibration::Histogram* histogram() const; ///< null: nothing was seen
    std::optional<quant::TensorQuantizer> quantizer() const;
    std::optional<std::size_t> oneChannel() const; ///< empty: all
    int channelCount() const; ///< those that are kept apart
    QString tensorName() const;
    DistributionSeries quantizedBars(const quant::Encoding& encoding, const DistributionChart::Content& content) const;

    Session& m_session;
    Operand m_operand;
    int m_layer = -1; ///< what is shown
    LoadedModelPtr m_model; ///< whose layer that is
    calibration::Histogram m_channelHistogram;
    bool m_updating = false;
    bool m_logarithmicValues = false;

    DistributionChart* m_chart = nullptr;
    QLabel* m_title = nullptr;
    QLabel* m_config = nullptr;
    QLabel* m_readout = nullptr;
    std::optional<quant::QuantizationError> m_error; ///< that the readout tells of
    QBoxLayout* m_figures = nullptr; ///< what the quantizer costs, and the range
    QLabel* m_hint = nullptr; ///< that more calibration images would help
    QLabel* m_channelLabel = nullptr;
    QSpinBox* m_channel = nullptr;
    QDoubleSpinBox* m_low = nullptr;
    QDoubleSpinBox* m_high = nullptr;
    QLabel* m_rangeLabel = nullptr;
    QLabel* m_toLabel = nullptr;
    QToolButton* m_reset = nullptr;
    QToolButton* m_openData = nullptr;
};

} // namespace quantoscope::ui
