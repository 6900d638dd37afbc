// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "core/flow/quantizer.h"
#include "core/graph/graph.h"
#include "core/quant/plan.h"

namespace quantoscope::bench {

/// What to measure of a network.
enum class Mode { Float, FakeQuantized, Integer };

/// A model to measure: float; with 12-bit weights and activations, fake-quantized in float; with 8-bit ones, computed
/// in integers (ranges from random images; speed does not depend on them).
class Network {
public:
    /// Prints why and ends the program where the model cannot be read: there is nothing to measure then.
    Network(std::string name, const std::filesystem::path& file);

    const std::string& name() const { return m_name; }
    const std::shared_ptr<const graph::Graph>& graph() const { return m_graph; }
    bool acceptsBatch(std::int64_t batch) const; ///< false where the model fixes another
    Shape inputShape(std::int64_t batch) const;
    engine::CompiledGraphPtr compile(std::int64_t batch, Mode mode, quant::Scope scope) const;
    /// The 8-bit plan that compile() quantizes with, as a QDQ model.
    void writeQdq(quant::Scope scope, const std::filesystem::path& file) const;

private:
    const quant::QuantizationPlan& plan(Mode mode, quant::Scope scope) const;

    std::string m_name;
    graph::Model m_model;
    std::shared_ptr<const graph::Graph> m_graph;
    std::optional<graph::Dims> m_inputDims;
    /// Plans of the compute and of the integer scope.
    struct Plans {
        std::once_flag made;
        std::pair<quant::QuantizationPlan, quant::QuantizationPlan> narrow; ///< 8 bits
        std::pair<quant::QuantizationPlan, quant::QuantizationPlan> wide; ///< 12 bits
    };
    mutable Plans m_plans;
};

/// The grid of 2 to 8 bits for weights and activations, integer scope, over random images.
class Grid {
public:
    Grid(const Network& network, std::int64_t images);

    std::int64_t run(int threads) const; ///< returns how many images all points together have evaluated

private:
    dataset::SampleSetPtr m_samples;
    std::unique_ptr<flow::Quantizer> m_quantizer;
};

/// The bundled sample, and those of the shared folder that are there.
std::vector<std::shared_ptr<const Network>> networks();

/// An input for a compiled network: normally distributed, the same every time.
Tensor randomInput(const Shape& shape);

} // namespace quantoscope::bench
