// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/cost_words.h"

#include <QCoreApplication>

#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("quantoscope::ui::CostWords", text); }

} // namespace

QString costName(cost::Metric metric)
{
    switch (metric) {
    case cost::Metric::Parameters:
        return tr("parameters");
    case cost::Metric::Macs:
        return tr("multiply-accumulates");
    case cost::Metric::Size:
        return tr("size");
    case cost::Metric::PeakActivations:
        return tr("most activations at once");
    case cost::Metric::Bops:
        return tr("bit operations");
    case cost::Metric::Accumulator:
        return tr("accumulator");
    case cost::Metric::Energy:
        break;
    }
    return tr("energy");
}

QString priceName(sweep::Price price)
{
    switch (price) {
    case sweep::Price::Size:
        return costName(cost::Metric::Size);
    case sweep::Price::Bops:
        return costName(cost::Metric::Bops);
    case sweep::Price::Energy:
        break;
    }
    return costName(cost::Metric::Energy);
}

QString budgetText(const sweep::Budget& budget)
{
    const QString limit = QString::number(budget.limit);
    if (!budget.price)
        return budget.limit == 1 ? tr("1 point of top-1 lost") : tr("%1 points of top-1 lost").arg(limit);
    const QString price = priceName(*budget.price);
    return budget.uniform ? tr("%1 of %2").arg(price, formatWordLengths(budget.uniform->first, budget.uniform->second))
                          : tr("%1 %2 % of float").arg(price, limit);
}

QString costAxis(cost::Metric metric)
{
    const auto unit = QString::fromStdString(cost::unitOf(metric));
    const auto title = QString::fromStdString(cost::titleOf(metric));
    return unit.isEmpty() ? title : title + QStringLiteral(" [%1]").arg(unit);
}

QString formatCost(double value, cost::Metric metric)
{
    switch (metric) {
    case cost::Metric::Size:
    case cost::Metric::PeakActivations:
        return formatBytes(value);
    case cost::Metric::Energy:
        return formatEnergy(value);
    case cost::Metric::Accumulator:
        return formatSignificant(value) + QChar(0x00a0) + QStringLiteral("bit");
    case cost::Metric::Bops:
    case cost::Metric::Macs:
    case cost::Metric::Parameters:
        break;
    }
    const auto unit = QString::fromStdString(cost::unitOf(metric));
    const QString number = formatMetric(value);
    return number.back().isLetter() || unit.isEmpty() ? number + unit : number + QChar(0x00a0) + unit;
}

} // namespace quantoscope::ui
