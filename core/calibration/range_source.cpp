// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/calibration/range_source.h"

#include "core/calibration/analytic_range.h"
#include "core/calibration/entropy_range.h"

namespace quantoscope::calibration::detail {

Range estimateRange(
    const RangeSource& source, const quant::QuantizerConfig& config, const quant::RangeSpec& spec, bool isSigned)
{
    using Method = quant::RangeSpec::Method;
    switch (spec.method) {
    case Method::MinMax:
        return source.seen();
    case Method::Mse:
        return source.leastSquares(config, isSigned);
    case Method::Percentile: {
        const auto [low, high] = spec.percentiles();
        return source.seen().limit({ source.quantile(low / 100), source.quantile(high / 100) });
    }
    case Method::Entropy:
        return entropyRange(source.histogram(), config, isSigned, source.seen());
    case Method::Aciq:
        return aciqRange(source.summary(), config, isSigned, spec.density);
    case Method::Sigma:
        return sigmaRange(source.summary(), spec.parameter);
    case Method::Manual:
        break;
    }
    return { spec.low, spec.high };
}

} // namespace quantoscope::calibration::detail
