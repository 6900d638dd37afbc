// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/reporting/study_record.h"

#include <nlohmann/json.hpp>

namespace quantoscope::reporting {

Json settingsWith(const StudyInputs& inputs, const Json& settings)
{
    Json all { { "model", inputs.graph }, { "seed", inputs.seed }, { "version", QUANTOSCOPE_VERSION } };
    all["data"] = inputs.data ? Json(inputs.data->fingerprint()) : Json();
    all["calibration"] = inputs.calibration ? Json(inputs.calibration->fingerprint()) : Json();
    all.update(settings);
    return all;
}

} // namespace quantoscope::reporting
