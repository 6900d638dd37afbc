// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

#include "core/base/json.h"
#include "core/dataset/preprocessing.h"

namespace quantoscope::reporting {

/// What a study was made of.
struct StudyInputs {
    std::string graph; ///< graph::fingerprint() of the prepared model
    dataset::SampleSetPtr data; ///< null: none
    dataset::SampleSetPtr calibration; ///< null: none
    std::uint64_t seed = 0;
};

/// Everything that decides the outcome of a study: its own settings, what it was made of, and the version. It tells one
/// study of a project from another, and whether two projects belong together.
Json settingsWith(const StudyInputs& inputs, const Json& settings);

} // namespace quantoscope::reporting
