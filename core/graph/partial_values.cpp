// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/partial_values.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <map>

#include "core/graph/onnx_types.h"

namespace quantoscope::graph {

namespace {

/// Shapes have a handful of elements; longer integer tensors are data.
constexpr std::int64_t longest = 64;

using Derivation = std::optional<Elements> (*)(const PartialValues&, const Graph&, const Node&);

std::optional<Elements> inputElements(const PartialValues& values, const Graph& graph, const Node& node, std::size_t i)
{
    return node.hasInput(i) ? values.of(graph, node.inputs[i]) : std::nullopt;
}

std::optional<std::vector<std::int64_t>> inputNumbers(
    const PartialValues& values, const Graph& graph, const Node& node, std::size_t i)
{
    const auto elements = inputElements(values, graph, node, i);
    if (!elements)
        return std::nullopt;
    std::vector<std::int64_t> numbers;
    for (const Element& element : *elements) {
        if (!element.value)
            return std::nullopt;
        numbers.push_back(*element.value);
    }
    return numbers;
}

Element toElement(const Dim& dim)
{
    return dim.known() ? Element { dim.value, {} } : Element { std::nullopt, dim.symbol };
}

std::optional<Elements> ofShape(const PartialValues&, const Graph& graph, const Node& node)
{
    const auto& dims = graph.value(node.inputs[0]).type.dims;
    if (!dims)
        return std::nullopt;
    const auto rank = static_cast<std::int64_t>(dims->size());
    const auto bound = [rank](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank); };
    const std::int64_t start = bound(node.intAttribute("start", 0));
    const std::int64_t end = std::max(start, bound(node.intAttribute("end", rank)));
    Elements elements;
    for (std::int64_t i = start; i < end; ++i)
        elements.push_back(toElement((*dims)[static_cast<std::size_t>(i)]));
    return elements;
}

std::optional<Elements> ofSize(const PartialValues&, const Graph& graph, const Node& node)
{
    const auto shape = graph.value(node.inputs[0]).type.shape();
    const auto size = shape ? shape->checkedSize() : Result<std::int64_t>(-1);
    return size && *size >= 0 ? std::optional(Elements { { *size, {} } }) : std::nullopt;
}

/// Operators that hand the elements on as they are.
std::optional<Elements> ofSame(const PartialValues& values, const Graph& graph, const Node& node)
{
    return inputElements(values, graph, node, 0);
}

std::optional<Elements> ofCast(const PartialValues& values, const Graph& graph, const Node& node)
{
    const auto to = dtypeFromOnnx(node.intAttribute("to", 0));
    if (to != DType::Int64 && to != DType::Int32)
        return std::nullopt;
    return inputElements(values, graph, node, 0);
}

std::optional<Elements> ofConcat(const PartialValues& values, const Graph& graph, const Node& node)
{
    Elements joined;
    for (const ValueId input : node.inputs) {
        if (!input.valid())
            return std::nullopt;
        const auto& type = graph.value(input).type;
        auto part = values.of(graph, input);
        if (!part && type.dims && type.dims->size() == 1 && type.dims->front().known()
            && type.dims->front().value <= longest)
            part = Elements(static_cast<std::size_t>(type.dims->front().value));
        if (!part)
            return std::nullopt;
        joined.insert(joined.end(), part->begin(), part->end());
    }
    return joined;
}

std::optional<Elements> ofGather(const PartialValues& values, const Graph& graph, const Node& node)
{
    const auto data = inputElements(values, graph, node, 0);
    const auto indices = inputNumbers(values, graph, node, 1);
    if (!data || !indices)
        return std::nullopt;
    Elements picked;
    for (std::int64_t index : *indices) {
        index += index < 0 ? static_cast<std::int64_t>(data->size()) : 0;
        if (index < 0 || index >= static_cast<std::int64_t>(data->size()))
            return std::nullopt;
        picked.push_back((*data)[static_cast<std::size_t>(index)]);
    }
    return picked;
}

/// starts, ends or steps of a Slice: an attribute up to opset 9, an input since.
std::optional<std::int64_t> sliceBound(const PartialValues& values, const Graph& graph, const Node& node,
    std::string_view key, std::size_t input, std::int64_t fallback)
{
    if (!node.hasAttribute(key) && !node.hasInput(input))
        return fallback;
    const auto numbers
        = node.hasAttribute(key) ? std::optional(node.intsAttribute(key)) : inputNumbers(values, graph, node, input);
    return numbers && numbers->size() == 1 ? std::optional(numbers->front()) : std::nullopt;
}

std::optional<Elements> ofSlice(const PartialValues& values, const Graph& graph, const Node& node)
{
    const auto data = inputElements(values, graph, node, 0);
    const auto start = sliceBound(values, graph, node, "starts", 1, 0);
    const auto end = sliceBound(values, graph, node, "ends", 2, std::numeric_limits<std::int64_t>::max());
    const auto step = sliceBound(values, graph, node, "steps", 4, 1);
    if (!data || !start || !end || !step || *step < 1)
        return std::nullopt;
    const auto size = static_cast<std::int64_t>(data->size());
    const auto bound = [size](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size); };
    Elements slice;
    for (std::int64_t i = bound(*start); i < bound(*end); i += std::min(*step, size))
        slice.push_back((*data)[static_cast<std::size_t>(i)]);
    return slice;
}

