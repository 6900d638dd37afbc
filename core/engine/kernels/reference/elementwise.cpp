// SPDX-License-Identifier: GPL-3.0-or-later
// Element-wise operators as their definitions say: every element by its index, computed in double.
#include <array>
#include <cmath>

#include "core/engine/kernels/reference/indexing.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

using namespace reference;

/// Row-major offset in a tensor of `extents` that is broadcast (aligned at the last axis) to the index's rank.
std::int64_t broadcastOffset(const Shape& shape, const Index& index, int rank)
{
    std::int64_t offset = 0;
    for (int axis = 0; axis < shape.rank(); ++axis) {
        const auto at = index[static_cast<std::size_t>(axis + rank - shape.rank())];
        offset = offset * shape[axis] + (shape[axis] == 1 ? 0 : at);
    }
    return offset;
}

using Binary = double (*)(double, double);

template <Binary op> Result<KernelPtr> createBinary(const KernelRequest& request)
{
    const Shape& y = request.outputs[0].shape;
    for (const std::size_t i : { 0U, 1U }) {
        const auto merged = tensor::broadcast(request.inputs[i].shape, y);
        if (!merged || *merged != y)
            return request.invalid(request.inputs[i].shape.toString() + " cannot be broadcast to " + y.toString());
        if (request.inputs[i].dtype != request.inputs[0].dtype)
            return request.unsupported("operands of two element types");
    }
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel(
            [](const KernelArguments& arguments) {
                const Shape& shape = *arguments.outputs[0].shape;
                T* out = arguments.outputs[0].out<T>();
                const auto operand = [&](std::size_t i, const Index& index) {
                    const Buffer& buffer = arguments.inputs[i];
                    return static_cast<double>(buffer.in<T>()[broadcastOffset(*buffer.shape, index, shape.rank())]);
                };
                forEachIndex(shape.dims(),
                    [&](const Index& index) { *out++ = static_cast<T>(op(operand(0, index), operand(1, index))); });
            },
            traits);
    });
}

double add(double a, double b) { return a + b; }
double subtract(double a, double b) { return a - b; }
double multiply(double a, double b) { return a * b; }
double quotient(double a, double b) { return a / b; }
double power(double a, double b) { return std::pow(a, b); }
double leaky(double x, double slope) { return x < 0 ? x * slope : x; }

/// An activation's attributes.
struct Parameters {
    double alpha = 0;
    double beta = 0;
};
using Unary = double (*)(double, const Parameters&);

struct Defaults {
    float alpha = 0;
    float beta = 0;
    const char* second = "beta"; ///< name of the second attribute
};

template <Unary op, Defaults defaults> Result<KernelPtr> createUnary(const KernelRequest& request)
{
    const Parameters parameters { request.node.floatAttribute("alpha", defaults.alpha),
        request.node.floatAttribute(defaults.second, defaults.beta) };
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel(
            [parameters](const KernelArguments& arguments) {
                for (std::int64_t i = 0; i < arguments.inputs[0].size(); ++i)
                    arguments.outputs[0].out<T>()[i]
                        = static_cast<T>(op(static_cast<double>(arguments.inputs[0].in<T>()[i]), parameters));
            },
            traits);
    });
}

double relu(double x, const Parameters&) { return x < 0 ? 0 : x; }
double leakyRelu(double x, const Parameters& p) { return x < 0 ? p.alpha * x : x; }
double elu(double x, const Parameters& p) { return x < 0 ? p.alpha * (std::exp(x) - 1) : x; }
double selu(double x, const Parameters& p) { return p.beta * (x > 0 ? x : p.alpha * (std::exp(x) - 1)); }
double sigmoid(double x, const Parameters&) { return 1 / (1 + std::exp(-x)); }
double hardSigmoid(double x, const Parameters& p) { return std::fmax(0, std::fmin(1, p.alpha * x + p.beta)); }
double hardSwish(double x, const Parameters&) { return x * std::fmax(0, std::fmin(1, x / 6 + 0.5)); }
double hyperbolicTangent(double x, const Parameters&) { return std::tanh(x); }
double softplus(double x, const Parameters&) { return x > 500 ? x : std::log(std::exp(x) + 1); }
double softsign(double x, const Parameters&) { return x / (1 + std::fabs(x)); }
double errorFunction(double x, const Parameters&) { return std::erf(x); }
double exponential(double x, const Parameters&) { return std::exp(x); }
double mish(double x, const Parameters& p) { return x * std::tanh(softplus(x, p)); }

constexpr char gamma[] = "gamma";
constexpr char beta[] = "beta";

template <Unary op, float alphaDefault = 0.0F, float betaDefault = 0.0F, const char* second = beta>
constexpr KernelRegistration unary(std::string_view name)
{
    return { name, viaFloat32<createUnary<op, Defaults { alphaDefault, betaDefault, second }>> };
}

template <Binary op> constexpr KernelRegistration binary(std::string_view name)
{
    return { name, viaFloat32<createBinary<op>> };
}

constexpr std::array table {
    binary<add>("Add"),
    binary<subtract>("Sub"),
    binary<multiply>("Mul"),
    binary<quotient>("Div"),
    binary<power>("Pow"),
    binary<leaky>("PRelu"),
    unary<relu>("Relu"),
    unary<leakyRelu, 0.01F>("LeakyRelu"),
    unary<elu, 1.0F>("Elu"),
    unary<selu, 1.67326319217681884765625F, 1.05070102214813232421875F, gamma>("Selu"),
    unary<sigmoid>("Sigmoid"),
    unary<hardSigmoid, 0.2F, 0.5F>("HardSigmoid"),
    unary<hardSwish>("HardSwish"),
    unary<hyperbolicTangent>("Tanh"),
    unary<softplus>("Softplus"),
    unary<softsign>("Softsign"),
    unary<errorFunction>("Erf"),
    unary<exponential>("Exp"),
    unary<mish>("Mish"),
};

} // namespace

std::span<const KernelRegistration> referenceElementwiseKernels() { return table; }

} // namespace quantoscope::engine
