// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/base_chart.h"

#include <cmath>

#include <QContextMenuEvent>
#include <QEvent>
#include <QKeyEvent>
#include <QLabel>
#include <QMouseEvent>

#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr double keyZoom = 0.8; // what is in sight after a key against before
constexpr double keyStep = 0.1; // of what is in sight
constexpr int clickReach = 3; // pixels that a hand may move in a click
constexpr double leastInSight = 0.1; // of what there is, or of what is shown, however far it is dragged

} // namespace

double Ticker125::getTickStep(const QCPRange& range)
{
    constexpr int roomAcross = 110; // pixels for a number
    constexpr int roomUp = 64;
    int count = mTickCount;
    if (m_axis && m_axis->axisRect()) {
        const bool across = m_axis->orientation() == Qt::Horizontal;
        count = std::max(
            count, across ? m_axis->axisRect()->width() / roomAcross : m_axis->axisRect()->height() / roomUp);
    }
    const double target = range.size() / (count + 1e-10);
    double magnitude = 1;
    const double mantissa = getMantissa(target, &magnitude);
    return pickClosest(mantissa, { 1.0, 2.0, 5.0, 10.0 }) * magnitude;
}

int Ticker125::getSubTickCount(double tickStep)
{
    const double mantissa = getMantissa(tickStep);
    return std::abs(mantissa - 2) < 0.1 ? 1 : 4;
}

QString Ticker125::getTickLabel(double tick, const QLocale& locale, QChar format, int precision)
{
    return typeset(locale.toString(tick, format.toLatin1(), precision));
}

QString PowerOfTenTicker::getTickLabel(double tick, const QLocale&, QChar, int)
{
    const double power = std::round(std::log10(tick));
    const bool digits = power >= -4 && power <= 4;
    return typeset(QLocale::c().toString(tick, digits ? 'g' : 'e', digits ? 5 : 0));
}

BaseChart::BaseChart(QWidget* parent)
    : QCustomPlot(parent)
    , m_theme(Theme::forPalette(palette()))
{
    setInteractions(QCP::iRangeDrag | QCP::iRangeZoom);
    setNoAntialiasingOnDrag(false);
    setPlottingHint(QCP::phFastPolylines, false);
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setMinimumSize(200, 120);
    setAutoAddPlottableToLegend(false);
    plotLayout()->setRowSpacing(4);
    for (QCPAxis* axis : { xAxis, yAxis })
        axis->setTicker(QSharedPointer<Ticker125>::create(axis));

    m_message = new QLabel(this);
    m_message->setAlignment(Qt::AlignCenter);
    m_message->setWordWrap(true);
    m_message->setMargin(24);
    m_message->setAutoFillBackground(true);
    m_message->hide();

    m_readout = new QLabel(this);
    m_readout->setTextFormat(Qt::RichText);
    m_readout->setMargin(6);
    m_readout->setAutoFillBackground(true);
    m_readout->setFrameShape(QFrame::StyledPanel);
    m_readout->setAttribute(Qt::WA_TransparentForMouseEvents);
    m_readout->hide();

    connect(this, &QCustomPlot::axisDoubleClick, this, [this](QCPAxis* axis) {
        axis->setRange(homeRange(axis));
        replot();
    });
    connect(this, &QCustomPlot::mouseDoubleClick, this, [this](QMouseEvent* event) {
        if (const QCPAxisRect* rect = axisRect(); rect && rect->rect().contains(event->pos()))
            resetView();
    });
    m_ready = true;
    applyTheme();
}

