// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <vector>

#include "app/cli/chart_files.h"
#include "app/cli/options.h"
#include "core/base/error.h"

namespace quantoscope::cli {

/// --map of a sweep: accuracy over both word-lengths, with --contours; and --near-float: its lines near float.
class MapFiles {
public:
    void addTo(CLI::App& command);
    /// InvalidInput for a picture in a format that none can be written in, or contours of what is no cost: wrong usage.
    Result<void> checkFormats() const;
    /// Whether all could be written, found out before the work.
    Result<void> check(const CommonOptions& common, const DataOptions& data) const;
    /// The same with the name of a model's file in every file's name: map.png -> map-resnet20.png.
    MapFiles named(const std::string& model) const;
    /// Draws what is asked for; which files that made.
    Result<std::vector<std::string>> write(const sweep::SweepResult& result) const;

private:
    std::vector<std::string> m_maps;
    std::vector<std::string> m_nearFloat;
    std::string m_contours = "bops";
};

} // namespace quantoscope::cli
