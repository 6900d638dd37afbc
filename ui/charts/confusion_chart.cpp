// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/confusion_chart.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <sstream>

#include "core/base/csv.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr int green = 2; // of the categories of Theme: bluish green
constexpr double faintest = 0.25; // of a cell with one image
constexpr double longestShare = 0.25; // of the chart that names may take; the readout has them all
constexpr double angle = 60; // degrees of names that are wider than their columns
const double sine = std::sin(angle * std::numbers::pi / 180);
constexpr double figureShare = 0.8; // of a line's height that the digits of a figure take
constexpr double gap = 8; // pixels between names beside each other
constexpr double aside = 64; // pixels for the axes' labels, ticks and margins

QString signedCount(std::int64_t value)
{
    return (value < 0 ? QStringLiteral("−") : QStringLiteral("+")) + formatCount(std::abs(value));
}

} // namespace

ConfusionChart::ConfusionChart(QWidget* parent)
    : BaseChart(parent)
{
    xAxis->setLabel(tr("Taken for"));
    yAxis->setLabel(tr("Label"));
    yAxis->setRangeReversed(true);
    for (QCPAxis* axis : { xAxis, yAxis }) {
        axis->setSubTicks(false);
        axis->grid()->setVisible(false);
        connect(axis, qOverload<const QCPRange&>(&QCPAxis::rangeChanged), this, &ConfusionChart::fitTexts);
    }
    setAccessibleName(tr("Changes of the confusion matrix"));
    rebuild();
}

bool ConfusionChart::better(const evaluation::ConfusionChange& cell)
{
    return (cell.label == cell.prediction) == (cell.change() > 0);
}

void ConfusionChart::setChanges(
    std::vector<evaluation::ConfusionChange> changes, const std::function<QString(std::int32_t)>& className)
{
    m_changes = std::move(changes);
    chooseClasses();
    m_names.clear();
    for (const std::int32_t label : m_classes)
        m_names.push_back(className(label));
    m_allNames.clear();
    for (const evaluation::ConfusionChange& cell : m_changes)
        for (const std::int32_t label : { cell.label, cell.prediction })
            if (!m_allNames.contains(label))
                m_allNames.emplace(label, className(label));
    setCaption(tr("Changes of the confusion matrix"),
        { tr("Images more or fewer in each cell than with the float network; vermillion: worse, green: better; grey: "
             "label and prediction agree"),
            leftOut() });
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
}

QString ConfusionChart::leftOut() const
{
    return m_allNames.size() > m_classes.size()
        ? tr("Only the %1 classes of %2 that most changed for").arg(m_classes.size()).arg(m_allNames.size())
        : tr("Classes without change are left out");
}

QString ConfusionChart::key() const
{
    const auto square = [](const QColor& color) {
        return QStringLiteral("<span style=\"color:%1\">■</span>&nbsp;").arg(color.name());
    };
    return tr("%1better: more are right, or fewer taken for a wrong class; %2worse. Grey: label and prediction "
              "agree. %3.")
        .arg(square(theme().category(green)), square(theme().quantized), leftOut());
}

void ConfusionChart::chooseClasses()
{
    std::map<std::int32_t, std::int64_t> changed;
    for (const evaluation::ConfusionChange& cell : m_changes)
        for (const std::int32_t label : { cell.label, cell.prediction })
            changed[label] += std::abs(cell.change());
    std::vector<std::pair<std::int64_t, std::int32_t>> order;
    for (const auto& [label, images] : changed)
        order.emplace_back(-images, label);
    std::ranges::sort(order);
    m_classes.clear();
    for (std::size_t i = 0; i < std::min(order.size(), mostClasses); ++i)
        m_classes.push_back(order[i].second);
    std::ranges::sort(m_classes);
}

std::optional<std::size_t> ConfusionChart::placeOf(std::int32_t label) const
{
    const auto found = std::ranges::lower_bound(m_classes, label);
    return found != m_classes.end() && *found == label
        ? std::optional(static_cast<std::size_t>(found - m_classes.begin()))
        : std::nullopt;
}

void ConfusionChart::fitTexts()
{
    const QFontMetricsF metrics(xAxis->tickLabelFont());
    double widest = 0;
    for (const QString& name : m_names)
        widest = std::max(widest, metrics.horizontalAdvance(name));
    const QSizeF all = captionVisible() ? exportSize() : size();
    const double left = std::min(widest, longestShare * all.width());
    const double column = std::max(1.0, (all.width() - left - aside) / xAxis->range().size());
    const bool upright = widest + gap > column;
    const double below = upright ? std::min(widest, longestShare * all.height()) : widest;
    const double row = std::max(1.0, (all.height() - below * (upright ? sine : 0) - aside) / yAxis->range().size());
    setNames(xAxis, below, upright ? metrics.height() / sine / column : 1);
    setNames(yAxis, left, metrics.height() / row);
    xAxis->setTickLabelRotation(upright ? -angle : 0);
    for (QCPItemText* figure : m_figures)
        figure->setVisible(
            row >= figureShare * metrics.height() && column >= metrics.horizontalAdvance(figure->text()));
}

