// SPDX-License-Identifier: GPL-3.0-or-later
// Tensors made from little or nothing: Constant, ConstantOfShape, Range, EyeLike, OneHot.
#include <algorithm>
#include <array>
#include <cstring>

#include "core/engine/kernels/loops.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

/// The value of a Constant node in whichever of its attributes it is; nullptr if in none.
graph::TensorPtr constantValue(const graph::Node& node)
{
    if (auto value = node.tensorAttribute("value"))
        return value;
    const auto share = [](Tensor value) { return std::make_shared<const Tensor>(std::move(value)); };
    if (node.hasAttribute("value_float"))
        return share(Tensor::scalar(node.floatAttribute("value_float", 0.0F)));
    if (node.hasAttribute("value_int"))
        return share(Tensor::scalar(node.intAttribute("value_int", 0)));
    if (node.hasAttribute("value_floats")) {
        const auto values = node.floatsAttribute("value_floats");
        return share(Tensor::from(Shape { static_cast<std::int64_t>(values.size()) }, values));
    }
    if (node.hasAttribute("value_ints")) {
        const auto values = node.intsAttribute("value_ints");
        return share(Tensor::from(Shape { static_cast<std::int64_t>(values.size()) }, values));
    }
    return nullptr;
}

Result<KernelPtr> createConstant(const KernelRequest& request)
{
    const auto value = constantValue(request.node);
    if (!value)
        return request.unsupported("a Constant that is neither a dense tensor nor numbers");
    const auto& out = request.outputs.front();
    if (value->shape() != out.shape || value->dtype() != out.dtype)
        return request.invalid(
            "value of shape " + value->shape().toString() + " for an output of shape " + out.shape.toString());
    return makeKernel([value](const KernelArguments& arguments) {
        std::memcpy(arguments.outputs[0].data, value->data(), value->bytes());
    });
}

Result<KernelPtr> createConstantOfShape(const KernelRequest& request)
{
    const auto& out = request.outputs.front();
    QS_TRY(const std::size_t width, elementWidth(request, out.dtype));
    auto value = request.node.tensorAttribute("value");
    if (!value)
        value = std::make_shared<const Tensor>(Tensor::scalar(0.0F));
    if (value->size() != 1 || value->dtype() != out.dtype)
        return request.invalid("attribute 'value' must be one element of the output's type");
    return makeKernel([value, width](const KernelArguments& arguments) {
        withWidth(width, [&]<typename T>(Type<T>) {
            std::fill_n(
                arguments.outputs[0].out<T>(), arguments.outputs[0].size(), *static_cast<const T*>(value->data()));
        });
    });
}

Result<KernelPtr> createRange(const KernelRequest& request)
{
    return dispatch(request, request.outputs.front().dtype,
        Types<float, double, std::int16_t, std::int32_t, std::int64_t> {}, [&]<typename T>(Type<T>) {
            return makeKernel([](const KernelArguments& arguments) {
                const T start = *arguments.inputs[0].in<T>();
                const T delta = *arguments.inputs[2].in<T>();
                T* y = arguments.outputs[0].out<T>();
                for (std::int64_t i = 0; i < arguments.outputs[0].size(); ++i)
                    y[i] = static_cast<T>(start + static_cast<T>(i) * delta);
            });
        });
}

Result<KernelPtr> createEyeLike(const KernelRequest& request)
{
    const auto& out = request.outputs.front();
    if (out.shape.rank() != 2)
        return request.invalid("EyeLike of shape " + out.shape.toString() + ", expected a matrix");
    const std::int64_t diagonal = request.node.intAttribute("k", 0);
    return dispatch(request, out.dtype, Numbers {}, [&]<typename T>(Type<T>) {
        return makeKernel([diagonal, rows = out.shape[0], columns = out.shape[1]](const KernelArguments& arguments) {
            T* y = arguments.outputs[0].out<T>();
            for (std::int64_t r = 0; r < rows; ++r)
                for (std::int64_t c = 0; c < columns; ++c)
                    *y++ = c - r == diagonal ? T(1) : T(0);
        });
    });
}

/// Output [outer, depth, inner] from indices [outer, inner] and values [off, on] that are only moved.
Result<KernelPtr> createOneHot(const KernelRequest& request)
{
    const auto& out = request.outputs.front();
    QS_TRY(const std::size_t width, elementWidth(request, out.dtype));
    QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", -1), out.shape.rank()));
    if (request.inputs[2].shape != Shape { 2 } || request.inputs[2].dtype != out.dtype)
        return request.invalid("values of shape " + request.inputs[2].shape.toString() + ", expected [off, on]");
    const std::int64_t depth = out.shape[axis];
    std::int64_t inner = 1;
    for (int i = axis + 1; i < out.shape.rank(); ++i)
        inner *= out.shape[i];
    return dispatch(request, request.inputs.front().dtype, Numbers {}, [&]<typename Index>(Type<Index>) {
        return makeKernel([=](const KernelArguments& arguments) {
            const Index* indices = arguments.inputs[0].in<Index>();
            const std::int64_t count = arguments.inputs[0].size();
            withWidth(width, [&]<typename T>(Type<T>) {
                const T* values = arguments.inputs[2].in<T>();
                T* y = arguments.outputs[0].out<T>();
                std::fill_n(y, count * depth, values[0]);
                for (std::int64_t i = 0; i < count; ++i) {
                    auto index = static_cast<std::int64_t>(indices[i]);
                    index += index < 0 ? depth : 0;
                    if (index >= 0 && index < depth)
                        y[(i / inner * depth + index) * inner + i % inner] = values[1];
                }
            });
        });
    });
}

constexpr std::array table {
    KernelRegistration { "Constant", createConstant },
    KernelRegistration { "ConstantOfShape", createConstantOfShape },
    KernelRegistration { "Range", createRange },
    KernelRegistration { "EyeLike", createEyeLike },
    KernelRegistration { "OneHot", createOneHot },
};

} // namespace

std::span<const KernelRegistration> generatorKernels() { return table; }

} // namespace quantoscope::engine
