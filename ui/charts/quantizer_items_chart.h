// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <vector>

#include <qcustomplot.h>

#include "ui/charts/distribution_series.h"

namespace quantoscope::ui {

/// The representable values as ticks that stand on the x axis; a band where they are too many to tell apart.
class LevelRug : public QCPAbstractItem {
    Q_OBJECT

public:
    explicit LevelRug(QCustomPlot* plot);

    void setLevels(std::vector<double> levels) { m_levels = std::move(levels); }
    void setScale(const ValueScale& scale) { m_scale = scale; }
    void setColor(const QColor& color) { m_color = color; }
    double selectTest(const QPointF& position, bool onlySelectable, QVariant* details = nullptr) const override;

protected:
    void draw(QCPPainter* painter) override;

private:
    double pixelOf(double value) const { return parentPlot()->xAxis->coordToPixel(m_scale.toAxis(value)); }

    std::vector<double> m_levels;
    ValueScale m_scale;
    QColor m_color;
};

struct CornerNote {
    QString text;
    QColor color;
};

/// Short lines of text in the upper right corner, under the number of the range's end.
class CornerNotes : public QCPAbstractItem {
    Q_OBJECT

public:
    explicit CornerNotes(QCustomPlot* plot);

    void setNotes(std::vector<CornerNote> notes) { m_notes = std::move(notes); }
    /// A vertical line, on the x axis, that the notes keep to the left of where they would cross it.
    void setLine(std::optional<double> place) { m_line = place; }
    double selectTest(const QPointF& position, bool onlySelectable, QVariant* details = nullptr) const override;

protected:
    void draw(QCPPainter* painter) override;

private:
    std::vector<CornerNote> m_notes;
    std::optional<double> m_line;
};

/// The two ends of the clipping range as lines with grips and bands of uncertainty, and a shade over what lies outside.
class ClipMark : public QCPAbstractItem {
    Q_OBJECT

public:
    explicit ClipMark(QCustomPlot* plot);

    void setRange(std::optional<Span> range, bool draggable);
    void setScale(const ValueScale& scale) { m_scale = scale; }
    /// Where each end could as well be; drawn as thin bands.
    void setBands(std::optional<Span> low, std::optional<Span> high);
    void setBandColor(const QColor& color) { m_bandColor = color; }
    void setColors(const QColor& line, const QColor& shade, const QColor& background);
    double selectTest(const QPointF& position, bool onlySelectable, QVariant* details = nullptr) const override;

protected:
    void draw(QCPPainter* painter) override;

private:
    void drawEnd(QCPPainter* painter, const QRectF& area, double x, const QString& label, bool high) const;

    double pixelOf(double value) const { return parentPlot()->xAxis->coordToPixel(m_scale.toAxis(value)); }

    ValueScale m_scale;
    std::optional<Span> m_range;
    std::optional<Span> m_bands[2];
    bool m_draggable = false;
    QColor m_bandColor;
    QColor m_line;
    QColor m_shade;
    QColor m_background;
};

} // namespace quantoscope::ui
