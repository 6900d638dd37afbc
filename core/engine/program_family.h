// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/base/error.h"
#include "core/engine/engine.h"
#include "core/engine/partial_run.h"

namespace quantoscope::engine {

/// Compiled graphs that run one after the other on the same inputs. What several of them compute is computed by the
/// first and handed to the others, so that graphs which differ in one layer cost what lies behind that layer. Outputs
/// are those of separate runs, bit for bit. Immutable.
class ProgramFamily {
public:
    /// `budget`: bytes that a worker may keep values in for later members; what does not fit is computed again.
    ProgramFamily(std::vector<CompiledGraphPtr> members, std::size_t budget);

    std::size_t size() const { return m_runs.size(); }
    const CompiledGraph& member(std::size_t i) const { return *m_runs[i]->compiled(); }
    std::size_t storedBytes() const { return m_storedBytes; } ///< of one worker
    std::size_t stepsOf(std::size_t member) const { return m_runs[member]->steps(); } ///< that run
    double partThatRuns() const; ///< of the steps that separate runs would take

private:
    friend class FamilyExecutor;
    /// Values in the memory of a worker, by the offset of each.
    using Offsets = std::vector<std::size_t>;

    std::vector<PartialRunPtr> m_runs;
    std::vector<Offsets> m_loads; ///< by member, as its run lists them
    std::vector<Offsets> m_saves;
    std::size_t m_storedBytes = 0;
    std::size_t m_arenaBytes = 0;
};
using ProgramFamilyPtr = std::shared_ptr<const ProgramFamily>;

/// Runs a family on one thread. Not thread safe; one a worker. Allocates at construction only.
class FamilyExecutor {
public:
    explicit FamilyExecutor(ProgramFamilyPtr family); ///< throws std::bad_alloc

    /// Members in ascending order, all on the same inputs, then again from the first on.
    Result<void> run(std::size_t member, std::span<const TensorView> inputs);
    const TensorView& output(std::size_t i) const { return m_executor.output(i); } ///< of the last member that ran

private:
    ProgramFamilyPtr m_family;
    PartialExecutor m_executor;
    tensor::AlignedBuffer m_store;
    std::vector<const std::byte*> m_loads;
    std::vector<std::byte*> m_saves;
};

} // namespace quantoscope::engine
