// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/options.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include <CLI/CLI.hpp>

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
constexpr std::uint64_t mostMebibytes = 1U << 24U;

/// A size in pixels as Size, dataset::Resize or dataset::Extent, reads it.
template <typename Size> CLI::Validator pixels()
{
    return CLI::Validator(
        [](std::string& text) -> std::string {
            const auto size = Size::parse(text);
            return size ? std::string() : size.error().message();
        },
        "");
}

template <typename Size> Result<void> put(const std::optional<std::string>& text, Size& into)
{
    if (!text)
        return {};
    QS_TRY(into, Size::parse(*text));
    return {};
}

} // namespace

void CommonOptions::addTo(CLI::App& command)
{
    command.add_option("MODEL", model, "ONNX model")->required();
    command.add_flag("--json", json, "One JSON document on standard output, nothing else");
    command.add_option("--threads", threads, "Workers; default: all cores")->check(wholeNumber(1, 1024));
    command
        .add_option("--memory", memory,
            "MiB for kernels and values that evaluations leave for each other; default 1024. Figures do not depend on "
            "it")
        ->check(wholeNumber(0, mostMebibytes));
    command.add_option("--seed", seed, "Seed of everything random; default 0")
        ->check(wholeNumber(0, std::numeric_limits<std::uint64_t>::max()));
    command.add_flag("--no-cache", noCache,
        "Collect calibration statistics anew, and keep none; so does the environment variable QUANTOSCOPE_NO_CACHE");
    project.addTo(command);
}

void DataOptions::addTo(CLI::App& command, bool dataRequired)
{
    const auto group = [](CLI::Option* option) { return option->group(dataGroup); };
    group(command.add_option("--data", data, "Labelled evaluation data"))->required(dataRequired);
    group(command.add_option("--data-kind", kind, "Kind of data; default: recognised"))
        ->check(CLI::IsMember({ "auto", "cifar10", "cifar100", "idx", "folder", "npz" }));
    group(command.add_option("--labels", labels, "Labels, where they are not found beside the images"));
    group(command.add_option("--classes", classes,
        "Class names, one a line in the order of the labels, where they are not found beside the images"));
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
    group(command.add_option("--resize", resize, "Shorter side in pixels, or both: width x height, 320x240"))
        ->check(pixels<dataset::Resize>());
    group(command.add_option("--crop", crop, "Centre crop in pixels: a side, 224, or width x height, 320x240"))
        ->check(pixels<dataset::Extent>());
    group(command.add_option("--calib-resize", calibrationResize, "--resize for calibration images"))
        ->check(pixels<dataset::Resize>());
    group(command.add_option("--calib-crop", calibrationCrop, "--crop for calibration images"))
        ->check(pixels<dataset::Extent>());
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
    QS_CHECK(put(resize, result.resize));
    QS_CHECK(put(crop, result.crop));
    using dataset::Channels;
    if (channels)
        result.channels = *channels == "rgb" ? Channels::Rgb : *channels == "bgr" ? Channels::Bgr : Channels::Gray;
    if (layout)
        result.layout = *layout == "nchw" ? dataset::MemoryLayout::Nchw : dataset::MemoryLayout::Nhwc;
    QS_CHECK(result.validate());
    return result;
}

Result<dataset::Preprocessing> DataOptions::forCalibration(dataset::Preprocessing evaluation) const
{
    QS_CHECK(put(calibrationResize, evaluation.resize));
    QS_CHECK(put(calibrationCrop, evaluation.crop));
    return evaluation;
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
