// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/graph/graph.h"

namespace quantoscope::parity {

/// How far float sums may lie from exact ones, value by value. A sum of K products is off by at most about K u times
/// the sum of their magnitudes (u = 2^-24), and, since errors come with either sign, hardly ever by more than
/// sqrt(K) u times that (Higham and Mary, "A new approach to probabilistic rounding error analysis", 2019, theorem 2.4,
/// lambda = 1). The magnitudes are what the same network gives for the magnitudes of its constants and inputs, without
/// anything that cuts values off; the factors add up along it.
class SumError {
public:
    /// `prepared` with the values named as its outputs; constants are in it as floats.
    static Result<SumError> of(const graph::Graph& prepared, const std::vector<std::string>& values);

    /// Same inputs as the network's; outputs: the magnitudes, for those values that have a factor.
    const std::shared_ptr<const graph::Graph>& magnitudes() const { return m_magnitudes; }
    /// Times a value's magnitude: how far it may be off. NaN: the value comes from an operator of which that is not
    /// known.
    double factor(const std::string& value) const;

private:
    std::shared_ptr<const graph::Graph> m_magnitudes; ///< null if no value has a factor
    std::map<std::string, double> m_factors;
};

} // namespace quantoscope::parity
