// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/exporting/containers.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdio>
#include <cstddef>
#include <limits>
#include <map>
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

/// "102.1 kB, 1,083.6 kB": sizes that are compared stand in one unit, the largest of which each has at least one, but
/// no less than kB.
class Sizes {
public:
    explicit Sizes(double least)
    {
        while (least / m_divisor >= 999.95 && m_unit + 1 < m_units.size()) {
            m_divisor *= 1000;
            ++m_unit;
        }
    }

    std::string text(double bytes) const
    {
        char digits[32];
        std::snprintf(digits, sizeof digits, "%.1f", bytes / m_divisor);
        std::string text = digits;
        for (auto end = static_cast<std::ptrdiff_t>(text.find('.')) - 3; end > 0; end -= 3)
            text.insert(static_cast<std::size_t>(end), 1, ',');
        return text + ' ' + m_units[m_unit];
    }

private:
    static constexpr std::array<const char*, 4> m_units { "kB", "MB", "GB", "TB" };
    std::size_t m_unit = 0;
    double m_divisor = 1000;
};

/// For every tensor that is read: the place in the network at which it first is, and what its readers compute in.
class Readers {
public:
    Readers(const graph::Graph& prepared, const std::vector<LayerArithmetic>& layers)
        : m_prepared(prepared)
    {
        std::size_t place = 0;
        const auto order = prepared.topologicalOrder();
        for (const auto node : order ? *order : prepared.nodes())
            for (const auto value : prepared.node(node).inputs)
                if (value.valid())
                    m_places.emplace(value, place++);
        for (const auto& [layer, inFloat] : layers)
            for (const auto value : { layer.input, layer.secondInput, layer.weight, layer.bias })
                if (value.valid())
                    m_layers[value].push_back(&inFloat);
    }

    std::size_t place(const std::string& tensor) const
    {
        const auto found = m_places.find(*m_prepared.find(tensor));
        return found == m_places.end() ? m_places.size() : found->second;
    }

    std::string computedIn(graph::ValueId value) const
    {
        const auto found = m_layers.find(value);
        if (found == m_layers.end())
            return {};
        const auto& readers = found->second;
        const auto integer = std::ranges::count_if(readers, [](const std::string* why) { return why->empty(); });
        if (integer == std::ssize(readers))
            return "integers";
        if (integer > 0)
            return "integers in " + std::to_string(integer) + " of " + std::to_string(readers.size()) + " layers";
        return "float, because " + *readers.front();
    }

private:
    const graph::Graph& m_prepared;
    std::map<graph::ValueId, std::size_t> m_places;
    std::map<graph::ValueId, std::vector<const std::string*>> m_layers;
};

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
    const auto layers = format == Format::Qdq ? layerArithmetic(prepared, plan, use) : std::vector<LayerArithmetic>();
    report.layers = static_cast<int>(layers.size());
    for (const auto& layer : layers)
        report.integerLayers += layer.inFloat.empty();
    const Readers readers(prepared, layers);
    for (const auto& [name, quantizer] : plan.tensors()) {
        const auto value = prepared.find(name);
        if (!value)
            continue;
        auto entry = describe(name, prepared.value(*value), quantizer, format, use);
        entry.computedIn = readers.computedIn(*value);
        if (prepared.isConstant(*value)) {
            report.logicalBytes += entry.logicalBytes;
            report.bytesOnDisk += entry.bytesOnDisk;
            report.floatBytes += static_cast<std::uint64_t>(entry.elements) * sizeof(float);
        }
        report.tensors.push_back(std::move(entry));
    }
    std::ranges::stable_sort(
        report.tensors, {}, [&](const TensorContainer& entry) { return readers.place(entry.tensor); });
    if (isModel(format))
        report.opset = std::max(prepared.opset(), requiredOpset(plan, prepared, format, use));
    return report;
}

std::string ContainerReport::describe() const
{
    const bool isFile = opset > 0;
    const Sizes sizes(logicalBytes);
    std::string text = "Quantized constants: " + sizes.text(logicalBytes) + " at their word-lengths, "
        + (isFile ? sizes.text(static_cast<double>(bytesOnDisk)) + " in the file, " : std::string())
        + sizes.text(static_cast<double>(floatBytes)) + " as float32.";
    // A percent is what rounding up to whole bytes may come to in small tensors.
    if (isFile && static_cast<double>(bytesOnDisk) > 1.01 * logicalBytes)
        text += " The file's element types are wider than the word-lengths.";
    if (layers > 0)
        text += " ONNX Runtime computes " + std::to_string(integerLayers) + " of " + std::to_string(layers)
            + " layers in integers"
            + (integerLayers < layers ? ", the others in float from the integers of the file." : ".");
    // A runtime that rounds them all the same computes something else, and on processors is no faster than float.
    if (layers > integerLayers && scope == quant::Scope::Compute)
        text += " In the scope 'compute' biases are float, so layers that have one are computed in float; the scope "
                "'integer' makes integers of both.";
    return text;
}

} // namespace quantoscope::exporting
