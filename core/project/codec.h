// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/evaluation/evaluator.h"
#include "core/flow/best_flow.h"
#include "core/flow/quantizer.h"

/// Values as the bytes that a project keeps, and back, bit for bit: JSON as CBOR (RFC 8949), deflated. Decoding gives
/// InvalidInput for anything else, damaged bytes among it.
namespace quantoscope::project::detail {

using Bytes = std::vector<std::uint8_t>;

Bytes pack(const Json& json);
Result<Json> unpack(std::span<const std::uint8_t> bytes);

Json toJson(const evaluation::EvaluationResult& result);
Result<evaluation::EvaluationResultPtr> resultFromJson(const Json& json);

Json toJson(const evaluation::Fidelity& fidelity);
Result<evaluation::Fidelity> fidelityFrom(const Json& json);

/// Without graph and plan, which are kept by themselves.
Json toJson(const flow::QuantizedNetwork& network);
Result<flow::QuantizedNetwork> networkFromJson(const Json& json);

/// Likewise.
Json toJson(const flow::BestFlow& best);
Result<flow::BestFlow> bestFlowFromJson(const Json& json);

} // namespace quantoscope::project::detail
