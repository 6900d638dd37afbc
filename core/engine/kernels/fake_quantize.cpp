// SPDX-License-Identifier: GPL-3.0-or-later
#include <cassert>

#include "core/engine/kernels/internal.h"

namespace quantoscope::engine {

namespace {

class FakeQuantizeKernel : public Kernel {
public:
    FakeQuantizeKernel(quant::Encoding encoding, Shape shape, std::uint64_t seed)
        : m_encoding(std::move(encoding))
        , m_shape(std::move(shape))
        , m_size(static_cast<std::size_t>(m_shape.size()))
        , m_seed(seed)
    {
    }

    void run(const KernelArguments& arguments) const override
    {
        quant::fakeQuantize(m_encoding, m_shape, { arguments.inputs[0].in<float>(), m_size },
            { arguments.outputs[0].out<float>(), m_size }, m_seed);
    }
    std::string_view implementation() const override { return "fake-quantize"; }
    int inPlaceInput() const override { return 0; }

private:
    quant::Encoding m_encoding;
    Shape m_shape;
    std::size_t m_size;
    std::uint64_t m_seed;
};

} // namespace

KernelPtr makeFakeQuantize(
    const quant::Encoding& encoding, const Shape& shape, [[maybe_unused]] Layout layout, std::uint64_t seed)
{
    assert(layout == Layout::Plain || !orderMatters(encoding));
    return std::make_unique<FakeQuantizeKernel>(encoding, shape, seed);
}

bool orderMatters(const quant::Encoding& encoding)
{
    return encoding.perChannel() || encoding.rounding == quant::Rounding::Stochastic;
}

} // namespace quantoscope::engine
