// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/pareto_series.h"

#include <algorithm>
#include <cmath>

#include <QCoreApplication>

namespace quantoscope::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("quantoscope::ui::ParetoSeries", text); }

QString priceTitle(sweep::Price price)
{
    switch (price) {
    case sweep::Price::Size:
        return tr("Size of parameters [% of float]");
    case sweep::Price::Bops:
        return tr("Bit operations [% of float]");
    case sweep::Price::Energy:
        break;
    }
    return tr("Energy of an image [% of float]");
}

} // namespace

ParetoSeries paretoSeries(const sweep::SearchResult& result)
{
    ParetoSeries series;
    series.title = tr("Accuracy against cost");
    series.xTitle = priceTitle(result.price);
    for (const auto& text : { result.scope, result.data })
        if (!text.empty())
            series.captions << QString::fromStdString(text);
    series.captions
        << tr("Measured top-1 with 95 % intervals; budget %1").arg(QString::fromStdString(result.budget.toString()));
    const double whole = sweep::priceOf(result.floatCost, result.price);
    const double percent = whole > 0 ? 100 / whole : 1;
    const auto pointOf = [&](std::size_t i) {
        const auto& point = result.points[i];
        return ParetoSeries::Point { point.price * percent, point.top1, point.top1Interval.low, point.top1Interval.high,
            i, {} };
    };
    std::vector<sweep::Tradeoff> uniform;
    for (std::size_t i = 0; i < result.points.size(); ++i) {
        const bool isUniform = result.points[i].uniform.has_value();
        (isUniform ? series.uniform : series.mixed).push_back(pointOf(i));
        if (isUniform)
            uniform.push_back({ result.points[i].price, -result.points[i].top1 });
    }
    for (const std::size_t k : sweep::paretoFront(uniform))
        series.uniform[k].label = QString::fromStdString(result.points[series.uniform[k].index].label());
    for (auto* points : { &series.uniform, &series.mixed })
        std::ranges::stable_sort(*points, {}, &ParetoSeries::Point::x);
    for (const std::size_t i : result.front)
        series.front.push_back(pointOf(i));
    if (result.chosen)
        series.chosen = pointOf(*result.chosen);
    if (result.budget.price && std::isfinite(result.allowed))
        series.budget = result.allowed * percent;
    if (result.floatResult)
        series.floatTop1 = result.floatResult->top1();
    return series;
}

} // namespace quantoscope::ui
