// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include <QPointer>
#include <qcustomplot.h>

#include "ui/charts/theme.h"

class QLabel;

namespace quantoscope::ui {

/// Ticks at 1, 2 or 5 times a power of ten.
class Ticker125 : public QCPAxisTicker {
public:
    /// As many as have room on `axis`, at least those of setTickCount(); without an axis just those.
    explicit Ticker125(const QCPAxis* axis = nullptr)
        : m_axis(axis)
    {
    }

protected:
    double getTickStep(const QCPRange& range) override;
    int getSubTickCount(double tickStep) override;
    QString getTickLabel(double tick, const QLocale& locale, QChar format, int precision) override;

private:
    const QCPAxis* m_axis;
};

/// Powers of ten for a logarithmic axis: "0.01", "100", and "10⁻⁵" where digits would fill the margin.
class PowerOfTenTicker : public QCPAxisTickerLog {
protected:
    QString getTickLabel(double tick, const QLocale& locale, QChar format, int precision) override;
};

/// What all charts share: the style (light grid, no frame on top and right, theme after the palette), a readout under
/// the cursor, zoom about the cursor with the wheel, drag to move, double-click on an axis or the plot to reset, plus,
/// minus, arrows and Home for the same with keys, a message where there is nothing to draw yet, and a title with
/// captions that appear in exported files only, where no page says what is seen.
class BaseChart : public QCustomPlot {
    Q_OBJECT

public:
    explicit BaseChart(QWidget* parent = nullptr);

    const Theme& theme() const { return m_theme; }
    /// Fixes the colours; without it they follow the widget's palette.
    void setTheme(const Theme& theme);
    /// Undoes setTheme().
    void followPalette();

    /// Shown in the middle while the chart is empty; an empty text shows the chart.
    void setMessage(const QString& text);
    QString message() const;

    /// Title and captions of exported files.
    void setCaption(const QString& title, const QStringList& lines);
    const QString& title() const { return m_title; }

    /// Shows the captions (exported files) or leaves the room to the chart (the window).
    void setCaptionVisible(bool visible);

    /// What is drawn, as CSV (RFC 4180, dot as decimal sign); empty while nothing is drawn.
    virtual std::string csv() const { return {}; }
    /// Size of an exported picture that shows everything, in points of 1/96 inch.
    virtual QSize exportSize() const { return { 960, 600 }; }

public slots:
    /// Shows everything again after zooming.
    virtual void resetView();

signals:
    void contextMenuWanted(QPoint globalPosition);

protected:
    bool captionVisible() const { return m_captionVisible; } ///< drawn for a file rather than for the window
    /// Draws everything anew in theme(); called after the theme has changed.
    virtual void rebuild() = 0;
    /// The numbers at a position in pixels; empty where there is nothing to tell. Rich text.
    virtual QString readout(const QPointF& position) const;
    /// The left button went down and up at a position in pixels, without a drag between.
    virtual void clicked(const QPointF& /*position*/) { }
    /// What an axis shows after a double-click on it.
    virtual QCPRange homeRange(const QCPAxis* axis) const;

    void styleAxis(QCPAxis* axis) const;
    /// Also what dragging cannot leave behind altogether, unless setContents() says that there is more.
    void setHome(QCPAxis* axis, const QCPRange& range);
    /// All that there is along an axis, for a chart whose home is a part of it.
    void setContents(QCPAxis* axis, const QCPRange& range) { m_contents.insert(axis, range); }
    /// Font of the widget, `delta` points larger or smaller.
    QFont chartFont(int delta = 0, bool bold = false) const;
    /// Puts the legend above the plot, where it covers nothing. Once.
    void putLegendAbove();
    /// Shows it with as many entries beside each other as have room; to be called when they are there.
    void fitLegend(bool shown);

    void changeEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mouseReleaseEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void contextMenuEvent(QContextMenuEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    void applyTheme();
    void zoom(double factor); ///< about the middle, along the axes that the wheel zooms
    void move(Qt::Orientation orientation, double share);
    void showReadout(const QPointF& position);
    void buildCaption();
    void keepInSight(QCPAxis* axis);

    Theme m_theme;
    bool m_fixedTheme = false;
    bool m_ready = false;
    QPoint m_pressed;
    QString m_title;
    QStringList m_captionLines;
    bool m_captionVisible = false;
    QLabel* m_readout = nullptr;
    QLabel* m_message = nullptr;
    QHash<const QCPAxis*, QCPRange> m_home;
    QHash<const QCPAxis*, QCPRange> m_contents;
};

} // namespace quantoscope::ui
