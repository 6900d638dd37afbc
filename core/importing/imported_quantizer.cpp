// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/importing/imported_quantizer.h"

#include <algorithm>
#include <set>

namespace quantoscope::importing {

using quant::Encoding;
using quant::Role;

namespace {

quant::QuantizerConfig configOf(const Encoding& encoding)
{
    quant::QuantizerConfig config;
    const auto allZeroPointsAre
        = [&](std::int32_t z) { return std::ranges::all_of(encoding.zeroPoint, [z](auto zero) { return zero == z; }); };
    const bool isSigned = encoding.isSigned();
    config.bits = std::clamp(encoding.bits(), quant::minBits, quant::maxBits);
    config.symmetric = allZeroPointsAre(isSigned ? 0 : (encoding.qmax + 1) / 2);
    config.signedness = isSigned ? quant::Signedness::Signed : quant::Signedness::Unsigned;
    config.narrowRange = isSigned && encoding.qmin == -encoding.qmax;
    if (encoding.perChannel())
        config.granularity = quant::Granularity::perChannel(encoding.axis);
    config.rounding = encoding.rounding;
    return config;
}

/// "W4", "W4..8", "W float"
std::string widths(const quant::QuantizationPlan& plan, Role role, const std::string& letter)
{
    std::set<int> bits;
    for (const auto& [name, quantizer] : plan.tensors())
        if (quantizer.role == role)
            bits.insert(quantizer.encoding.bits());
    if (bits.empty())
        return letter + " float";
    const auto first = letter + std::to_string(*bits.begin());
    return bits.size() == 1 ? first : first + ".." + std::to_string(*bits.rbegin());
}

} // namespace

quant::TensorQuantizer importedQuantizer(const Encoding& encoding, Role role)
{
    quant::TensorQuantizer quantizer;
    quantizer.role = role;
    quantizer.encoding = encoding;
    if (role == Role::Bias)
        return quantizer;
    quantizer.config = configOf(encoding);
    quantizer.range.method = quant::RangeSpec::Method::Manual;
    quantizer.range.low = encoding.low(0);
    quantizer.range.high = encoding.high(0);
    for (std::size_t c = 1; c < encoding.scale.size(); ++c) {
        quantizer.range.low = std::min<double>(quantizer.range.low, encoding.low(c));
        quantizer.range.high = std::max<double>(quantizer.range.high, encoding.high(c));
    }
    return quantizer;
}

std::string describeWidths(const quant::QuantizationPlan& plan)
{
    return widths(plan, Role::Weight, "W") + ", " + widths(plan, Role::Activation, "A") + " "
        + quant::toString(plan.scope);
}

} // namespace quantoscope::importing
