// SPDX-License-Identifier: GPL-3.0-or-later
#include <cassert>

#include "core/engine/kernels/internal.h"

namespace quantoscope::engine {

namespace {

class FakeQuantizeKernel : public Kernel {
public:
    FakeQuantizeKernel(quant::Encoding encoding, Shape memoryShape, std::uint64_t seed)
        : m_encoding(std::move(encoding))
        , m_shape(std::move(memoryShape))
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
    quant::Encoding m_encoding; ///< its axis is one of m_shape
    Shape m_shape; ///< extents in memory order
    std::size_t m_size;
    std::uint64_t m_seed;
};

} // namespace

KernelPtr makeFakeQuantize(const quant::Encoding& encoding, const Shape& shape, Layout layout, std::uint64_t seed)
{
    assert(layout == Layout::Plain || encoding.rounding != quant::Rounding::Stochastic);
    if (layout == Layout::Plain)
        return std::make_unique<FakeQuantizeKernel>(encoding, shape, seed);
    std::vector<std::int64_t> extents { shape[0] };
    extents.insert(extents.end(), shape.begin() + 2, shape.end());
    extents.push_back(shape[1]);
    quant::Encoding inMemory = encoding;
    if (encoding.axis == 1)
        inMemory.axis = shape.rank() - 1;
    else if (encoding.axis > 1)
        inMemory.axis = encoding.axis - 1;
    return std::make_unique<FakeQuantizeKernel>(std::move(inMemory), Shape(std::move(extents)), seed);
}

} // namespace quantoscope::engine
