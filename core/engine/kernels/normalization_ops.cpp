// SPDX-License-Identifier: GPL-3.0-or-later
// Normalisations that oneDNN does not have: MeanVarianceNormalization, LpNormalization, GroupNormalization.
#include <array>
#include <cmath>

#include "core/engine/kernels/axis_blocks.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

struct Moments {
    double mean = 0;
    double variance = 0; ///< divided by n
};

/// Two passes, so that a large mean does not cost the variance its digits.
template <typename T> Moments moments(const T* x, std::int64_t n)
{
    double sum = 0;
    for (std::int64_t i = 0; i < n; ++i)
        sum += static_cast<double>(x[i]);
    Moments m { sum / static_cast<double>(n), 0 };
    for (std::int64_t i = 0; i < n; ++i) {
        const double d = static_cast<double>(x[i]) - m.mean;
        m.variance += d * d;
    }
    m.variance /= static_cast<double>(n);
    return m;
}

Result<KernelPtr> createLpNormalization(const KernelRequest& request)
{
    const Shape& shape = request.inputs[0].shape;
    QS_TRY(const int axis, checkedAxis(request, request.node.intAttribute("axis", -1), shape.rank()));
    const std::int64_t p = request.node.intAttribute("p", 2);
    if (p != 1 && p != 2)
        return request.invalid("p = " + std::to_string(p) + ", expected 1 or 2");
    const AxisBlocks blocks(shape, axis);
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel([blocks, p](const KernelArguments& arguments) {
            blocks.forEachLine([&](std::int64_t start) {
                const T* x = arguments.inputs[0].in<T>() + start;
                T* y = arguments.outputs[0].out<T>() + start;
                double norm = 0;
                for (std::int64_t i = 0; i < blocks.extent; ++i) {
                    const auto value = static_cast<double>(x[i * blocks.inner]);
                    norm += p == 1 ? std::abs(value) : value * value;
                }
                norm = p == 1 ? norm : std::sqrt(norm);
                for (std::int64_t i = 0; i < blocks.extent; ++i)
                    y[i * blocks.inner]
                        = norm == 0 ? T(0) : static_cast<T>(static_cast<double>(x[i * blocks.inner]) / norm);
            });
        });
    });
}

/// y = (x - mean) / (sqrt(variance) + 1e-9) over `axes`, moments in double; scratch holds a mean and a variance a
/// result.
Result<KernelPtr> createMeanVariance(const KernelRequest& request)
{
    const Shape& shape = request.inputs[0].shape;
    QS_TRY(const auto axes, checkedAxes(request, request.node.intsAttribute("axes", { 0, 2, 3 }), shape.rank()));
    Shape kept = shape;
    for (const int axis : axes)
        kept[axis] = 1;
    const std::int64_t results = kept.size();
    const auto count = static_cast<double>(results ? shape.size() / results : 0);
    const auto loops = makeLoops<2>(shape.dims(), { shape.strides(), broadcastStrides(kept, Layout::Plain, shape) },
        memoryOrder(shape.rank(), Layout::Plain));
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel(
            [=](const KernelArguments& arguments) {
                const T* x = arguments.inputs[0].in<T>();
                T* y = arguments.outputs[0].out<T>();
                auto* mean = reinterpret_cast<double*>(arguments.scratch);
                auto* variance = mean + results;
                std::fill_n(mean, 2 * results, 0.0);
                const auto forEach = [&](auto visit) {
                    forEachRow(loops, [&](const std::array<std::int64_t, 2>& at) {
                        for (std::int64_t i = 0; i < loops.rowExtent(); ++i)
                            visit(at[0] + i * loops.rowStride(0), at[1] + i * loops.rowStride(1));
                    });
                };
                forEach([&](std::int64_t i, std::int64_t m) { mean[m] += static_cast<double>(x[i]) / count; });
                forEach([&](std::int64_t i, std::int64_t m) {
                    const double d = static_cast<double>(x[i]) - mean[m];
                    variance[m] += d * d / count;
                });
                forEach([&](std::int64_t i, std::int64_t m) {
                    y[i] = static_cast<T>((static_cast<double>(x[i]) - mean[m]) / (std::sqrt(variance[m]) + 1e-9));
                });
            },
            { .scratchBytes = static_cast<std::size_t>(2 * results) * sizeof(double) });
    });
}

/// Scale and bias are one a group in opset 18, one a channel from opset 21 on.
Result<KernelPtr> createGroup(const KernelRequest& request)
{
    const Shape& shape = request.inputs[0].shape;
    const std::int64_t groups = request.node.intAttribute("num_groups", 0);
    if (shape.rank() < 2 || groups < 1 || shape[1] % groups != 0)
        return request.invalid(
            "channels of " + shape.toString() + " do not divide into " + std::to_string(groups) + " groups");
    const std::int64_t channels = shape[1];
    const std::int64_t perGroup = channels / groups;
    const bool perChannel = request.inputs[1].shape == Shape { channels };
    if ((!perChannel && request.inputs[1].shape != Shape { groups })
        || request.inputs[2].shape != request.inputs[1].shape || request.inputs[1].dtype != request.inputs[0].dtype)
        return request.invalid("scale of shape " + request.inputs[1].shape.toString() + " for " + std::to_string(groups)
            + " groups of " + std::to_string(perGroup) + " channels");
    const std::int64_t inner = AxisBlocks(shape, 1).inner;
    const double epsilon = request.node.floatAttribute("epsilon", 1e-5F);
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel([=, batches = shape[0]](const KernelArguments& arguments) {
            const T* scale = arguments.inputs[1].in<T>();
            const T* bias = arguments.inputs[2].in<T>();
            for (std::int64_t block = 0; block < batches * groups; ++block) {
                const T* x = arguments.inputs[0].in<T>() + block * perGroup * inner;
                T* y = arguments.outputs[0].out<T>() + block * perGroup * inner;
                const Moments m = moments(x, perGroup * inner);
                const double inverse = 1 / std::sqrt(m.variance + epsilon);
                for (std::int64_t c = 0; c < perGroup; ++c) {
                    const std::int64_t group = block % groups;
                    const std::int64_t p = perChannel ? group * perGroup + c : group;
                    for (std::int64_t i = c * inner; i < (c + 1) * inner; ++i)
                        y[i] = static_cast<T>(
                            (static_cast<double>(x[i]) - m.mean) * inverse * static_cast<double>(scale[p])
                            + static_cast<double>(bias[p]));
                }
            }
        });
    });
}

constexpr std::array table {
    KernelRegistration { "LpNormalization", viaFloat32<createLpNormalization> },
    KernelRegistration { "MeanVarianceNormalization", viaFloat32<createMeanVariance> },
    KernelRegistration { "GroupNormalization", viaFloat32<createGroup> },
};

} // namespace

std::span<const KernelRegistration> normalizationKernels() { return table; }

} // namespace quantoscope::engine
