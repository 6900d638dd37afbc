// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "core/calibration/stats.h"
#include "core/graph/graph.h"
#include "core/planning/transforms/channel_classes.h"
#include "core/quant/plan.h"

namespace quantoscope::planning {

/// How much noise a plan's quantizers would add to the outputs of the layers, as a function of the factors that the
/// channels of activations are multiplied with. Every layer's noise counts as a share of its outputs' variance:
///     J = sum over layers (1 / S) [ A^2 / 12 n_a^2 sum_c |w_c|^2 / f_c^2  +  sum_o R_o^2 / 12 n_w^2 sum_c f_c^2
///     E[x_c^2] ]
/// A: extent of the layer's quantized input after scaling, from the range that each channel would get by itself. R_o:
/// extent of the weights of output channel o (of all, where they share one scale). n: levels. In Scope::Integer what
/// is added, pooled or concatenated on the way is charged with the noise of its own quantizer likewise. Maxima are
/// softened to 16-norms so that J has a gradient.
class NoiseModel {
public:
    /// `plan` quantizes `graph`, and `stats` are of it, channels apart. Tensors without statistics of their channels
    /// are left out, and the classes of their channels are not movable().
    NoiseModel(const graph::Graph& graph, const ChannelClasses& classes, const calibration::CalibrationStats& stats,
        const quant::QuantizationPlan& plan);

    /// J, and its derivative by the logarithm of every class' factor; `logFactors` has one element a class.
    double evaluate(const std::vector<double>& logFactors, std::vector<double>& gradient) const;
    /// Classes whose factor changes J and nothing that is not known.
    const std::vector<bool>& movable() const { return m_movable; }
    bool empty() const { return m_activations.empty() && m_weights.empty(); }

private:
    /// The quantizer of one activation.
    struct ActivationTerm {
        std::vector<int> classes; ///< by channel
        std::vector<double> high; ///< range of each channel by itself, before scaling
        std::vector<double> low; ///< as a positive number
        std::vector<double> gains; ///< what noise in a channel adds to relative output noise of the layers behind
        double steps = 0; ///< 1 / (12 n^2)
    };
    /// The quantizer of one weight.
    struct WeightTerm {
        std::vector<int> inputs; ///< classes by input channel, all groups
        std::vector<int> outputs; ///< by output channel; empty where scales are per channel and their factors cancel
        std::vector<double> importance; ///< of noise in an output channel to the layers behind; empty where outputs is
        std::vector<float> largest; ///< [output, input of the group]: |w|, the largest over the kernel's places
        std::vector<double> power; ///< E[x^2] by input channel, times the kernel's places
        std::int64_t columns = 0; ///< input channels of a group
        std::int64_t rowsOfGroup = 0;
        double steps = 0; ///< 1 / (12 n^2 S)
    };

    void addWeight(const graph::Graph& graph, const ChannelClasses& classes, const ScalableLayer& layer,
        const std::vector<calibration::Moments>& input, const quant::TensorQuantizer& quantizer, double signal);
    void addOutputs(const std::vector<int>& channelClasses, double signal, const std::vector<double>& gainsOfClass);
    void addActivations(const graph::Graph& graph, const ChannelClasses& classes,
        const calibration::CalibrationStats& stats, const quant::QuantizationPlan& plan,
        const std::map<graph::ValueId, std::vector<double>>& gainsOfInput, const std::vector<double>& gainsOfClass);
    void freeze(const std::vector<int>& channelClasses);

    class WeightNoise;

    static double add(const ActivationTerm& term, const std::vector<double>& factors, std::vector<double>& gradient);
    static double add(const WeightTerm& term, const std::vector<double>& factors, std::vector<double>& gradient);

    std::vector<ActivationTerm> m_activations;
    std::vector<WeightTerm> m_weights;
    std::vector<bool> m_movable;
};

} // namespace quantoscope::planning
