// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include "core/engine/kernels/onednn/sequence.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

using namespace onednn;
using Dims = dnnl::memory::dims;
using Desc = dnnl::memory::desc;

/// A product of matrices as oneDNN is to see it.
struct Product {
    Desc left;
    Desc right;
    Desc result;
    float scale = 1; ///< of left times right
    std::optional<Operand> bias; ///< one number a column, added before the scale
    std::optional<Operand> addend; ///< any broadcastable shape, added after the scale
};

Result<KernelPtr> assemble(const KernelRequest& request, std::unique_ptr<PrimitiveSequence> sequence,
    const Product& product, const Operand& right)
{
    const bool packs = right.kind == Operand::Kind::Constant;
    const Desc rightWanted = packs ? describeAny(product.right.dims()) : product.right;
    dnnl::post_ops before;
    if (product.addend)
        before.append_binary(dnnl::algorithm::binary_add, product.addend->desc);
    dnnl::primitive_attr attribute = attributes(request.activation, before);
    if (product.scale != 1)
        attribute.set_output_scales(0, { product.scale });

    const Desc bias = product.bias ? product.bias->desc : Desc();
    const dnnl::matmul::desc description(product.left, rightWanted, bias, product.result);
    const dnnl::matmul::primitive_desc chosen(description, attribute, engine());
    QS_CHECK(refuseReference(request, chosen));

    std::vector<std::pair<int, Operand>> arguments { { DNNL_ARG_SRC, sequence->input(0, product.left) },
        { DNNL_ARG_WEIGHTS, sequence->brought(right, chosen.weights_desc()) },
        { DNNL_ARG_DST, sequence->output(0, product.result) } };
    if (product.bias)
        arguments.emplace_back(DNNL_ARG_BIAS, *product.bias);
    if (product.addend)
        arguments.emplace_back(DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1, *product.addend);
    sequence->append(dnnl::matmul(chosen), chosen.scratchpad_desc(), std::move(arguments));
    sequence->setImplementation(implementationName(chosen));
    return sequence;
}

/// The extents of a MatMul operand as a matrix of rank `rank`: a vector becomes a row (left) or a column (right).
Dims matrixDims(const Shape& shape, std::size_t rank, bool isLeft)
{
    Dims extents = dims(shape);
    if (extents.size() == 1)
        extents.insert(isLeft ? extents.begin() : extents.end(), 1);
    extents.insert(extents.begin(), rank - extents.size(), 1);
    return extents;
}

Result<KernelPtr> buildMatMul(const KernelRequest& request)
{
    const std::size_t rank = std::max<std::size_t>(
        2, static_cast<std::size_t>(std::max(request.inputs[0].shape.rank(), request.inputs[1].shape.rank())));
    Dims left = matrixDims(request.inputs[0].shape, rank, true);
    Dims right = matrixDims(request.inputs[1].shape, rank, false);
    if (left[rank - 1] != right[rank - 2])
        return request.invalid("operands of shapes " + request.inputs[0].shape.toString() + " and "
            + request.inputs[1].shape.toString() + " cannot be multiplied");
    Dims result(rank);
    for (std::size_t i = 0; i + 2 < rank; ++i)
        result[i] = std::max(left[i], right[i]);
    result[rank - 2] = left[rank - 2];
    result[rank - 1] = right[rank - 1];

    const bool oneRight = std::all_of(right.begin(), right.end() - 2, [](auto extent) { return extent == 1; });
    if (oneRight) {
        // One matrix on the right: the whole left side is one tall matrix.
        std::int64_t rows = 1;
        for (std::size_t i = 0; i + 1 < rank; ++i)
            rows *= left[i];
        left = { rows, left[rank - 1] };
        right = { right[rank - 2], right[rank - 1] };
        result = { rows, right[1] };
    }
    Product product;
    product.left = describeRowMajor(left);
    product.right = describeRowMajor(right);
    product.result = describeRowMajor(result);
    auto sequence = std::make_unique<PrimitiveSequence>();
    const Operand weight = operandOf(*sequence, request, 1, product.right);
    return assemble(request, std::move(sequence), product, weight);
}

