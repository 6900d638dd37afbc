// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>

#include <CLI/CLI.hpp>

#include "app/cli/allowed_bits.h"
#include "app/cli/command.h"
#include "app/cli/energy_option.h"
#include "app/cli/findings.h"
#include "app/cli/map_files.h"
#include "app/cli/pipeline.h"
#include "app/cli/result_files.h"
#include "app/cli/shard_option.h"
#include "app/cli/text.h"
#include "core/graph/layers.h"
#include "core/sweep/depth.h"
#include "core/sweep/study_document.h"
#include "core/sweep/sweep.h"
#include "core/sweep/trend.h"

namespace quantoscope::cli {

namespace {

using sweep::Bits;
using sweep::SweepPoint;
using sweep::SweepResult;

/// The grid of word-lengths: table, JSON, CSV and charts. What was finished before a cancellation is shown and written
/// all the same.
class Sweep : public Command {
public:
    explicit Sweep(CLI::App& command)
    {
        m_common.addTo(command);
        command.add_option("models", m_moreModels,
            "More models for the same study; each gets files of results with its name in theirs, all together those "
            "named");
        command.add_option("--drop", m_drop, "Points of top-1 that the trend in words may lose; default 1")
            ->check(CLI::Range(0.0, 100.0));
        m_energy.addTo(command);
        command
            .add_option("--race", m_race,
                "Stop a point once it certainly loses more than this many points of top-1 against float; its figures "
                "then stand on fewer images. Default: every point is measured on all")
            ->check(CLI::Range(0.0, 100.0));
        m_shard.addTo(command);
        m_files.addTo(command, "Draw accuracy against bits");
        m_maps.addTo(command);
        m_data.addTo(command, true);
        m_quantization.addTo(command, WordLengths::Grid);
        m_graph.addTo(command);
    }

    Result<void> readOptions() override
    {
        QS_TRY(m_grid.weightBits,
            sweep::parseBits(m_quantization.weights.bits.empty() ? "2..8" : m_quantization.weights.bits));
        QS_TRY(m_grid.activationBits,
            sweep::parseBits(m_quantization.activations.bits.empty() ? "2..8" : m_quantization.activations.bits));
        QS_TRY(const auto hardware, m_quantization.hardwareProfile());
        if (hardware) {
            QS_CHECK(leaveOutForbidden(*hardware, quant::Role::Weight, m_grid.weightBits, m_leftOut));
            QS_CHECK(leaveOutForbidden(*hardware, quant::Role::Activation, m_grid.activationBits, m_leftOut));
        }
        QS_CHECK(m_energy.check());
        QS_TRY(m_grid.shard, m_shard.shard());
        QS_CHECK(m_data.preprocessing({}));
        m_grid.request.seed = m_common.seed;
        QS_TRY(m_grid.request, m_quantization.request(m_grid.request, WordLengths::Grid));
        QS_CHECK(m_maps.checkFormats());
        return m_files.checkFormats();
    }

    Result<void> run(const base::Job& job, Report& report) override
    {
        if (m_moreModels.empty())
            return study(m_common, m_files, m_maps, job, report);
        std::vector<CommonOptions> models { m_common };
        for (const auto& model : m_moreModels) {
            models.push_back(m_common);
            models.back().model = model;
        }
        for (const auto& model : models) {
            QS_CHECK(m_files.named(model.model).check(model, m_data));
            QS_CHECK(m_maps.named(model.model).check(model, m_data));
        }
        report.json()["models"] = Json::array();
        for (const auto& model : models) {
            Report own("sweep");
            const auto done = study(model, m_files.named(model.model), m_maps.named(model.model), job, own);
            report.json()["models"].push_back(own.json());
            report.text(own.toString());
            QS_CHECK(done);
        }
        return compare(report);
    }

