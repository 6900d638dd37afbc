// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/onnx_io/tensor_codec.h"

#include <bit>
#include <charconv>
#include <cstring>
#include <limits>

#include <onnx/onnx_pb.h>

#include "core/graph/onnx_types.h"
#include "core/onnx_io/element_type.h"

namespace quantoscope::onnx_io {

static_assert(std::endian::native == std::endian::little, "raw_data is little endian and copied as it is");

namespace {

using ::onnx::TensorProto;

std::string describe(const TensorProto& proto)
{
    return proto.name().empty() ? "a tensor without name" : "tensor '" + proto.name() + "'";
}

tl::unexpected<Error> at(const TensorProto& proto, Error error)
{
    error.where = describe(proto) + (error.where.empty() ? "" : ", " + error.where);
    return tl::make_unexpected(std::move(error));
}

tl::unexpected<Error> invalid(const TensorProto& proto, std::string what)
{
    return at(proto, { ErrorCode::InvalidInput, std::move(what), {}, "the file is damaged; fetch or export it again" });
}

bool isExternal(const TensorProto& proto) { return proto.data_location() == TensorProto::EXTERNAL; }

Result<std::uint64_t> parseCount(const TensorProto& proto, const std::string& key, const std::string& text)
{
    std::uint64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [rest, status] = std::from_chars(text.data(), end, value);
    if (status != std::errc {} || rest != end || value > std::numeric_limits<std::int64_t>::max())
        return invalid(proto, "external data has " + key + " '" + text + "', expected a number of bytes");
    return value;
}

Result<ExternalLocation> externalLocation(const TensorProto& proto)
{
    ExternalLocation location;
    for (const auto& entry : proto.external_data()) {
        if (entry.key() == "location") {
            location.file = entry.value();
        } else if (entry.key() == "offset") {
            QS_TRY(location.offset, parseCount(proto, "offset", entry.value()));
        } else if (entry.key() == "length") {
            QS_TRY(location.length, parseCount(proto, "length", entry.value()));
        }
    }
    return location;
}

/// Elements of the typed field that `dtype` is kept in, and how many there should be.
struct TypedField {
    const char* name;
    std::int64_t present;
    std::int64_t expected;
};

TypedField typedField(const TensorProto& proto, DType dtype, std::int64_t size)
{
    switch (dtype) {
    case DType::Float32:
        return { "float_data", proto.float_data_size(), size };
    case DType::Float64:
        return { "double_data", proto.double_data_size(), size };
    case DType::Int64:
        return { "int64_data", proto.int64_data_size(), size };
    case DType::UInt32:
    case DType::UInt64:
        return { "uint64_data", proto.uint64_data_size(), size };
    default:
        // Packed types keep one byte, not one element, an entry.
        return { "int32_data", proto.int32_data_size(),
            tensor::isPacked(dtype) ? static_cast<std::int64_t>(tensor::byteSize(dtype, static_cast<std::size_t>(size)))
                                    : size };
    }
}

Result<void> checkInline(const TensorProto& proto, const TensorClaim& claim, std::int64_t size)
{
    const std::string shape = std::string(tensor::name(claim.dtype)) + claim.shape.toString();
    if (proto.has_raw_data()) {
        if (proto.raw_data().size() != claim.bytes)
            return invalid(proto,
                "has " + std::to_string(proto.raw_data().size()) + " bytes of data, " + shape + " needs "
                    + std::to_string(claim.bytes));
        return {};
    }
    const auto field = typedField(proto, claim.dtype, size);
    if (field.present != field.expected)
        return invalid(proto,
            "has " + std::to_string(field.present) + " entries in " + field.name + ", " + shape + " needs "
                + std::to_string(field.expected));
    return {};
}

template <typename T, typename Field> void copyField(const Field& field, void* out)
{
    auto* to = static_cast<T*>(out);
    for (const auto value : field)
        *to++ = static_cast<T>(value);
}

/// int32_data and uint64_data are wider than what they hold: an entry outside [low, high] is a damaged file.
template <typename T, typename Field>
Result<void> narrowField(const TensorProto& proto, const Field& field, std::int64_t low, std::int64_t high, void* out)
{
    auto* to = static_cast<T*>(out);
    for (const auto value : field) {
        if (std::cmp_less(value, low) || std::cmp_greater(value, high))
            return invalid(proto,
                "has the entry " + std::to_string(value) + " where " + std::to_string(low) + " to "
                    + std::to_string(high) + " are possible");
        *to++ = static_cast<T>(value);
    }
    return {};
}

template <typename T> Result<void> narrowInt32Data(const TensorProto& proto, void* out)
{
    return narrowField<T>(proto, proto.int32_data(), std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), out);
}

Result<void> decodeTyped(const TensorProto& proto, DType dtype, void* out)
{
    switch (dtype) {
    case DType::Float32:
        copyField<float>(proto.float_data(), out);
        return {};
    case DType::Float64:
        copyField<double>(proto.double_data(), out);
        return {};
    case DType::Int64:
        copyField<std::int64_t>(proto.int64_data(), out);
        return {};
    case DType::UInt64:
        copyField<std::uint64_t>(proto.uint64_data(), out);
        return {};
    case DType::UInt32:
        return narrowField<std::uint32_t>(
            proto, proto.uint64_data(), 0, std::numeric_limits<std::uint32_t>::max(), out);
    case DType::Int32:
        copyField<std::int32_t>(proto.int32_data(), out);
        return {};
    case DType::Int16:
        return narrowInt32Data<std::int16_t>(proto, out);
    case DType::UInt16:
    case DType::Float16:
    case DType::BFloat16:
        return narrowInt32Data<std::uint16_t>(proto, out);
    case DType::Int8:
        return narrowInt32Data<std::int8_t>(proto, out);
    case DType::UInt8:
        return narrowInt32Data<std::uint8_t>(proto, out);
    case DType::Bool:
    case DType::Int4:
    case DType::UInt4:
    case DType::Int2:
    case DType::UInt2:
        return narrowField<std::uint8_t>(proto, proto.int32_data(), -128, 255, out);
    }
    return {};
}

/// Bool is 0 or 1 throughout the program; files may hold any non-zero byte for true.
void normalizeBool(Tensor& tensor)
{
    for (auto& element : tensor.as<std::uint8_t>())
        element = element != 0;
}

} // namespace