Result<KernelPtr> createMatMul(const KernelRequest& request)
{
    QS_CHECK(requireFloat32(request));
    if (request.inputs[0].shape.rank() < 1 || request.inputs[1].shape.rank() < 1)
        return request.invalid("a scalar operand, expected rank 1 or more");
    return guarded(request, [&] { return buildMatMul(request); });
}

Desc describeMatrix(const Shape& shape, bool transposed)
{
    if (!transposed)
        return describeRowMajor(dims(shape));
    return { { shape[1], shape[0] }, dnnl::memory::data_type::f32, Dims { 1, shape[1] } };
}

dnnl::memory scaledConstant(const Desc& desc, const Tensor& tensor, float factor)
{
    dnnl::memory memory = constantMemory(desc, tensor.as<float>().data());
    float* values = static_cast<float*>(memory.get_data_handle());
    for (std::int64_t i = 0; i < tensor.size(); ++i)
        values[i] *= factor;
    return memory;
}

/// Puts beta C into the product: as a bias where it is one number a column, as a binary post-op otherwise.
Result<void> addThird(const KernelRequest& request, const PrimitiveSequence& sequence, Product& product, float beta)
{
    const OperandInfo& third = request.inputs[2];
    if (third.shape.rank() > 2)
        return request.invalid("operand C of shape " + third.shape.toString() + ", expected rank 2 or less");
    Dims extents = dims(third.shape);
    extents.insert(extents.begin(), 2 - extents.size(), 1);
    const Desc desc = describeRowMajor(extents);
    if (!third.constant && beta != 1)
        return request.unsupported("beta other than 1 with an operand C that is not constant");
    const Operand operand
        = third.constant ? sequence.constant(scaledConstant(desc, *third.constant, beta)) : sequence.input(2, desc);
    const bool perColumn = extents[0] == 1 && extents[1] == product.result.dims()[1];
    (perColumn && product.scale == 1 ? product.bias : product.addend) = operand;
    return {};
}

Result<KernelPtr> buildGemm(const KernelRequest& request)
{
    const bool transposeLeft = request.node.intAttribute("transA", 0) != 0;
    const bool transposeRight = request.node.intAttribute("transB", 0) != 0;
    const float alpha = request.node.floatAttribute("alpha", 1);
    const float beta = request.node.floatAttribute("beta", 1);
    Product product;
    product.left = describeMatrix(request.inputs[0].shape, transposeLeft);
    product.right = describeMatrix(request.inputs[1].shape, transposeRight);
    if (product.left.dims()[1] != product.right.dims()[0])
        return request.invalid("operands of shapes " + request.inputs[0].shape.toString() + " (transA "
            + std::to_string(transposeLeft) + ") and " + request.inputs[1].shape.toString() + " (transB "
            + std::to_string(transposeRight) + ") cannot be multiplied");
    product.result = describeRowMajor({ product.left.dims()[0], product.right.dims()[1] });

    auto sequence = std::make_unique<PrimitiveSequence>();
    const graph::TensorPtr& known = request.inputs[1].constant;
    if (!known)
        product.scale = alpha;
    const Operand right
        = known ? sequence->constant(scaledConstant(product.right, *known, alpha)) : sequence->input(1, product.right);
    if (request.has(2) && beta != 0)
        QS_CHECK(addThird(request, *sequence, product, beta));
    return assemble(request, std::move(sequence), product, right);
}

Result<KernelPtr> createGemm(const KernelRequest& request)
{
    QS_CHECK(requireFloat32(request));
    for (std::size_t i : { std::size_t { 0 }, std::size_t { 1 } }) {
        if (request.inputs[i].shape.rank() != 2)
            return request.invalid("operand " + std::to_string(i + 1) + " of shape "
                    + request.inputs[i].shape.toString() + ", expected a matrix",
                "insert a Flatten or use MatMul");
    }
    return guarded(request, [&] { return buildGemm(request); });
}

constexpr KernelRegistration kernels[] = {
    { .opType = "MatMul", .create = createMatMul, .fusesActivation = true },
    { .opType = "Gemm", .create = createGemm, .fusesActivation = true },
};

} // namespace

std::span<const KernelRegistration> onednnMatmulKernels() { return kernels; }

} // namespace quantoscope::engine
