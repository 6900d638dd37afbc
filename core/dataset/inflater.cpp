// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/dataset/inflater.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <zlib.h>

namespace quantoscope::dataset {

struct Inflater::State {
    z_stream stream {};
    std::span<const std::uint8_t> rest; ///< not yet given to zlib, which counts in 32 bits
    Format format = Format::Gzip;
    std::string where;
    int opened = Z_STREAM_ERROR;
    bool ended = false;

    void feed()
    {
        if (stream.avail_in > 0 || rest.empty())
            return;
        const auto count = std::min<std::size_t>(rest.size(), std::numeric_limits<uInt>::max());
        stream.next_in = const_cast<Bytef*>(rest.data());
        stream.avail_in = static_cast<uInt>(count);
        rest = rest.subspan(count);
    }

    /// A gzip file may hold several members in a row; anything else behind the first is padding.
    bool nextMember()
    {
        feed();
        return format == Format::Gzip && stream.avail_in > 0 && stream.next_in[0] == 0x1F
            && inflateReset(&stream) == Z_OK;
    }
};

Inflater::Inflater(std::span<const std::uint8_t> compressed, Format format, std::string where)
    : m_state(std::make_unique<State>())
{
    m_state->rest = compressed;
    m_state->format = format;
    m_state->where = std::move(where);
    constexpr int gzipHeader = 16;
    m_state->opened = inflateInit2(&m_state->stream, format == Format::Gzip ? MAX_WBITS + gzipHeader : -MAX_WBITS);
}

Inflater::~Inflater() { inflateEnd(&m_state->stream); }

Result<std::size_t> Inflater::read(std::span<std::uint8_t> out)
{
    State& state = *m_state;
    if (state.opened != Z_OK)
        return fail(ErrorCode::Internal, "zlib could not be started", state.where);
    std::size_t done = 0;
    while (done < out.size() && !state.ended) {
        state.feed();
        const auto wanted = std::min<std::size_t>(out.size() - done, std::numeric_limits<uInt>::max());
        state.stream.next_out = out.data() + done;
        state.stream.avail_out = static_cast<uInt>(wanted);
        const int status = inflate(&state.stream, Z_NO_FLUSH);
        done += wanted - state.stream.avail_out;
        if (status == Z_STREAM_END)
            state.ended = !state.nextMember();
        else if (status == Z_BUF_ERROR
            || (status == Z_OK && state.stream.avail_in == 0 && state.rest.empty() && state.stream.avail_out > 0))
            return fail(ErrorCode::InvalidInput, "the compressed data end early", state.where, "fetch the file again");
        else if (status != Z_OK)
            return fail(ErrorCode::InvalidInput,
                std::string("the compressed data are damaged")
                    + (state.stream.msg ? std::string(" (") + state.stream.msg + ")" : std::string()),
                state.where, "fetch the file again");
    }
    return done;
}

} // namespace quantoscope::dataset
