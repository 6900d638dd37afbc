// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <utility>

#include <tl/expected.hpp>

namespace quantoscope::base {

/// What kind of trouble it is; decides exit codes and icons, never wording.
enum class ErrorCode {
    InvalidInput, ///< what the user gave contradicts itself or the rest
    NotFound, ///< a file, node or tensor that should be there is not
    Unsupported, ///< well-formed, but outside what Quantoscope computes
    Io, ///< reading or writing failed
    OutOfMemory, ///< it would not fit the stated budget
    Cancelled, ///< stopped on request; not a failure of the work
    Internal, ///< a dependency refused what should have worked
};

/// Why something could not be done, in words for the person who asked for it.
struct Error {
    ErrorCode code = ErrorCode::Internal;
    std::string what; ///< what was got and what was expected: "file ends after 12 of 400 bytes"
    std::string where; ///< file, node or tensor: "resnet.onnx, node 'conv1'"; may be empty
    std::string hint; ///< what to do about it: "export the model again"; may be empty

    /// "WHAT: WHERE: WHAT TO DO", empty parts left out.
    std::string message() const;
};

template <typename T> using Result = tl::expected<T, Error>;

/// `return fail(ErrorCode::Io, "...", "...", "...")` from any function that returns Result.
inline tl::unexpected<Error> fail(ErrorCode code, std::string what, std::string where = {}, std::string hint = {})
{
    return tl::make_unexpected(Error { code, std::move(what), std::move(where), std::move(hint) });
}

/// The error every cancelled job ends with.
inline tl::unexpected<Error> cancelled() { return fail(ErrorCode::Cancelled, "cancelled"); }

} // namespace quantoscope::base

namespace quantoscope {
using base::Error;
using base::ErrorCode;
using base::fail;
using base::Result;
}

#define QS_CONCAT_INNER(a, b) a##b
#define QS_CONCAT(a, b) QS_CONCAT_INNER(a, b)

/// `QS_TRY(auto model, readModel(path));` binds the value or returns the error to the caller.
#define QS_TRY(declaration, expression) QS_TRY_INNER(QS_CONCAT(qsResult, __LINE__), declaration, expression)
#define QS_TRY_INNER(result, declaration, expression)                                                                  \
    auto result = (expression);                                                                                        \
    if (!result)                                                                                                       \
        return tl::make_unexpected(std::move(result).error());                                                         \
    declaration = *std::move(result)

/// `QS_CHECK(verify(graph));` returns the error of a Result<void> to the caller.
#define QS_CHECK(expression)                                                                                           \
    do {                                                                                                               \
        if (auto qsChecked = (expression); !qsChecked)                                                                 \
            return tl::make_unexpected(std::move(qsChecked).error());                                                  \
    } while (false)
