// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/plan_builder.h"

#include <algorithm>
#include <cassert>
#include <iterator>
#include <map>
#include <utility>

#include "core/calibration/range_estimator.h"
#include "core/graph/passes/activation_fusion.h"
#include "core/planning/bias.h"
#include "core/planning/layer_settings.h"

namespace quantoscope::planning {

namespace {

using graph::Graph;
using graph::Layer;
using quant::Granularity;
using quant::QuantizerConfig;
using quant::Role;

/// Slots that share one encoding.
using Group = std::vector<const QuantizerSlot*>;

/// Channels along `axis` whose values are all zero.
std::int64_t countDeadChannels(const TensorView& weight, int axis)
{
    const Tensor converted = tensor::convert(weight, DType::Float32);
    const auto values = converted.as<float>();
    const auto channels = static_cast<std::size_t>(weight.shape()[axis]);
    const auto inner = static_cast<std::size_t>(weight.shape().strides()[static_cast<std::size_t>(axis)]);
    std::vector<bool> alive(channels);
    for (std::size_t first = 0, channel = 0; first < values.size(); first += inner) {
        const auto isAlive = [](float value) { return value != 0; };
        alive[channel] = alive[channel] || std::ranges::any_of(values.subspan(first, inner), isAlive);
        channel = channel + 1 == channels ? 0 : channel + 1;
    }
    return std::ranges::count(alive, false);
}

class PlanBuilder {
public:
    PlanBuilder(const Graph& graph, const calibration::CalibrationStats* stats, const PlanRequest& request,
        std::vector<Layer> layers, SettingsTable settings)
        : m_graph(graph)
        , m_stats(stats)
        , m_request(request)
        , m_layers(std::move(layers))
        , m_settings(std::move(settings))
        , m_slots(placeQuantizers(graph, request.scope, request.floatOperators))
    {
        m_built.plan.scope = request.scope;
        m_built.plan.title = request.describe();
        m_built.plan.seed = request.seed;
        m_built.plan.biasRoom = request.biasRoom;
        m_built.plan.floatOperators = request.floatOperators;
        if (!m_layers.empty())
            m_lastOutput = graph.value(graph::ActivationFusion(graph).finalOutput(graph, m_layers.back().node)).name;
    }

    Result<BuiltPlan> build()
    {
        for (const auto& slot : m_slots)
            if (slot.role == Role::Weight)
                QS_CHECK(planWeight(slot));
        for (const auto& group : activationGroups())
            QS_CHECK(planActivations(group));
        m_built.biasRemedies = planBiases(
            m_graph, m_layers, m_slots, { m_request.biasBits, m_request.biasRoom }, m_built.plan, m_built.notes);
        return std::move(m_built);
    }

private:
    std::vector<Group> activationGroups() const
    {
        std::vector<Group> groups;
        std::map<std::string, std::size_t> groupOf;
        for (const auto& slot : m_slots) {
            if (slot.role != Role::Activation && slot.role != Role::Constant)
                continue;
            const auto& first = slot.sharesWith.empty() ? slot.tensor : slot.sharesWith;
            const auto [entry, isNew] = groupOf.try_emplace(first, groups.size());
            if (isNew)
                groups.emplace_back();
            groups[entry->second].push_back(&slot);
        }
        return groups;
    }

    /// A config from a wish, without granularity.
    QuantizerConfig configFor(const TensorWish& wish) const
    {
        QuantizerConfig config;
        config.bits = *wish.bits;
        config.signedness = wish.sign;
        config.narrowRange = wish.narrow;
        config.rounding = wish.rounding.value_or(m_request.rounding);
        [[maybe_unused]] const auto applied = quant::applyScheme(config, wish.scheme);
        assert(applied.has_value()); // the request has been validated
        return config;
    }

