// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/sweep/trend.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <set>

#include <nlohmann/json.hpp>

#include "core/sweep/options_study.h"

namespace quantoscope::sweep {

namespace {

using Better = Trend::Better;

/// Float has more bits than any number.
int width(Bits bits) { return bits.value_or(quant::maxBits + 1); }

bool atMost(Bits a, Bits b) { return width(a) <= width(b); }

std::string fixed(double value, int decimals = 1)
{
    char text[32];
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

std::string interval(const evaluation::Interval& interval)
{
    return "[" + fixed(interval.low) + ", " + fixed(interval.high) + "]";
}

std::string pairText(Bits weights, Bits activations) { return "W" + toString(weights) + " A" + toString(activations); }

std::string points(double drop) { return fixed(drop) + (drop == 1 ? " point" : " points"); }

std::string listed(const std::vector<std::string>& words)
{
    std::string text;
    for (std::size_t i = 0; i < words.size(); ++i)
        text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
    return text;
}

/// For words that hold "and" themselves.
std::string separated(const std::vector<std::string>& words)
{
    std::string text;
    for (const auto& word : words)
        text += (text.empty() ? "" : "; ") + word;
    return text;
}

class TrendReader {
public:
    TrendReader(const SweepResult& result, double drop)
        : m_result(result)
    {
        m_trend.drop = drop;
        if (result.floatResult)
            m_trend.floatTop1 = result.floatResult->top1();
    }

    Trend read()
    {
        if (m_result.points.empty() || !m_result.floatResult)
            return m_trend;
        findSmallest();
        findEachAlone();
        compareBits();
        describeSmallest();
        describeEachAlone();
        describeBits();
        return std::move(m_trend);
    }

private:
    bool keeps(const SweepPoint& point) const { return point.againstFloat.delta >= -m_trend.drop; }

    /// The point, and all that have at least as many bits in both.
    bool within(const SweepPoint& point) const
    {
        return std::ranges::all_of(m_result.points, [&](const SweepPoint& other) {
            const bool larger
                = atMost(point.weightBits, other.weightBits) && atMost(point.activationBits, other.activationBits);
            return !larger || keeps(other);
        });
    }

    void findSmallest()
    {
        std::vector<const SweepPoint*> kept;
        for (const auto& point : m_result.points)
            if (within(point))
                kept.push_back(&point);
        for (const auto* point : kept) {
            const bool beaten = std::ranges::any_of(kept, [&](const SweepPoint* other) {
                return other != point && atMost(other->weightBits, point->weightBits)
                    && atMost(other->activationBits, point->activationBits);
            });
            if (!beaten)
                m_trend.smallest.push_back({ point->weightBits, point->activationBits, point->againstFloat,
                    point->againstFloat.deltaInterval.low >= -m_trend.drop });
        }
        std::ranges::sort(m_trend.smallest, {}, [](const auto& pair) { return width(pair.weightBits); });
    }

    void findEachAlone()
    {
        const auto most = [&](Bits SweepPoint::*side) {
            return (*std::ranges::max_element(m_result.points, {}, [&](const auto& p) { return width(p.*side); }))
                .*side;
        };
        m_trend.mostWeightBits = most(&SweepPoint::weightBits);
        m_trend.mostActivationBits = most(&SweepPoint::activationBits);
        const auto fewest = [&](Bits SweepPoint::*side, Bits SweepPoint::*other, Bits largest) {
            std::optional<Bits> found;
            for (const auto& point : m_result.points)
                if (point.*other == largest && within(point) && (!found || atMost(point.*side, *found)))
                    found = point.*side;
            return found;
        };
        m_trend.weightsAlone = fewest(&SweepPoint::weightBits, &SweepPoint::activationBits, m_trend.mostActivationBits);
        m_trend.activationsAlone = fewest(&SweepPoint::activationBits, &SweepPoint::weightBits, m_trend.mostWeightBits);
    }

    const SweepPoint* find(int weightBits, int activationBits) const
    {
        const auto found = std::ranges::find_if(m_result.points, [&](const auto& p) {
            return p.weightBits == Bits(weightBits) && p.activationBits == Bits(activationBits);
        });
        return found == m_result.points.end() ? nullptr : &*found;
    }

    std::vector<evaluation::ImageOutcome> outcomesOf(const SweepPoint& point) const
    {
        std::vector<evaluation::ImageOutcome> outcomes = m_result.floatResult->outcomes;
        for (std::size_t i = 0; i < outcomes.size() && i < point.predictions.size(); ++i)
            outcomes[i].prediction = point.predictions[i];
        return outcomes;
    }

    void compareBits()
    {
        std::vector<double> pValues;
        for (const auto& point : m_result.points) {
            if (!point.weightBits || !point.activationBits || within(point))
                continue;
            const auto* wider = find(*point.weightBits + 1, *point.activationBits);
            const auto* finer = find(*point.weightBits, *point.activationBits + 1);
            if (!wider || !finer || point.stoppedEarly || wider->stoppedEarly || finer->stoppedEarly)
                continue; // differences are of the same images
            m_trend.choices.push_back({ *point.weightBits, *point.activationBits, wider->top1 - point.top1,
                finer->top1 - point.top1, evaluation::compare(outcomesOf(*wider), outcomesOf(*finer)) });
            pValues.push_back(m_trend.choices.back().comparison.pValue);
        }
        const auto corrected = holm(std::move(pValues));
        for (std::size_t i = 0; i < corrected.size(); ++i) {
            auto& choice = m_trend.choices[i];
            choice.pValue = corrected[i];
            if (choice.pValue < studySignificance)
                ++(choice.comparison.delta > 0 ? m_trend.forActivations : m_trend.forWeights);
        }
        const bool weights = m_trend.forWeights > 0;
        const bool activations = m_trend.forActivations > 0;
        m_trend.better = weights && activations ? Better::Depends
            : weights                           ? Better::Weights
            : activations                       ? Better::Activations
                                                : Better::Undecided;
    }

    void describeSmallest()
    {
        const std::string within
            = "within " + points(m_trend.drop) + " of float (" + fixed(m_trend.floatTop1, 2) + " %)";
        if (m_trend.smallest.empty()) {
            m_trend.sentences.push_back("No word-lengths of the grid stay " + within + ".");
            return;
        }
        std::vector<std::string> pairs;
        for (const auto& pair : m_trend.smallest)
            pairs.push_back(pairText(pair.weightBits, pair.activationBits) + " (" + fixed(pair.againstFloat.delta) + " "
                + interval(pair.againstFloat.deltaInterval)
                + (pair.certain ? ")" : ", not certain: the interval reaches farther)"));
        m_trend.sentences.push_back("The smallest word-lengths " + within + ": " + listed(pairs) + ".");
    }

    void describeEachAlone()
    {
        std::vector<std::string> parts;
        if (m_trend.weightsAlone)
            parts.push_back("weights need " + toString(*m_trend.weightsAlone)
                + " bits (activations: " + toString(m_trend.mostActivationBits) + ")");
        if (m_trend.activationsAlone)
            parts.push_back("activations need " + toString(*m_trend.activationsAlone)
                + " bits (weights: " + toString(m_trend.mostWeightBits) + ")");
        if (!parts.empty())
            m_trend.sentences.push_back("With the other at its most, " + listed(parts) + ".");
    }

    void describeBits()
    {
        if (m_trend.choices.empty())
            return;
        const auto places = [&](int count, bool activations) {
            std::vector<std::string> names;
            for (const auto& choice : m_trend.choices)
                if (choice.pValue < studySignificance && (choice.comparison.delta > 0) == activations)
                    names.push_back(pairText(choice.weightBits, choice.activationBits));
            return std::to_string(count) + " of " + std::to_string(m_trend.choices.size()) + " points"
                + (names.empty() ? "" : " (" + listed(names) + ")");
        };
        const std::string evidence = "for activations from " + places(m_trend.forActivations, true)
            + " that lose more than the drop, for weights from " + places(m_trend.forWeights, false)
            + "; exact McNemar on the same images, Holm, 5 %";
        std::string text;
        switch (m_trend.better) {
        case Better::Activations:
            text = "A bit is better spent on activations: significantly so " + evidence;
            break;
        case Better::Weights:
            text = "A bit is better spent on weights: significantly so " + evidence;
            break;
        case Better::Depends:
            text = "Where a bit is better spent depends on the point: significantly " + evidence;
            break;
        case Better::Undecided:
            text = "Whether a bit is better spent on weights or on activations cannot be told: significant " + evidence;
            break;
        }
        const auto largest
            = std::ranges::max_element(m_trend.choices, {}, [](const auto& c) { return std::abs(c.comparison.delta); });
        const double delta = largest->comparison.delta;
        const auto& reach = largest->comparison.deltaInterval;
        m_trend.sentences.push_back(text + ". The largest difference: from "
            + pairText(largest->weightBits, largest->activationBits) + ", a bit for "
            + (delta > 0 ? "activations" : "weights") + " gains " + fixed(std::abs(delta)) + " points "
            + interval(delta > 0 ? reach : evaluation::Interval { -reach.high, -reach.low }) + " more than one for "
            + (delta > 0 ? "weights" : "activations") + ".");
    }

    const SweepResult& m_result;
    Trend m_trend;
};

std::string smallestText(const Trend& trend)
{
    std::vector<std::string> pairs;
    for (const auto& pair : trend.smallest)
        pairs.push_back(pairText(pair.weightBits, pair.activationBits));
    return pairs.empty() ? "none of the grid" : listed(pairs);
}

std::string word(Better better)
{
    switch (better) {
    case Better::Weights:
        return "weights";
    case Better::Activations:
        return "activations";
    case Better::Depends:
        return "depends";
    case Better::Undecided:
        break;
    }
    return "undecided";
}

Json bitsJson(Bits bits) { return bits ? Json(*bits) : Json("float"); }
Json intervalJson(const evaluation::Interval& interval) { return Json::array({ interval.low, interval.high }); }

} // namespace

Trend readTrend(const SweepResult& result, double drop) { return TrendReader(result, drop).read(); }

std::vector<std::string> compareTrends(const std::vector<NamedTrend>& models)
{
    if (models.size() < 2)
        return {};
    std::vector<std::string> sentences;
    std::set<std::string> smallest;
    std::set<Better> better;
    std::vector<std::string> each;
    std::vector<std::string> eachBit;
    for (const auto& [name, trend] : models) {
        smallest.insert(smallestText(trend));
        better.insert(trend.better);
        each.push_back(name + ": " + smallestText(trend));
        eachBit.push_back(name + ": " + word(trend.better));
    }
    const std::string within = "within " + points(models.front().trend.drop) + " of its float accuracy";
    sentences.push_back(smallest.size() == 1
            ? "All " + std::to_string(models.size()) + " models have the same smallest word-lengths " + within + ": "
                + *smallest.begin() + "."
            : "The smallest word-lengths " + within + " differ from model to model. " + separated(each) + ".");
    sentences.push_back(better.size() == 1
            ? "On where a bit is better spent the models agree: " + word(*better.begin()) + "."
            : "On where a bit is better spent the models differ. " + separated(eachBit) + ".");
    return sentences;
}

Json toJson(const Trend& trend)
{
    Json json { { "drop", trend.drop }, { "float_top1", trend.floatTop1 }, { "smallest", Json::array() },
        { "weights_alone", trend.weightsAlone ? bitsJson(*trend.weightsAlone) : Json() },
        { "activations_alone", trend.activationsAlone ? bitsJson(*trend.activationsAlone) : Json() },
        { "better_spent_on", word(trend.better) }, { "for_weights", trend.forWeights },
        { "for_activations", trend.forActivations }, { "choices", Json::array() }, { "sentences", trend.sentences } };
    for (const auto& pair : trend.smallest)
        json["smallest"].push_back({ { "weight_bits", bitsJson(pair.weightBits) },
            { "activation_bits", bitsJson(pair.activationBits) }, { "delta_top1", pair.againstFloat.delta },
            { "delta_top1_ci95", intervalJson(pair.againstFloat.deltaInterval) }, { "certain", pair.certain } });
    for (const auto& choice : trend.choices)
        json["choices"].push_back({ { "weight_bits", choice.weightBits }, { "activation_bits", choice.activationBits },
            { "gain_of_weight_bit", choice.weightGain }, { "gain_of_activation_bit", choice.activationGain },
            { "difference", choice.comparison.delta },
            { "difference_ci95", intervalJson(choice.comparison.deltaInterval) }, { "p_value", choice.pValue } });
    return json;
}

} // namespace quantoscope::sweep
