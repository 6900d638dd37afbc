// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "core/base/error.h"
#include "core/onnx_io/external_data.h"
#include "core/tensor/tensor.h"

namespace onnx {
class TensorProto;
}

namespace quantoscope::onnx_io {

/// What a TensorProto says of itself once its words have been found consistent with each other.
struct TensorClaim {
    DType dtype = DType::Float32;
    Shape shape;
    std::uint64_t bytes = 0;
};

/// Checks type, shape and length of the data against each other; allocates nothing. Errors name the tensor:
/// Unsupported (strings, complex numbers, small floats, segments), InvalidInput, NotFound (external data).
Result<TensorClaim> checkTensor(const ::onnx::TensorProto& proto, const ExternalData& external);

/// The elements, whichever field they are in. checkTensor() gave `claim`. Throws std::bad_alloc.
Result<Tensor> decodeTensor(const ::onnx::TensorProto& proto, const TensorClaim& claim, const ExternalData& external);

/// Name, type and extents, and unless told otherwise the elements as raw little-endian data.
enum class TensorPart { Whole, Header };
void encodeTensor(
    const Tensor& tensor, const std::string& name, ::onnx::TensorProto& proto, TensorPart part = TensorPart::Whole);

} // namespace quantoscope::onnx_io
