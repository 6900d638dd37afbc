// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "core/engine/kernels/support.h"

namespace quantoscope::engine {

namespace {

bool isHalf(DType dtype) { return dtype == DType::Float16 || dtype == DType::BFloat16; }

std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }

void widen(const Buffer& from, float* to)
{
    const auto* source = from.in<std::uint16_t>();
    const std::int64_t n = from.size();
    for (std::int64_t i = 0; i < n; ++i)
        to[i] = from.dtype == DType::Float16 ? tensor::halfToFloat(source[i]) : tensor::bfloat16ToFloat(source[i]);
}

void narrow(const float* from, const Buffer& to)
{
    auto* target = to.out<std::uint16_t>();
    const std::int64_t n = to.size();
    for (std::int64_t i = 0; i < n; ++i)
        target[i] = to.dtype == DType::Float16 ? tensor::floatToHalf(from[i]) : tensor::floatToBfloat16(from[i]);
}

/// Runs a float32 kernel on 16-bit floats. Scratch: the inner kernel's, the operands' headers, the widened operands.
class WidenedKernel final : public Kernel {
public:
    WidenedKernel(KernelPtr inner, const KernelRequest& request)
        : m_inner(std::move(inner))
    {
        m_headers = aligned(m_inner->scratchBytes());
        m_bytes = m_headers + aligned((request.inputs.size() + request.outputs.size()) * sizeof(Buffer));
        for (const auto* operands : { &request.inputs, &request.outputs }) {
            for (const auto& operand : *operands) {
                m_places.push_back(m_bytes);
                if (operand.present && isHalf(operand.dtype))
                    m_bytes += aligned(static_cast<std::size_t>(operand.shape.size()) * sizeof(float));
            }
        }
    }

    std::size_t scratchBytes() const override { return m_bytes; }
    std::string_view implementation() const override { return "widened"; }
    std::unique_ptr<KernelState> makeState() const override { return m_inner->makeState(); }
    bool readsInput(std::size_t input) const override { return m_inner->readsInput(input); }

    void run(const KernelArguments& arguments) const override
    {
        const std::size_t inputs = arguments.inputs.size();
        const std::size_t outputs = arguments.outputs.size();
        auto* headers = reinterpret_cast<Buffer*>(arguments.scratch + m_headers);
        std::uninitialized_copy(arguments.inputs.begin(), arguments.inputs.end(), headers);
        std::uninitialized_copy(arguments.outputs.begin(), arguments.outputs.end(), headers + inputs);
        for (std::size_t i = 0; i < inputs + outputs; ++i) {
            Buffer& header = headers[i];
            if (!header.data || !isHalf(header.dtype))
                continue;
            auto* wide = reinterpret_cast<float*>(arguments.scratch + m_places[i]);
            if (i < inputs)
                widen(header, wide);
            header.dtype = DType::Float32;
            header.data = wide;
        }
        m_inner->run({ .inputs = { headers, inputs },
            .outputs = { headers + inputs, outputs },
            .scratch = arguments.scratch,
            .stream = arguments.stream,
            .state = arguments.state });
        for (std::size_t i = 0; i < outputs; ++i) {
            const Buffer& target = arguments.outputs[i];
            if (target.data && isHalf(target.dtype))
                narrow(headers[inputs + i].in<float>(), target);
        }
    }

private:
    KernelPtr m_inner;
    std::size_t m_headers = 0; ///< offset of the Buffer headers in scratch
    std::size_t m_bytes = 0;
    std::vector<std::size_t> m_places; ///< offset of each operand's widened elements
};

} // namespace

bool hasHalfOperands(const KernelRequest& request)
{
    const auto half = [](const OperandInfo& operand) { return operand.present && isHalf(operand.dtype); };
    return std::ranges::any_of(request.inputs, half) || std::ranges::any_of(request.outputs, half);
}

Result<KernelPtr> createWidened(const KernelRequest& request, CreateFunction create)
{
    KernelRequest wide = request;
    for (auto* operands : { &wide.inputs, &wide.outputs }) {
        for (auto& operand : *operands) {
            if (!operand.present || !isHalf(operand.dtype))
                continue;
            operand.dtype = DType::Float32;
            if (operand.constant)
                operand.constant
                    = std::make_shared<const Tensor>(tensor::convert(operand.constant->view(), DType::Float32));
        }
    }
    QS_TRY(auto inner, create(wide));
    return KernelPtr(std::make_unique<WidenedKernel>(std::move(inner), request));
}

} // namespace quantoscope::engine
