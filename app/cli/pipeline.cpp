// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/pipeline.h"

#include <algorithm>
#include <iterator>

#include "app/cli/correction_report.h"
#include "app/cli/encodings_report.h"
#include "app/cli/findings.h"
#include "app/cli/text.h"
#include "core/engine/engine.h"
#include "core/evaluation/input_defaults.h"
#include "core/evaluation/reuse.h"
#include "core/graph/fingerprint.h"
#include "core/importing/apply_encodings.h"
#include "core/importing/open_model.h"
#include "core/reporting/study_record.h"

namespace quantoscope::cli {

Pipeline::Pipeline(const CommonOptions& common, const base::Job& job, Report& report)
    : m_common(common)
    , m_job(job)
    , m_report(report)
{
}

Result<void> Pipeline::openModel(const GraphOptions& options)
{
    std::filesystem::path file = m_common.model;
    if (!m_common.project.file.empty()) {
        QS_TRY(m_project, openProject(m_common.project.file));
        QS_TRY(file, findModel(m_common.model, *m_project, m_common.project));
    }
    graph::PassOptions passes;
    passes.foldBatchNorm = options.foldBatchNorm == "on";
    QS_TRY(const auto opened, importing::openModel(file, passes));
    m_model = opened.model;
    m_graph = opened.graph;
    m_filePlan = opened.plan;
    m_report.fact("model", m_model->path.string());
    if (m_filePlan)
        m_report.fact("quantized", m_filePlan->title);
    for (const auto& note : opened.notes)
        m_report.note(note);
    if (!m_project)
        return {};
    QS_TRY(const auto content, project::fileFingerprint(file));
    return m_project->addSource({ "model", content, file, {}, { { "graph", graph::fingerprint(*m_graph) } } });
}

Result<void> Pipeline::addSource(const std::string& role, const dataset::SampleSet& samples, const DataOptions& options)
{
    if (!m_project)
        return {};
    Json details { { "description", samples.description() }, { "preprocessing", samples.preprocessing().toJson() } };
    if (role == "data")
        for (const auto& [key, file] : { std::pair("labels", options.labels), std::pair("classes", options.classes) })
            if (!file.empty()) {
                std::error_code ignored;
                details[key] = std::filesystem::absolute(file, ignored).lexically_normal().string();
            }
    return m_project->addSource({ role, samples.fingerprint(), samples.dataset()->path(), {}, std::move(details) });
}

Result<dataset::DatasetPtr> Pipeline::openDataset(
    const std::string& path, const DataOptions& options, bool labelled) const
{
    dataset::OpenOptions open;
    QS_TRY(open.kind, dataset::parseKind(options.kind));
    if (labelled) {
        open.labels = options.labels;
        open.classNames = options.classes;
    }
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
    return addSource("data", *m_samples, options);
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
    auto preprocessing = *m_preprocessing;
    if (own) {
        QS_TRY(preprocessing, options.forCalibration(preprocessing));
    }
    QS_TRY(m_calibrationSamples, loadSamples(dataset, preprocessing, indices));
    m_report.fact("calibration", describeCalibration(own));
    return addSource("calibration", *m_calibrationSamples, options);
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

Result<const flow::Quantizer*> Pipeline::openQuantizer(
    const QuantizationOptions& options, const DataOptions& data, bool needsImages)
{
    if (needsImages)
        QS_CHECK(openCalibrationData(data));
    auto quantizer = options.corrections.quantizer(m_common.threads);
    if (!m_common.noCache)
        quantizer.cache = m_statsCache = std::make_shared<calibration::StatsCache>(calibration::StatsCache::Options {
            .folder = calibration::StatsCache::defaultFolder(), .store = m_project });
    quantizer.store = m_project;
    m_quantizer = std::make_unique<flow::Quantizer>(m_graph, m_calibrationSamples, quantizer);
    return m_quantizer.get();
}

void Pipeline::reportStatistics()
{
    if (m_project)
        return; // a report is to be the same whether or not the work was interrupted
    const auto use = m_statsCache ? m_statsCache->use() : calibration::StatsCache::Use {};
    if (use.kept > 0)
        m_report.fact("statistics", use.computed > 0 ? "in part from the cache" : "from the cache");
}

Result<RangeConfidences> Pipeline::rangeConfidences(const quant::QuantizationPlan& plan) const
{
    const auto isActivation = [](const auto& entry) { return entry.second.role == quant::Role::Activation; };
    if (!m_quantizer || !m_quantizer->calibration() || std::ranges::none_of(plan.tensors(), isActivation))
        return RangeConfidences {};
    QS_TRY(const auto stats, m_quantizer->statsFor(plan, m_job));
    return calibration::rangeConfidences(*stats, plan, m_common.threads, m_job);
}

Result<flow::QuantizedNetwork> Pipeline::newPlan(const QuantizationOptions& options, const DataOptions& data)
{
    planning::PlanRequest base;
    base.seed = m_common.seed;
    QS_TRY(auto request, options.request(base, WordLengths::Single));
    // Without images, activations are quantized as far as the encodings tell their ranges.
    if (!options.encodings.empty() && data.data.empty() && data.calibration.empty())
        request.activations.bits.reset();
    const auto fixed = options.bestFlow();
    QS_TRY(const auto* quantizer, openQuantizer(options, data, fixed || flow::needsCalibration(request)));
    if (!fixed)
        return quantizer->quantize(request, m_job);
    QS_TRY(auto best, flow::findBestFlow(*quantizer, { .request = request, .fixed = *fixed }, m_job));
    m_report.json()["flow"] = toJson(best);
    m_report.text(describe(best));
    return std::move(best.network);
}

Result<flow::QuantizedNetwork> Pipeline::savedPlan(
    const QuantizationOptions& options, const DataOptions& data, quant::QuantizationPlan saved)
{
    auto request = planning::requestLike(saved);
    const auto changed = options.changedTensors();
    if (options.changeAnything()) {
        QS_TRY(request, options.changed(request, WordLengths::Single));
        // What stays as it is needs no word-length here, and so no calibration.
        if (!changed.weights)
            request.weights.bits.reset();
        if (!changed.activations)
            request.activations.bits.reset();
    }
    const bool needsImages = options.changeAnything() && flow::needsCalibration(request);
    QS_TRY(const auto* quantizer, openQuantizer(options, data, needsImages));
    if (options.changeAnything())
        return quantizer->change(saved, request, changed, m_job);
    flow::QuantizedNetwork network;
    QS_TRY(network.graph, quantizer->graphFor(saved));
    network.plan = std::make_shared<const quant::QuantizationPlan>(std::move(saved));
    return network;
}

Result<flow::QuantizedNetwork> Pipeline::startingPlan(
    const QuantizationOptions& options, const DataOptions& data, const PlanFileOptions& files)
{
    if (!files.load.empty()) {
        QS_TRY(auto saved, quant::loadPlan(files.load));
        m_report.fact("plan", files.load);
        if (options.corrections.best())
            return fail(ErrorCode::InvalidInput, "--flow best makes a plan of its own, and --plan gives one",
                files.load, "leave one of the two out");
        return savedPlan(options, data, std::move(saved));
    }
    if (!m_filePlan || options.corrections.best())
        return newPlan(options, data);
    // Another scope has its quantizers elsewhere, and a profile's choices are a plan of their own.
    QS_TRY(const auto request, options.request(planning::requestLike(*m_filePlan), WordLengths::Single));
    if (request.scope != m_filePlan->scope || !options.profile.empty())
        return newPlan(options, data);
    return savedPlan(options, data, *m_filePlan);
}

Result<void> Pipeline::takeEncodings(const QuantizationOptions& options, bool isNew, flow::QuantizedNetwork& network)
{
    if (options.encodings.empty())
        return {};
    QS_TRY(const auto file, importing::readEncodings(options.encodings));
    QS_TRY(auto request, options.request({}, WordLengths::Single));
    if (!isNew)
        request = planning::requestLike(*network.plan);
    auto applied = importing::applyEncodings(*network.graph, *network.plan, request, file);
    reportEncodings(m_report, options.encodings, file, applied);
    if (applied.applied.empty())
        return fail(ErrorCode::InvalidInput,
            "none of its " + count(static_cast<std::int64_t>(file.entries.size())) + " entries fits the model"
                + (applied.unmatched.empty()
                        ? std::string()
                        : ", '" + applied.unmatched.front().tensor + "' for one: " + applied.unmatched.front().why),
            options.encodings, "use encodings that were made for this model");
    std::ranges::copy(applied.notes, std::back_inserter(network.notes));
    network.plan = std::make_shared<const quant::QuantizationPlan>(std::move(applied.plan));
    return {};
}

Result<quant::PlanPtr> Pipeline::makePlan(
    const QuantizationOptions& options, const DataOptions& data, const PlanFileOptions& files)
{
    QS_TRY(const auto hardware, options.hardwareProfile());
    if (hardware)
        m_report.fact("profile", hardware->name);
    QS_TRY(auto network, startingPlan(options, data, files));
    reportStatistics();
    QS_CHECK(takeEncodings(options, files.load.empty() && !m_filePlan, network));
    if (hardware)
        QS_CHECK(refuse(planning::check(*hardware, *network.plan), "make a plan for this profile"));
    for (const auto& note : network.notes)
        m_report.note(note);
    m_report.json()["bias_remedies"] = toJson(network.biasRemedies);
    m_report.json()["corrections"] = toJson(network.corrections);
    if (!network.corrections.empty())
        m_report.text(describe(network.corrections));
    m_report.fact("scope", network.plan->empty() ? "float" : network.plan->title);
    if (!files.save.empty())
        QS_CHECK(quant::savePlan(*network.plan, files.save));
    m_planGraph = network.graph;
    return network.plan;
}

Result<void> Pipeline::keepStudy(const std::string& command, const Json& settings, bool complete)
{
    if (!m_project)
        return {};
    Json all = reporting::settingsWith(
        { graph::fingerprint(*m_graph), m_samples, m_calibrationSamples, m_common.seed }, settings);
    QS_CHECK(m_project->keepStudy({ command, std::move(all), m_report.json(), complete }));
    reportUse(*m_project);
    return {};
}

evaluation::EvaluationOptions Pipeline::evaluation(const QuantizationOptions& quantization) const
{
    evaluation::EvaluationOptions options;
    options.threads = m_common.threads;
    options.arithmetic = *engine::parseArithmetic(quantization.engine); // one of the words that the option takes
    options.store = m_project;
    options.reuse = std::make_shared<evaluation::Reuse>(static_cast<std::size_t>(m_common.memory) << 20U);
    return options;
}

} // namespace quantoscope::cli