/// a op b, where `neutral` on the right (and, if it commutes, on the left) leaves a symbol as it is.
Element combined(const Element& a, const Element& b, std::int64_t neutral, bool commutes,
    const std::function<std::optional<std::int64_t>(std::int64_t, std::int64_t)>& compute)
{
    if (a.value && b.value)
        return { compute(*a.value, *b.value), {} };
    if (b.value == neutral)
        return a;
    return commutes && a.value == neutral ? b : Element {};
}

Element arithmetic(const std::string& op, const Element& a, const Element& b)
{
    using Number = std::int64_t;
    using Maybe = std::optional<Number>;
    Number result = 0;
    if (op == "Add")
        return combined(a, b, 0, true,
            [&](Number x, Number y) { return __builtin_add_overflow(x, y, &result) ? Maybe() : Maybe(result); });
    if (op == "Sub")
        return combined(a, b, 0, false,
            [&](Number x, Number y) { return __builtin_sub_overflow(x, y, &result) ? Maybe() : Maybe(result); });
    if (op == "Mul")
        return combined(a, b, 1, true,
            [&](Number x, Number y) { return __builtin_mul_overflow(x, y, &result) ? Maybe() : Maybe(result); });
    // Negative dividends round differently from one runtime to the next; shapes have none.
    return combined(a, b, 1, false, [&](Number x, Number y) { return x < 0 || y <= 0 ? Maybe() : Maybe(x / y); });
}

std::optional<Elements> ofArithmetic(const PartialValues& values, const Graph& graph, const Node& node)
{
    const auto a = inputElements(values, graph, node, 0);
    const auto b = inputElements(values, graph, node, 1);
    if (!a || !b || a->empty() || b->empty() || (a->size() != b->size() && a->size() != 1 && b->size() != 1))
        return std::nullopt;
    Elements result;
    for (std::size_t i = 0; i < std::max(a->size(), b->size()); ++i)
        result.push_back(arithmetic(node.opType, (*a)[a->size() == 1 ? 0 : i], (*b)[b->size() == 1 ? 0 : i]));
    return result;
}

const std::map<std::string, Derivation>& derivations()
{
    static const std::map<std::string, Derivation> table {
        { "Shape", ofShape },
        { "Size", ofSize },
        { "Identity", ofSame },
        { "Squeeze", ofSame },
        { "Unsqueeze", ofSame },
        { "Reshape", ofSame },
        { "Flatten", ofSame },
        { "Cast", ofCast },
        { "Concat", ofConcat },
        { "Gather", ofGather },
        { "Slice", ofSlice },
        { "Add", ofArithmetic },
        { "Sub", ofArithmetic },
        { "Mul", ofArithmetic },
        { "Div", ofArithmetic },
    };
    return table;
}

/// True for int32 and int64 of rank 0 or 1 with few elements: what can be a shape.
bool couldBeShape(const ValueType& type)
{
    if (type.dtype != DType::Int64 && type.dtype != DType::Int32)
        return false;
    const auto shape = type.shape();
    return shape && shape->rank() <= 1 && shape->size() <= longest;
}

} // namespace

std::optional<Elements> PartialValues::of(const Graph& graph, ValueId id) const
{
    if (const auto it = m_elements.find(id); it != m_elements.end())
        return it->second;
    const Value& value = graph.value(id);
    if (!value.constant || !couldBeShape({ value.constant->dtype(), toDims(value.constant->shape()) }))
        return std::nullopt;
    Elements elements;
    for (const std::int64_t number : tensor::toInt64s(value.constant->view()))
        elements.push_back({ number, {} });
    return elements;
}

void PartialValues::derive(const Graph& graph, NodeId id)
{
    const Node& node = graph.node(id);
    const auto it = derivations().find(node.opType);
    if (it == derivations().end() || !node.hasInput(0) || !node.hasOutput(0))
        return;
    const ValueType& type = graph.value(node.outputs[0]).type;
    if (!couldBeShape(type))
        return;
    auto elements = it->second(*this, graph, node);
    if (elements && static_cast<std::int64_t>(elements->size()) == type.shape()->size())
        m_elements.insert_or_assign(node.outputs[0], std::move(*elements));
}

TensorPtr PartialValues::complete(const Graph& graph, ValueId id) const
{
    const auto it = m_elements.find(id);
    if (it == m_elements.end()
        || !std::ranges::all_of(it->second, [](const Element& e) { return e.value.has_value(); }))
        return nullptr;
    std::vector<std::int64_t> numbers;
    for (const Element& element : it->second)
        numbers.push_back(*element.value);
    const ValueType& type = graph.value(id).type;
    return std::make_shared<const Tensor>(tensor::convert(Tensor::from(*type.shape(), numbers).view(), *type.dtype));
}

} // namespace quantoscope::graph
