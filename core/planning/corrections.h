// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

namespace quantoscope::planning {

/// What is done to the weights and biases so that quantization hurts less. None of it looks at a label. buildPlan()
/// only carries them along; flow::Quantizer applies them.
struct Corrections {
    bool equalize = false; ///< cross-layer equalization of the float network, before calibration
    bool balance = false; ///< channels scaled so that the noise of these quantizers is least; instead of equalize
    bool absorbHighBias = false; ///< with equalize: what a channel never falls below moves into the next layer's bias
    bool compensate = false; ///< weights rounded so that later columns make up for the errors of earlier ones (GPTQ)
    bool adaptiveRounding = false; ///< each weight rounded up or down as the layer's output error asks
    bool reconstruct = false; ///< weights fitted to the float network's outputs on quantized inputs before rounding
    bool gain = false; ///< channel scales multiplied so that rounding does not shrink a channel's output
    bool bias = false; ///< biases shifted by the mean error of each channel

    bool any() const { return *this != Corrections {}; }
    /// "equalized, compensated, bias-corrected"; empty for none.
    std::string describe() const;
    friend bool operator==(const Corrections&, const Corrections&) = default;
};

} // namespace quantoscope::planning
