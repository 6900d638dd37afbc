// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/measure_box.h"

#include <algorithm>

#include <QLinearGradient>
#include <QPainter>

#include "ui/charts/theme.h"
#include "ui/views/option_words.h"

namespace quantoscope::ui {

namespace {

constexpr int barWidth = 96; // pixels, and at least
constexpr int fewestPixels = 24; // that show a scale of colours
constexpr int leastWidth = 24;
constexpr int barHeight = 10;
constexpr int gap = 6;

} // namespace

MeasureBox::MeasureBox(Session& session, QWidget* parent)
    : QComboBox(parent)
    , m_session(session)
{
    setAccessibleName(tr("Colour layers by"));
    setSizeAdjustPolicy(QComboBox::AdjustToContents);
    for (const Measure measure : measures) {
        addItem(measureName(measure), static_cast<int>(measure));
        setItemData(count() - 1, wrapped(measureTip(measure)), Qt::ToolTipRole);
    }
    connect(this, &QComboBox::activated, this,
        [this] { m_session.setMeasure(static_cast<Measure>(currentData().toInt())); });
    connect(&session, &Session::measureChanged, this, &MeasureBox::showMeasure);
    showMeasure();
}

void MeasureBox::showMeasure()
{
    setCurrentIndex(findData(static_cast<int>(m_session.measure())));
    setToolTip(wrapped(tr("Colour layers by: %1").arg(measureTip(m_session.measure()))));
}

MeasureLegend::MeasureLegend(Session& session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
    for (const auto signal :
        { &Session::measureChanged, &Session::analysisChanged, &Session::sensitivityChanged, &Session::modelChanged })
        connect(&session, signal, this, &MeasureLegend::refresh);
    refresh();
}

void MeasureLegend::refresh()
{
    m_shown = measureLayers(m_session);
    setToolTip(wrapped(
        text().isEmpty() ? measureTip(m_shown.measure) : tr("%1: %2").arg(measureTip(m_shown.measure), text())));
    setAccessibleName(text());
    updateGeometry();
    update();
}

QString MeasureLegend::text() const
{
    if (m_shown.measure == Measure::None || !m_session.model())
        return {};
    return m_shown.empty() ? measureMissing(m_shown.measure)
                           : tr("%1 to %2").arg(m_shown.number(m_shown.worst), m_shown.text(m_shown.best));
}

QSize MeasureLegend::sizeHint() const
{
    const QFontMetrics metrics(font());
    const int height = metrics.height() + 2;
    if (m_shown.empty())
        return { metrics.horizontalAdvance(text()) + 2, height };
    return { metrics.horizontalAdvance(m_shown.number(m_shown.worst))
            + metrics.horizontalAdvance(m_shown.text(m_shown.best)) + barWidth + 2 * gap + 2,
        height };
}

void MeasureLegend::paintEvent(QPaintEvent* /*event*/)
{
    QPainter painter(this);
    const Theme theme = Theme::forPalette(palette());
    painter.setPen(theme.muted);
    if (m_shown.empty()) {
        painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter, text());
        return;
    }
    const QString worst = m_shown.number(m_shown.worst);
    const QString best = m_shown.text(m_shown.best); // with what both are in
    int left = fontMetrics().horizontalAdvance(worst) + gap;
    int room = width() - left - gap - fontMetrics().horizontalAdvance(best) - 1;
    // Where the figures have no room the colours stand alone; the tip has the figures.
    const bool figures = room >= leastWidth;
    if (!figures) {
        left = 0;
        room = width() - 1;
    }
    if (room < fewestPixels)
        return; // a stub of it would say nothing
    const QRect bar(left, (height() - barHeight) / 2, std::clamp(room, 1, barWidth), barHeight);
    if (figures) {
        painter.drawText(rect(), Qt::AlignLeft | Qt::AlignVCenter, worst);
        painter.drawText(rect().adjusted(bar.right() + 1 + gap, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, best);
    }
    QLinearGradient gradient(bar.topLeft(), bar.topRight());
    for (int i = 0; i <= 8; ++i)
        gradient.setColorAt(i / 8.0, Theme::viridis(i / 8.0));
    painter.fillRect(bar, gradient);
}

} // namespace quantoscope::ui
