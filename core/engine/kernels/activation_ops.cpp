// SPDX-License-Identifier: GPL-3.0-or-later
// Activation functions. PRelu, whose slope broadcasts, is with the binary operators.
#include <array>
#include <cmath>
#include <limits>
#include <numbers>

#include "core/engine/kernels/tables.h"
#include "core/engine/kernels/unary.h"
#include "core/engine/kernels/vector_math.h"

namespace quantoscope::engine {

namespace {

/// Calls `make(T)` for float32 and float64.
template <typename Make> Result<KernelPtr> forFloats(const KernelRequest& request, Make make)
{
    return dispatch(request, request.inputs[0].dtype, Floats {},
        [&]<typename T>(Type<T>) -> Result<KernelPtr> { return makeUnary<T>(request, make(T {})); });
}

Result<KernelPtr> createRelu(const KernelRequest& request)
{
    return dispatch(request, request.inputs[0].dtype, SignedNumbers {}, [&]<typename T>(Type<T>) -> Result<KernelPtr> {
        return makeUnary<T>(request, [](T x) { return x < T(0) ? T(0) : x; }); // keeps NaN
    });
}

Result<KernelPtr> createLeakyRelu(const KernelRequest& request)
{
    const float alpha = request.node.floatAttribute("alpha", 0.01F);
    return forFloats(request, [=]<typename T>(T) { return [a = T(alpha)](T x) { return x < T(0) ? a * x : x; }; });
}

Result<KernelPtr> createThresholdedRelu(const KernelRequest& request)
{
    const float alpha = request.node.floatAttribute("alpha", 1.0F);
    return forFloats(request, [=]<typename T>(T) { return [a = T(alpha)](T x) { return x > a ? x : T(0); }; });
}

Result<KernelPtr> createElu(const KernelRequest& request)
{
    const float alpha = request.node.floatAttribute("alpha", 1.0F);
    return forFloats(
        request, [=]<typename T>(T) { return [a = T(alpha)](T x) { return x < T(0) ? a * std::expm1(x) : x; }; });
}

Result<KernelPtr> createCelu(const KernelRequest& request)
{
    const float alpha = request.node.floatAttribute("alpha", 1.0F);
    return forFloats(
        request, [=]<typename T>(T) { return [a = T(alpha)](T x) { return x < T(0) ? a * std::expm1(x / a) : x; }; });
}

Result<KernelPtr> createSelu(const KernelRequest& request)
{
    const float alpha = request.node.floatAttribute("alpha", 1.67326319217681884765625F);
    const float gamma = request.node.floatAttribute("gamma", 1.05070102214813232421875F);
    return forFloats(request, [=]<typename T>(T) {
        return [a = T(alpha), g = T(gamma)](T x) { return g * (x > T(0) ? x : a * std::expm1(x)); };
    });
}

Result<KernelPtr> createSigmoid(const KernelRequest& request)
{
    return forFloats(request, []<typename T>(T) { return [](T x) { return T(1) / (T(1) + exponential(-x)); }; });
}

template <typename T> T clampToUnit(T x) { return x < T(0) ? T(0) : (x > T(1) ? T(1) : x); }

Result<KernelPtr> createHardSigmoid(const KernelRequest& request)
{
    const float alpha = request.node.floatAttribute("alpha", 0.2F);
    const float beta = request.node.floatAttribute("beta", 0.5F);
    return forFloats(
        request, [=]<typename T>(T) { return [a = T(alpha), b = T(beta)](T x) { return clampToUnit(a * x + b); }; });
}

Result<KernelPtr> createHardSwish(const KernelRequest& request)
{
    return forFloats(request, []<typename T>(T) { return [](T x) { return x * clampToUnit(x / T(6) + T(0.5)); }; });
}

Result<KernelPtr> createTanh(const KernelRequest& request)
{
    return forFloats(request, []<typename T>(T) { return [](T x) { return hyperbolicTangent(x); }; });
}

/// ln(1 + e^x) without overflow.
template <typename T> T softplus(T x) { return (x > T(0) ? x : T(0)) + std::log1p(std::exp(-std::abs(x))); }

Result<KernelPtr> createSoftplus(const KernelRequest& request)
{
    return forFloats(request, []<typename T>(T) { return [](T x) { return softplus(x); }; });
}

Result<KernelPtr> createSoftsign(const KernelRequest& request)
{
    return forFloats(request, []<typename T>(T) { return [](T x) { return x / (T(1) + std::abs(x)); }; });
}

Result<KernelPtr> createMish(const KernelRequest& request)
{
    return forFloats(request, []<typename T>(T) { return [](T x) { return x * std::tanh(softplus(x)); }; });
}

/// x Phi(x), or its tanh approximation (Hendrycks and Gimpel 2016, section 2).
Result<KernelPtr> createGelu(const KernelRequest& request)
{
    const std::string approximate = request.node.stringAttribute("approximate", "none");
    if (approximate == "tanh")
        return forFloats(request, []<typename T>(T) {
            return [](T x) {
                constexpr T scale = std::numbers::sqrt2_v<T> * std::numbers::inv_sqrtpi_v<T>;
                return T(0.5) * x * (T(1) + hyperbolicTangent(scale * (x + T(0.044715) * x * x * x)));
            };
        });
    if (approximate != "none")
        return request.invalid("attribute 'approximate' is '" + approximate + "', expected 'none' or 'tanh'");
    return forFloats(request, []<typename T>(T) {
        return [](T x) { return T(0.5) * x * (T(1) + std::erf(x * (std::numbers::sqrt2_v<T> / T(2)))); };
    });
}

Result<KernelPtr> createShrink(const KernelRequest& request)
{
    const float lambda = request.node.floatAttribute("lambd", 0.5F);
    const float bias = request.node.floatAttribute("bias", 0.0F);
    return dispatch(request, request.inputs[0].dtype, Numbers {}, [&]<typename T>(Type<T>) -> Result<KernelPtr> {
        return makeUnary<T>(request, [l = double(lambda), b = double(bias)](T x) {
            const auto wide = static_cast<double>(x);
            return wide < -l ? wide + b : (wide > l ? wide - b : 0.0);
        });
    });
}

/// Both bounds of Clip, as they are stored and as inputs that may only be known at run time.
template <typename T> T bound(const KernelArguments& arguments, std::size_t input, T fallback)
{
    const bool given = arguments.inputs.size() > input && arguments.inputs[input].data;
    return given ? *arguments.inputs[input].in<T>() : fallback;
}

template <typename T> void clip(const KernelArguments& arguments, T low, T high)
{
    const T* x = arguments.inputs[0].in<T>();
    T* y = arguments.outputs[0].out<T>();
    const std::int64_t n = arguments.inputs[0].size();
#pragma GCC ivdep
    for (std::int64_t i = 0; i < n; ++i) {
        const T atLeast = x[i] < low ? low : x[i];
        y[i] = atLeast > high ? high : atLeast; // the upper bound wins where they cross
    }
}

Result<KernelPtr> createClip(const KernelRequest& request)
{
    for (const std::size_t i : { 1U, 2U }) {
        if (!request.has(i))
            continue;
        if (request.inputs[i].shape.size() != 1)
            return request.invalid("bound of shape " + request.inputs[i].shape.toString() + ", expected a scalar");
        if (request.inputs[i].dtype != request.inputs[0].dtype)
            return request.invalid("bound of another element type than the data");
    }
    return dispatch(request, request.inputs[0].dtype, Numbers {}, [&]<typename T>(Type<T>) -> Result<KernelPtr> {
        using Limits = std::numeric_limits<T>;
        T low = Limits::has_infinity ? -Limits::infinity() : Limits::lowest();
        T high = Limits::has_infinity ? Limits::infinity() : Limits::max();
        if (request.opset < 11 && std::is_floating_point_v<T>) {
            low = static_cast<T>(request.node.floatAttribute("min", static_cast<float>(low)));
            high = static_cast<T>(request.node.floatAttribute("max", static_cast<float>(high)));
        }
        return makeKernel(
            [=](const KernelArguments& arguments) {
                clip<T>(arguments, bound<T>(arguments, 1, low), bound<T>(arguments, 2, high));
            },
            { .inPlaceInput = mayShareBuffer(request, 0) ? 0 : -1 });
    });
}

template <CreateFunction create> constexpr KernelRegistration entry(std::string_view name)
{
    return { name, viaFloat32<create>, elementwiseLayouts };
}

constexpr std::array table {
    entry<createRelu>("Relu"),
    entry<createLeakyRelu>("LeakyRelu"),
    entry<createThresholdedRelu>("ThresholdedRelu"),
    entry<createElu>("Elu"),
    entry<createCelu>("Celu"),
    entry<createSelu>("Selu"),
    entry<createSigmoid>("Sigmoid"),
    entry<createHardSigmoid>("HardSigmoid"),
    entry<createHardSwish>("HardSwish"),
    entry<createTanh>("Tanh"),
    entry<createSoftplus>("Softplus"),
    entry<createSoftsign>("Softsign"),
    entry<createMish>("Mish"),
    entry<createGelu>("Gelu"),
    entry<createShrink>("Shrink"),
    entry<createClip>("Clip"),
};

} // namespace

std::span<const KernelRegistration> activationKernels() { return table; }

} // namespace quantoscope::engine
