// SPDX-License-Identifier: GPL-3.0-or-later
#include <limits>
#include <optional>

#include <QtTest>

#include "core/graph/op_schema.h"
#include "core/graph/shape_inference.h"
#include "tests/support/graph_builder.h"

using namespace quantoscope;
using namespace quantoscope::test;
using graph::Dim;
using graph::Dims;
using graph::InferenceOptions;
using graph::ValueId;

namespace {

/// An operand: a tensor whose elements are known, or an input of which only the type is.
struct Operand {
    std::optional<Tensor> constant;
    graph::ValueType type;
    bool absent = false;

    Operand(Tensor tensor) // NOLINT: a tensor is an operand
        : constant(std::move(tensor))
    {
    }
    Operand(Dims dims, DType dtype = DType::Float32) // NOLINT: so are extents
        : type { dtype, std::move(dims) }
    {
    }
    Operand() // left out
        : absent(true)
    {
    }
};

struct Case {
    std::string op;
    std::vector<Operand> operands;
    Attributes attributes;
    std::vector<std::string> types; ///< of the outputs; one text with a leading '!' is part of the expected error
    int opset = 13;
};

using Cases = std::vector<std::pair<const char*, Case>>;

const Dim N = Dim::named("N");
const Dims image { N, 3, 8, 10 };
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

Attributes one(const char* key, std::int64_t value) { return { { key, value } }; }
Attributes list(const char* key, const Ints& values) { return { { key, values } }; }

Cases windowCases()
{
    const Dims w { 16, 3, 3, 3 };
    const auto pool = [](Attributes more) {
        more.emplace("kernel_shape", Ints { 3, 3 });
        return more;
    };
    const auto padding = [](const char* mode) {
        return Attributes { { "auto_pad", std::string(mode) }, { "strides", Ints { 2, 3 } } };
    };
    return { { "conv", { "Conv", { image, w }, {}, { "float32[N, 16, 6, 8]" } } },
        { "conv padded, strided, dilated",
            { "Conv", { image, w },
                { { "pads", Ints { 1, 0, 2, 1 } }, { "strides", Ints { 2, 1 } }, { "dilations", Ints { 1, 3 } } },
                { "float32[N, 16, 5, 5]" } } },
        { "conv SAME_UPPER", { "Conv", { image, w }, padding("SAME_UPPER"), { "float32[N, 16, 4, 4]" } } },
        { "conv SAME_LOWER", { "Conv", { image, w }, padding("SAME_LOWER"), { "float32[N, 16, 4, 4]" } } },
        { "conv VALID", { "Conv", { image, w }, padding("VALID"), { "float32[N, 16, 3, 3]" } } },
        { "conv grouped", { "Conv", { image, Dims { 6, 1, 1, 1 } }, one("group", 3), { "float32[N, 6, 8, 10]" } } },
        { "conv over one axis", { "Conv", { Dims { N, 4, 9 }, Dims { 5, 4, 3 } }, {}, { "float32[N, 5, 7]" } } },
        { "conv over three axes",
            { "Conv", { Dims { 2, 1, 4, 5, 6 }, Dims { 5, 1, 2, 2, 2 } }, {}, { "float32[2, 5, 3, 4, 5]" } } },
        { "conv of unknown height", { "Conv", { Dims { N, 3, Dim(), 10 }, w }, {}, { "float32[N, 16, ?, 8]" } } },
        { "conv, kernel too large", { "Conv", { Dims { 1, 3, 2, 9 }, w }, {}, { "!reaches over 3 elements" } } },
        { "conv, wrong channels",
            { "Conv", { Dims { 1, 4, 8, 8 }, w }, {}, { "![1, 4, 8, 8] has 4 channels, but weight [16, 3, 3, 3]" } } },
        { "conv, group does not divide",
            { "Conv", { Dims { 1, 6, 8, 8 }, Dims { 5, 3, 1, 1 } }, one("group", 2), { "!does not divide" } } },
        { "conv, group 0", { "Conv", { image, w }, one("group", 0), { "!group is 0" } } },
        { "conv, wrong bias", { "Conv", { image, w, Dims { 3 } }, {}, { "!bias has shape [3], expected [16]" } } },
        { "conv, different ranks", { "Conv", { image, Dims { 4, 3, 3 } }, {}, { "!different ranks" } } },
        { "conv, stride 0", { "Conv", { image, w }, list("strides", { 0, 1 }), { "!strides [0, 1]" } } },
        { "conv, two pads", { "Conv", { image, w }, list("pads", { 1, 1 }), { "!pads has 2 elements, expected 4" } } },
        { "conv, negative pads", { "Conv", { image, w }, list("pads", { -1, 0, 0, 0 }), { "!pads" } } },
        { "conv, kernel_shape contradicts",
            { "Conv", { image, w }, list("kernel_shape", { 5, 5 }), { "!kernel_shape is [5, 5]" } } },
        { "conv, unknown auto_pad", { "Conv", { image, w }, padding("SAME"), { "!auto_pad is 'SAME'" } } },
        { "conv, different types",
            { "Conv", { image, Operand(w, DType::Float16) }, {}, { "!different element types" } } },
        { "transposed",
            { "ConvTranspose", { image, Dims { 3, 5, 3, 3 } },
                { { "strides", Ints { 2, 2 } }, { "pads", Ints { 1, 1, 1, 1 } }, { "output_padding", Ints { 1, 0 } } },
                { "float32[N, 5, 16, 19]" } } },
        { "transposed grouped",
            { "ConvTranspose", { image, Dims { 3, 5, 2, 2 } }, one("group", 3), { "float32[N, 15, 9, 11]" } } },
        { "transposed, output_shape",
            { "ConvTranspose", { image, Dims { 3, 5, 3, 3 } },
                { { "strides", Ints { 2, 2 } }, { "output_shape", Ints { 16, 20 } } }, { "float32[N, 5, 16, 20]" } } },
        { "transposed SAME_UPPER",
            { "ConvTranspose", { image, Dims { 3, 5, 3, 3 } }, padding("SAME_UPPER"), { "float32[N, 5, 16, 30]" } } },
        { "transposed, wrong channels",
            { "ConvTranspose", { image, Dims { 4, 5, 3, 3 } }, {}, { "!has 3 channels" } } },
        { "max pool with indices", { "MaxPool", { image }, pool({}), { "float32[N, 3, 6, 8]", "int64[N, 3, 6, 8]" } } },
        { "average pool, floor",
            { "AveragePool", { image }, pool(list("strides", { 3, 3 })), { "float32[N, 3, 2, 3]" } } },
        { "average pool, ceil",
            { "AveragePool", { image }, pool({ { "strides", Ints { 3, 3 } }, { "ceil_mode", std::int64_t { 1 } } }),
                { "float32[N, 3, 3, 4]" } } },
        // The last window would start in the trailing padding alone.
        { "ceil leaves a window out of the padding",
            { "MaxPool", { Dims { 1, 1, 4, 4 } },
                { { "kernel_shape", Ints { 1, 1 } }, { "strides", Ints { 3, 3 } }, { "pads", Ints { 0, 0, 1, 1 } },
                    { "ceil_mode", std::int64_t { 1 } } },
                { "float32[1, 1, 2, 2]" } } },
        { "pool without kernel_shape", { "MaxPool", { image }, {}, { "!kernel_shape is missing" } } },
        { "pool of a matrix", { "MaxPool", { Dims { 2, 3 } }, pool({}), { "!expected [N, C, D1" } } },
        { "global pool", { "GlobalAveragePool", { image }, {}, { "float32[N, 3, 1, 1]" } } } };
}

Cases productCases()
{
    return { { "gemm", { "Gemm", { Dims { N, 4 }, Dims { 4, 6 } }, {}, { "float32[N, 6]" } } },
        { "gemm transA, transB",
            { "Gemm", { Dims { 4, N }, Dims { 6, 4 } },
                { { "transA", std::int64_t { 1 } }, { "transB", std::int64_t { 1 } } }, { "float32[N, 6]" } } },
        { "gemm, inner extents differ",
            { "Gemm", { Dims { 2, 4 }, Dims { 5, 6 } }, {}, { "![2, 4] and [5, 6] do not fit" } } },
        { "gemm, bias too large", { "Gemm", { Dims { 2, 4 }, Dims { 4, 6 }, Dims { 3, 6 } }, {}, { "!broadcast" } } },
        { "gemm of a vector", { "Gemm", { Dims { 4 }, Dims { 4, 6 } }, {}, { "!expected rank 2" } } },
        { "matmul", { "MatMul", { Dims { N, 4 }, Dims { 4, 6 } }, {}, { "float32[N, 6]" } } },
        { "matmul, stacks broadcast",
            { "MatMul", { Dims { N, 1, 2, 4 }, Dims { 5, 4, 6 } }, {}, { "float32[N, 5, 2, 6]" } } },
        { "matmul, vector on the left", { "MatMul", { Dims { 4 }, Dims { 3, 4, 6 } }, {}, { "float32[3, 6]" } } },
        { "matmul, vector on the right", { "MatMul", { Dims { 3, 2, 4 }, Dims { 4 } }, {}, { "float32[3, 2]" } } },
        { "matmul of two vectors", { "MatMul", { Dims { 4 }, Dims { 4 } }, {}, { "float32[]" } } },
        { "matmul of a scalar", { "MatMul", { Dims {}, Dims { 4 } }, {}, { "!scalar" } } },
        { "matmul, stacks differ",
            { "MatMul", { Dims { 2, 2, 4 }, Dims { 3, 4, 6 } }, {}, { "!cannot be broadcast" } } },
        { "matmul, inner extents differ",
            { "MatMul", { Dims { 2, 4 }, Dims { 5, 6 } }, {}, { "!4 columns meet 5 rows" } } } };
}

Cases elementwiseCases()
{
    return { { "add", { "Add", { image, Dims { 3, 1, 1 } }, {}, { "float32[N, 3, 8, 10]" } } },
        { "add both ways", { "Add", { Dims { 4, 1 }, Dims { 1, 5 } }, {}, { "float32[4, 5]" } } },
        { "add of a symbol and a number", { "Add", { Dims { N }, Dims { 5 } }, {}, { "float32[5]" } } },
        { "add, contradiction",
            { "Add", { Dims { 2, 3 }, Dims { 4 } }, {}, { "!shapes [2, 3] and [4] cannot be broadcast" } } },
        { "add, different types",
            { "Add", { Dims { 2 }, Operand(Dims { 2 }, DType::Int32) }, {}, { "!float32 and int32" } } },
        { "sum of three", { "Sum", { Dims { 2, 1 }, Dims { 3 }, Dims { 4, 1, 1 } }, {}, { "float32[4, 2, 3]" } } },
        { "less", { "Less", { Dims { 2, 1 }, Dims { 3 } }, {}, { "bool[2, 3]" } } },
        { "where", { "Where", { Operand(Dims { 2, 1 }, DType::Bool), Dims { 3 }, Dims {} }, {}, { "float32[2, 3]" } } },
        { "pow by an integer", { "Pow", { Dims { 2 }, Operand(Dims {}, DType::Int64) }, {}, { "float32[2]" } } },
        { "cast", { "Cast", { image }, one("to", 7), { "int64[N, 3, 8, 10]" } } },
        { "prelu", { "PRelu", { image, Dims { 3, 1, 1 } }, {}, { "float32[N, 3, 8, 10]" } } },
        { "prelu, slope too large", { "PRelu", { Dims { 3 }, Dims { 2, 3 } }, {}, { "!slope" } } },
        { "softmax, axis outside", { "Softmax", { Dims { 2, 3 } }, one("axis", 2), { "!axis 2 is outside" } } },
        { "softmax of opset 12 may flatten all",
            { "Softmax", { Dims { 2, 3 } }, one("axis", 2), { "float32[2, 3]" }, 12 } },
        { "batch norm",
            { "BatchNormalization", { image, Dims { 3 }, Dims { 3 }, Dims { 3 }, Dims { 3 } }, {},
                { "float32[N, 3, 8, 10]" } } },
        { "batch norm, wrong channels",
            { "BatchNormalization", { image, Dims { 3 }, Dims { 3 }, Dims { 4 }, Dims { 3 } }, {},
                { "![4], expected [3]" } } },
        { "dropout, mask", { "Dropout", { image }, {}, { "float32[N, 3, 8, 10]", "bool[N, 3, 8, 10]" } } },
        { "dropout of opset 7, mask",
            { "Dropout", { image }, {}, { "float32[N, 3, 8, 10]", "float32[N, 3, 8, 10]" }, 7 } },
        { "quantize",
            { "QuantizeLinear", { image, Dims {}, Operand(Dims {}, DType::Int8) }, {}, { "int8[N, 3, 8, 10]" } } },
        { "quantize per channel", { "QuantizeLinear", { image, Dims { 3 } }, {}, { "uint8[N, 3, 8, 10]" } } },
        { "quantize, wrong channels",
            { "QuantizeLinear", { image, Dims { 4 } }, {}, { "!scale has shape [4], expected [3]" } } },
        { "dequantize",
            { "DequantizeLinear", { Operand(image, DType::UInt8), Dims {} }, {}, { "float32[N, 3, 8, 10]" } } } };
}

Cases shapeCases()
{
    const auto longs = [](const Ints& values) { return test::ints(values); };
    return { { "reshape", { "Reshape", { Dims { 2, 3, 4 }, longs({ 6, -1 }) }, {}, { "float32[6, 4]" } } },
        { "reshape of a batch", { "Reshape", { image, longs({ 0, -1 }) }, {}, { "float32[N, 240]" } } },
        { "reshape, the batch is what is left",
            { "Reshape", { image, longs({ -1, 240 }) }, {}, { "float32[N, 240]" } } },
        { "reshape, merged batch", { "Reshape", { image, longs({ -1, 10 }) }, {}, { "float32[?, 10]" } } },
        { "reshape, sizes differ",
            { "Reshape", { Dims { 2, 3 }, longs({ 7 }) }, {}, { "!input [2, 3] cannot be reshaped to [7]" } } },
        { "reshape, -1 does not divide",
            { "Reshape", { Dims { 2, 3 }, longs({ 4, -1 }) }, {}, { "!cannot be reshaped to [4, -1]" } } },
        { "reshape, two -1", { "Reshape", { Dims { 2, 3 }, longs({ -1, -1 }) }, {}, { "!more than one -1" } } },
        { "reshape to -2", { "Reshape", { Dims { 2, 3 }, longs({ -2, 3 }) }, {}, { "!extent -2" } } },
        { "reshape, product overflows", { "Reshape", { Dims { 2, 3 }, longs({ 1LL << 62, 4 }) }, {}, { "!" } } },
        { "reshape, 0 beyond the rank", { "Reshape", { Dims { 6 }, longs({ 6, 0 }) }, {}, { "!no such axis" } } },
        { "reshape of nothing", { "Reshape", { Dims { 0, 3 }, longs({ 3, -1 }) }, {}, { "float32[3, 0]" } } },
        { "reshape, allowzero",
            { "Reshape", { Dims { 0, 3 }, longs({ 3, 0 }) }, one("allowzero", 1), { "float32[3, 0]" }, 14 } },
        { "reshape to a computed shape",
            { "Reshape", { image, Operand(Dims { 2 }, DType::Int64) }, {}, { "float32[?, ?]" } } },
        { "flatten", { "Flatten", { image }, {}, { "float32[N, 240]" } } },
        { "flatten to a row", { "Flatten", { Dims { 2, 3, 4 } }, one("axis", 0), { "float32[1, 24]" } } },
        { "flatten from the back", { "Flatten", { Dims { 2, 3, 4 } }, one("axis", -1), { "float32[6, 4]" } } },
        { "flatten, axis outside", { "Flatten", { Dims { 2 } }, one("axis", 2), { "!axis 2 is outside" } } },
        { "transpose", { "Transpose", { image }, list("perm", { 0, 2, 3, 1 }), { "float32[N, 8, 10, 3]" } } },
        { "transpose by default", { "Transpose", { Dims { 2, 3, 4 } }, {}, { "float32[4, 3, 2]" } } },
        { "transpose, an axis twice", { "Transpose", { Dims { 2, 3 } }, list("perm", { 0, 0 }), { "!given twice" } } },
        { "transpose, too short", { "Transpose", { Dims { 2, 3 } }, list("perm", { 0 }), { "!perm [0]" } } },
        { "squeeze, input", { "Squeeze", { Dims { 1, N, 1 }, longs({ 0 }) }, {}, { "float32[N, 1]" } } },
        { "squeeze, attribute", { "Squeeze", { Dims { 1, N, 1 } }, list("axes", { -1 }), { "float32[1, N]" }, 11 } },
        { "squeeze all", { "Squeeze", { Dims { 1, 5, 1 } }, {}, { "float32[5]" } } },
        { "squeeze of 2", { "Squeeze", { Dims { 2, 5 }, longs({ 0 }) }, {}, { "!cannot be squeezed" } } },
        { "unsqueeze, input", { "Unsqueeze", { Dims { N, 5 }, longs({ 0, -1 }) }, {}, { "float32[1, N, 5, 1]" } } },
        { "unsqueeze, attribute", { "Unsqueeze", { Dims { N } }, list("axes", { 1 }), { "float32[N, 1]" }, 11 } },
        { "expand", { "Expand", { Dims { 3, 1 }, longs({ 2, 1, 4 }) }, {}, { "float32[2, 3, 4]" } } },
        { "expand to less", { "Expand", { Dims { 3 }, longs({ 2 }) }, {}, { "!cannot be broadcast" } } },
        { "tile", { "Tile", { Dims { N, 3 }, longs({ 1, 4 }) }, {}, { "float32[N, 12]" } } },
        { "tile, overflow", { "Tile", { Dims { 4, 3 }, longs({ most, 1 }) }, {}, { "!beyond 2^63" } } },
        { "tile, negative", { "Tile", { Dims { 4, 3 }, longs({ -1, 1 }) }, {}, { "!negative" } } },
        { "depth to space",
            { "DepthToSpace", { Dims { N, 8, 2, 3 } }, one("blocksize", 2), { "float32[N, 2, 4, 6]" } } },
        { "space to depth",
            { "SpaceToDepth", { Dims { N, 2, 4, 6 } }, one("blocksize", 2), { "float32[N, 8, 2, 3]" } } },
        { "space to depth, odd",
            { "SpaceToDepth", { Dims { N, 2, 5, 6 } }, one("blocksize", 2), { "!not a multiple of 2" } } },
        { "shape", { "Shape", { image }, {}, { "int64[4]" } } },
        { "shape, part",
            { "Shape", { image }, { { "start", std::int64_t { 1 } }, { "end", std::int64_t { -1 } } }, { "int64[2]" },
                15 } },
        { "constant of shape", { "ConstantOfShape", { longs({ 2, 3 }) }, {}, { "float32[2, 3]" } } },
        { "constant of negative shape", { "ConstantOfShape", { longs({ 2, -3 }) }, {}, { "!extent -3" } } },
        { "constant of hostile shape",
            { "ConstantOfShape", { longs({ 1 << 20, 1 << 20, 4 }) }, {}, { "!more than 2^40" } } },
        { "range",
            { "Range", { Tensor::scalar(1.0f), Tensor::scalar(8.0f), Tensor::scalar(2.0f) }, {}, { "float32[4]" } } },
        { "range without end",
            { "Range", { Tensor::scalar(1.0f), Tensor::scalar(8.0f), Tensor::scalar(0.0f) }, {}, { "!no end" } } } };
}

Cases movementCases()
{
    const auto longs = [](const Ints& values) { return test::ints(values); };
    return { { "concat", { "Concat", { image, Dims { N, 5, 8, 10 } }, one("axis", 1), { "float32[N, 8, 8, 10]" } } },
        { "concat from the back",
            { "Concat", { Dims { 2, 3 }, Dims { 2, 4 } }, one("axis", -1), { "float32[2, 7]" } } },
        { "concat, extents differ",
            { "Concat", { Dims { 2, 3 }, Dims { 4, 3 } }, one("axis", 1), { "!extents on axis 0 differ" } } },
        { "concat, ranks differ", { "Concat", { Dims { 2, 3 }, Dims { 3 } }, one("axis", 0), { "!different ranks" } } },
        { "split, equal", { "Split", { Dims { N, 6 } }, one("axis", 1), { "float32[N, 3]", "float32[N, 3]" } } },
        { "split, input",
            { "Split", { Dims { N, 6 }, longs({ 1, 5 }) }, one("axis", 1), { "float32[N, 1]", "float32[N, 5]" } } },
        { "split, attribute",
            { "Split", { Dims { N, 6 } }, { { "axis", std::int64_t { 1 } }, { "split", Ints { 2, 4 } } },
                { "float32[N, 2]", "float32[N, 4]" }, 11 } },
        { "split, unequal", { "Split", { Dims { 7 } }, {}, { "!cannot be split into 2 equal", "" } } },
        { "split, the last is smaller",
            { "Split", { Dims { 7 } }, one("num_outputs", 2), { "float32[4]", "float32[3]" }, 18 } },
        { "split, wrong sum", { "Split", { Dims { 7 }, longs({ 3, 3 }) }, {}, { "!does not divide extent 7", "" } } },
        { "pad", { "Pad", { image, longs({ 0, 1, 2, 0, 0, 0, 3, -4 }) }, {}, { "float32[N, 4, 13, 6]" } } },
        { "pad, attribute", { "Pad", { Dims { 2, 3 } }, list("pads", { 1, 0, 0, 2 }), { "float32[3, 5]" }, 10 } },
        { "pad, axes", { "Pad", { Dims { 2, 3 }, longs({ 1, 1 }), {}, longs({ -1 }) }, {}, { "float32[2, 5]" }, 18 } },
        { "pad, crops too much", { "Pad", { Dims { 2, 3 }, longs({ 0, -4, 0, 0 }) }, {}, { "!do not fit" } } },
        { "pad, overflow", { "Pad", { Dims { 2, 3 }, longs({ 0, most, 0, most }) }, {}, { "!do not fit" } } },
        { "pad, wrong length", { "Pad", { Dims { 2, 3 }, longs({ 1 }) }, {}, { "!has 1 elements, expected 4" } } },
        { "slice",
            { "Slice", { image, longs({ 1, 2 }), longs({ 3, -1 }), longs({ 1, 3 }), longs({ 1, 2 }) }, {},
                { "float32[N, 2, 8, 4]" } } },
        { "slice backwards",
            { "Slice", { Dims { 7 }, longs({ -1 }), longs({ least }), longs({ 0 }), longs({ -2 }) }, {},
                { "float32[4]" } } },
        { "slice backwards, some",
            { "Slice", { Dims { 7 }, longs({ 5 }), longs({ 1 }), longs({ 0 }), longs({ -3 }) }, {},
                { "float32[2]" } } },
        { "slice, attribute",
            { "Slice", { Dims { 7, 4 } }, { { "starts", Ints { 2 } }, { "ends", Ints { 100 } } }, { "float32[5, 4]" },
                9 } },
        { "slice to nothing", { "Slice", { Dims { 7 }, longs({ 5 }), longs({ 2 }) }, {}, { "float32[0]" } } },
        { "slice of all of a symbol",
            { "Slice", { image, longs({ 0 }), longs({ most }), longs({ 0 }) }, {}, { "float32[N, 3, 8, 10]" } } },
        { "slice of a symbol",
            { "Slice", { image, longs({ 1 }), longs({ most }), longs({ 0 }) }, {}, { "float32[?, 3, 8, 10]" } } },
        { "slice, step 0",
            { "Slice", { Dims { 7 }, longs({ 0 }), longs({ 5 }), longs({ 0 }), longs({ 0 }) }, {}, { "!step is 0" } } },
        { "slice, lengths differ",
            { "Slice", { Dims { 7 }, longs({ 0 }), longs({ 5, 6 }) }, {}, { "!different lengths" } } },
        { "gather",
            { "Gather", { image, Operand(Dims { 4, 5 }, DType::Int64) }, one("axis", 1),
                { "float32[N, 4, 5, 8, 10]" } } },
        { "gather one",
            { "Gather", { image, Tensor::scalar<std::int64_t>(-1) }, one("axis", 1), { "float32[N, 8, 10]" } } },
        { "gather, index outside",
            { "Gather", { image, longs({ 3 }) }, one("axis", 1), { "!index 3 is outside axis 1" } } },
        { "gather nd",
            { "GatherND", { Dims { 2, 3, 4 }, Operand(Dims { 5, 2 }, DType::Int64) }, {}, { "float32[5, 4]" } } },
        { "one hot",
            { "OneHot", { Operand(Dims { N, 2 }, DType::Int64), Tensor::scalar<std::int64_t>(10), floats({ 0, 1 }) },
                {}, { "float32[N, 2, 10]" } } },
        { "reduce, attribute", { "ReduceMean", { image }, list("axes", { 2, -1 }), { "float32[N, 3, 1, 1]" } } },
        { "reduce, input", { "ReduceSum", { image, longs({ 2, 3 }) }, one("keepdims", 0), { "float32[N, 3]" } } },
        { "reduce all", { "ReduceMax", { image }, one("keepdims", 0), { "float32[]" } } },
        { "reduce nothing",
            { "ReduceSum", { image, longs({}) }, one("noop_with_empty_axes", 1), { "float32[N, 3, 8, 10]" } } },
        { "arg max",
            { "ArgMax", { image }, { { "axis", std::int64_t { 1 } }, { "keepdims", std::int64_t { 0 } } },
                { "int64[N, 8, 10]" } } },
        { "top k", { "TopK", { Dims { N, 9 }, longs({ 4 }) }, {}, { "float32[N, 4]", "int64[N, 4]" } } },
        { "top k, too many", { "TopK", { Dims { N, 9 }, longs({ 10 }) }, {}, { "!k is 10", "" } } },
        { "resize by scales", { "Resize", { image, {}, floats({ 1, 1, 2, 0.25f }) }, {}, { "float32[N, 3, 16, 2]" } } },
        { "resize by scales, opset 10",
            { "Resize", { image, floats({ 1, 1, 2, 2 }) }, {}, { "float32[N, 3, 16, 20]" }, 10 } },
        { "resize to sizes",
            { "Resize", { Dims { 1, 3, 8, 8 }, {}, {}, longs({ 1, 3, 5, 7 }) }, {}, { "float32[1, 3, 5, 7]" } } },
        { "resize, axes",
            { "Resize", { image, {}, {}, longs({ 5, 7 }) }, list("axes", { 2, 3 }), { "float32[N, 3, 5, 7]" }, 18 } },
        { "resize, aspect ratio",
            { "Resize", { image, {}, {}, longs({ 16, 10 }) },
                { { "axes", Ints { 2, 3 } }, { "keep_aspect_ratio_policy", std::string("not_larger") } },
                { "float32[N, 3, 8, 10]" }, 18 } },
        { "resize, hostile aspect ratio",
            { "Resize", { Dims { 1, 1 << 20 }, {}, {}, longs({ most, 1 }) },
                { { "keep_aspect_ratio_policy", std::string("not_smaller") } }, { "!2^40" }, 18 } },
        { "resize, negative size", { "Resize", { Dims { 4 }, {}, {}, longs({ -4 }) }, {}, { "!size is -4" } } },
        { "resize, scale 0", { "Resize", { Dims { 4 }, {}, floats({ 0 }) }, {}, { "!not positive" } } },
        { "resize, neither", { "Resize", { Dims { 4 } }, {}, { "!neither scales nor sizes" } } },
        { "upsample, attribute",
            { "Upsample", { image }, { { "scales", std::vector<float> { 1, 1, 2, 3 } } }, { "float32[N, 3, 16, 30]" },
                7 } },
        { "upsample, input", { "Upsample", { image, floats({ 1, 1, 2, 3 }) }, {}, { "float32[N, 3, 16, 30]" }, 9 } } };
}

Cases allCases()
{
    Cases all;
    for (const Cases& family : { windowCases(), productCases(), elementwiseCases(), shapeCases(), movementCases() })
        all.insert(all.end(), family.begin(), family.end());
    return all;
}

} // namespace