    Result<void> planWeight(const QuantizerSlot& slot)
    {
        const auto [wish, overridden] = m_settings.weightFor(slot.layers);
        if (m_settings.disagree(slot.layers, Role::Weight))
            noteDisagreement(slot, wish);
        if (!wish.bits)
            return {};
        const auto& weight = *m_graph.value(*m_graph.find(slot.tensor)).constant;
        quant::TensorQuantizer quantizer { Role::Weight, configFor(wish), wish.range, {}, overridden };
        if (quantizer.config.symmetric && wish.sign == quant::Signedness::Auto)
            quantizer.config.signedness = quant::Signedness::Signed;
        if (wish.perChannel)
            quantizer.config.granularity = weightGranularity(slot);
        auto encoding = calibration::estimateWeightEncoding(weight.view(), quantizer.config, wish.range);
        if (!encoding)
            return located(std::move(encoding).error(), slot.tensor);
        quantizer.encoding = *std::move(encoding);
        if (quantizer.encoding.perChannel())
            noteDeadChannels(slot, weight.view(), quantizer.encoding.axis);
        m_built.plan.set(slot.tensor, std::move(quantizer));
        return {};
    }

    Granularity weightGranularity(const QuantizerSlot& slot)
    {
        for (const auto& layer : m_layers) {
            if (!layer.weight.valid() || m_graph.value(layer.weight).name != slot.tensor)
                continue;
            if (layer.op == "ConvTranspose" && layer.groups > 1) {
                note(slot, "is quantized per tensor: its groups share the channel axis of a grouped ConvTranspose");
                return Granularity::perTensor();
            }
            if (layer.weightChannelAxis != slot.channelAxis) {
                note(slot, "is quantized per tensor: layers that share it have their channels along different axes");
                return Granularity::perTensor();
            }
        }
        return Granularity::perChannel(slot.channelAxis);
    }

    Result<void> planActivations(const Group& group)
    {
        const auto [wish, overridden] = settingFor(group);
        if (!wish.bits)
            return {};
        quant::TensorQuantizer quantizer { Role::Activation, configFor(wish), wish.range, {}, overridden };
        const bool isLogits = std::ranges::any_of(group, &QuantizerSlot::isLogits);
        if (isLogits && !overridden)
            quantizer.range = {};
        if (wish.perChannel)
            quantizer.config.granularity = activationGranularity(group);

        const auto sources = sourcesOf(group);
        const auto fixed = sources.front()->fixedRange;
        const bool isFixed
            = fixed && std::ranges::all_of(sources, [&](const auto* slot) { return slot->fixedRange == fixed; });
        if (isFixed && quantizer.range.method != quant::RangeSpec::Method::Manual) {
            quantizer.config.granularity = Granularity::perTensor();
            quantizer.range = { quant::RangeSpec::Method::Manual, 0, fixed->first, fixed->second };
            quantizer.encoding = quant::encodingForRange(quantizer.config, fixed->first, fixed->second);
        } else {
            QS_TRY(quantizer.encoding, estimate(sources, quantizer));
        }
        for (const auto* slot : group) {
            quantizer.role = slot->role;
            m_built.plan.set(slot->tensor, quantizer);
        }
        return {};
    }

    LayerSetting settingFor(const Group& group)
    {
        std::vector<std::string> readers;
        for (const auto* slot : group)
            readers.insert(readers.end(), slot->layers.begin(), slot->layers.end());
        auto setting = m_settings.activationFor(readers);
        if (m_settings.disagree(readers, Role::Activation))
            noteDisagreement(*group.front(), setting.wish);
        const bool isLastOutput
            = std::ranges::any_of(group, [&](const auto* slot) { return slot->tensor == m_lastOutput; });
        if (readers.empty() && isLastOutput && m_request.firstLastBits && setting.wish.bits)
            setting.wish.bits = m_request.firstLastBits;
        return setting;
    }

    /// Those slots of a group whose values are made there rather than passed on.
    static Group sourcesOf(const Group& group)
    {
        Group sources;
        std::ranges::copy_if(group, std::back_inserter(sources), &QuantizerSlot::ownValues);
        return sources.empty() ? group : sources;
    }

    Granularity activationGranularity(const Group& group)
    {
        if (group.size() > 1) {
            note(*group.front(), "is quantized per tensor: it shares its encoding with tensors of other shapes");
            return Granularity::perTensor();
        }
        if (group.front()->role == Role::Constant)
            return Granularity::perTensor();
        const auto& dims = m_graph.value(*m_graph.find(group.front()->tensor)).type.dims;
        return dims && dims->size() >= 2 ? Granularity::perChannel(1) : Granularity::perTensor();
    }

