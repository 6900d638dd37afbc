// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/engine/kernel.h"

namespace quantoscope::engine {

std::optional<std::vector<std::int64_t>> KernelRequest::ints(std::size_t input) const
{
    if (!has(input) || !inputs[input].constant)
        return std::nullopt;
    return tensor::toInt64s(inputs[input].constant->view());
}

std::optional<std::vector<double>> KernelRequest::doubles(std::size_t input) const
{
    if (!has(input) || !inputs[input].constant)
        return std::nullopt;
    return tensor::toDoubles(inputs[input].constant->view());
}

std::optional<std::vector<std::int64_t>> KernelRequest::attributeOrInts(std::string_view key, std::size_t input) const
{
    if (node.hasAttribute(key))
        return node.intsAttribute(key);
    return ints(input);
}

tl::unexpected<Error> KernelRequest::unsupported(std::string what, std::string hint) const
{
    return fail(ErrorCode::Unsupported, std::move(what), where, std::move(hint));
}

tl::unexpected<Error> KernelRequest::invalid(std::string what, std::string hint) const
{
    return fail(ErrorCode::InvalidInput, std::move(what), where, std::move(hint));
}

} // namespace quantoscope::engine