Result<TensorClaim> checkTensor(const TensorProto& proto, const ExternalData& external)
{
    const auto dtype = graph::dtypeFromOnnx(proto.data_type());
    if (!dtype)
        return at(proto,
            { ErrorCode::Unsupported, "has elements of type " + elementTypeName(proto.data_type()), {},
                "numeric tensors of integers, float16, bfloat16, float32 and float64 can be read" });
    if (proto.has_segment())
        return at(proto, { ErrorCode::Unsupported, "is split into segments", {}, {} });
    TensorClaim claim { *dtype, Shape({ proto.dims().begin(), proto.dims().end() }), 0 };
    const auto size = claim.shape.checkedSize();
    if (!size)
        return at(proto, size.error());
    claim.bytes = tensor::byteSize(*dtype, static_cast<std::size_t>(*size));
    if (!isExternal(proto)) {
        QS_CHECK(checkInline(proto, claim, *size));
        return claim;
    }
    QS_TRY(const auto location, externalLocation(proto));
    if (const auto there = external.check(location, claim.bytes); !there)
        return at(proto, there.error());
    return claim;
}

Result<Tensor> decodeTensor(const TensorProto& proto, const TensorClaim& claim, const ExternalData& external)
{
    Tensor tensor(claim.dtype, claim.shape);
    if (claim.bytes == 0)
        return tensor;
    if (isExternal(proto)) {
        QS_TRY(const auto location, externalLocation(proto));
        if (const auto done = external.read(location, { static_cast<std::byte*>(tensor.data()), claim.bytes }); !done)
            return at(proto, done.error());
    } else if (proto.has_raw_data()) {
        std::memcpy(tensor.data(), proto.raw_data().data(), claim.bytes);
    } else {
        QS_CHECK(decodeTyped(proto, claim.dtype, tensor.data()));
    }
    if (claim.dtype == DType::Bool)
        normalizeBool(tensor);
    return tensor;
}

void encodeTensor(const Tensor& tensor, const std::string& name, TensorProto& proto, TensorPart part)
{
    if (!name.empty())
        proto.set_name(name);
    proto.set_data_type(graph::dtypeToOnnx(tensor.dtype()));
    for (const auto extent : tensor.shape())
        proto.add_dims(extent);
    if (part == TensorPart::Whole)
        proto.set_raw_data(tensor.data(), tensor.bytes());
}

} // namespace quantoscope::onnx_io
