// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/engine/engine.h"
#include "core/engine/value_key.h"

namespace quantoscope::engine {

/// A value on its way through a compiled graph, as it lies in memory: codes of one byte where a layer computes in
/// integers, float32 elsewhere.
struct Waypoint {
    ValueKey key;
    int slot = -1; ///< where it is; private to the engine
    std::size_t bytes = 0;
};

/// A compiled graph of which only a part runs: some values come from outside and what leads to them alone is left out.
/// The steps that run are those of a whole run, in their order and on the same bytes, so the results are the same bit
/// for bit. Immutable.
class PartialRun {
public:
    /// `known` says which values are at hand; those of `wanted` that are computed will be handed out.
    PartialRun(CompiledGraphPtr compiled, const std::function<bool(const ValueKey&)>& known,
        const std::function<bool(const ValueKey&)>& wanted = {});

    const CompiledGraphPtr& compiled() const { return m_compiled; }
    const std::vector<Waypoint>& loads() const { return m_loads; } ///< values it wants from outside
    const std::vector<Waypoint>& saves() const { return m_saves; } ///< values it hands out
    const std::vector<Waypoint>& computed() const { return m_computed; } ///< everything that is computed
    bool readsInputs() const { return m_readsInputs; }
    std::size_t steps() const { return m_steps; } ///< that run

private:
    friend class PartialExecutor;
    /// What happens, in order.
    struct Action {
        enum class Kind { Run, Load, Save } kind = Kind::Run;
        std::size_t index = 0; ///< step; of loads(); of saves()
    };
    /// An operand that reads a loaded value where it lies.
    struct DirectUse {
        std::size_t step = 0;
        std::size_t operand = 0;
        std::size_t load = 0;
    };
    void addLoad(const Waypoint& value);
    std::vector<bool> stepsToRun(const std::function<bool(const ValueKey&)>& known, std::vector<bool>& loaded);

    CompiledGraphPtr m_compiled;
    std::vector<bool> m_runs; ///< by step
    std::vector<Action> m_actions;
    std::vector<DirectUse> m_directUses;
    std::vector<Waypoint> m_loads;
    std::vector<Waypoint> m_saves;
    std::vector<Waypoint> m_computed;
    bool m_readsInputs = false;
    std::size_t m_steps = 0;
};
using PartialRunPtr = std::shared_ptr<const PartialRun>;

struct Workspace;

/// Runs PartialRuns on one thread in memory that they share. Not thread safe; one a worker. Allocates at construction
/// and when a run is added only.
class PartialExecutor {
public:
    explicit PartialExecutor(std::size_t arenaBytes); ///< the most that any of them needs; throws std::bad_alloc
    ~PartialExecutor();
    PartialExecutor(PartialExecutor&&) noexcept;
    PartialExecutor& operator=(PartialExecutor&&) noexcept;

    std::size_t add(PartialRunPtr run); ///< returns its number
    /// `inputs` as Executor::run() takes them (none if the run reads none), `loads` and `saves` as the run lists them.
    Result<void> run(std::size_t number, std::span<const TensorView> inputs, std::span<const std::byte* const> loads,
        std::span<std::byte* const> saves);
    const TensorView& output(std::size_t i) const; ///< of the last run; valid until the next

private:
    struct Impl;
    std::unique_ptr<Impl> m_impl;
};

/// A place where a compiled graph can be cut in two: with these values at hand, only the later steps have to run.
struct Boundary {
    std::size_t step = 0; ///< steps up to this one are left out
    std::vector<Waypoint> values;
    std::size_t bytes() const;
};

/// Boundaries behind every step, in order; those that need a graph input beside the values are left out.
std::vector<Boundary> boundaries(const CompiledGraph& compiled);

} // namespace quantoscope::engine
