// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/graph/shape_inference.h"

#include <algorithm>
#include <cassert>

#include "core/graph/op_schema.h"
#include "core/graph/partial_values.h"

namespace quantoscope::graph {

namespace {

std::string valueLabel(const std::string& name) { return "tensor '" + name + "'"; }

/// A shape nobody could compute: more than 2^40 elements in the extents that are known.
Result<void> checkSize(const Dims& dims, const std::string& where)
{
    std::vector<std::int64_t> known;
    for (const Dim& dim : dims) {
        if (dim.known())
            known.push_back(dim.value);
    }
    if (!Shape(std::move(known)).checkedSize())
        return fail(ErrorCode::InvalidInput, "shape " + toString(dims) + " claims more than 2^40 elements", where,
            "the model is damaged or was never meant to run");
    return {};
}

/// What the file says of a tensor and what follows from its producer, put together.
Result<ValueType> merged(const ValueType& declared, const ValueType& inferred, const std::string& where)
{
    const auto contradiction = [&] {
        return fail(ErrorCode::InvalidInput,
            "the file declares " + declared.toString() + ", but " + inferred.toString() + " follows from the inputs",
            where, "export the model again, or run it with the input shape it was exported for");
    };
    ValueType result = inferred;
    if (declared.dtype && inferred.dtype && declared.dtype != inferred.dtype)
        return contradiction();
    if (!result.dtype)
        result.dtype = declared.dtype;
    if (!declared.dims)
        return result;
    if (!inferred.dims) {
        result.dims = declared.dims;
        return result;
    }
    if (declared.dims->size() != inferred.dims->size())
        return contradiction();
    for (std::size_t i = 0; i < declared.dims->size(); ++i) {
        const Dim& said = (*declared.dims)[i];
        Dim& dim = (*result.dims)[i];
        if (said.known() && dim.known() && said.value != dim.value)
            return contradiction();
        // A name that was inferred stays even against a number: it is the input's, which may yet be bound to that
        // number.
        if (!dim.known() && dim.symbol.empty())
            dim = said;
    }
    return result;
}

/// The tensor of a Constant node; nullptr if it holds strings.
TensorPtr constantOf(const Node& node)
{
    if (TensorPtr value = node.tensorAttribute("value"))
        return value;
    if (node.hasAttribute("value_int"))
        return std::make_shared<const Tensor>(Tensor::scalar(node.intAttribute("value_int", 0)));
    if (node.hasAttribute("value_float"))
        return std::make_shared<const Tensor>(Tensor::scalar(node.floatAttribute("value_float", 0)));
    if (node.hasAttribute("value_ints")) {
        const auto values = node.intsAttribute("value_ints");
        return std::make_shared<const Tensor>(Tensor::from(Shape { static_cast<std::int64_t>(values.size()) }, values));
    }
    if (node.hasAttribute("value_floats")) {
        const auto values = node.floatsAttribute("value_floats");
        return std::make_shared<const Tensor>(Tensor::from(Shape { static_cast<std::int64_t>(values.size()) }, values));
    }
    return nullptr;
}

class Walk {
public:
    Walk(Graph& graph, const InferenceOptions& options)
        : m_graph(graph)
        , m_options(options)
    {
    }

    Result<void> run()
    {
        QS_CHECK(bindInputs());
        QS_TRY(const auto order, m_graph.topologicalOrder());
        for (const NodeId id : order) {
            QS_CHECK(inferNode(id));
            if (!foldShape(id))
                QS_CHECK(foldNode(id));
        }
        return {};
    }

private:
    Result<ValueId> findInput(const std::string& name) const
    {
        const auto id = m_graph.find(name);
        if (id && m_graph.isInput(*id))
            return *id;
        std::string known;
        for (const ValueId input : m_graph.inputs())
            known += (known.empty() ? "" : ", ") + m_graph.value(input).name;
        return fail(ErrorCode::NotFound, "the model has no input '" + name + "'", {}, "its inputs are: " + known);
    }

    Result<void> bind(ValueId id, const ValueType& given)
    {
        Value& value = m_graph.value(id);
        if (!merged(value.type, given, {}))
            return fail(ErrorCode::InvalidInput,
                "the model declares " + value.type.toString() + ", but is given " + given.toString(),
                "input '" + value.name + "'",
                "give it the shape it was exported for, or export it with symbolic extents");
        value.type = { given.dtype ? given.dtype : value.type.dtype, given.dims };
        return {};
    }

