// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/sweep/options_study.h"
#include "core/sweep/search_budget.h"
#include "core/sweep/sweep.h"
#include "ui/session/state.h"

/// What a project remembers of the window, beside the results: its choices, so that opening it gives the window back.
namespace quantoscope::ui {

/// A row of the runs. The result itself is among the project's results.
struct RunState {
    RunKey key;
    QString name; ///< given by a person; empty: none
    QString scope;
    bool isFloat = false;
    QString data;
    planning::PlanRequest request;
    std::vector<flow::CorrectionOutcome> corrections;
};

struct SweepState {
    std::vector<sweep::Bits> weightBits;
    std::vector<sweep::Bits> activationBits;
    planning::PlanRequest request;
    bool complete = false;
};

struct OptionsState {
    sweep::OptionsStudySettings settings; ///< without evaluation and onRow
    bool complete = false;
};

struct SensitivityState {
    std::vector<int> weightBits;
    std::vector<int> activationBits;
    bool measure = true;
    planning::PlanRequest request;
    bool complete = false;
};

struct SearchState {
    std::vector<int> weightBits;
    std::vector<int> activationBits;
    sweep::Budget budget;
    bool uniform = true;
    planning::PlanRequest request;
    bool complete = false;
};

/// The choices for one model. A project may hold several.
struct ModelState {
    std::filesystem::path path; ///< where the model was
    bool foldBatchNorm = true;
    std::optional<DataRequest> data;
    Wish wish;
    QString layer; ///< the selected one
    std::vector<RunState> runs;
    std::optional<SweepState> sweep;
    std::optional<OptionsState> options;
    std::optional<SensitivityState> sensitivity;
    std::optional<SearchState> search;
};

struct ProjectState {
    std::string model; ///< fingerprint of the model's file; empty: none was open
    std::map<std::string, ModelState> models; ///< by that fingerprint
    QString page; ///< object name of the page in front
    bool worthKeeping = false; ///< a person did something, rather than look
    /// The project's, which has a place of its own there and is no part of the text.
    cost::EnergyModel energy = cost::defaultEnergyModel();

    std::string toText(const std::filesystem::path& home) const; ///< paths also as they are from `home`
    /// InvalidInput for anything else. Files that are not where they were are looked for from `home`.
    static Result<ProjectState> fromText(const std::string& text, const std::filesystem::path& home);
};

} // namespace quantoscope::ui
