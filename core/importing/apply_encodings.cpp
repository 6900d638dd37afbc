// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/importing/apply_encodings.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/importing/imported_quantizer.h"
#include "core/planning/bias.h"
#include "core/planning/placement.h"

namespace quantoscope::importing {

using planning::QuantizerSlot;
using quant::Encoding;
using quant::Role;
using quant::TensorQuantizer;

namespace {

quant::QuantizerConfig configFor(const planning::TensorWish& wish, quant::Rounding rounding)
{
    quant::QuantizerConfig config;
    config.bits = wish.bits.value_or(config.bits);
    config.signedness = wish.sign;
    config.narrowRange = wish.narrow;
    config.rounding = wish.rounding.value_or(rounding);
    static_cast<void>(quant::applyScheme(config, wish.scheme)); // an unknown scheme has been refused before
    return config;
}

class Application {
public:
    Application(const graph::Graph& graph, const quant::QuantizationPlan& base, const planning::PlanRequest& request,
        const EncodingsFile& file)
        : m_graph(graph)
        , m_base(base)
        , m_request(request)
        , m_file(file)
        , m_slots(planning::placeQuantizers(graph, base.scope, base.floatOperators))
    {
        m_result.plan = base;
        for (const auto& slot : m_slots)
            m_slotOf.emplace(slot.tensor, &slot);
    }

    AppliedEncodings run()
    {
        for (const auto& entry : m_file.entries)
            if (auto why = apply(entry); !why.empty())
                m_result.unmatched.push_back({ entry.tensor, std::move(why) });
        followShared();
        deriveBiases();
        sayWhatFilesDoNotKnow();
        for (const auto& [name, quantizer] : m_result.plan.tensors())
            if (quantizer.role != Role::Bias && !m_done.contains(name))
                m_result.missing.push_back(name);
        for (const auto& [name, quantizer] : m_base.tensors()) {
            const auto* now = m_result.plan.find(name);
            if (!now || now->encoding != quantizer.encoding)
                m_result.plan.eraseConstant(name);
        }
        m_result.plan.title = m_file.kind + ": " + describeWidths(m_result.plan);
        m_result.applied.assign(m_done.begin(), m_done.end());
        return std::move(m_result);
    }

private:
    /// Empty, or why the entry has no effect.
    std::string apply(const EncodingEntry& entry)
    {
        if (!entry.unusable.empty())
            return entry.unusable;
        const auto value = m_graph.find(entry.tensor);
        if (!value)
            return "the model has no tensor of that name";
        const auto found = m_slotOf.find(entry.tensor);
        if (found == m_slotOf.end())
            return "the scope " + quant::toString(m_base.scope) + " does not quantize it";
        const auto& slot = *found->second;
        if (slot.role == Role::Bias) {
            m_biasEntries.push_back(&entry);
            return {};
        }
        if (entry.isFloat) {
            m_result.plan.erase(entry.tensor);
            m_done.insert(entry.tensor);
            return {};
        }
        std::string why;
        const auto quantizer = entry.range ? fromRange(entry, slot, why) : fromNumbers(entry, slot, *value, why);
        if (!quantizer)
            return why;
        m_result.plan.set(entry.tensor, *quantizer);
        m_done.insert(entry.tensor);
        noteRanges(entry, slot);
        return {};
    }

    std::optional<TensorQuantizer> fromRange(
        const EncodingEntry& entry, const QuantizerSlot& slot, std::string& why) const
    {
        const bool isWeight = slot.role == Role::Weight;
        const auto& wish = isWeight ? m_request.weights : m_request.activations;
        TensorQuantizer quantizer;
        if (const auto* known = m_base.find(entry.tensor)) {
            quantizer = *known;
        } else if (wish.bits) {
            quantizer.role = slot.role;
            quantizer.config = configFor(wish, m_request.rounding);
        } else {
            why = std::string(isWeight ? "weights" : "activations") + " are float here, and a range has no word-length";
            return std::nullopt;
        }
        quantizer.config.granularity = quant::Granularity::perTensor();
        const auto [low, high] = rangeOf(entry, slot);
        quantizer.range = { quant::RangeSpec::Method::Manual, 0, low, high };
        quantizer.encoding = quant::encodingForRange(quantizer.config, low, high);
        return quantizer;
    }

    /// What the file says, but where the operator fixes it, and where the file does not know that a tensor is never
    /// negative.
    std::pair<double, double> rangeOf(const EncodingEntry& entry, const QuantizerSlot& slot) const
    {
        if (slot.fixedRange)
            return *slot.fixedRange;
        auto range = *entry.range;
        const auto* known = m_base.find(entry.tensor);
        if (entry.isMagnitude && known && known->encoding.low() >= 0)
            range.first = 0;
        return range;
    }

    void noteRanges(const EncodingEntry& entry, const QuantizerSlot& slot)
    {
        if (!entry.range)
            return;
        if (slot.fixedRange && slot.fixedRange != entry.range)
            m_fixed.push_back(entry.tensor);
        m_anyMagnitude = m_anyMagnitude || entry.isMagnitude;
    }

