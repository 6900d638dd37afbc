// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/progress.h"
#include "core/evaluation/fidelity.h"
#include "core/flow/correction.h"
#include "core/flow/quantizer.h"
#include "core/quant/plan.h"

namespace quantoscope::flow {

/// Leads a plan through corrections, one after the other.
class Corrector {
public:
    /// `reference`: what each correction is judged by; null: every one is kept. References must outlive the corrector.
    Corrector(planning::CorrectionData fitting, const evaluation::FloatReference* reference);

    /// Applies `corrections` to the network's plan and adds what is to be said about them.
    Result<void> run(const std::vector<Correction>& corrections, quant::QuantizationPlan& plan,
        QuantizedNetwork& network, const base::Job& job) const;

private:
    Result<void> runUnguarded(const std::vector<Correction>& corrections, quant::QuantizationPlan& plan,
        QuantizedNetwork& network, const base::Job& job) const;

    planning::CorrectionData m_fitting;
    const evaluation::FloatReference* m_reference;
};

} // namespace quantoscope::flow
