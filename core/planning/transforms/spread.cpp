// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/planning/transforms/spread.h"

#include <algorithm>
#include <cmath>

#include "core/planning/transforms/weight_rounding.h"

namespace quantoscope::planning {

namespace {

constexpr double largestGain = 4;

} // namespace

LayerMoments ownTargets(const LayerMatrix& matrix, const SecondMoments& inputs, const Tensor& wanted)
{
    LayerMoments moments;
    moments.targets = SecondMoments(matrix.groups(), matrix.rows(), inputs.columns());
    moments.inputs = inputs;
    const auto weight = wanted.as<float>();
    for (std::int64_t group = 0; group < matrix.groups(); ++group)
        for (std::int64_t row = 0; row < matrix.rows(); ++row) {
            double* products = moments.targets.of(group) + row * inputs.columns();
            double power = 0;
            for (std::int64_t column = 0; column < matrix.columns(); ++column) {
                const auto w
                    = static_cast<double>(weight[static_cast<std::size_t>(matrix.weightIndex(group, row, column))]);
                const double* hessian = inputs.of(group) + column * inputs.columns();
                for (std::int64_t i = 0; i < inputs.columns(); ++i)
                    products[i] += w * hessian[i];
            }
            for (std::int64_t column = 0; column < matrix.columns(); ++column)
                power += products[column]
                    * static_cast<double>(weight[static_cast<std::size_t>(matrix.weightIndex(group, row, column))]);
            moments.targetPower.push_back(power);
        }
    return moments;
}

void restoreGain(
    const LayerMatrix& matrix, const LayerMoments& moments, double exponent, quant::Encoding& encoding, Tensor& rounded)
{
    const WeightGrid grid(encoding, rounded.shape());
    std::vector<double> variance(encoding.scale.size());
    std::vector<double> covariance(encoding.scale.size());
    const auto values = rounded.as<float>();
    const std::int64_t constant = matrix.columns();
    for (std::int64_t group = 0; group < matrix.groups(); ++group)
        for (std::int64_t row = 0; row < matrix.rows(); ++row) {
            const std::size_t channel = grid.channelOf(matrix.weightIndex(group, row, 0));
            const double mean = moments.targets.at(group, row, constant);
            variance[channel]
                += moments.targetPower[static_cast<std::size_t>(group * matrix.rows() + row)] - mean * mean;
            for (std::int64_t column = 0; column < constant; ++column)
                covariance[channel]
                    += (moments.targets.at(group, row, column) - mean * moments.inputs.at(group, column, constant))
                    * static_cast<double>(values[static_cast<std::size_t>(matrix.weightIndex(group, row, column))]);
        }
    std::vector<std::int32_t> levels(values.size());
    encoding.rounding = quant::Rounding::HalfEven;
    quant::quantize(encoding, rounded.shape(), values, levels);
    for (std::size_t channel = 0; channel < variance.size(); ++channel) {
        if (!(variance[channel] > 0 && covariance[channel] > 0))
            continue;
        const double gain
            = std::clamp(std::pow(variance[channel] / covariance[channel], exponent), 1 / largestGain, largestGain);
        encoding.scale[channel] = static_cast<float>(static_cast<double>(encoding.scale[channel]) * gain);
    }
    quant::dequantize(encoding, rounded.shape(), levels, values);
}

} // namespace quantoscope::planning
