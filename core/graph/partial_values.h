// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/graph/graph.h"

namespace quantoscope::graph {

/// One element of an integer tensor before it is computed: a number, a symbolic extent, or unknown.
struct Element {
    std::optional<std::int64_t> value;
    std::string symbol; ///< name of the extent it is, if it has no number

    friend bool operator==(const Element&, const Element&) = default;
};
using Elements = std::vector<Element>;

/// Integer tensors of rank 0 or 1 of which some elements are known although the tensor is not constant: Shape of
/// [batch, 3, 8, 8], and what Gather, Slice, Concat, casts and integer arithmetic make of it. With it a reshape to
/// (x.size(0), -1) has a shape even while the batch is a symbol.
class PartialValues {
public:
    /// Elements of `value`, its constant's if it has one; empty if nothing is known (or it is not a small integer
    /// vector).
    std::optional<Elements> of(const Graph& graph, ValueId value) const;

    /// Derives the elements of a node's first output from those of its inputs. The types must have been inferred.
    void derive(const Graph& graph, NodeId node);

    /// The tensor, if every element of `value` is a number.
    TensorPtr complete(const Graph& graph, ValueId value) const;

private:
    std::unordered_map<ValueId, Elements> m_elements;
};

} // namespace quantoscope::graph
