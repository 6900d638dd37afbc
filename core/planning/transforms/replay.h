// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/dataset/preprocessing.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"
#include "core/tensor/tensor.h"

namespace quantoscope::planning {

/// A graph with the shapes that calibration images give it, cut into batches, and the order its nodes run in.
/// Immutable.
class Stage {
public:
    /// `images` of `samples`, from the first on; -1: all. Errors: as calibration::bindInput(); InvalidInput for no
    /// images.
    static Result<std::shared_ptr<const Stage>> create(
        const graph::Graph& graph, const dataset::SampleSet& samples, std::int64_t images);

    const graph::Graph& graph() const { return m_graph; } ///< every shape is known
    const dataset::SampleSet& samples() const { return *m_samples; }
    graph::ValueId input() const { return m_input; }
    std::int64_t images() const { return m_images; }
    std::int64_t batch() const { return m_batch; }
    std::int64_t batches() const { return (m_images + m_batch - 1) / m_batch; }

    std::size_t position(graph::NodeId node) const { return m_positions.at(node); }
    /// What nodes from `position` on read of what comes before: with it the network can go on from there.
    std::vector<graph::ValueId> valuesBefore(std::size_t position) const;
    std::size_t bytes(graph::ValueId value) const; ///< of one batch

private:
    Stage() = default;

    graph::Graph m_graph;
    const dataset::SampleSet* m_samples = nullptr;
    graph::ValueId m_input;
    std::int64_t m_images = 0;
    std::int64_t m_batch = 1;
    std::unordered_map<graph::NodeId, std::size_t> m_positions;
};

/// Runs a network over calibration images layer by layer without starting from the images each time: it keeps the
/// values of a cut through the network, and goes on from there. Not thread safe; works with several threads inside.
class Replay {
public:
    /// At most `memory` bytes of values are kept.
    Replay(std::shared_ptr<const Stage> stage, int threads, std::size_t memory);

    /// Values of one batch, as the quantized network delivers them: quantized in Scope::Integer, before the quantizers
    /// of the layers that read them in Scope::Compute. Called from several threads.
    using Visitor = std::function<void(std::int64_t batch, std::span<const TensorView> values)>;

    /// Computes `values` under `plan` for every batch. `plan` must not differ from the plans of earlier calls in what
    /// comes before the cut. They must not lie before the cut.
    Result<void> run(const quant::QuantizationPlan& plan, const std::vector<graph::ValueId>& values,
        const Visitor& visit, const base::Job& job);

    /// Moves the cut to just before `node`, if what is to be kept there fits the memory. Of no use after an error.
    Result<void> advance(const quant::QuantizationPlan& plan, graph::NodeId node, const base::Job& job);

private:
    using Kept = std::vector<std::vector<Tensor>>; ///< by batch, then by value

    bool holds(graph::ValueId value) const;

    std::shared_ptr<const Stage> m_stage;
    int m_threads;
    std::size_t m_memory;
    std::vector<graph::ValueId> m_cut; ///< of the stage's graph
    Kept m_kept; ///< empty: the cut is the images
};

} // namespace quantoscope::planning