    std::optional<TensorQuantizer> fromNumbers(
        const EncodingEntry& entry, const QuantizerSlot& slot, graph::ValueId value, std::string& why) const
    {
        if (entry.bits < quant::minBits || entry.bits > quant::maxBits) {
            why = std::to_string(entry.bits) + " bits are outside " + std::to_string(quant::minBits) + ".."
                + std::to_string(quant::maxBits);
            return std::nullopt;
        }
        const auto* known = m_base.find(entry.tensor);
        Encoding encoding = gridOf(entry, known);
        const std::int64_t lift = encoding.isSigned() ? std::int64_t { 1 } << (entry.bits - 1) : 0;
        encoding.scale = entry.scale;
        encoding.zeroPoint.clear();
        for (const auto offset : entry.offset)
            encoding.zeroPoint.push_back(
                static_cast<std::int32_t>(std::clamp<std::int64_t>(-offset - lift, -65536, 65536)));
        const auto& type = m_graph.value(value).type;
        const std::size_t rank = type.dims ? type.dims->size() : 0;
        if (entry.isPerChannel) {
            encoding.axis = slot.role == Role::Weight ? slot.channelAxis : 1;
            if (entry.axis && *entry.axis != encoding.axis && *entry.axis + static_cast<int>(rank) != encoding.axis) {
                why = "its scales run along axis " + std::to_string(*entry.axis) + ", the channels along "
                    + std::to_string(encoding.axis);
                return std::nullopt;
            }
            const auto axis = static_cast<std::size_t>(encoding.axis);
            const auto channels = static_cast<std::int64_t>(entry.scale.size());
            if (axis >= rank || ((*type.dims)[axis].known() && (*type.dims)[axis].value != channels)) {
                why = std::to_string(channels) + " scales do not fit axis " + std::to_string(axis) + " of "
                    + type.toString();
                return std::nullopt;
            }
        }
        if (known)
            encoding.rounding = known->encoding.rounding;
        if (const auto valid = encoding.validate(); !valid) {
            why = valid.error().what;
            return std::nullopt;
        }
        // The same numbers as before leave the tensor's config as it was.
        return known && known->encoding == encoding ? *known : importedQuantizer(encoding, slot.role);
    }

    /// Which integers: the file says of a symmetric grid that it is signed; of others what the plan had is kept, since
    /// both stand for the same values.
    static Encoding gridOf(const EncodingEntry& entry, const TensorQuantizer* known)
    {
        const bool sameWidth = known && known->encoding.bits() == entry.bits;
        const bool isSigned = entry.isSymmetric || (sameWidth && known->encoding.isSigned());
        quant::QuantizerConfig config;
        config.bits = entry.bits;
        config.narrowRange = isSigned
            && (entry.isNarrow
                || (sameWidth && known->encoding.isSigned() && known->encoding.qmin == -known->encoding.qmax));
        const auto bounds = quant::integerBounds(config, isSigned);
        Encoding encoding;
        encoding.qmin = bounds.qmin;
        encoding.qmax = bounds.qmax;
        return encoding;
    }

    void followShared()
    {
        for (const auto& slot : m_slots) {
            if (slot.sharesWith.empty() || m_done.contains(slot.tensor) || !m_done.contains(slot.sharesWith))
                continue;
            if (const auto* source = m_result.plan.find(slot.sharesWith)) {
                auto quantizer = *source;
                quantizer.role = slot.role;
                m_result.plan.set(slot.tensor, quantizer);
            } else {
                m_result.plan.erase(slot.tensor);
            }
            m_done.insert(slot.tensor);
        }
    }

    void deriveBiases()
    {
        for (const auto& slot : m_slots)
            if (slot.role == Role::Bias)
                m_result.plan.erase(slot.tensor);
        planning::planBiases(m_graph, graph::computeLayers(m_graph), m_slots,
            { m_request.biasBits, m_request.biasRoom }, m_result.plan, m_result.notes);
        for (const auto* entry : m_biasEntries) {
            const auto* bias = m_result.plan.find(entry->tensor);
            const bool same = entry->isFloat ? bias == nullptr : bias && bias->encoding.scale == entry->scale;
            if (same)
                m_done.insert(entry->tensor);
            else
                m_result.unmatched.push_back({ entry->tensor, "a bias takes its scale from its layer's operands" });
        }
    }

    void sayWhatFilesDoNotKnow()
    {
        if (!m_fixed.empty())
            m_result.notes.push_back("'" + m_fixed.front() + "'"
                + (m_fixed.size() > 1 ? " and " + std::to_string(m_fixed.size() - 1) + " more keep" : " keeps")
                + " the range [0, 1] of a Softmax or Sigmoid, whatever was seen");
        if (m_anyMagnitude)
            m_result.notes.push_back(
                "a calibration cache has the largest magnitude of each tensor alone: ranges reach as "
                "far to both sides, or from 0 where the plan's do");
    }

    const graph::Graph& m_graph;
    const quant::QuantizationPlan& m_base;
    const planning::PlanRequest& m_request;
    const EncodingsFile& m_file;
    std::vector<QuantizerSlot> m_slots;
    std::map<std::string, const QuantizerSlot*> m_slotOf;
    std::vector<const EncodingEntry*> m_biasEntries;
    std::set<std::string> m_done;
    std::vector<std::string> m_fixed; ///< tensors that the file has another range for than their operator
    bool m_anyMagnitude = false;
    AppliedEncodings m_result;
};

} // namespace

AppliedEncodings applyEncodings(const graph::Graph& graph, const quant::QuantizationPlan& base,
    const planning::PlanRequest& request, const EncodingsFile& file)
{
    return Application(graph, base, request, file).run();
}

} // namespace quantoscope::importing
