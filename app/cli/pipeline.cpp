// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/pipeline.h"

#include <algorithm>

#include "app/cli/findings.h"
#include "app/cli/text.h"
#include "core/engine/engine.h"
#include "core/evaluation/input_defaults.h"
#include "core/onnx_io/reader.h"

namespace quantoscope::cli {

bool needsStatistics(const planning::PlanRequest& request)
{
    return request.activations.bits || request.firstLastBits
        || std::any_of(request.overrides.begin(), request.overrides.end(),
            [](const planning::LayerOverride& o) { return o.activations.bits && *o.activations.bits; });
}

Pipeline::Pipeline(const CommonOptions& common, const base::Job& job, Report& report)
    : m_common(common)
    , m_job(job)
    , m_report(report)
{
}

Result<void> Pipeline::openModel(const GraphOptions& options)
{
    QS_TRY(auto model, onnx_io::readModel(m_common.model));
    graph::PassOptions passes;
    passes.foldBatchNorm = options.foldBatchNorm == "on";
    QS_TRY(m_graph, engine::prepareGraph(model, passes));
    m_model = std::make_shared<const graph::Model>(std::move(model));
    m_report.fact("model", m_model->path.string());
    return {};
}

Result<dataset::DatasetPtr> Pipeline::openDataset(
    const std::string& path, const DataOptions& options, bool labelled) const
{
    dataset::OpenOptions open;
    QS_TRY(open.kind, dataset::parseKind(options.kind));
    if (labelled)
        open.labels = options.labels;
    return dataset::openDataset(path, open);
}

Result<dataset::SampleSetPtr> Pipeline::loadSamples(const dataset::DatasetPtr& dataset,
    const dataset::Preprocessing& preprocessing, std::vector<std::int64_t> indices) const
{
    dataset::SampleSet::Options options;
    options.preprocessing = preprocessing;
    options.indices = std::move(indices);
    options.threads = m_common.threads;
    return dataset::SampleSet::load(dataset, options, m_job);
}

Result<void> Pipeline::choosePreprocessing(const DataOptions& options)
{
    if (m_preprocessing)
        return {};
    QS_TRY(const auto defaults, evaluation::inputDefaults(*m_model));
    QS_TRY(m_preprocessing, options.preprocessing(defaults.preprocessing));
    m_report.fact(
        "preprocess", m_preprocessing->describe() + (options.describesScaling() ? "" : " (" + defaults.reason + ")"));
    return {};
}

Result<void> Pipeline::openData(const DataOptions& options)
{
    if (options.data.empty())
        return {};
    QS_TRY(const auto dataset, openDataset(options.data, options, true));
    QS_CHECK(choosePreprocessing(options));
    QS_TRY(m_samples,
        loadSamples(dataset, *m_preprocessing, dataset::sampleIndices(dataset->size(), options.limit, m_common.seed)));
    m_report.fact("data", m_samples->description());
    return {};
}

Result<void> Pipeline::openLabelledData(const DataOptions& options)
{
    QS_CHECK(openData(options));
    if (m_samples->maxLabel() < 0)
        return fail(ErrorCode::InvalidInput, "the images have no labels, and accuracy needs them", options.data,
            "give them with --labels FILE, or put the images into one folder a class");
    return {};
}

Result<void> Pipeline::openCalibrationData(const DataOptions& options)
{
    if (m_calibrationSamples)
        return {};
    const bool own = !options.calibration.empty();
    if (!own && options.data.empty())
        return fail(ErrorCode::InvalidInput, "quantizing activations needs images to calibrate with", {},
            "give --calib PATH or --data PATH, or --activation-bits float");
    QS_TRY(const auto dataset, openDataset(own ? options.calibration : options.data, options, !own));
    QS_CHECK(choosePreprocessing(options));
    const auto indices = dataset::firstIndices(dataset->size(), options.calibrationCount);
    const auto preprocessing = own ? options.forCalibration(*m_preprocessing) : *m_preprocessing;
    QS_TRY(m_calibrationSamples, loadSamples(dataset, preprocessing, indices));
    m_report.fact("calibration", describeCalibration(own));
    return {};
}

std::string Pipeline::describeCalibration(bool own) const
{
    if (!own)
        return "the first " + count(m_calibrationSamples->size()) + " images of --data, for want of --calib";
    std::string text = m_calibrationSamples->description();
    if (m_calibrationSamples->preprocessing() != *m_preprocessing)
        text += "; " + m_calibrationSamples->preprocessing().describe();
    return text;
}

Result<void> Pipeline::calibrate(const DataOptions& options, bool needed)
{
    if (!needed || m_stats)
        return {};
    QS_CHECK(openCalibrationData(options));
    calibration::CalibrationOptions calibration;
    calibration.threads = m_common.threads;
    QS_TRY(m_stats, calibration::calibrate(*m_graph, *m_calibrationSamples, calibration, m_job));
    return {};
}

Result<planning::BuiltPlan> Pipeline::newPlan(const QuantizationOptions& options, const DataOptions& data)
{
    planning::PlanRequest base;
    base.seed = m_common.seed;
    QS_TRY(const auto request, options.request(base, WordLengths::Single));
    QS_CHECK(calibrate(data, needsStatistics(request)));
    return planning::buildPlan(*m_graph, stats(), request);
}

Result<planning::BuiltPlan> Pipeline::savedPlan(
    const QuantizationOptions& options, const DataOptions& data, const std::string& file)
{
    QS_TRY(auto saved, quant::loadPlan(file));
    m_report.fact("plan", file);
    QS_TRY(const auto hardware, options.hardwareProfile());
    if (!options.changeAnything())
        return planning::BuiltPlan { std::move(saved), {}, {} };
    QS_TRY(auto request, options.changed(planning::requestLike(saved), WordLengths::Single));
    if (hardware) { // what a plan does not tell
        request.biasRoom = hardware->bias.room;
        request.floatOperators = hardware->floatOperators;
    }
    const auto changed = options.changedTensors();
    // What stays as it is needs no word-length here, and so no calibration.
    if (!changed.weights)
        request.weights.bits.reset();
    if (!changed.activations)
        request.activations.bits.reset();
    QS_CHECK(calibrate(data, needsStatistics(request)));
    return planning::changePlan(*m_graph, stats(), saved, request, changed);
}

Result<quant::PlanPtr> Pipeline::makePlan(
    const QuantizationOptions& options, const DataOptions& data, const PlanFileOptions& files)
{
    QS_TRY(const auto hardware, options.hardwareProfile());
    if (hardware)
        m_report.fact("profile", hardware->name);
    QS_TRY(auto built, files.load.empty() ? newPlan(options, data) : savedPlan(options, data, files.load));
    if (hardware)
        QS_CHECK(refuse(planning::check(*hardware, built.plan), "make a plan for this profile"));
    for (const auto& note : built.notes)
        m_report.note(note);
    m_report.json()["bias_remedies"] = toJson(built.biasRemedies);
    m_report.fact("scope", built.plan.empty() ? "float" : built.plan.title);
    if (!files.save.empty())
        QS_CHECK(quant::savePlan(built.plan, files.save));
    return std::make_shared<const quant::QuantizationPlan>(std::move(built.plan));
}

} // namespace quantoscope::cli
