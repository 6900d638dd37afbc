// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/charts/cost_series.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <QCoreApplication>

#include "core/sweep/pareto.h"
#include "ui/charts/cost_words.h"
#include "ui/charts/number_format.h"
#include "ui/charts/range_words.h"

namespace quantoscope::ui {

namespace {

QString tr(const char* text) { return QCoreApplication::translate("quantoscope::ui::CostSeries", text); }

CostSeries start(cost::Metric metric, const std::string& scope, const std::string& data)
{
    CostSeries series;
    series.metric = metric;
    series.title = tr("Accuracy against cost");
    series.xTitle = costAxis(metric);
    for (const QString& text : { inWords(scope), QString::fromStdString(data) })
        if (!text.isEmpty())
            series.captions << text;
    series.captions << tr("Measured top-1 with 95 % intervals");
    return series;
}

/// A logarithmic axis has no place for what costs nothing (an accumulator where all is float).
void add(CostSeries::Group& group, const cost::Cost& cost, cost::Metric metric, double top1,
    const evaluation::Interval& interval, std::size_t index, const QString& name)
{
    const double x = cost::valueOf(cost, metric);
    if (x > 0)
        group.points.push_back({ x, top1, interval.low, interval.high, index, name });
}

cost::Metric metricOf(sweep::Price price)
{
    switch (price) {
    case sweep::Price::Size:
        return cost::Metric::Size;
    case sweep::Price::Bops:
        return cost::Metric::Bops;
    case sweep::Price::Energy:
        break;
    }
    return cost::Metric::Energy;
}

/// Names the points of a group that none of it is both cheaper and more accurate than.
void labelFront(CostSeries::Group& group)
{
    std::vector<sweep::Tradeoff> tradeoffs;
    for (const auto& point : group.points)
        tradeoffs.push_back({ point.x, -point.top1 });
    for (const std::size_t i : sweep::paretoFront(tradeoffs))
        group.points[i].label = group.points[i].name;
}

CostSeries finish(CostSeries series)
{
    std::erase_if(series.groups, [](const auto& group) { return group.points.empty(); });
    std::vector<sweep::Tradeoff> tradeoffs;
    std::vector<const CostSeries::Point*> points;
    for (auto& group : series.groups) {
        std::ranges::stable_sort(group.points, {}, &CostSeries::Point::x);
        for (const auto& point : group.points) {
            tradeoffs.push_back({ point.x, -point.top1 });
            points.push_back(&point);
        }
    }
    for (const std::size_t i : sweep::paretoFront(tradeoffs))
        series.front.push_back(*points[i]);
    return series;
}

QString nameOf(const sweep::SweepPoint& point) { return formatWordLengths(point.weightBits, point.activationBits); }

} // namespace

std::optional<double> nearFloat(const CostSeries& series)
{
    constexpr double reach = 5; // points below float, as in the lines near float of a sweep
    if (!series.floatTop1)
        return std::nullopt;
    double bottom = std::floor(*series.floatTop1) - reach;
    if (series.chosen)
        bottom = std::min(bottom, std::floor(series.chosen->low));
    int above = 0;
    int below = 0;
    for (const auto& group : series.groups)
        for (const auto& point : group.points)
            ++(point.top1 < bottom ? below : above);
    return below > 0 && above >= below ? std::optional(std::max(0.0, bottom)) : std::nullopt;
}

CostSeries costSeries(const sweep::SweepResult& result, cost::Metric metric)
{
    CostSeries series = start(metric, result.scope, result.data);
    series.colours = CostSeries::Colours::Ordered;
    std::map<int, CostSeries::Group> groups; // float after every word-length
    for (std::size_t i = 0; i < result.points.size(); ++i) {
        const auto& point = result.points[i];
        auto& group = groups[point.activationBits.value_or(quant::maxBits + 1)];
        group.name = point.activationBits ? tr("activations %1").arg(*point.activationBits) : tr("activations float");
        add(group, point.cost, metric, point.top1, point.top1Interval, i, nameOf(point));
    }
    for (auto& [bits, group] : groups) {
        group.position = groups.size() > 1
            ? static_cast<double>(series.groups.size()) / static_cast<double>(groups.size() - 1)
            : 0.5;
        series.groups.push_back(std::move(group));
    }
    if (result.floatResult)
        series.floatTop1 = result.floatResult->top1();
    return finish(std::move(series));
}

CostSeries costSeries(const sweep::SensitivityResult& result, cost::Metric metric)
{
    CostSeries series = start(metric, tr("each tensor alone: ").toStdString() + result.scope, result.data);
    for (const auto role : { quant::Role::Weight, quant::Role::Activation }) {
        CostSeries::Group group { role == quant::Role::Weight ? tr("a weight alone") : tr("an activation alone"), 0,
            {} };
        for (std::size_t i = 0; i < result.points.size(); ++i) {
            const auto& point = result.points[i];
            const auto& unit = result.units[point.unit];
            if (unit.role == role && point.measured)
                add(group, point.cost, metric, point.measured->top1, point.measured->top1Interval, i,
                    tr("%1 at %2 bits").arg(QString::fromStdString(unit.name)).arg(point.bits));
        }
        series.groups.push_back(std::move(group));
    }
    if (result.floatResult)
        series.floatTop1 = result.floatResult->top1();
    return finish(std::move(series));
}

CostSeries costSeries(const sweep::SearchResult& result, cost::Metric metric)
{
    CostSeries series = start(metric, result.scope, result.data);
    series.colours = CostSeries::Colours::Search;
    for (const bool uniform : { true, false }) {
        CostSeries::Group group { uniform ? tr("uniform word-lengths") : tr("mixed word-lengths"), uniform ? 0.0 : 1.0,
            {} };
        for (std::size_t i = 0; i < result.points.size(); ++i) {
            const auto& point = result.points[i];
            if (point.uniform.has_value() == uniform)
                add(group, point.cost, metric, point.top1, point.top1Interval, i,
                    QString::fromStdString(point.label()));
        }
        if (uniform)
            labelFront(group);
        series.groups.push_back(std::move(group));
    }
    for (const auto& group : series.groups)
        for (const auto& point : group.points)
            if (point.index == result.chosen)
                series.chosen = point;
    if (result.budget.price && metricOf(*result.budget.price) == metric && std::isfinite(result.allowed))
        series.budget = result.allowed;
    if (result.floatResult)
        series.floatTop1 = result.floatResult->top1();
    return finish(std::move(series));
}

CostSeries paretoSeries(const sweep::SearchResult& result)
{
    CostSeries series = costSeries(result, metricOf(result.price));
    series.xTitle = tr("%1 [% of float]").arg(QString::fromStdString(cost::titleOf(series.metric)));
    series.captions.back() += tr("; budget: %1").arg(budgetText(result.budget));
    const double whole = sweep::priceOf(result.floatCost, result.price);
    const double percent = whole > 0 ? 100 / whole : 1;
    const auto scale = [percent](std::vector<CostSeries::Point>& points) {
        for (auto& point : points)
            point.x *= percent;
    };
    for (auto& group : series.groups)
        scale(group.points);
    scale(series.front);
    if (series.chosen)
        series.chosen->x *= percent;
    if (series.budget)
        *series.budget *= percent;
    return series;
}

CostSeries costSeries(const sweep::OptionsStudy& study, cost::Metric metric)
{
    CostSeries series = start(metric, study.scope, study.data);
    for (std::size_t i = 0; i < study.rows.size(); ++i) {
        const auto& row = study.rows[i];
        const auto name = QString::fromStdString(row.corrections);
        auto group = std::ranges::find(series.groups, name, &CostSeries::Group::name);
        if (group == series.groups.end())
            group = series.groups.insert(group, { name, 0, {} });
        add(*group, row.cost, metric, row.top1, row.top1Interval, i,
            formatWordLengths(row.weightBits(), row.activationBits()) + QStringLiteral(": ")
                + QString::fromStdString(row.label()));
    }
    if (study.floatResult)
        series.floatTop1 = study.floatResult->top1();
    return finish(std::move(series));
}

CostSeries costSeries(const std::vector<sweep::StudiedModel>& models, cost::Metric metric)
{
    if (models.empty())
        return {};
    CostSeries series = start(metric, models.front().result->scope, models.front().result->data);
    for (const auto& model : models) {
        CostSeries::Group group { QString::fromStdString(model.name), 0, {} };
        for (std::size_t i = 0; i < model.result->points.size(); ++i) {
            const auto& point = model.result->points[i];
            add(group, point.cost, metric, point.top1, point.top1Interval, i, nameOf(point));
        }
        series.groups.push_back(std::move(group));
    }
    return finish(std::move(series));
}

} // namespace quantoscope::ui
