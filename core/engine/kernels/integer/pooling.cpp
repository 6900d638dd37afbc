// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cmath>

#include "core/engine/kernels/integer/integer_kernels.h"
#include "core/engine/kernels/support.h"
#include "core/engine/kernels/window.h"

namespace quantoscope::engine {

namespace {

/// One axis of a window; axes that a tensor does not have are a single position.
struct Axis {
    std::int64_t input = 1;
    std::int64_t output = 1;
    std::int64_t kernel = 1;
    std::int64_t stride = 1;
    std::int64_t dilation = 1;
    std::int64_t padBegin = 0;

    /// Taps [first, last) of the window at `position` that lie within the input.
    std::pair<std::int64_t, std::int64_t> inside(std::int64_t position) const
    {
        const std::int64_t start = position * stride - padBegin;
        const std::int64_t first = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
        const std::int64_t last = start >= input ? 0 : std::min(kernel, (input - start + dilation - 1) / dilation);
        return { first, std::max(first, last) };
    }
    std::int64_t row(std::int64_t position, std::int64_t tap) const
    {
        return position * stride - padBegin + tap * dilation;
    }
};

class IntegerAverage {
public:
    IntegerAverage(const Shape& input, const Shape& output, const Window& window, bool countsPads, const CodeGrid& from,
        const CodeGrid& to)
        : m_batch(input[0])
        , m_channels(input[1])
        , m_countsPads(countsPads)
        , m_from(from)
        , m_to(to)
    {
        const std::size_t missing = m_axes.size() - window.axes();
        for (std::size_t a = 0; a < window.axes(); ++a)
            m_axes[missing + a] = { input[static_cast<int>(a) + 2], output[static_cast<int>(a) + 2], window.kernel[a],
                window.strides[a], window.dilations[a], window.padsBegin[a] };
    }

    void run(const KernelArguments& arguments) const
    {
        const std::uint8_t* in = arguments.inputs[0].in<std::uint8_t>();
        std::uint8_t* out = arguments.outputs[0].out<std::uint8_t>();
        auto* const sums = reinterpret_cast<std::int32_t*>(arguments.scratch);
        const auto& [depth, height, width] = m_axes;
        for (std::int64_t n = 0; n < m_batch; ++n, in += depth.input * height.input * width.input * m_channels)
            for (std::int64_t d = 0; d < depth.output; ++d)
                for (std::int64_t h = 0; h < height.output; ++h)
                    for (std::int64_t w = 0; w < width.output; ++w, out += m_channels)
                        finish(sums, addUp(in, { d, h, w }, sums), out);
    }

private:
    /// Sums over the window at a position, a channel each; returns how many positions they are of.
    std::int64_t addUp(const std::uint8_t* in, const std::array<std::int64_t, 3>& at, std::int32_t* sums) const
    {
        const auto& [depth, height, width] = m_axes;
        const auto [d0, d1] = depth.inside(at[0]);
        const auto [h0, h1] = height.inside(at[1]);
        const auto [w0, w1] = width.inside(at[2]);
        std::fill_n(sums, m_channels, 0);
        for (std::int64_t d = d0; d < d1; ++d)
            for (std::int64_t h = h0; h < h1; ++h)
                for (std::int64_t w = w0; w < w1; ++w) {
                    const std::int64_t position
                        = (depth.row(at[0], d) * height.input + height.row(at[1], h)) * width.input
                        + width.row(at[2], w);
                    const std::uint8_t* const from = in + position * m_channels;
                    for (std::int64_t c = 0; c < m_channels; ++c)
                        sums[c] += from[c];
                }
        return (d1 - d0) * (h1 - h0) * (w1 - w0);
    }

    void finish(const std::int32_t* sums, std::int64_t positions, std::uint8_t* out) const
    {
        const auto [low, high] = m_to.levelBounds(std::nullopt);
        const auto& [depth, height, width] = m_axes;
        const std::int64_t divisor = m_countsPads ? depth.kernel * height.kernel * width.kernel : positions;
        const std::int64_t zero = positions * m_from.zeroPoint();
        for (std::int64_t c = 0; c < m_channels; ++c) {
            const auto mean = static_cast<float>(static_cast<double>(sums[c] - zero)
                * static_cast<double>(m_from.scale()) / static_cast<double>(divisor));
            const float level = std::clamp(std::nearbyint(mean / m_to.scale()), low, high);
            out[c] = static_cast<std::uint8_t>(static_cast<std::int32_t>(level) + m_to.zeroPoint());
        }
    }

    std::int64_t m_batch;
    std::int64_t m_channels;
    bool m_countsPads;
    CodeGrid m_from;
    CodeGrid m_to;
    std::array<Axis, 3> m_axes {};
};

} // namespace

Result<KernelPtr> makeIntegerAverage(const KernelRequest& request, const CodeGrid& grid, const CodeGrid& output)
{
    const Shape& input = request.inputs[0].shape;
    const Shape& result = request.outputs[0].shape;
    auto kernel = request.node.intsAttribute("kernel_shape");
    if (input.rank() < 3 || input.rank() > 5 || kernel.empty() || request.node.intAttribute("ceil_mode", 0) != 0)
        return request.unsupported("an average over windows of this kind on integers");
    QS_TRY(const Window window, slidingWindow(request, input, std::move(kernel)));
    const auto isDense = [](std::int64_t step) { return step == 1; };
    const bool countsPads = request.node.intAttribute("count_include_pad", 0) != 0;
    if (!std::ranges::all_of(window.dilations, isDense))
        return request.unsupported("an average over dilated windows on integers");
    const IntegerAverage average(input, result, window, countsPads, grid, output);
    return makeKernel([average](const KernelArguments& arguments) { average.run(arguments); },
        { .scratchBytes = static_cast<std::size_t>(input[1]) * sizeof(std::int32_t),
            .implementation = "mean of codes" });
}

} // namespace quantoscope::engine
