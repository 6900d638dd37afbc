// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/containers.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdio>
#include <limits>
#include <utility>

#include "core/exporting/plan_writer.h"
#include "core/exporting/runtime_fusions.h"

namespace quantoscope::exporting {

using quant::Role;
using quant::TensorQuantizer;

namespace {

template <typename Enum, std::size_t Count> using Words = std::array<std::pair<Enum, const char*>, Count>;

constexpr Words<Format, 5> formatWords { { { Format::Qdq, "qdq" }, { Format::Qonnx, "qonnx" },
    { Format::Float, "float" }, { Format::Encodings, "encodings" }, { Format::Csv, "csv" } } };
constexpr Words<Containers, 2> containerWords { { { Containers::Portable, "portable" },
    { Containers::Native, "native" } } };

template <typename Enum, std::size_t Count>
Result<Enum> parse(const Words<Enum, Count>& words, const std::string& text, const std::string& subject)
{
    std::string known;
    for (const auto& [value, word] : words) {
        if (text == word)
            return value;
        known += (known.empty() ? "" : ", ") + std::string(word);
    }
    return fail(ErrorCode::InvalidInput, subject + " '" + text + "' is not known", {}, "use one of " + known);
}

template <typename Enum, std::size_t Count> std::string wordOf(const Words<Enum, Count>& words, Enum value)
{
    const auto it = std::ranges::find(words, value, &std::pair<Enum, const char*>::first);
    assert(it != words.end());
    return it->second;
}

/// Elements for one image: extents that stay symbolic count as 1.
std::int64_t elementsOf(const graph::ValueType& type)
{
    std::int64_t elements = 1;
    for (const auto& dim : type.dims.value_or(graph::Dims {}))
        elements *= dim.known() ? dim.value : 1;
    return elements;
}

std::string qdqExecution(const TensorQuantizer& quantizer, const Container& container, bool isConstant)
{
    const int bits = quantizer.encoding.bits();
    const std::string type(tensor::name(container.dtype));
    if (quantizer.role == Role::Bias)
        return "int32 accumulator";
    if (container.isNativelyPacked())
        return type + " where the runtime has kernels for it, otherwise unpacked";
    const bool clipped = quantizer.encoding.qmin > container.low || quantizer.encoding.qmax < container.high;
    if (!clipped)
        return type;
    const std::string suffix = " restricted to " + std::to_string(bits) + " bits";
    if (isConstant)
        return type + ", values" + suffix;
    return type + suffix + (container.isWide() ? " by Max and Min" : " by Clip");
}

TensorContainer describe(
    const std::string& name, const graph::Value& value, const TensorQuantizer& quantizer, Format format, Containers use)
{
    const bool isConstant = value.constant != nullptr;
    TensorContainer entry;
    entry.tensor = name;
    entry.role = quantizer.role;
    entry.logicalBits = quantizer.encoding.bits();
    entry.elements = isConstant ? value.constant->size() : elementsOf(value.type);
    entry.logicalBytes = static_cast<double>(entry.elements) * entry.logicalBits / 8;
    auto dtype = DType::Float32;
    switch (format) {
    case Format::Qdq: {
        const auto container = containerFor(quantizer, isConstant, use);
        dtype = container.dtype;
        entry.executes = qdqExecution(quantizer, container, isConstant);
        break;
    }
    case Format::Qonnx:
        entry.executes
            = "float32 rounded to " + std::to_string(entry.logicalBits) + " bits; integers after a compiler for FPGAs";
        break;
    case Format::Float:
        entry.executes = isConstant ? "float32 with quantized values" : "float32, not quantized";
        break;
    case Format::Encodings:
    case Format::Csv:
        entry.executes = "as the tool that reads the encodings does";
        break;
    }
    entry.container = isModel(format) ? std::string(tensor::name(dtype)) : "none";
    if (isConstant && isModel(format))
        entry.bytesOnDisk = tensor::byteSize(dtype, static_cast<std::size_t>(entry.elements));
    return entry;
}

/// "713.6 MB": the largest decimal unit of which there is at least one, but no less than kB.
std::string sizeText(double bytes)
{
    const char* const units[] = { "kB", "MB", "GB", "TB" };
    std::size_t unit = 0;
    double value = bytes / 1000;
    while (value >= 999.95 && unit + 1 < std::size(units)) {
        value /= 1000;
        ++unit;
    }
    char text[32];
    std::snprintf(text, sizeof text, "%.1f %s", value, units[unit]);
    return text;
}

} // namespace

Result<Format> parseFormat(const std::string& text) { return parse(formatWords, text, "format"); }
std::string toString(Format format) { return wordOf(formatWords, format); }
bool isModel(Format format) { return format == Format::Qdq || format == Format::Qonnx || format == Format::Float; }
Result<Containers> parseContainers(const std::string& text) { return parse(containerWords, text, "containers"); }
std::string toString(Containers containers) { return wordOf(containerWords, containers); }

Container containerFor(const TensorQuantizer& quantizer, bool isConstant, Containers use)
{
    const auto& encoding = quantizer.encoding;
    if (quantizer.role == Role::Bias)
        return { DType::Int32, std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max() };
    constexpr std::array containers {
        Container { DType::UInt4, 0, 15 },
        Container { DType::Int4, -8, 7 },
        Container { DType::UInt8, 0, 255 },
        Container { DType::Int8, -128, 127 },
        Container { DType::UInt16, 0, 65535 },
        Container { DType::Int16, -32768, 32767 },
    };
    const auto fits = [&](const Container& c) {
        if (c.isNativelyPacked()
            && (use == Containers::Portable || (!isConstant && (c.low != encoding.qmin || c.high != encoding.qmax))))
            return false;
        return c.low <= encoding.qmin && encoding.qmax <= c.high;
    };
    const auto it = std::ranges::find_if(containers, fits);
    assert(it != containers.end());
    return *it;
}

ContainerReport describeContainers(
    const graph::Graph& prepared, const quant::QuantizationPlan& plan, Format format, Containers use)
{
    ContainerReport report;
    report.scope = plan.scope;
    for (const auto& [name, quantizer] : plan.tensors()) {
        const auto value = prepared.find(name);
        if (!value)
            continue;
        auto entry = describe(name, prepared.value(*value), quantizer, format, use);
        if (prepared.isConstant(*value)) {
            report.logicalBytes += entry.logicalBytes;
            report.bytesOnDisk += entry.bytesOnDisk;
            report.floatBytes += static_cast<std::uint64_t>(entry.elements) * sizeof(float);
        }
        report.tensors.push_back(std::move(entry));
    }
    if (format == Format::Qdq) {
        const auto layers = integerLayers(prepared, plan, use);
        report.layers = layers.all;
        report.integerLayers = layers.integer;
    }
    if (isModel(format))
        report.opset = std::max(prepared.opset(), requiredOpset(plan, prepared, format, use));
    return report;
}

std::string ContainerReport::describe() const
{
    const bool isFile = opset > 0;
    std::string text = "Quantized constants: " + sizeText(logicalBytes) + " at their word-lengths, "
        + (isFile ? sizeText(static_cast<double>(bytesOnDisk)) + " in the file, " : std::string())
        + sizeText(static_cast<double>(floatBytes)) + " as float32.";
    // A percent is what rounding up to whole bytes may come to in small tensors.
    if (isFile && static_cast<double>(bytesOnDisk) > 1.01 * logicalBytes)
        text += " The file's element types are wider than the word-lengths.";
    if (layers > 0)
        text += " ONNX Runtime computes " + std::to_string(integerLayers) + " of " + std::to_string(layers)
            + " layers in integers" + (integerLayers < layers ? ", the others in float from integers." : ".");
    // A runtime that rounds them all the same computes something else, and on processors is no faster than float.
    if (layers > integerLayers && scope == quant::Scope::Compute)
        text += " In the scope 'compute' biases are float, so layers that have one are computed in float; the scope "
                "'integer' makes integers of both.";
    return text;
}

} // namespace quantoscope::exporting