    /// Constants are known: their range is their own, and nothing of it is clipped.
    Result<quant::Encoding> estimate(const Group& sources, const quant::TensorQuantizer& quantizer) const
    {
        Group activations;
        std::pair<double, double> range { 0, 0 };
        for (const auto* slot : sources) {
            if (slot->role == Role::Activation) {
                activations.push_back(slot);
                continue;
            }
            for (const double value : tensor::toDoubles(m_graph.value(*m_graph.find(slot->tensor)).constant->view()))
                range = { std::min(range.first, value), std::max(range.second, value) };
        }
        if (activations.empty())
            return quant::encodingForRange(quantizer.config, range.first, range.second);
        QS_TRY(auto encoding, estimateFromStatistics(activations, quantizer));
        const auto low = static_cast<double>(encoding.low());
        const auto high = static_cast<double>(encoding.high());
        if (activations.size() == sources.size() || (low <= range.first && range.second <= high))
            return encoding;
        return quant::encodingForRange(quantizer.config, std::min(low, range.first), std::max(high, range.second));
    }

    Result<quant::Encoding> estimateFromStatistics(const Group& sources, const quant::TensorQuantizer& quantizer) const
    {
        std::vector<const calibration::TensorStats*> seen;
        for (const auto* slot : sources) {
            seen.push_back(m_stats ? m_stats->find(slot->tensor) : nullptr);
            if (!seen.back())
                return fail(ErrorCode::InvalidInput,
                    m_stats ? "calibration has no statistics for it" : "its range is not known without calibration",
                    "tensor '" + slot->tensor + "'", "calibrate this model, prepared the same way");
        }
        const auto located = [&](Error error) {
            error.where = "tensor '" + sources.front()->tensor + "'";
            return error;
        };
        if (seen.size() == 1)
            return calibration::estimateEncoding(*seen.front(), quantizer.config, quantizer.range).map_error(located);
        calibration::TensorStats merged;
        for (const auto* stats : seen)
            merged.merge(stats->withoutChannels());
        return calibration::estimateEncoding(merged, quantizer.config, quantizer.range).map_error(located);
    }

    static tl::unexpected<Error> located(Error error, const std::string& tensor)
    {
        error.where = "tensor '" + tensor + "'";
        return tl::make_unexpected(std::move(error));
    }

    void note(const QuantizerSlot& slot, const std::string& what)
    {
        m_built.notes.push_back(quant::toString(slot.role) + " '" + slot.tensor + "' " + what);
    }

    void noteDisagreement(const QuantizerSlot& slot, const TensorWish& chosen)
    {
        note(slot,
            "is shared by layers with different wishes; it gets "
                + (chosen.bits ? std::to_string(*chosen.bits) + " bits" : std::string("float")));
    }

    void noteDeadChannels(const QuantizerSlot& slot, const TensorView& weight, int axis)
    {
        if (const auto dead = countDeadChannels(weight, axis); dead > 0)
            note(slot,
                "has " + std::to_string(dead) + " of " + std::to_string(weight.shape()[axis])
                    + " output channels that are all zero");
    }

    const Graph& m_graph;
    const calibration::CalibrationStats* m_stats;
    const PlanRequest& m_request;
    std::vector<Layer> m_layers;
    SettingsTable m_settings;
    std::vector<QuantizerSlot> m_slots;
    std::string m_lastOutput; ///< what leaves the last compute layer
    BuiltPlan m_built;
};

} // namespace

Result<BuiltPlan> buildPlan(
    const graph::Graph& graph, const calibration::CalibrationStats* stats, const PlanRequest& request)
{
    QS_CHECK(request.validate());
    auto layers = graph::computeLayers(graph);
    QS_TRY(auto settings, SettingsTable::make(layers, request));
    return PlanBuilder(graph, stats, request, std::move(layers), std::move(settings)).build();
}

} // namespace quantoscope::planning
