// SPDX-License-Identifier: GPL-3.0-or-later
// The Reduce operators as their definitions say: for every result, every element it stands for, in double.
// ReduceLogSumExp is not here: written as defined it overflows.
#include <array>
#include <cmath>
#include <limits>

#include "core/engine/kernels/reduction_axes.h"
#include "core/engine/kernels/reference/indexing.h"
#include "core/engine/kernels/tables.h"

namespace quantoscope::engine {

namespace {

using namespace reference;

/// What an element does to a running result, and what becomes of that at the end, given the number of elements.
using Function = double (*)(double, double);

double plus(double sum, double x) { return sum + x; }
double times(double product, double x) { return product * x; }
double larger(double a, double b) { return b > a || std::isnan(b) ? b : a; }
double smaller(double a, double b) { return b < a || std::isnan(b) ? b : a; }
double plusMagnitude(double sum, double x) { return sum + std::fabs(x); }
double plusSquare(double sum, double x) { return sum + x * x; }
double same(double result, double) { return result; }
double mean(double sum, double count) { return count > 0 ? sum / count : 0; }
double root(double sum, double) { return std::sqrt(sum); }
double logarithm(double sum, double) { return std::log(sum); }

constexpr double infinity = std::numeric_limits<double>::infinity();

template <double start, Function step, Function finish> Result<KernelPtr> create(const KernelRequest& request)
{
    const Shape& in = request.inputs[0].shape;
    QS_TRY(const auto axes, reductionAxes(request));
    std::vector<std::int64_t> kept = in.dims();
    std::vector<std::int64_t> reduced(kept.size(), 1);
    for (const int axis : axes)
        std::swap(kept[static_cast<std::size_t>(axis)], reduced[static_cast<std::size_t>(axis)]);
    if (Shape(kept).size() != request.outputs[0].shape.size())
        return request.invalid("reduces to " + Shape(kept).toString());
    return dispatch(request, request.inputs[0].dtype, Floats {}, [&]<typename T>(Type<T>) {
        return makeKernel(
            [kept, reduced, extents = in.dims()](const KernelArguments& arguments) {
                T* y = arguments.outputs[0].out<T>();
                forEachIndex(kept, [&](const Index& outer) {
                    double result = start;
                    double count = 0;
                    forEachIndex(reduced, [&](Index index) {
                        for (std::size_t axis = 0; axis < extents.size(); ++axis)
                            index[axis] += outer[axis];
                        const T x = arguments.inputs[0].in<T>()[offsetOf(extents, index)];
                        result = step(result, static_cast<double>(x));
                        ++count;
                    });
                    *y++ = static_cast<T>(finish(result, count));
                });
            },
            traits);
    });
}

template <double start, Function step, Function finish = same> constexpr KernelRegistration entry(std::string_view name)
{
    return { name, viaFloat32<create<start, step, finish>> };
}

constexpr std::array table {
    entry<0.0, plus>("ReduceSum"),
    entry<0.0, plus, mean>("ReduceMean"),
    entry<1.0, times>("ReduceProd"),
    entry<-infinity, larger>("ReduceMax"),
    entry<infinity, smaller>("ReduceMin"),
    entry<0.0, plusMagnitude>("ReduceL1"),
    entry<0.0, plusSquare, root>("ReduceL2"),
    entry<0.0, plusSquare>("ReduceSumSquare"),
    entry<0.0, plus, logarithm>("ReduceLogSum"),
};

} // namespace

std::span<const KernelRegistration> referenceReductionKernels() { return table; }

} // namespace quantoscope::engine
