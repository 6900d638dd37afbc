// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/confusion_chart.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

constexpr int green = 2; // of the categories of Theme: bluish green
constexpr double faintest = 0.25; // of a cell with one image
constexpr int longestName = 14; // letters on an axis; the readout has them all
constexpr std::size_t crowded = 10; // classes from which on names stand upright

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
    setCaption(tr("Changes of the confusion matrix"),
        { tr("Images more or fewer in each cell than with the float network; vermillion: worse, green: better") });
    rebuild();
    replot(QCustomPlot::rpQueuedReplot);
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

void ConfusionChart::labelAxis(QCPAxis* axis)
{
    auto ticker = QSharedPointer<QCPAxisTickerText>::create();
    for (std::size_t i = 0; i < m_names.size(); ++i)
        ticker->addTick(static_cast<double>(i),
            m_names[i].size() <= longestName ? m_names[i] : m_names[i].left(longestName - 1) + QStringLiteral("…"));
    axis->setTicker(ticker);
    setHome(axis, QCPRange(-0.5, std::max(0.5, static_cast<double>(m_names.size()) - 0.5)));
}

void ConfusionChart::rebuild()
{
    clearItems();
    for (QCPAxis* axis : { xAxis, yAxis })
        labelAxis(axis);
    const bool upright
        = m_names.size() > crowded && std::ranges::any_of(m_names, [](const QString& name) { return name.size() > 3; });
    xAxis->setTickLabelRotation(upright ? 60 : 0);
    double strongest = 1;
    for (const evaluation::ConfusionChange& cell : m_changes)
        strongest = std::max(strongest, static_cast<double>(std::abs(cell.change())));
    // The diagonal, where the predictions are right.
    for (std::size_t i = 0; i < m_classes.size(); ++i) {
        auto* right = new QCPItemRect(this);
        right->topLeft->setCoords(static_cast<double>(i) - 0.5, static_cast<double>(i) - 0.5);
        right->bottomRight->setCoords(static_cast<double>(i) + 0.5, static_cast<double>(i) + 0.5);
        right->setPen(Qt::NoPen);
        right->setBrush(theme().grid);
    }
    for (const evaluation::ConfusionChange& cell : m_changes)
        drawCell(cell, strongest);
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
    out << "label,prediction,float_images,quantized_images,change\n";
    for (const evaluation::ConfusionChange& cell : m_changes)
        out << cell.label << ',' << cell.prediction << ',' << cell.before << ',' << cell.after << ',' << cell.change()
            << '\n';
    return out.str();
}

} // namespace quantoscope::ui
