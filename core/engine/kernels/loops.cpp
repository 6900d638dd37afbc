// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernels/loops.h"

#include <cstring>
#include <numeric>

namespace quantoscope::engine {

std::vector<int> memoryOrder(int rank, Layout layout)
{
    std::vector<int> order(static_cast<std::size_t>(rank));
    std::iota(order.begin(), order.end(), 0);
    if (layout == Layout::ChannelsLast && rank > 2) {
        order.erase(order.begin() + 1);
        order.push_back(1);
    }
    return order;
}

Strides layoutStrides(const Shape& shape, Layout layout)
{
    Strides strides(static_cast<std::size_t>(shape.rank()));
    const auto order = memoryOrder(shape.rank(), layout);
    std::int64_t step = 1;
    for (std::size_t i = order.size(); i-- > 0;) {
        strides[static_cast<std::size_t>(order[i])] = step;
        step *= shape[order[i]];
    }
    return strides;
}

Strides broadcastStrides(const Shape& operand, Layout layout, const Shape& target)
{
    const Strides own = layoutStrides(operand, layout);
    Strides strides(static_cast<std::size_t>(target.rank()), 0);
    const int lead = target.rank() - operand.rank();
    for (int axis = 0; axis < operand.rank(); ++axis)
        if (operand[axis] != 1)
            strides[static_cast<std::size_t>(axis + lead)] = own[static_cast<std::size_t>(axis)];
    return strides;
}

namespace {

template <typename T> void copyRow(const T* from, std::int64_t fromStride, T* to, std::int64_t toStride, std::int64_t n)
{
    if (fromStride == 1 && toStride == 1) {
        std::memcpy(to, from, static_cast<std::size_t>(n) * sizeof(T));
    } else if (fromStride == 0 && toStride == 1) {
        std::fill_n(to, n, *from);
    } else {
        for (std::int64_t i = 0; i < n; ++i)
            to[i * toStride] = from[i * fromStride];
    }
}

} // namespace

void copyStrided(const Loops<2>& loops, std::size_t width, const void* from, void* to)
{
    withWidth(width, [&]<typename T>(Type<T>) {
        const auto* source = static_cast<const T*>(from);
        auto* target = static_cast<T*>(to);
        const std::int64_t n = loops.rowExtent();
        const std::int64_t fromStride = loops.rowStride(0);
        const std::int64_t toStride = loops.rowStride(1);
        forEachRow(loops, [&](const std::array<std::int64_t, 2>& at) {
            copyRow(source + at[0], fromStride, target + at[1], toStride, n);
        });
    });
}

void runCopies(std::span<const CopyPiece> pieces, std::size_t width, const KernelArguments& arguments)
{
    const auto bytes = static_cast<std::int64_t>(width);
    for (const auto& piece : pieces)
        copyStrided(piece.loops, width, arguments.inputs[piece.input].in<std::byte>() + piece.fromOffset * bytes,
            arguments.outputs[piece.output].out<std::byte>() + piece.toOffset * bytes);
}

KernelPtr makeCopyKernel(std::vector<CopyPiece> pieces, std::size_t width)
{
    return makeKernel(
        [pieces = std::move(pieces), width](const KernelArguments& arguments) { runCopies(pieces, width, arguments); });
}

TableCopy::TableCopy(
    const std::vector<std::vector<std::int64_t>>& sources, const Strides& inputStrides, std::span<const int> order)
{
    for (const int axis : order) {
        const auto a = static_cast<std::size_t>(axis);
        auto& table = offsets.emplace_back(sources[a]);
        for (auto& entry : table)
            entry *= inputStrides[a];
    }
    if (offsets.empty())
        offsets.push_back({ 0 });
    const auto& last = offsets.back();
    denseRows = true;
    for (std::size_t i = 0; i < last.size() && denseRows; ++i)
        denseRows = last[i] == static_cast<std::int64_t>(i);
}

void TableCopy::run(std::size_t width, const void* from, void* to) const
{
    for (const auto& table : offsets)
        if (table.empty())
            return;
    withWidth(width, [&]<typename T>(Type<T>) {
        const auto* source = static_cast<const T*>(from);
        auto* target = static_cast<T*>(to);
        std::array<std::size_t, largestRank> index {};
        const std::size_t last = offsets.size() - 1;
        const auto& row = offsets[last];
        while (true) {
            std::int64_t base = 0;
            for (std::size_t d = 0; d < last; ++d)
                base += offsets[d][index[d]];
            if (denseRows) {
                std::memcpy(target, source + base, row.size() * sizeof(T));
                target += row.size();
            } else {
                for (const auto offset : row)
                    *target++ = source[base + offset];
            }
            std::size_t d = last;
            while (d > 0 && ++index[d - 1] == offsets[d - 1].size())
                index[--d] = 0;
            if (d == 0)
                return;
        }
    });
}

} // namespace quantoscope::engine