void ConfusionChart::setNames(QCPAxis* axis, double room, double classesEach)
{
    const QFontMetricsF metrics(axis->tickLabelFont());
    const auto every = static_cast<std::size_t>(std::ceil(std::max(1.0, classesEach)));
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    for (std::size_t i = 0; i < m_names.size(); i += every)
        ticker->addTick(static_cast<double>(i), metrics.elidedText(m_names[i], Qt::ElideRight, room + 1));
    axis->setTicker(ticker);
}

void ConfusionChart::resizeEvent(QResizeEvent* event)
{
    fitTexts();
    BaseChart::resizeEvent(event);
}

void ConfusionChart::rebuild()
{
    m_figures.clear();
    clearItems();
    for (QCPAxis* axis : { xAxis, yAxis })
        setHome(axis, QCPRange(-0.5, std::max(0.5, static_cast<double>(m_names.size()) - 0.5)));
    double strongest = 1;
    for (const evaluation::ConfusionChange& cell : m_changes)
        strongest = std::max(strongest, static_cast<double>(std::abs(cell.change())));
    // The diagonal, where the predictions are right.
    for (std::size_t i = 0; i < m_classes.size(); ++i) {
        auto* right = new QCPItemRect(this);
        right->topLeft->setCoords(static_cast<double>(i) - 0.5, static_cast<double>(i) - 0.5);
        right->bottomRight->setCoords(static_cast<double>(i) + 0.5, static_cast<double>(i) + 0.5);
        right->setPen(Qt::NoPen);
        right->setBrush(translucent(theme().axis, 0.45));
    }
    for (const evaluation::ConfusionChange& cell : m_changes)
        drawCell(cell, strongest);
    fitTexts();
    emit keyChanged();
}

void ConfusionChart::drawCell(const evaluation::ConfusionChange& cell, double strongest)
{
    const auto row = placeOf(cell.label);
    const auto column = placeOf(cell.prediction);
    if (!row || !column)
        return;
    const auto x = static_cast<double>(*column);
    const auto y = static_cast<double>(*row);
    const QColor colour = better(cell) ? theme().category(green) : theme().quantized;
    const double strength = std::abs(static_cast<double>(cell.change())) / strongest;
    auto* box = new QCPItemRect(this);
    box->topLeft->setCoords(x - 0.46, y - 0.46);
    box->bottomRight->setCoords(x + 0.46, y + 0.46);
    box->setPen(QPen(colour, 1));
    box->setBrush(translucent(colour, faintest + (1 - faintest) * strength * 0.6));
    auto* text = new QCPItemText(this);
    text->position->setCoords(x, y);
    text->setText(signedCount(cell.change()));
    text->setFont(chartFont(-1));
    text->setColor(theme().text);
    m_figures.push_back(text);
}

QString ConfusionChart::readout(const QPointF& position) const
{
    if (!axisRect()->rect().contains(position.toPoint()))
        return {};
    const auto column = static_cast<std::size_t>(std::lround(std::max(0.0, xAxis->pixelToCoord(position.x()))));
    const auto row = static_cast<std::size_t>(std::lround(std::max(0.0, yAxis->pixelToCoord(position.y()))));
    if (column >= m_classes.size() || row >= m_classes.size())
        return {};
    const auto cell = std::ranges::find_if(m_changes,
        [&](const auto& change) { return change.label == m_classes[row] && change.prediction == m_classes[column]; });
    const QString pair
        = tr("<b>%1</b> taken for <b>%2</b>").arg(m_names[row].toHtmlEscaped(), m_names[column].toHtmlEscaped());
    return cell == m_changes.end() ? pair + tr("<br>as with the float network")
                                   : pair
            + tr("<br>%1 images, with the float network %2").arg(formatCount(cell->after), formatCount(cell->before));
}

std::string ConfusionChart::csv() const
{
    if (m_changes.empty())
        return {};
    std::ostringstream out;
    out << "label,prediction,float_images,quantized_images,change,label_name,prediction_name\n";
    const auto name = [this](std::int32_t label) { return base::csvField(m_allNames.at(label).toStdString()); };
    for (const evaluation::ConfusionChange& cell : m_changes)
        out << cell.label << ',' << cell.prediction << ',' << cell.before << ',' << cell.after << ',' << cell.change()
            << ',' << name(cell.label) << ',' << name(cell.prediction) << '\n';
    return out.str();
}

} // namespace quantoscope::ui
