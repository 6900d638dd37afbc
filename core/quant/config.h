// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/base/json.h"

namespace quantoscope::quant {

constexpr int minBits = 2;
constexpr int maxBits = 16;

enum class Rounding { HalfEven, HalfAway, Floor, Ceil, Stochastic };
enum class Signedness {
    Auto, ///< unsigned for asymmetric and for non-negative tensors, signed otherwise
    Signed,
    Unsigned,
};
enum class ScaleRestriction { None, PowerOfTwo };

struct Granularity {
    enum class Kind { PerTensor, PerChannel, PerBlock };
    Kind kind = Kind::PerTensor;
    int axis = 0; ///< PerChannel, PerBlock
    std::int64_t blockSize = 0; ///< PerBlock

    static Granularity perTensor() { return {}; }
    static Granularity perChannel(int axis) { return { Kind::PerChannel, axis, 0 }; }
    friend bool operator==(const Granularity&, const Granularity&) = default;
};

/// WHAT a quantizer may do; the numbers are in Encoding.
struct QuantizerConfig {
    int bits = 8; ///< minBits..maxBits
    bool symmetric = true; ///< zero point in the middle (signed: 0)
    Signedness signedness = Signedness::Auto;
    bool narrowRange = false; ///< signed: lowest level unused, so that the grid is symmetric
    Granularity granularity;
    Rounding rounding = Rounding::HalfEven;
    ScaleRestriction scale = ScaleRestriction::None;

    Result<void> validate() const; ///< bits outside 2..16 and the like
    Json toJson() const;
    static Result<QuantizerConfig> fromJson(const Json& json);
    friend bool operator==(const QuantizerConfig&, const QuantizerConfig&) = default;
};

/// How a range is found from what was seen.
struct RangeSpec {
    enum class Method { MinMax, Mse, Percentile, Entropy, Aciq, Sigma, Manual };
    /// What Aciq takes the values to be distributed like.
    enum class Density { BestFit, Gauss, Laplace };
    struct Percentiles {
        double low; ///< percent of all values
        double high;
    };

    Method method = Method::MinMax;
    double parameter = 0; ///< Percentile: P in percent, 0 where low and high say it; Sigma: K
    double low = 0; ///< Manual: the range; Percentile: the percentile at the low end
    double high = 0;
    Density density = Density::BestFit; ///< Aciq

    /// Percentile: at which percentiles the range ends; 100 - P and P, or low and high.
    Percentiles percentiles() const;
    /// "min-max", "mse", "percentile:99.9" (each tail loses 0.1 %), "percentile:0.01,99.99", "entropy", "aciq",
    /// "aciq:gauss", "aciq:laplace", "sigma:4", "manual:-1,1". InvalidInput says how to spell it.
    static Result<RangeSpec> parse(const std::string& text);
    std::string toString() const;
    friend bool operator==(const RangeSpec&, const RangeSpec&) = default;
};

/// "symmetric", "asymmetric", "power-of-two" (symmetric with a power-of-two scale) or "asymmetric-power-of-two" applied
/// to a config.
Result<void> applyScheme(QuantizerConfig& config, const std::string& scheme);
std::string schemeName(const QuantizerConfig& config);

Result<Rounding> parseRounding(const std::string& text);
std::string toString(Rounding rounding);
Result<Signedness> parseSignedness(const std::string& text); ///< "auto", "signed", "unsigned"
std::string toString(Signedness signedness);
Result<Granularity::Kind> parseGranularity(const std::string& text); ///< "tensor", "channel", "block"
std::string toString(Granularity::Kind granularity);
Result<bool> parseSwitch(const std::string& text); ///< "on", "off"

} // namespace quantoscope::quant
