// SPDX-License-Identifier: GPL-3.0-or-later
#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "app/cli/layer_report.h"
#include "app/cli/output_file.h"
#include "app/cli/pipeline.h"
#include "core/quant/plan_fingerprint.h"

namespace quantoscope::cli {

namespace {

constexpr std::int64_t defaultImages
    = 256; ///< enough for errors of tensors, which are means over many elements an image

/// What quantizing does to every tensor, measured on the evaluation images, or on the calibration images without any.
class Layers : public Command {
public:
    explicit Layers(CLI::App& command)
    {
        m_common.addTo(command);
        m_data.addTo(command, false);
        m_quantization.addTo(command, WordLengths::Single);
        m_files.addTo(command);
        m_graph.addTo(command);
    }

    Result<void> readOptions() override
    {
        QS_CHECK(m_data.preprocessing({}));
        QS_CHECK(m_quantization.request({}, WordLengths::Single));
        if (m_data.data.empty() && m_data.calibration.empty())
            return fail(ErrorCode::InvalidInput, "errors of tensors are measured on images", {},
                "give --data PATH or --calib PATH");
        if (m_data.limit == 0)
            m_data.limit = defaultImages;
        return {};
    }

    Result<void> run(const base::Job& job, Report& report) override
    {
        QS_CHECK(checkOutput(m_files.save, m_common, m_data));
        Pipeline pipeline(m_common, job, report);
        QS_CHECK(pipeline.openModel(m_graph));
        QS_CHECK(pipeline.openData(m_data));
        QS_TRY(const auto plan, pipeline.makePlan(m_quantization, m_data, m_files));
        if (!pipeline.samples())
            QS_CHECK(pipeline.openCalibrationData(m_data));
        const auto& samples = pipeline.samples() ? pipeline.samples() : pipeline.calibrationSamples();
        QS_CHECK(reportLayers(pipeline, *plan, *samples, m_quantization, m_common, job, report));
        return pipeline.keepStudy(
            "layers", { { "plan", quant::fingerprint(*plan) }, { "images", samples->fingerprint() } });
    }

private:
    DataOptions m_data;
    QuantizationOptions m_quantization;
    PlanFileOptions m_files;
    GraphOptions m_graph;
};

} // namespace

CommandPtr makeLayers(CLI::App& command) { return std::make_unique<Layers>(command); }

} // namespace quantoscope::cli
