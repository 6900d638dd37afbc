// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "core/engine/compile_cache.h"
#include "core/evaluation/suffix_cache.h"

namespace quantoscope::evaluation {

/// What evaluations of similar networks leave for each other, within one budget of memory: kernels with their packed
/// weights, and values on their way through the network. Results do not depend on it. Thread safe.
class Reuse {
public:
    static constexpr std::size_t usualBudget = std::size_t { 1 } << 30;

    enum class Between {
        Networks, ///< that a sweep goes through
        Edits, ///< of one network: values are kept from one evaluation to the next
    };

    explicit Reuse(std::size_t budget = usualBudget, Between between = Between::Networks)
        : m_budget(budget)
        , m_part(between == Between::Edits ? budget / 4 : budget / 2)
        , m_kernels(std::make_shared<engine::CompileCache>(m_part))
    {
        if (between == Between::Edits)
            m_suffixes.emplace(budget / 2);
    }

    std::size_t budget() const { return m_budget; } ///< bytes
    const std::shared_ptr<engine::CompileCache>& kernels() const { return m_kernels; }
    std::size_t sharedValues() const { return m_part; } ///< bytes for what networks hand on within a batch
    SuffixCache* suffixes() { return m_suffixes ? &*m_suffixes : nullptr; } ///< null: no edits are expected

private:
    std::size_t m_budget;
    std::size_t m_part;
    std::shared_ptr<engine::CompileCache> m_kernels;
    std::optional<SuffixCache> m_suffixes;
};

} // namespace quantoscope::evaluation
