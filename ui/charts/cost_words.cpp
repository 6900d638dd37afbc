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