    Result<void> bindInputs()
    {
        for (const auto& [name, shape] : m_options.inputShapes) {
            QS_TRY(const ValueId id, findInput(name));
            if (const auto size = shape.checkedSize(); !size)
                return fail(ErrorCode::InvalidInput, size.error().what, "input '" + name + "'");
            QS_CHECK(bind(id, { std::nullopt, toDims(shape) }));
        }
        for (const auto& [name, tensor] : m_options.boundInputs) {
            assert(tensor);
            QS_TRY(const ValueId id, findInput(name));
            QS_CHECK(bind(id, { tensor->dtype(), toDims(tensor->shape()) }));
            m_graph.makeConstant(id, tensor);
        }
        for (const ValueId id : m_graph.inputs()) {
            if (const auto& dims = m_graph.value(id).type.dims)
                QS_CHECK(checkSize(*dims, "input '" + m_graph.value(id).name + "'"));
        }
        return {};
    }

    Result<void> inferNode(NodeId id)
    {
        const OpSchema* schema = findSchema(m_graph.node(id));
        InferenceContext context(m_graph, id, &m_partial);
        if (schema)
            QS_CHECK(schema->infer(context));
        const Node& node = m_graph.node(id);
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            if (!node.hasOutput(i))
                continue;
            Value& value = m_graph.value(node.outputs[i]);
            QS_TRY(
                value.type, merged(value.type, context.outputs()[i], context.where() + ", " + valueLabel(value.name)));
            if (value.type.dims)
                QS_CHECK(checkSize(*value.type.dims, context.where()));
        }
        return {};
    }

    /// Constant nodes and what is made of known extents. True if the node is gone.
    bool foldShape(NodeId id)
    {
        if (!findSchema(m_graph.node(id)))
            return false;
        m_partial.derive(m_graph, id);
        const Node& node = m_graph.node(id);
        if (!node.hasOutput(0) || node.outputs.size() != 1)
            return false;
        TensorPtr tensor = node.opType == "Constant" ? constantOf(node) : m_partial.complete(m_graph, node.outputs[0]);
        if (!tensor)
            return false;
        m_graph.makeConstant(node.outputs[0], std::move(tensor));
        m_graph.removeNode(id);
        return true;
    }

    bool worthFolding(const Node& node) const
    {
        if (!m_options.evaluator || node.inputs.empty() || !findSchema(node))
            return false;
        for (const ValueId input : node.inputs) {
            if (input.valid() && !m_graph.isConstant(input))
                return false;
        }
        std::size_t bytes = 0;
        for (const ValueId output : node.outputs) {
            if (!output.valid())
                continue;
            const ValueType& type = m_graph.value(output).type;
            const auto shape = type.shape();
            if (!shape || !type.dtype)
                return false;
            bytes += tensor::byteSize(*type.dtype, static_cast<std::size_t>(shape->size()));
            if (bytes > m_options.foldLimit)
                return false;
        }
        return true;
    }

    Result<void> foldNode(NodeId id)
    {
        const Node& node = m_graph.node(id);
        if (!worthFolding(node))
            return {};
        std::vector<const Tensor*> inputs;
        for (const ValueId input : node.inputs)
            inputs.push_back(input.valid() ? m_graph.value(input).constant.get() : nullptr);
        auto computed = m_options.evaluator(m_graph, id, inputs);
        if (!computed && computed.error().code == ErrorCode::Unsupported)
            return {};
        if (!computed)
            return tl::make_unexpected(std::move(computed).error());
        const std::vector<ValueId> outputs = node.outputs;
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            if (!outputs[i].valid())
                continue;
            const Value& value = m_graph.value(outputs[i]);
            if (i >= computed->size() || (*computed)[i].dtype() != value.type.dtype
                || (*computed)[i].shape() != value.type.shape())
                return fail(ErrorCode::Internal,
                    "the computed constant is not the " + value.type.toString() + " inferred",
                    "node '" + m_graph.label(id) + "', " + valueLabel(value.name));
            m_graph.makeConstant(outputs[i], std::make_shared<const Tensor>(std::move((*computed)[i])));
        }
        m_graph.removeNode(id);
        return {};
    }

    Graph& m_graph;
    const InferenceOptions& m_options;
    PartialValues m_partial;
};

} // namespace

Result<void> inferShapes(Graph& graph, const InferenceOptions& options) { return Walk(graph, options).run(); }

} // namespace quantoscope::graph
