// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/planning/corrections.h"
#include "core/quant/hardware_profile.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// "W4 A8"; "W4, A float" where one stays float (empty).
std::string describeBits(std::optional<int> weights, std::optional<int> activations);

/// "16" or "float" (empty): minBiasBits..maxBiasBits. InvalidInput otherwise.
Result<std::optional<int>> parseBiasBits(const std::string& text);

/// The wishes for one kind of tensor. bits empty: float.
struct TensorWish {
    std::optional<int> bits = 8;
    std::string scheme = "symmetric"; ///< what quant::applyScheme() takes
    bool perChannel = false;
    quant::RangeSpec range = {};
    quant::Signedness sign = quant::Signedness::Auto; ///< Auto: symmetric weights signed, otherwise as the enum says
    bool narrow = false; ///< leave the lowest level of a signed grid unused
    std::optional<quant::Rounding> rounding = {}; ///< empty: PlanRequest::rounding
    friend bool operator==(const TensorWish&, const TensorWish&) = default;
};

/// What is said of a wish; the rest of it stays as it is.
struct WishChange {
    std::optional<std::optional<int>> bits = {}; ///< inner empty: float
    std::optional<quant::RangeSpec> range = {};
    std::optional<std::string> scheme = {};
    std::optional<bool> perChannel = {};
    std::optional<quant::Signedness> sign = {};
    std::optional<bool> narrow = {};
    std::optional<quant::Rounding> rounding = {};

    /// Sets a field from the words of the command line: bits (2..16 or float), range, scheme, granularity (tensor or
    /// channel), sign (auto, signed or unsigned), narrow (on or off), rounding. InvalidInput for another key or value.
    Result<void> set(std::string_view key, const std::string& value);
    void applyTo(TensorWish& wish) const;
    bool empty() const { return *this == WishChange {}; }
    friend bool operator==(const WishChange&, const WishChange&) = default;
};

/// --layer 'NAME:w=4,a=8': NAME is a glob over layer names; w and a are word-lengths, "float" among them. Everything
/// else of a wish is weight-KEY=... or activation-KEY=... with the keys of WishChange::set(); rounding=... is about
/// both and narrow=... about the weight. A tensor that several layers share follows the overridden one, or the one that
/// asks for the largest word-length.
struct LayerOverride {
    std::string pattern;
    WishChange weights = {};
    WishChange activations = {};

    static Result<LayerOverride> parse(const std::string& text);
    friend bool operator==(const LayerOverride&, const LayerOverride&) = default;
};

/// Everything asked for, as the options panel and the command line have it.
struct PlanRequest {
    quant::Scope scope = quant::Scope::Compute;
    /// Min-max: clipping weights shrinks what a channel puts out, and that adds up from layer to layer; without
    /// corrections it loses to min-max at few bits (resources/studies).
    TensorWish weights { 8, "symmetric", true };
    /// Least squared error: at 8 bits as good as min-max, at 6 and fewer better or far better (resources/studies).
    TensorWish activations { 8, "asymmetric", false, { .method = quant::RangeSpec::Method::Mse } };
    quant::Rounding rounding = quant::Rounding::HalfEven;
    /// Weights and input activations of the first and the last compute layer; in Scope::Integer the last one's output
    /// too.
    std::optional<int> firstLastBits;
    /// Word-length of biases in Scope::Integer, minBiasBits..maxBiasBits; empty: float.
    std::optional<int> biasBits = quant::maxBiasBits;
    quant::BiasRoom biasRoom = quant::BiasRoom::RaiseWeightScale; ///< what to do where one does not fit
    std::vector<std::string> floatOperators; ///< operators that are computed in float, "Softmax"
    std::vector<LayerOverride> overrides; ///< later ones win; none matching is an error
    Corrections corrections;
    std::uint64_t seed = 0;

    /// "W4 A8 compute, weights symmetric per channel MSE, activations ..., first and last at 8"
    std::string describe() const;
    std::string describeOptions() const; ///< the same without the two word-lengths, for a grid of them
    Result<void> validate() const;
    friend bool operator==(const PlanRequest&, const PlanRequest&) = default;
};

} // namespace quantoscope::planning
