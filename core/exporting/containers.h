// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/graph/graph.h"
#include "core/quant/plan.h"
#include "core/tensor/dtype.h"

namespace quantoscope::exporting {

/// What a quantized model is written as.
enum class Format {
    Qdq, ///< ONNX with QuantizeLinear, Clip and DequantizeLinear
    Qonnx, ///< ONNX with Quant nodes of QONNX, any word-length
    Float, ///< ONNX without quantizers, whose constants are the quantized values; activations stay float
    Encodings, ///< JSON with the encodings alone, for AIMET and tools that read its files
    Csv, ///< the encodings as a table, a line a channel
};
Result<Format> parseFormat(const std::string& text); ///< "qdq", "qonnx", "float", "encodings", "csv"
std::string toString(Format format);
bool isModel(Format format); ///< whether the file is a network that can be run

/// Which element types QDQ may use for at most 4 bits.
enum class Containers {
    Portable, ///< int8 and uint8, which every runtime has; the word-length is in Clip nodes and metadata
    Native, ///< int4 and uint4, two values a byte, at opset 21
};
Result<Containers> parseContainers(const std::string& text); ///< "portable", "native"
std::string toString(Containers containers);

/// An element type of QDQ and the integers it holds.
struct Container {
    DType dtype = DType::Int8;
    std::int32_t low = 0;
    std::int32_t high = 0;

    bool isWide() const { return tensor::bitWidth(dtype) == 16; }
    bool isNativelyPacked() const { return tensor::bitWidth(dtype) == 4; }
};

/// The smallest type that holds the levels of a quantizer. An activation gets a 4-bit one only where its levels fill
/// it, since runtimes have no 4-bit Clip.
Container containerFor(const quant::TensorQuantizer& quantizer, bool isConstant, Containers containers);

/// What becomes of one tensor in a file.
struct TensorContainer {
    std::string tensor;
    quant::Role role = quant::Role::Weight;
    int logicalBits = 0;
    std::string container; ///< "int8", "uint4", "float32"
    std::int64_t elements = 0; ///< of an activation for one image
    double logicalBytes = 0; ///< elements at the word-length
    std::uint64_t bytesOnDisk = 0; ///< 0 for activations
    std::string executes; ///< the values the file has of it: "int8, values restricted to 3 bits"
    /// What ONNX Runtime computes the layers in that read it: "integers", "float, because its bias is float"; empty for
    /// tensors that none reads, and for formats other than QDQ.
    std::string computedIn;
};

/// What a plan becomes in a format, known before anything is written.
struct ContainerReport {
    std::vector<TensorContainer> tensors; ///< in the order in which the network reads them
    double logicalBytes = 0; ///< of the quantized constants at their word-lengths
    std::uint64_t bytesOnDisk = 0; ///< of the same constants in the file
    std::uint64_t floatBytes = 0; ///< of the same constants before
    int opset = 0; ///< the least that the format needs; 0 where it is no model
    quant::Scope scope = quant::Scope::Compute; ///< of the plan
    int layers = 0; ///< compute layers; 0 for formats other than QDQ
    int integerLayers = 0; ///< those of them that ONNX Runtime computes in integers, see layerArithmetic()

    /// "Quantized constants: 68.1 kB at their word-lengths, 136.2 kB in the file: ..." in a sentence or two.
    std::string describe() const;
};

/// `prepared` is the graph the plan is for. Tensors of the plan that it does not have are left out.
ContainerReport describeContainers(
    const graph::Graph& prepared, const quant::QuantizationPlan& plan, Format format, Containers containers);

} // namespace quantoscope::exporting
