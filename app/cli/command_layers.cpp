// SPDX-License-Identifier: GPL-3.0-or-later
#include <CLI/CLI.hpp>

#include "app/cli/accumulator_report.h"
#include "app/cli/command.h"
#include "app/cli/findings.h"
#include "app/cli/output_file.h"
#include "app/cli/pipeline.h"
#include "app/cli/text.h"
#include "core/evaluation/evaluator.h"

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
        evaluation::EvaluationOptions options;
        options.threads = m_common.threads;
        QS_TRY(const auto errors, evaluation::compareLayers(pipeline.graph(), *plan, *samples, options, job));
        QS_TRY(const auto confidences, pipeline.rangeConfidences(*plan));
        report.json()["images"] = samples->size();
        describe(report, errors, confidences, samples->size());
        return reportAccumulators(pipeline, *plan, m_quantization, m_common, job, report);
    }

private:
    static void describe(Report& report, const std::vector<evaluation::TensorError>& errors,
        const RangeConfidences& confidences, std::int64_t images)
    {
        using enum Table::Align;
        Table table({ { "tensor", Left }, { "kind", Left }, { "bits" }, { "SQNR [dB]" }, { "cosine" }, { "MSE" },
            { "clipped [%]" }, { "own MSE" }, { "rounding" }, { "clipping" }, { "inherited MSE" }, { "lowest" },
            { "highest" }, { "+-" }, { "Q format", Left } });
        Json rows = Json::array();
        for (const auto& error : errors) {
            rows.push_back({ { "name", error.name }, { "kind", quant::toString(error.role) }, { "bits", error.bits },
                { "sqnr_db", error.sqnrDb }, { "cosine", error.cosine }, { "mse", error.mse },
                { "clipped_percent", error.clippedPercent }, { "own_error", error.ownError },
                { "rounding_error", error.roundingError }, { "clipping_error", error.clippingError },
                { "inherited_error", error.inheritedError }, { "encoding", error.encoding.toJson() } });
            const auto [low, high] = bounds(error.encoding);
            const auto confidence = confidences.find(error.name);
            const bool known = confidence != confidences.end();
            rows.back()["range_confidence"] = known ? toJson(confidence->second) : Json();
            const auto format = quant::qFormat(error.encoding);
            rows.back()["q_format"] = format ? Json(*format) : Json();
            table.add({ error.name, quant::toString(error.role), std::to_string(error.bits), significant(error.sqnrDb),
                fixed(error.cosine, 5), significant(error.mse), significant(error.clippedPercent),
                significant(error.ownError), significant(error.roundingError), significant(error.clippingError),
                significant(error.inheritedError), significant(low), significant(high),
                known ? significant(confidence->second.uncertainty()) : "", format.value_or("") });
        }
        report.json()["tensors"] = std::move(rows);
        report.text(table.empty() ? "The plan quantizes nothing.\n" : table.toString());
        report.text("On " + count(images)
            + " images: SQNR, cosine and MSE of the quantized network's value against the float one; own: "
              "quantizing the float value alone, of which rounding and clipping are the parts; inherited: what arrives "
              "from layers before.\n");
        describe(report, confidences);
    }

    static Json toJson(const calibration::RangeConfidence& confidence)
    {
        const auto end = [](const auto& e) { return Json { { "value", e.value }, { "ci95", { e.from, e.to } } }; };
        return { { "low", end(confidence.low) }, { "high", end(confidence.high) }, { "blocks", confidence.blocks },
            { "images_per_block", confidence.imagesPerBlock }, { "more_images_help", confidence.moreImagesHelp } };
    }

    static void describe(Report& report, const RangeConfidences& confidences)
    {
        if (confidences.empty())
            return;
        std::string unsure;
        for (const auto& [name, confidence] : confidences)
            if (confidence.moreImagesHelp)
                (unsure += unsure.empty() ? "" : ", ") += name;
        report.text("+-: how far other calibration images, as many, may move an end of the range (95 %, bootstrap over "
                    "blocks of images).\n"
            + (unsure.empty() ? std::string("More calibration images would not help.\n")
                              : "More calibration images would help: " + unsure + ".\n"));
    }

    /// Ends of the representable range over all channels.
    static std::pair<float, float> bounds(const quant::Encoding& encoding)
    {
        std::pair<float, float> range { encoding.low(0), encoding.high(0) };
        for (std::size_t c = 1; c < encoding.scale.size(); ++c)
            range = { std::min(range.first, encoding.low(c)), std::max(range.second, encoding.high(c)) };
        return range;
    }

    DataOptions m_data;
    QuantizationOptions m_quantization;
    PlanFileOptions m_files;
    GraphOptions m_graph;
};

} // namespace

CommandPtr makeLayers(CLI::App& command) { return std::make_unique<Layers>(command); }

} // namespace quantoscope::cli
