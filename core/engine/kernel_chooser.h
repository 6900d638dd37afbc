// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <memory>
#include <optional>
#include <unordered_set>

#include "core/base/error.h"
#include "core/engine/kernel.h"
#include "core/engine/lowering.h"
#include "core/engine/value_key.h"
#include "core/graph/passes/activation_fusion.h"

namespace quantoscope::engine {

/// Finds the kernel of a node, and what that computes along: an activation and quantizers.
class KernelChooser {
public:
    KernelChooser(const Lowered& lowered, const CompileOptions& options);

    struct Choice {
        std::shared_ptr<const Kernel> kernel;
        ValueKey key;
        LayoutChoice layouts;
        std::optional<graph::FusedActivation> activation;
        graph::NodeId quantizer; ///< computed along behind it; invalid: none
        bool deliversBoth = false; ///< the result as it is, and quantized as another output
    };

    /// The first kernel that takes the request: of the wanted set, then of the other one (which accepts more).
    Result<Choice> choose(graph::NodeId id, const KernelRequest& request) const;

    /// Whether the only reader of a quantizer's output will quantize its input itself.
    bool isTakenAlong(graph::ValueId output, const PlacedQuantizer& quantizer) const;

private:
    std::optional<graph::NodeId> onlyReader(graph::ValueId value) const;
    graph::NodeId quantizerOf(graph::ValueId value) const;
    void takeQuantizerAlong(
        const KernelRegistration& registration, graph::ValueId result, KernelRequest& request, Choice& choice) const;
    Result<Choice> tryKernel(graph::NodeId id, KernelRequest request, const KernelRegistration& registration) const;

    const Lowered& m_lowered;
    const graph::Graph& m_graph;
    const CompileOptions& m_options;
    graph::ActivationFusion m_fusion;
    std::unordered_set<graph::ValueId> m_shown; ///< outputs and taps, which somebody sees beside the readers
};

} // namespace quantoscope::engine