Q_DECLARE_METATYPE(Case)

/// What every operator makes of its operands' types.
class TestOperatorShapes : public QObject {
    Q_OBJECT

private slots:
    void operators_data()
    {
        QTest::addColumn<Case>("test");
        for (const auto& [name, test] : allCases())
            QTest::newRow(name) << test;
    }

    void operators()
    {
        QFETCH(Case, test);
        GraphBuilder builder(test.opset);
        std::vector<ValueId> inputs;
        for (const Operand& operand : test.operands) {
            const std::string name = "in" + std::to_string(inputs.size());
            inputs.push_back(operand.absent ? ValueId {}
                    : operand.constant      ? builder.constant(name, *operand.constant)
                                            : builder.input(name, *operand.type.dims, *operand.type.dtype));
        }
        std::vector<std::string> outputs;
        for (std::size_t i = 0; i < test.types.size(); ++i)
            outputs.push_back("out" + std::to_string(i));
        // An error needs only one output, unless an empty text asks for more.
        const bool wrong = test.types[0].starts_with("!");
        builder.add(test.op, inputs, outputs, test.attributes);
        const auto inferred = graph::inferShapes(builder.graph());
        if (wrong) {
            QVERIFY(!inferred);
            QCOMPARE(inferred.error().code, ErrorCode::InvalidInput);
            const std::string text = inferred.error().message();
            QVERIFY2(text.find(test.types[0].substr(1)) != std::string::npos, text.c_str());
            QVERIFY2(text.find("'out0_node' (" + test.op + ")") != std::string::npos, text.c_str());
            return;
        }
        QVERIFY2(inferred, inferred ? "" : inferred.error().message().c_str());
        for (std::size_t i = 0; i < outputs.size(); ++i)
            QCOMPARE(builder.graph().value(*builder.graph().find(outputs[i])).type.toString(), test.types[i]);
    }
};

QTEST_APPLESS_MAIN(TestOperatorShapes)
#include "tst_operator_shapes.moc"
