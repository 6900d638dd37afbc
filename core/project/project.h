// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/calibration/stats_cache.h"
#include "core/cost/energy.h"
#include "core/evaluation/result_store.h"
#include "core/flow/network_store.h"
#include "core/quant/plan.h"

namespace quantoscope::project {

/// The schema that open() migrates older files to.
constexpr int schemaVersion = 3;

/// A file that results come from.
struct Source {
    std::string role; ///< "model", "data", "calibration"
    /// What it holds, whatever it is called: fileFingerprint() of a model, SampleSet::fingerprint() of data.
    std::string fingerprint;
    std::filesystem::path path; ///< absolute
    std::filesystem::path relativePath = {}; ///< from the project's folder; set by Project::addSource()
    Json details = {}; ///< in words: description, pre-processing

    friend bool operator==(const Source&, const Source&) = default;
};

/// Where and when something was made.
struct Provenance {
    std::string version; ///< of Quantoscope
    std::string machine; ///< machineDescription()
    std::string created; ///< "2026-11-24T05:55:00Z"
};

/// One finished evaluation, as listed.
struct ResultRecord {
    std::string key; ///< evaluation::ResultOrigin::key()
    std::string graph; ///< fingerprints
    std::string plan;
    std::string samples;
    std::string scope; ///< what was quantized, in words
    std::string data; ///< data and pre-processing, in words
    std::uint64_t seed = 0;
    std::int64_t images = 0;
    double top1 = 0; ///< percent
    Provenance provenance;
};

/// What a command was asked and what came out, for reports and for telling whether two projects belong together.
struct Study {
    std::string command; ///< "sweep"
    Json settings; ///< everything that decides the outcome: fingerprints, options, seed
    Json document; ///< what the command prints with --json
    bool complete = true;
    Provenance provenance = {}; ///< set by Project::keepStudy()
};

/// How to open a project.
enum class Mode {
    Create, ///< for writing; made if it is not there
    Existing, ///< for writing; NotFound if it is not there
    ReadOnly,
};

/// One project file: a SQLite database with everything that is known of some models. It survives anything: what a
/// function has kept when it returns is there after kill -9 and after a power failure, and an interrupted write leaves
/// what was there before. Only one process writes: who opens a file that is open already gets it read-only, as does
/// who may not write to it. The lock (FILE-lock, beside SQLite's own FILE-wal and FILE-shm) ends with its process.
/// Thread safe.
class Project final : public calibration::StatsStore, public evaluation::ResultStore, public flow::NetworkStore {
public:
    /// Older schema versions are migrated in one transaction. Errors: NotFound; InvalidInput for what is no project, is
    /// damaged or holds anything but what a project holds (the file is left as it is); Unsupported for a newer schema,
    /// or an older one that may not be written to; Io.
    static Result<std::shared_ptr<Project>> open(const std::filesystem::path& path, Mode mode = Mode::Create);
    ~Project() override;

    const std::filesystem::path& path() const; ///< absolute
    bool readOnly() const;
    const std::string& readOnlyReason() const; ///< "process 4711 on host has it open"; empty if writable

    /// Every function below that keeps something gives Io for a read-only project, a full disk and the like.

    /// Adds the file, or notes where it is now.
    Result<void> addSource(Source source);
    Result<std::vector<Source>> sources() const; ///< the latest last
    /// Where a source is now: where it was, at the same place relative to the project, beside the project, or in one of
    /// `folders` under any name; only a file of the same content counts. NotFound says where was looked.
    Result<std::filesystem::path> locate(
        const Source& source, std::span<const std::filesystem::path> folders = {}) const;

    Result<std::vector<ResultRecord>> results() const; ///< in the order they were kept
    Result<quant::PlanPtr> plan(const std::string& fingerprint) const; ///< null if there is none

    /// In the place of a study of the same command and settings.
    Result<void> keepStudy(const Study& study);
    Result<std::vector<Study>> studies() const; ///< the latest last

    /// Opaque to everyone but the one who wrote it: the window's choices and the like.
    Result<void> setView(const std::string& key, const std::string& content);
    Result<std::optional<std::string>> view(const std::string& key) const;

    /// What energy figures are made of in this project; empty: nobody chose.
    Result<void> setEnergyModel(const cost::EnergyModel& model);
    Result<std::optional<cost::EnergyModel>> energyModel() const;

    /// Takes everything over that `other` has and this has not. Refuses (InvalidInput) a project that shares no study
    /// with this one: another model, other data or other settings. A project without studies takes any.
    Result<void> merge(const Project& other);
    Result<void> checkMergeable(const Project& other) const; ///< whether merge() would refuse

    /// Evaluations since the project was opened.
    struct Use {
        std::int64_t found = 0;
        std::int64_t computed = 0;
    };
    Use use() const;

    std::vector<std::uint8_t> findStats(const std::string& key) override;
    void keepStats(const std::string& key, const std::vector<std::uint8_t>& bytes) override;
    Result<evaluation::EvaluationResultPtr> findResult(const std::string& key) override;
    Result<void> keepResult(const std::string& key, const evaluation::ResultOrigin& origin,
        const evaluation::EvaluationResult& result) override;
    Result<std::optional<flow::QuantizedNetwork>> findNetwork(const std::string& key) override;
    Result<std::optional<flow::BestFlow>> findBestFlow(const std::string& key) override;
    Result<void> keepNetwork(
        const std::string& key, const planning::PlanRequest& request, const flow::QuantizedNetwork& network) override;
    Result<void> keepBestFlow(
        const std::string& key, const planning::PlanRequest& request, const flow::BestFlow& best) override;
    Result<std::optional<evaluation::Fidelity>> findFidelity(const std::string& key) override;
    Result<void> keepFidelity(const std::string& key, const evaluation::Fidelity& fidelity) override;

private:
    struct State;
    explicit Project(std::unique_ptr<State> state);
    std::unique_ptr<State> m_state;
};
using ProjectPtr = std::shared_ptr<Project>;

/// SHA-256 of a file, as 64 digits. Errors: NotFound, Io.
Result<std::string> fileFingerprint(const std::filesystem::path& path);

/// "AMD EPYC 9R14, 2 threads, Linux x86_64": what a result may depend on, and nobody's name.
std::string machineDescription();

} // namespace quantoscope::project
