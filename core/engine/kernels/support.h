// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "core/engine/kernel.h"

namespace quantoscope::engine {

/// What a kernel made from a function answers to the planner.
struct KernelTraits {
    int inPlaceInput = -1;
    bool alias = false;
    std::size_t scratchBytes = 0;
    std::string_view implementation = "loops";
};

/// A kernel whose run() is a function object; the object's captures are the compiled state.
template <typename Run> class FunctionKernel final : public Kernel {
public:
    FunctionKernel(Run run, const KernelTraits& traits)
        : m_run(std::move(run))
        , m_traits(traits)
    {
    }

    void run(const KernelArguments& arguments) const override { m_run(arguments); }
    std::size_t scratchBytes() const override { return m_traits.scratchBytes; }
    std::string_view implementation() const override { return m_traits.implementation; }
    int inPlaceInput() const override { return m_traits.inPlaceInput; }
    bool isAlias() const override { return m_traits.alias; }

private:
    Run m_run;
    KernelTraits m_traits;
};

template <typename Run> KernelPtr makeKernel(Run run, const KernelTraits& traits = {})
{
    return std::make_unique<FunctionKernel<Run>>(std::move(run), traits);
}

/// A type passed as a value, and lists of them.
template <typename T> struct Type {
    using type = T;
};
template <typename... Ts> struct Types {
};

using Floats = Types<float, double>;
using SignedNumbers = Types<float, double, std::int8_t, std::int16_t, std::int32_t, std::int64_t>;
using UnsignedIntegers = Types<std::uint8_t, std::uint16_t, std::uint32_t, std::uint64_t>;
using Integers = Types<std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t, std::uint32_t,
    std::int64_t, std::uint64_t>;
using Numbers = Types<float, double, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t, std::int32_t,
    std::uint32_t, std::int64_t, std::uint64_t>;
using IndexTypes = Types<std::int32_t, std::int64_t>;

/// The largest rank the loop nests hold.
constexpr int largestRank = 16;

/// An error if an operand's rank exceeds largestRank.
Result<void> checkRanks(const KernelRequest& request);

/// Calls `make(Type<T> {})`, which returns Result<KernelPtr>, with the T of the list that `dtype` names. Bool counts
/// as uint8. Anything else is unsupported.
template <typename... Ts, typename Make>
Result<KernelPtr> dispatch(const KernelRequest& request, DType dtype, Types<Ts...>, Make make)
{
    QS_CHECK(checkRanks(request));
    const DType stored = dtype == DType::Bool ? DType::UInt8 : dtype;
    Result<KernelPtr> kernel { KernelPtr {} };
    const bool found = ((stored == tensor::DTypeOf<Ts>::value && ((kernel = make(Type<Ts> {})), true)) || ...);
    if (!found)
        return request.unsupported("element type " + std::string(tensor::name(dtype)) + " is not computed here");
    return kernel;
}

/// Bytes of an element that is only moved, not computed with; an error for packed types.
Result<std::size_t> elementWidth(const KernelRequest& request, DType dtype);

/// Calls `call(Type<U> {})` with the unsigned integer of `width` bytes.
template <typename Call> decltype(auto) withWidth(std::size_t width, Call call)
{
    switch (width) {
    case 1:
        return call(Type<std::uint8_t> {});
    case 2:
        return call(Type<std::uint16_t> {});
    case 4:
        return call(Type<std::uint32_t> {});
    default:
        return call(Type<std::uint64_t> {});
    }
}

/// Layouts of an operator that treats every element alike: the first operand of the output's size that is
/// ChannelsLast makes all of that size ChannelsLast. Others stay as they are.
LayoutChoice elementwiseLayouts(const KernelRequest& request);

/// Input 0 and output 0 take input 0's layout, whatever it is; everything else is Plain.
LayoutChoice passThroughLayouts(const KernelRequest& request);

/// True if `input` and the first output have the same bytes, shape and layout, so that they may share a buffer.
bool mayShareBuffer(const KernelRequest& request, std::size_t input);

using CreateFunction = Result<KernelPtr> (*)(const KernelRequest&);

/// True if an operand is float16 or bfloat16.
bool hasHalfOperands(const KernelRequest& request);

/// The kernel `create` makes for the same request with every float16 and bfloat16 operand as float32, with conversions
/// around it.
Result<KernelPtr> createWidened(const KernelRequest& request, CreateFunction create);

/// Gives a float32 kernel float16 and bfloat16: each value is widened, computed and rounded once.
template <CreateFunction create> Result<KernelPtr> viaFloat32(const KernelRequest& request)
{
    return hasHalfOperands(request) ? createWidened(request, create) : create(request);
}

/// Normalises `axis` against `rank`, with the node in the error.
Result<int> checkedAxis(const KernelRequest& request, std::int64_t axis, int rank);
Result<std::vector<int>> checkedAxes(const KernelRequest& request, std::span<const std::int64_t> axes, int rank);

} // namespace quantoscope::engine
