// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/quant/option_texts.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace quantoscope::quant {

namespace {

using Method = RangeSpec::Method;

constexpr std::array ranges {
    OptionText { "min-max", "min-max", "min-max",
        "The whole range that was seen: nothing is clipped, and one outlier can widen every step.",
        "low = min x, high = max x" },
    OptionText { "mse", "mse", "MSE",
        "The range with the least squared error: rare large values are clipped where finer steps for all others pay.",
        "low, high = argmin Σ (x − x̂)²" },
    OptionText { "percentile", "percentile:P or percentile:LO,HI", "percentile",
        "Each tail loses a fixed share of all values: 100 − P percent, or what lies below the LO-th and above the "
        "HI-th "
        "percentile.",
        "low = Q(LO), high = Q(HI); LO = 100 − P, HI = P" },
    OptionText { "entropy", "entropy", "entropy (KL)",
        "The range whose quantized distribution loses the least information against the full one, measured by the "
        "Kullback-Leibler divergence (Migacz 2017, TensorRT).",
        "low, high = argmin Σ p ln(p / q)" },
    OptionText { "aciq", "aciq, aciq:gauss or aciq:laplace", "ACIQ (analytic)",
        "The range with the least expected squared error for a Gauss or Laplace density with the moments that were "
        "seen, whichever fits better (Banner, Nahshan, Soudry 2019).",
        "low, high = μ ∓ c(b) σ, or μ ∓ c(b) E|x − μ|" },
    OptionText { "sigma", "sigma:K", "k standard deviations",
        "K standard deviations around the mean, never beyond what was seen.", "low, high = μ ∓ K σ" },
    OptionText { "manual", "manual:LOW,HIGH", "manual", "The range that is given, whatever was seen.",
        "low = LOW, high = HIGH" },
};

constexpr std::array schemes {
    OptionText { "symmetric", "symmetric", "symmetric",
        "Zero is the integer 0: signed levels for signed values, unsigned levels for values that are never negative.",
        "x̂ = s q, s = max |x| / qmax" },
    OptionText { "asymmetric", "asymmetric", "asymmetric",
        "A zero point shifts the unsigned grid so that both ends of the range are used; zero stays exact.",
        "x̂ = s (q − z), s = (high − low) / (2ᵇ − 1), z = round(−low / s)" },
    OptionText { "power-of-two", "power-of-two", "power of two",
        "Symmetric with a power of two as step, so that hardware scales by shifting: fixed-point numbers in Q format.",
        "x̂ = 2ᵏ q; Qm.n has n = −k fraction bits" },
    OptionText { "asymmetric-power-of-two", "asymmetric-power-of-two", "asymmetric, power of two",
        "A zero point shifts the unsigned grid, and the step is a power of two: scaling is a shift, and a range that "
        "lies to one side of zero still uses more levels.",
        "x̂ = 2ᵏ (q − z)" },
};

constexpr std::array grids {
    OptionText { "signed", "signed", "signed", "Two's complement integers, with one level more below zero than above.",
        "q = −2ᵇ⁻¹ … 2ᵇ⁻¹ − 1" },
    OptionText { "unsigned", "unsigned", "unsigned",
        "Integers from zero: all levels serve a tensor that is never negative, as after ReLU.", "q = 0 … 2ᵇ − 1" },
    OptionText { "narrow", "narrow", "signed, narrow",
        "Signed integers without the lowest one, so that the grid mirrors at zero.", "q = −2ᵇ⁻¹ + 1 … 2ᵇ⁻¹ − 1" },
};

constexpr std::array granularities {
    OptionText { "tensor", "tensor", "per tensor", "One scale for the whole tensor: every runtime computes it.",
        "x̂ = s (q − z)" },
    OptionText { "channel", "channel", "per channel",
        "One scale for each channel, so that small channels keep their resolution; for weights it costs nothing at run "
        "time.",
        "x̂ = s[c] (q − z[c])" },
    OptionText { "block", "block", "per block",
        "One scale for each run of neighbouring values within a channel: the finest, and the dearest to store.",
        "x̂ = s[c, ⌊i / B⌋] q" },
};

constexpr std::array roundings {
    OptionText { "half-even", "half-even", "to nearest, ties to even",
        "The nearest level, the even one of two that are equally near: unbiased, and what ONNX defines.",
        "|x − x̂| ≤ s / 2" },
    OptionText { "half-away", "half-away", "to nearest, ties away from zero",
        "The nearest level, the one farther from zero of two that are equally near.", "|x − x̂| ≤ s / 2" },
    OptionText { "floor", "floor", "down",
        "The level below, as dropping bits does: every value loses half a step on average.", "x̂ = s ⌊x / s⌋" },
    OptionText { "ceil", "ceil", "up", "The level above: every value gains half a step on average.", "x̂ = s ⌈x / s⌉" },
    OptionText { "stochastic", "stochastic", "stochastic",
        "Up or down by chance, so that every value is right on average at twice the noise; the seed fixes the draw.",
        "P(up) = x / s − ⌊x / s⌋" },
};

constexpr std::array scopes {
    OptionText { "compute", "compute", "compute layers",
        "Weights and inputs of convolutions and matrix products are quantized; everything between them, and the bias, "
        "stays float.",
        "" },
    OptionText { "integer", "integer", "integer only",
        "Every tensor from the image to the output is quantized, as an integer-only device computes it, with 32-bit "
        "biases.",
        "s_bias = s_x s_w" },
};

constexpr std::array corrections {
    OptionText { "fold-batch-norm", "--fold-batch-norm on|off", "batch-norm folding",
        "Batch norm becomes part of the weights and bias before it, as every runtime does.",
        "w ← w γ / √(σ² + ε), b ← (b − μ) γ / √(σ² + ε) + β" },
    OptionText { "equalize", "--equalize", "cross-layer equalization",
        "Moves scale from channels with large weights into the following layer, which leaves the float network as it "
        "was and evens out the ranges (Nagel et al. 2019).",
        "s = √(r₁ / r₂); w₁ ← w₁ / s, w₂ ← w₂ s" },
    OptionText { "balance", "--balance", "channel balancing",
        "Scales channels of activations, which the weights on both sides take up exactly, by the factors that make the "
        "noise of weights' and activations' quantizers together least at the word-lengths chosen.",
        "min Σ noise(f); w₁ ← f w₁, w₂ ← w₂ / f" },
    OptionText { "absorb-high-bias", "--absorb-high-bias", "high-bias absorption",
        "Moves the part of an activation that was there on every calibration image into the next layer's bias, which "
        "narrows the activation's range (Nagel et al. 2019).",
        "c = max(0, min y); b₁ ← b₁ − c, b₂ ← b₂ + W₂ c" },
    OptionText { "compensate", "--compensate", "error-compensating rounding",
        "Rounds weights one after the other and lets those that follow make up for each error, by the correlations of "
        "the layer's inputs (GPTQ, Frantar et al. 2022).",
        "min ‖(W − Ŵ) X‖², H = 2 X Xᵀ" },
    OptionText { "adaptive-rounding", "--adaptive-rounding", "adaptive rounding",
        "Goes on from error-compensating rounding: moves each weight to the level that leaves the layer's output "
        "closest while all others stay, until nothing moves (coordinate descent; QuantEase, Behdin et al. 2023).",
        "min ‖(W − Ŵ) X‖², one element of Ŵ at a time" },
    OptionText { "reconstruct", "--reconstruct", "layer reconstruction",
        "Fits each layer's weights and bias, before they are rounded, to what the layer puts out in the float network, "
        "from what it reads in the quantized one; no label is looked at (as GPTAQ, Li et al. 2025).",
        "min ‖y − W x̂‖² + λ ‖W − W_float‖²" },
    OptionText { "gain-correction", "--gain-correction", "gain correction",
        "Gives each channel back the energy that clipping and rounding its weights took from it.",
        "s[c] ← s[c] ⟨w, w⟩ / ⟨w, ŵ⟩" },
    OptionText { "bias-correction", "--bias-correction", "bias correction",
        "Takes the mean error that quantization causes in each output channel, seen on calibration images, off the "
        "bias "
        "(Nagel et al. 2019).",
        "b ← b − E[ŷ − y]" },
    OptionText { "flow-best", "--flow best", "best flow",
        "Tries ranges and corrections for this model and keeps each only if agreement with the float model on "
        "held-back calibration images does not fall.",
        "" },
};

template <typename Enum, std::size_t size> const OptionText& at(const std::array<OptionText, size>& texts, Enum value)
{
    const auto index = static_cast<std::size_t>(value);
    assert(index < size);
    return texts[index];
}

} // namespace

std::string OptionText::tip() const
{
    std::string text(sentence);
    if (!formula.empty())
        (text += '\n') += formula;
    return text;
}

OptionTexts rangeTexts() { return ranges; }
OptionTexts schemeTexts() { return schemes; }
OptionTexts gridTexts() { return grids; }
OptionTexts granularityTexts() { return granularities; }
OptionTexts roundingTexts() { return roundings; }
OptionTexts scopeTexts() { return scopes; }
OptionTexts correctionTexts() { return corrections; }

const OptionText& describe(Method method) { return at(ranges, method); }
const OptionText& describe(Granularity::Kind granularity) { return at(granularities, granularity); }
const OptionText& describe(Rounding rounding) { return at(roundings, rounding); }
const OptionText& describe(Scope scope) { return at(scopes, scope); }

const OptionText* findText(OptionTexts texts, std::string_view word)
{
    const auto found = std::ranges::find(texts, word, &OptionText::word);
    return found == texts.end() ? nullptr : &*found;
}

std::string spellings(OptionTexts texts)
{
    std::string list;
    for (const auto& text : texts)
        (list += list.empty() ? "" : ", ") += text.spelling;
    return list;
}

} // namespace quantoscope::quant
