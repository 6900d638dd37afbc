// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>

#include "core/graph/op_schema.h"

/// The operators of each family; opSchemas() is all of them.
namespace quantoscope::graph::schemas {

std::span<const OpSchema> arithmetic();
std::span<const OpSchema> activations();
std::span<const OpSchema> convolutions();
std::span<const OpSchema> linear();
std::span<const OpSchema> normalizations();
std::span<const OpSchema> reshaping();
std::span<const OpSchema> joining();
std::span<const OpSchema> indexing();
std::span<const OpSchema> resampling();
std::span<const OpSchema> reductions();
std::span<const OpSchema> sources();
std::span<const OpSchema> quantization();

} // namespace quantoscope::graph::schemas
