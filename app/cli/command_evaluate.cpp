// SPDX-License-Identifier: GPL-3.0-or-later
#include <chrono>

#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "app/cli/energy_option.h"
#include "app/cli/evaluation_report.h"
#include "app/cli/output_file.h"
#include "app/cli/pipeline.h"
#include "core/quant/plan_fingerprint.h"

namespace quantoscope::cli {

namespace {

/// Float accuracy first, then the quantized network on the same images.
class Evaluate : public Command {
public:
    explicit Evaluate(CLI::App& command)
    {
        m_common.addTo(command);
        m_data.addTo(command, true);
        m_quantization.addTo(command, WordLengths::Single);
        m_files.addTo(command);
        m_energy.addTo(command);
        m_graph.addTo(command);
    }

    Result<void> readOptions() override
    {
        QS_CHECK(m_data.preprocessing({}));
        QS_CHECK(m_quantization.request({}, WordLengths::Single));
        QS_CHECK(m_energy.check());
        return {};
    }

    Result<void> run(const base::Job& job, Report& report) override
    {
        const auto start = std::chrono::steady_clock::now();
        QS_CHECK(checkOutput(m_files.save, m_common, m_data));
        Pipeline pipeline(m_common, job, report);
        QS_CHECK(pipeline.openModel(m_graph));
        QS_CHECK(pipeline.openLabelledData(m_data));
        QS_TRY(const auto plan, pipeline.makePlan(m_quantization, m_data, m_files));

        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
        QS_TRY(const auto energy, pipeline.energyModel(m_energy));
        QS_CHECK(reportEvaluation(pipeline, *plan, m_quantization, m_common, energy, job, report, elapsed.count()));
        return pipeline.keepStudy(
            "evaluate", { { "plan", quant::fingerprint(*plan) }, { "engine", m_quantization.engine } });
    }

private:
    DataOptions m_data;
    QuantizationOptions m_quantization;
    PlanFileOptions m_files;
    EnergyOption m_energy;
    GraphOptions m_graph;
};

} // namespace

CommandPtr makeEvaluate(CLI::App& command) { return std::make_unique<Evaluate>(command); }

} // namespace quantoscope::cli