    bool worthPrinting() const override { return m_finished; }

private:
    /// What the models have in common and where they differ, for all of them together.
    Result<void> compare(Report& report)
    {
        auto sentences = sweep::compareTrends(m_trends);
        const auto depths = sweep::compareDepths(m_models);
        if (depths)
            sentences.push_back(depths->sentence);
        report.json()["trend"] = sentences;
        report.json()["depth"] = depths ? sweep::toJson(*depths) : Json();
        report.text(paragraph(sentences));
        QS_CHECK(m_files.write(sweep::toCsv(m_models), m_models, report));
        if (m_common.project.file.empty() || !m_grid.shard.isWhole())
            return {};
        QS_TRY(const auto project, openProject(m_common.project.file));
        Json all = sweep::settingsOf(m_grid);
        all["models"] = Json::array();
        for (const auto& model : report.json()["models"])
            all["models"].push_back(model.value("model", std::string()));
        all["seed"] = m_common.seed;
        all["version"] = QUANTOSCOPE_VERSION;
        // The models' own documents are kept already.
        Json document = report.json();
        document.erase("models");
        document["costs"] = Json::array();
        for (const auto& model : m_models)
            document["costs"].push_back({ { "name", model.name }, { "layers", model.layers },
                { "float_top1", model.result->floatResult->top1() },
                { "points", sweep::toJson(*model.result, m_drop)["points"] } });
        return project->keepStudy({ "models", std::move(all), std::move(document) });
    }

    /// One model's grid.
    Result<void> study(const CommonOptions& common, const ResultFiles& files, const MapFiles& maps,
        const base::Job& job, Report& report)
    {
        const auto start = std::chrono::steady_clock::now();
        QS_CHECK(files.check(common, m_data));
        QS_CHECK(maps.check(common, m_data));
        Pipeline pipeline(common, job, report);
        QS_CHECK(pipeline.openModel(m_graph));
        QS_CHECK(pipeline.openLabelledData(m_data));
        QS_TRY(m_grid.energy, pipeline.energyModel(m_energy));
        m_grid.best = m_quantization.bestFlow();
        if (m_race)
            m_grid.racing = evaluation::Racing { *m_race };
        m_grid.evaluation = pipeline.evaluation(m_quantization);
        QS_TRY(const auto* quantizer, pipeline.openQuantizer(m_quantization, m_data, needsCalibration()));
        QS_TRY(const auto result, sweep::runGrid(*quantizer, *pipeline.samples(), m_grid, job));
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
        pipeline.reportStatistics();
        if (!m_quantization.profile.empty())
            report.fact("profile", m_quantization.profile);
        for (const auto& note : m_leftOut)
            report.note(note);
        report.fact("scope", result.scope);
        describeEnergy(report, m_grid.energy);
        describe(report, result, elapsed.count());
        const auto trend = sweep::readTrend(result, m_drop);
        report.text(paragraph(trend.sentences));
        const std::string name = std::filesystem::path(common.model).stem().string();
        m_trends.push_back({ name, trend });
        m_models.push_back({ name, std::ssize(graph::computeLayers(*pipeline.floatGraph())),
            std::make_shared<const SweepResult>(result) });
        m_finished = true;
        QS_TRY(const auto drawn, maps.write(result));
        QS_CHECK(files.write(sweep::toCsv(result), result, report, drawn));
        QS_CHECK(pipeline.keepStudy("sweep", sweep::settingsOf(m_grid), result.complete && m_grid.shard.isWhole()));
        if (!result.complete)
            return base::cancelled();
        return {};
    }

    static std::string paragraph(const std::vector<std::string>& sentences)
    {
        std::string text;
        for (const auto& sentence : sentences)
            text += "trend        " + sentence + "\n";
        return text;
    }

    bool needsCalibration() const
    {
        auto request = m_grid.request;
        request.activations.bits.reset();
        const auto quantizes = [](Bits b) { return b.has_value(); };
        return m_grid.best || std::ranges::any_of(m_grid.activationBits, quantizes) || flow::needsCalibration(request);
    }