void BaseChart::setTheme(const Theme& theme)
{
    m_fixedTheme = true;
    m_theme = theme;
    applyTheme();
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void BaseChart::followPalette()
{
    m_fixedTheme = false;
    m_theme = Theme::forPalette(palette());
    applyTheme();
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void BaseChart::setMessage(const QString& text)
{
    m_message->setText(text);
    m_message->setVisible(!text.isEmpty());
    m_message->setGeometry(rect());
    m_message->raise();
}

QString BaseChart::message() const { return m_message->text(); }

void BaseChart::setCaption(const QString& title, const QStringList& lines)
{
    m_title = title;
    m_captionLines = lines;
    setAccessibleName(title);
    setAccessibleDescription(lines.join(QStringLiteral("; ")));
    if (m_captionVisible)
        buildCaption();
}

void BaseChart::setCaptionVisible(bool visible)
{
    m_captionVisible = visible;
    buildCaption();
}

void BaseChart::buildCaption()
{
    // The axis rectangle's row is the last one; all above it are captions.
    while (plotLayout()->rowCount() > 1 && qobject_cast<QCPTextElement*>(plotLayout()->element(0, 0))) {
        plotLayout()->remove(plotLayout()->element(0, 0));
        plotLayout()->simplify();
    }
    if (!m_captionVisible)
        return;
    int row = 0;
    const auto add = [&](const QString& text, const QFont& font, const QColor& color) {
        plotLayout()->insertRow(row);
        auto* element = new QCPTextElement(this, text, font);
        element->setTextColor(color);
        element->setTextFlags(Qt::AlignLeft | Qt::AlignVCenter);
        element->setMargins(QMargins(12, row == 0 ? 8 : 0, 12, 0));
        plotLayout()->addElement(row++, 0, element);
    };
    if (!m_title.isEmpty())
        add(m_title, chartFont(2, true), m_theme.text);
    for (const QString& line : m_captionLines)
        add(line, chartFont(-1), m_theme.muted);
}

void BaseChart::resetView()
{
    for (auto it = m_home.cbegin(); it != m_home.cend(); ++it)
        const_cast<QCPAxis*>(it.key())->setRange(it.value());
    replot();
}

QString BaseChart::readout(const QPointF& /*position*/) const { return {}; }

QCPRange BaseChart::homeRange(const QCPAxis* axis) const { return m_home.value(axis, axis->range()); }

void BaseChart::setHome(QCPAxis* axis, const QCPRange& range)
{
    if (!m_home.contains(axis))
        connect(axis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this, [this, axis] { keepInSight(axis); });
    m_home.insert(axis, range);
    m_contents.insert(axis, range);
    axis->setRange(range);
}

void BaseChart::keepInSight(QCPAxis* axis)
{
    const bool logarithmic = axis->scaleType() == QCPAxis::stLogarithmic;
    const auto place = [logarithmic](double coord) { return logarithmic ? std::log(coord) : coord; };
    const QCPRange contents(place(m_contents[axis].lower), place(m_contents[axis].upper));
    const QCPRange shown(place(axis->range().lower), place(axis->range().upper));
    if (!std::isfinite(contents.size()) || !std::isfinite(shown.size()))
        return;
    const double least = leastInSight * std::min(contents.size(), shown.size());
    const double shift = shown.upper < contents.lower + least ? contents.lower + least - shown.upper
        : shown.lower > contents.upper - least                ? contents.upper - least - shown.lower
                                                              : 0;
    if (std::abs(shift) <= 1e-9 * shown.size())
        return;
    const auto coord = [logarithmic](double at) { return logarithmic ? std::exp(at) : at; };
    axis->setRange(coord(shown.lower + shift), coord(shown.upper + shift));
}

QFont BaseChart::chartFont(int delta, bool bold) const
{
    QFont result = font();
    if (result.pointSize() > 0)
        result.setPointSize(std::max(6, result.pointSize() + delta));
    else
        result.setPixelSize(std::max(8, result.pixelSize() + delta));
    result.setBold(bold);
    return result;
}

void BaseChart::putLegendAbove()
{
    // Entries, and a filler that takes the width that is left.
    axisRect()->insetLayout()->take(legend);
    legend->setFillOrder(QCPLegend::foColumnsFirst);
    legend->setMargins(QMargins(8, 2, 8, 0));
    auto* row = new QCPLayoutGrid;
    row->addElement(0, 0, legend);
    row->addElement(0, 1, new QCPLayoutElement(this));
    row->setColumnStretchFactors({ 0.001, 1 });
    plotLayout()->insertRow(0);
    plotLayout()->addElement(0, 0, row);
    plotLayout()->setRowStretchFactor(0, 0.001);
}

void BaseChart::fitLegend(bool shown)
{
    constexpr int beside = 24; // pixels that margins take
    legend->setVisible(shown);
    legend->setFont(chartFont(-1));
    legend->setTextColor(m_theme.text);
    const QFontMetrics metrics(legend->font());
    int widest = 0;
    for (int i = 0; i < legend->itemCount(); ++i)
        if (auto* item = qobject_cast<QCPPlottableLegendItem*>(legend->item(i)))
            widest = std::max(widest, metrics.horizontalAdvance(item->plottable()->name()));
    const int each = legend->iconSize().width() + legend->iconTextPadding() + widest + legend->columnSpacing();
    const int room = (m_captionVisible ? exportSize().width() : width()) - beside;
    legend->setWrap(std::max(1, room / each));
    legend->setFillOrder(QCPLegend::foColumnsFirst, true);
}

void BaseChart::styleAxis(QCPAxis* axis) const
{
    const bool drawn = axis->axisType() == QCPAxis::atLeft || axis->axisType() == QCPAxis::atBottom;
    axis->setBasePen(drawn ? QPen(m_theme.axis, 1) : QPen(Qt::NoPen));
    axis->setTickPen(QPen(m_theme.axis, 1));
    axis->setSubTickPen(QPen(m_theme.axis, 1));
    axis->setTickLength(0, 4);
    axis->setSubTickLength(0, 2);
    axis->setTickLabelColor(m_theme.muted);
    axis->setLabelColor(m_theme.text);
    axis->setTickLabelFont(chartFont(-1));
    axis->setLabelFont(chartFont());
    axis->setTickLabelPadding(4);
    axis->setLabelPadding(6);
    axis->grid()->setPen(QPen(m_theme.grid, 1));
    axis->grid()->setSubGridVisible(false);
    axis->grid()->setZeroLinePen(Qt::NoPen);
}

void BaseChart::applyTheme()
{
    setBackground(m_theme.background);
    for (QCPAxis* axis : { xAxis, yAxis, xAxis2, yAxis2 })
        if (axis)
            styleAxis(axis);
    if (legend) {
        legend->setFont(chartFont(-1));
        legend->setTextColor(m_theme.text);
        legend->setBrush(translucent(m_theme.background, 0.85));
        legend->setBorderPen(Qt::NoPen);
        legend->setRowSpacing(2);
        legend->setIconSize(20, 12);
    }
    QPalette message = m_message->palette();
    message.setColor(QPalette::Window, m_theme.background);
    message.setColor(QPalette::WindowText, m_theme.muted);
    m_message->setPalette(message);
    QPalette tip = m_readout->palette();
    tip.setColor(
        QPalette::Window, translucent(m_theme.dark ? m_theme.background.lighter(160) : m_theme.background, 0.95));
    tip.setColor(QPalette::WindowText, m_theme.text);
    m_readout->setPalette(tip);
    buildCaption();
}

void BaseChart::changeEvent(QEvent* event)
{
    QCustomPlot::changeEvent(event);
    // Events arrive while the base class is being made as well.
    const bool restyle = event->type() == QEvent::PaletteChange || event->type() == QEvent::FontChange;
    if (!m_ready || !restyle)
        return;
    if (!m_fixedTheme)
        m_theme = Theme::forPalette(palette());
    applyTheme();
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

void BaseChart::keyPressEvent(QKeyEvent* event)
{
    const bool plain = !(event->modifiers() & (Qt::ControlModifier | Qt::AltModifier));
    switch (plain ? event->key() : 0) {
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        return zoom(keyZoom);
    case Qt::Key_Minus:
        return zoom(1 / keyZoom);
    case Qt::Key_Left:
        return move(Qt::Horizontal, -keyStep);
    case Qt::Key_Right:
        return move(Qt::Horizontal, keyStep);
    case Qt::Key_Up:
        return move(Qt::Vertical, keyStep);
    case Qt::Key_Down:
        return move(Qt::Vertical, -keyStep);
    case Qt::Key_Home:
        return resetView();
    default:
        QCustomPlot::keyPressEvent(event);
    }
}

void BaseChart::zoom(double factor)
{
    if (!interactions().testFlag(QCP::iRangeZoom))
        return;
    for (const auto orientation : { Qt::Horizontal, Qt::Vertical })
        if (axisRect()->rangeZoom().testFlag(orientation)) {
            QCPAxis* axis = axisRect()->rangeZoomAxis(orientation);
            axis->scaleRange(factor);
        }
    replot(QCustomPlot::rpQueuedReplot);
}

void BaseChart::move(Qt::Orientation orientation, double share)
{
    if (!interactions().testFlag(QCP::iRangeDrag) || !axisRect()->rangeDrag().testFlag(orientation))
        return;
    QCPAxis* axis = axisRect()->rangeDragAxis(orientation);
    const QCPRange range = axis->range();
    if (axis->scaleType() == QCPAxis::stLogarithmic) {
        const double factor = std::pow(range.upper / range.lower, share);
        axis->setRange(range.lower * factor, range.upper * factor);
    } else {
        axis->moveRange(share * range.size());
    }
    replot(QCustomPlot::rpQueuedReplot);
}

void BaseChart::mousePressEvent(QMouseEvent* event)
{
    m_pressed = event->pos();
    QCustomPlot::mousePressEvent(event);
}

void BaseChart::mouseMoveEvent(QMouseEvent* event)
{
    QCustomPlot::mouseMoveEvent(event);
    showReadout(event->position());
}

void BaseChart::mouseReleaseEvent(QMouseEvent* event)
{
    QCustomPlot::mouseReleaseEvent(event);
    if (event->button() == Qt::LeftButton && (event->pos() - m_pressed).manhattanLength() <= clickReach)
        clicked(event->position());
}

void BaseChart::leaveEvent(QEvent* event)
{
    QCustomPlot::leaveEvent(event);
    m_readout->hide();
}

void BaseChart::contextMenuEvent(QContextMenuEvent* event)
{
    m_readout->hide();
    emit contextMenuWanted(event->globalPos());
}

void BaseChart::resizeEvent(QResizeEvent* event)
{
    QCustomPlot::resizeEvent(event);
    if (m_message)
        m_message->setGeometry(rect());
}

void BaseChart::showReadout(const QPointF& position)
{
    const QString text = m_message->isVisible() ? QString() : readout(position);
    if (text.isEmpty()) {
        m_readout->hide();
        return;
    }
    m_readout->setText(text);
    m_readout->adjustSize();
    QPoint corner = position.toPoint() + QPoint(16, 16);
    if (corner.x() + m_readout->width() > width())
        corner.setX(static_cast<int>(position.x()) - m_readout->width() - 12);
    if (corner.y() + m_readout->height() > height())
        corner.setY(static_cast<int>(position.y()) - m_readout->height() - 12);
    m_readout->move(std::max(0, corner.x()), std::max(0, corner.y()));
    m_readout->show();
    m_readout->raise();
}

} // namespace quantoscope::ui
