// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include "ui/charts/base_chart.h"
#include "ui/charts/distribution_series.h"

namespace quantoscope::ui {

class LevelRug;
class ClipMark;
struct CornerNote;
class CornerNotes;

/// A tensor's histogram, what its quantizer can represent, and what comes out of it. The two ends of the clipping range
/// can be dragged with the mouse.
class DistributionChart : public BaseChart {
    Q_OBJECT

public:
    explicit DistributionChart(QWidget* parent = nullptr);

    /// What is drawn; replaced as a whole when another tensor is chosen.
    struct Content {
        QString title;
        QString valueName; ///< of the x axis: "Weight", "Activation"
        bool weights = true; ///< decides the colour
        ValueScale scale; ///< of the x axis
        DistributionSeries values;
        DistributionSeries quantized; ///< may be empty
        std::vector<double> levels; ///< may be empty: no single grid
        QString levelsNote; ///< why there are none; may be empty
        std::optional<Span> clip; ///< may be empty: float
        bool draggable = false;
    };
    /// `keepView`: the same tensor, changed; the zoom stays.
    void setContent(Content content, bool keepView);
    const Content& content() const { return m_content; }

    /// Follows a drag: everything but the histogram itself.
    void updateQuantizer(const Span& clip, std::vector<double> levels, DistributionSeries quantized);

    /// Where other calibration images would put the two ends (95 %), until the content or the quantizer changes.
    void setBands(std::optional<Span> low, std::optional<Span> high);
    const std::optional<Span>& band(bool high) const { return high ? m_highBand : m_lowBand; }

    void setLogarithmic(bool on);
    void setOverlayVisible(bool on);
    void setGridVisible(bool on);

    /// Where a handle is, in pixels from the left of the chart.
    double handlePixel(bool high) const;

    /// What stands in the upper right corner: what runs off the top, and why no levels are drawn.
    QStringList notes() const;

    std::string csv() const override;

signals:
    /// A handle is on its way to / was left at this place. The other end is where it was.
    void clipDragged(double low, double high, bool highMoves);
    void clipReleased(double low, double high, bool highMoved);

protected:
    void rebuild() override;
    QString readout(const QPointF& position) const override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    enum class Handle { None, Low, High };
    Handle handleAt(const QPointF& position) const;
    Span dragTo(double x) const;
    void setAxes(bool keepView);
    void setShareAxis();
    void fillGraphs();
    std::vector<CornerNote> cornerNotes() const;
    void fillStep(QCPGraph* graph, const DistributionSeries& series) const;
    double floorShare() const;
    QString bandReadout(double pixel) const;

    Content m_content;
    std::optional<Span> m_lowBand;
    std::optional<Span> m_highBand;
    bool m_logarithmic = false;
    bool m_overlay = true;
    bool m_grid = true;
    Handle m_dragged = Handle::None;
    QCPGraph* m_values = nullptr;
    QCPGraph* m_quantized = nullptr;
    LevelRug* m_rug = nullptr;
    ClipMark* m_clip = nullptr;
    CornerNotes* m_notes = nullptr;
};

} // namespace quantoscope::ui