    void describe(Report& report, const SweepResult& result, double seconds) const
    {
        const auto& reference = *result.floatResult;
        Json& json = report.json();
        json.update(sweep::toJson(result, m_drop));
        json["seconds"] = seconds;
        report.text("float        top-1 " + fixed(reference.top1()) + " % " + interval(reference.top1Interval())
            + " (95 %) on " + describeSpeed(reference) + "\n");
        report.text(listPoints(result));
        report.text(drawGrid(result));
        describeRace(report, result);
        report.text(count(static_cast<std::int64_t>(result.points.size())) + " points in " + significant(seconds) + " s"
            + (result.complete ? "" : "; cancelled, the rest was not evaluated") + "\n");
    }

    /// On how many images the figures of a race stand.
    void describeRace(Report& report, const SweepResult& result) const
    {
        if (!m_race)
            return;
        std::int64_t stopped = 0;
        std::int64_t images = 0;
        for (const auto& point : result.points) {
            stopped += point.stoppedEarly ? 1 : 0;
            images += point.images;
        }
        const std::int64_t all = std::ssize(result.points) * result.floatResult->images();
        report.json()["racing"]
            = { { "drop", *m_race }, { "stopped", stopped }, { "images_run", images }, { "images_of_all", all } };
        report.text("race         " + count(stopped) + " points stopped early, sure to lose more than "
            + significant(*m_race) + " points against float; " + count(images) + " of " + count(all)
            + " images were run\n");
    }

    static std::string listPoints(const SweepResult& result)
    {
        const bool raced = std::ranges::any_of(result.points, &SweepPoint::stoppedEarly);
        std::vector<Table::Column> columns({ { "W" }, { "A" }, { "top-1 [%]" }, { "95 % interval" }, { "difference" },
            { "95 % interval" }, { "p" }, { "agreement [%]" }, { "size [B]" }, { "BOP" } });
        if (raced)
            columns.insert(columns.begin() + 2, { "images" });
        Table table(columns);
        for (const auto& point : result.points) {
            const auto& paired = point.againstFloat;
            std::vector<std::string> row({ sweep::toString(point.weightBits), sweep::toString(point.activationBits),
                fixed(point.top1), interval(point.top1Interval), signedFixed(paired.delta),
                interval(paired.deltaInterval), probability(paired.pValue), fixed(paired.agreement),
                metric(point.cost.sizeBytes), metric(point.cost.bops) });
            if (raced)
                row.insert(row.begin() + 2, count(point.images));
            table.add(std::move(row));
        }
        return table.toString();
    }

    /// Top-1 with weight bits downwards and activation bits to the right.
    std::string drawGrid(const SweepResult& result) const
    {
        std::vector<Table::Column> columns { { "top-1 [%]", Table::Align::Left } };
        for (const Bits bits : m_grid.activationBits)
            columns.push_back({ "A" + sweep::toString(bits) });
        Table table(columns);
        for (const Bits bits : m_grid.weightBits) {
            std::vector<std::string> row { "W" + sweep::toString(bits) };
            for (const Bits activationBits : m_grid.activationBits) {
                const auto point = std::ranges::find_if(result.points,
                    [&](const auto& p) { return p.weightBits == bits && p.activationBits == activationBits; });
                row.push_back(point == result.points.end() ? "" : fixed(point->top1));
            }
            table.add(std::move(row));
        }
        return table.toString();
    }

    std::vector<std::string> m_moreModels;
    ShardOption m_shard;
    double m_drop = 1;
    std::optional<double> m_race;
    EnergyOption m_energy;
    ResultFiles m_files;
    MapFiles m_maps;
    DataOptions m_data;
    QuantizationOptions m_quantization;
    GraphOptions m_graph;
    sweep::GridOptions m_grid;
    std::vector<std::string> m_leftOut; ///< word-lengths that the profile does not take, and why
    std::vector<sweep::NamedTrend> m_trends; ///< of the models finished
    std::vector<sweep::StudiedModel> m_models; ///< likewise
    bool m_finished = false;
};

} // namespace

CommandPtr makeSweep(CLI::App& command) { return std::make_unique<Sweep>(command); }

} // namespace quantoscope::cli
