// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/options.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include <CLI/CLI.hpp>

#include "core/quant/config.h"
#include "core/quant/option_texts.h"
#include "core/sweep/sweep.h"

namespace quantoscope::cli {

namespace {

constexpr const char* dataGroup = "Data and pre-processing";
constexpr const char* quantizationGroup = "Quantization";

/// Three values a channel from one or three.
Result<std::array<float, 3>> perChannel(const std::vector<float>& values, const std::string& option)
{
    if (values.size() == 1)
        return std::array<float, 3> { values[0], values[0], values[0] };
    if (values.size() == 3)
        return std::array<float, 3> { values[0], values[1], values[2] };
    return fail(ErrorCode::InvalidInput, "one value or three expected, got " + std::to_string(values.size()), option,
        "write " + option + " a,b,c");
}

Result<std::optional<int>> singleBits(const std::string& text, const std::string& option)
{
    QS_TRY(const auto bits, sweep::parseBits(text));
    if (bits.size() != 1)
        return fail(ErrorCode::InvalidInput, "one word-length expected, got '" + text + "'", option,
            "use the command sweep for several");
    return bits.front();
}

/// A whole number in words a person can read; CLI11's own checks print the largest double.
CLI::Validator wholeNumber(std::uint64_t least, std::uint64_t most)
{
    return CLI::Validator(
        [=](std::string& text) -> std::string {
            std::uint64_t value = 0;
            const char* end = text.data() + text.size();
            const auto read = std::from_chars(text.data(), end, value);
            if (read.ec == std::errc {} && read.ptr == end && value >= least && value <= most)
                return {};
            return "a whole number from " + std::to_string(least) + " to " + std::to_string(most) + " expected, got '"
                + text + "'";
        },
        "");
}

constexpr std::uint64_t mostImages = 1'000'000'000;
constexpr std::uint64_t largestSide = 65'535;

CLI::Option* addChoice(CLI::App& command, const std::string& name, std::string& value, const std::string& help,
    const std::vector<std::string>& choices)
{
    return command.add_option(name, value, help)->check(CLI::IsMember(choices));
}

std::vector<std::string> words(quant::OptionTexts texts)
{
    std::vector<std::string> list;
    for (const auto& text : texts)
        list.emplace_back(text.word);
    return list;
}

/// A paragraph for the end of the help: every choice with its sentence and formula.
std::string explain(const std::string& title, quant::OptionTexts texts)
{
    std::string paragraph = title + ":\n";
    for (const auto& text : texts) {
        ((paragraph += "  ") += text.spelling) += "\n";
        ((paragraph += "      ") += text.sentence) += "\n";
        if (!text.formula.empty())
            ((paragraph += "      ") += text.formula) += "\n";
    }
    return paragraph;
}

} // namespace

void CommonOptions::addTo(CLI::App& command)
{
    command.add_option("MODEL", model, "ONNX model")->required();
    command.add_flag("--json", json, "One JSON document on standard output, nothing else");
    command.add_option("--threads", threads, "Workers; default: all cores")->check(wholeNumber(1, 1024));
    command.add_option("--seed", seed, "Seed of everything random; default 0")
        ->check(wholeNumber(0, std::numeric_limits<std::uint64_t>::max()));
}

void DataOptions::addTo(CLI::App& command, bool dataRequired)
{
    const auto group = [](CLI::Option* option) { return option->group(dataGroup); };
    group(command.add_option("--data", data, "Labelled evaluation data"))->required(dataRequired);
    group(command.add_option("--data-kind", kind, "Kind of data; default: recognised"))
        ->check(CLI::IsMember({ "auto", "cifar10", "cifar100", "idx", "folder", "npz" }));
    group(command.add_option("--labels", labels, "Labels, where they are not found beside the images"));
    group(command.add_option("--calib", calibration, "Calibration data; default: the first images of --data"));
    group(command.add_option("--calib-count", calibrationCount, "Calibration images; default 256"))
        ->check(wholeNumber(1, mostImages));
    group(command.add_option("--limit", limit, "Evaluate at most N images, a sample drawn by --seed"))
        ->check(wholeNumber(1, mostImages));
    auto* named = group(command.add_option("--preprocess", preprocess, "imagenet, unit (x/255) or raw (0..255)"));
    named->check(CLI::IsMember({ "imagenet", "unit", "raw" }));
    group(command.add_option("--mean", mean, "Mean a channel: (x * scale - mean) / std"))
        ->delimiter(',')
        ->excludes(named);
    group(command.add_option("--std", std, "Standard deviation a channel"))->delimiter(',')->excludes(named);
    group(command.add_option("--scale", scale, "Factor before mean and std; default 1/255"))->excludes(named);
    group(command.add_option("--resize", resize, "Shorter side in pixels"))->check(wholeNumber(1, largestSide));
    group(command.add_option("--crop", crop, "Centre crop in pixels"))->check(wholeNumber(1, largestSide));
    group(command.add_option("--calib-resize", calibrationResize, "--resize for calibration images"))
        ->check(wholeNumber(1, largestSide));
    group(command.add_option("--calib-crop", calibrationCrop, "--crop for calibration images"))
        ->check(wholeNumber(1, largestSide));
    group(command.add_option("--channels", channels, "Channel order; default: by the model's input"))
        ->check(CLI::IsMember({ "rgb", "bgr", "gray" }));
    group(command.add_option("--layout", layout, "Order of the input's axes; default: by the model's input"))
        ->check(CLI::IsMember({ "nchw", "nhwc" }));
}

Result<dataset::Preprocessing> DataOptions::preprocessing(const dataset::Preprocessing& defaults) const
{
    dataset::Preprocessing result = defaults;
    if (describesScaling()) {
        QS_TRY(result, dataset::Preprocessing::named(preprocess.value_or("unit")));
        result.channels = defaults.channels;
        result.layout = defaults.layout;
        if (!preprocess)
            result.name = "custom";
        result.scale = scale.value_or(result.scale);
        if (!mean.empty()) {
            QS_TRY(result.mean, perChannel(mean, "--mean"));
        }
        if (!std.empty()) {
            QS_TRY(result.std, perChannel(std, "--std"));
        }
    }
    result.resize = resize;
    result.crop = crop;
    using dataset::Channels;
    if (channels)
        result.channels = *channels == "rgb" ? Channels::Rgb : *channels == "bgr" ? Channels::Bgr : Channels::Gray;
    if (layout)
        result.layout = *layout == "nchw" ? dataset::MemoryLayout::Nchw : dataset::MemoryLayout::Nhwc;
    QS_CHECK(result.validate());
    return result;
}

dataset::Preprocessing DataOptions::forCalibration(dataset::Preprocessing evaluation) const
{
    evaluation.resize = calibrationResize.value_or(evaluation.resize);
    evaluation.crop = calibrationCrop.value_or(evaluation.crop);
    return evaluation;
}

void QuantizationOptions::addTo(CLI::App& command, WordLengths wordLengths)
{
    const auto group = [](CLI::Option* option) { return option->group(quantizationGroup); };
    const bool grid = wordLengths == WordLengths::Grid;
    const std::string bits = grid ? ": 2..8, 4,8 or 2..8,float; default 2..8" : ": 2..16 or float; default 8";
    group(command.add_option("--weight-bits", weightBits, "Word-length of weights" + bits));
    group(command.add_option("--activation-bits", activationBits, "Word-length of activations" + bits));
    group(addChoice(command, "--scope", scope,
        "What is quantized: inputs and weights of compute layers, or every tensor", words(quant::scopeTexts())));
    const std::vector<std::string> granularities { "tensor", "channel" };
    group(
        addChoice(command, "--weight-granularity", weightGranularity, "One scale a tensor or channel", granularities));
    group(addChoice(
        command, "--activation-granularity", activationGranularity, "One scale a tensor or channel", granularities));
    const auto schemes = words(quant::schemeTexts());
    group(addChoice(command, "--weight-scheme", weightScheme, "Grid of weights", schemes));
    group(addChoice(command, "--activation-scheme", activationScheme, "Grid of activations", schemes));
    const auto ranges = [](const char* what) { return std::string(what) + quant::spellings(quant::rangeTexts()); };
    group(command.add_option("--weight-range", weightRange, ranges("How weight ranges are found: ")));
    group(command.add_option("--activation-range", activationRange, ranges("How activation ranges are found: ")));
    group(addChoice(
        command, "--rounding", rounding, "How values are rounded; default half-even", words(quant::roundingTexts())));
    group(command.add_option("--first-last-bits", firstLastBits, "Word-length of the first and the last compute layer"))
        ->check(CLI::Range(quant::minBits, quant::maxBits));
    group(command.add_option("--layer", layers, "NAME:w=4,a=8 for layers whose name matches; repeatable"))
        ->take_all()
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    group(addChoice(command, "--engine", engine, "Arithmetic of the simulation", { "auto", "float" }));
    command.footer(explain("Ranges", quant::rangeTexts()) + "\n" + explain("Schemes", quant::schemeTexts()) + "\n"
        + explain("Roundings", quant::roundingTexts()) + "\n" + explain("Scopes", quant::scopeTexts()));
}

Result<void> QuantizationOptions::applyTo(planning::TensorWish& wish, const std::string& bits,
    const std::string& scheme, const std::string& range, const std::string& granularity) const
{
    if (!bits.empty()) {
        QS_TRY(wish.bits, singleBits(bits, "word-length"));
    }
    if (!scheme.empty())
        wish.scheme = scheme;
    if (!range.empty()) {
        QS_TRY(wish.range, quant::RangeSpec::parse(range));
    }
    if (!granularity.empty())
        wish.perChannel = granularity == "channel";
    return {};
}

Result<planning::PlanRequest> QuantizationOptions::request(planning::PlanRequest base, WordLengths wordLengths) const
{
    const bool grid = wordLengths == WordLengths::Grid;
    planning::PlanRequest request = std::move(base);
    if (!scope.empty()) {
        QS_TRY(request.scope, quant::parseScope(scope));
    }
    QS_CHECK(applyTo(request.weights, grid ? "" : weightBits, weightScheme, weightRange, weightGranularity));
    QS_CHECK(applyTo(
        request.activations, grid ? "" : activationBits, activationScheme, activationRange, activationGranularity));
    if (!rounding.empty()) {
        QS_TRY(request.rounding, quant::parseRounding(rounding));
    }
    request.firstLastBits = firstLastBits;
    for (const auto& text : layers) {
        QS_TRY(auto parsed, planning::LayerOverride::parse(text));
        request.overrides.push_back(std::move(parsed));
    }
    QS_CHECK(request.validate());
    return request;
}

planning::ChangedTensors QuantizationOptions::changedTensors() const
{
    const bool both = !rounding.empty() || firstLastBits;
    const auto given = [](auto... texts) { return (!texts->empty() || ...); };
    return { both || given(&weightBits, &weightScheme, &weightRange, &weightGranularity),
        both || given(&activationBits, &activationScheme, &activationRange, &activationGranularity) };
}

bool QuantizationOptions::changeAnything() const
{
    const auto changed = changedTensors();
    return changed.weights || changed.activations || !layers.empty() || !scope.empty();
}

void PlanFileOptions::addTo(CLI::App& command)
{
    command.add_option("--plan", load, "Take the plan that --save-plan wrote; quantization options override it")
        ->group(quantizationGroup);
    command.add_option("--save-plan", save, "Write the plan: config and encoding of every tensor")
        ->group(quantizationGroup);
}

void GraphOptions::addTo(CLI::App& command)
{
    command
        .add_option("--fold-batch-norm", foldBatchNorm, "Fold batch normalisation into the layer before; default on")
        ->check(CLI::IsMember({ "on", "off" }))
        ->group(quantizationGroup);
}

} // namespace quantoscope::cli
