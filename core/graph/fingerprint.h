// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include "core/graph/graph.h"

namespace quantoscope::graph {

/// SHA-256, as 64 digits, of everything that decides what a graph computes and what its parts are called: operator
/// sets, inputs with their types, outputs, nodes with names and attributes, and the constants' elements. Comments are
/// left out. The same file read twice gives the same; one weight or one name changed gives another. Reads every
/// constant once: about 2 GB/s.
std::string fingerprint(const Graph& graph);

} // namespace quantoscope::graph
