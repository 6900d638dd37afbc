// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "tests/parity/network.h"
#include "tests/parity/peer.h"
#include "tests/parity/subject.h"

namespace quantoscope::parity {

/// What a network decides in one way of computing it, and what it puts out.
struct Answer {
    std::vector<std::int32_t> decisions;
    Outputs outputs;
    double top1 = 0; ///< percent
};

/// What two answers differ in.
struct Apart {
    std::size_t decisions = 0;
    double distance = 0; ///< mean absolute difference of the outputs
};

/// One network in one setting, here and there.
struct Row {
    std::string network;
    Setting setting;
    std::int64_t images = 0;
    std::size_t decisions = 0; ///< of all images

    double top1Floats = 0; ///< here
    double top1Integers = 0; ///< here; as in floats where the runtime takes no integers either
    double top1Off = 0; ///< there, without optimisation
    double top1On = 0;
    double top1Other = 0; ///< here, in floats, sums in the other order
    Apart floatsOff;
    Apart integersOn;
    Apart offOn; ///< there, with and without optimisation
    Apart orders; ///< here, sums in floats in two orders
    std::string otherOrder; ///< which the second is

    /// Of the images that are decided otherwise there than here: those on which the runtime's two levels part too,
    /// those on which two orders here do, and whom exact sums side with, for as many as were computed.
    std::size_t differing = 0;
    std::size_t differingOffOn = 0;
    std::size_t differingOrders = 0;
    std::size_t exactComputed = 0;
    std::size_t exactHere = 0;
    std::size_t exactThere = 0;
    /// Of the values that differ layer by layer, on the images that were gone through: sums of integers, and those of
    /// them that lie on a rounding edge exactly.
    std::size_t sums = 0;
    std::size_t ties = 0;
    std::size_t goneThrough = 0; ///< images
    std::vector<std::string> explained;
    std::vector<std::string> unexplained;
    std::string failure; ///< of the runtime; the rest is then empty

    bool sameTop1() const { return top1Off == top1Floats && top1On == top1Integers; }
    bool agrees() const; ///< in 99.9 % of all decisions
    /// Whether nothing stands against it that all differences are those of float sums in another order.
    bool isFine() const { return failure.empty() && unexplained.empty(); }
};

/// Exports the network and runs the file there with optimisation off and on.
Result<Row> compareSides(const Subject& subject, Peer& peer, const Setting& setting, const std::filesystem::path& file);

} // namespace quantoscope::parity
