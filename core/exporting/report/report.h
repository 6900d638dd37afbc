// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/base/json.h"

namespace quantoscope::exporting {

/// A file that results come from.
struct ReportSource {
    std::string role; ///< "model", "data", "calibration"
    std::string file;
    std::string fingerprint; ///< SHA-256
    std::string description; ///< content and pre-processing in words; may be empty
};

/// What a command found: its document as --json prints it, and where that comes from.
struct ReportStudy {
    std::string command; ///< "sweep"
    Json settings; ///< all that decided the outcome; null if not known
    Json document;
    bool complete = true;
    std::string version; ///< of Quantoscope
    std::string machine;
    std::string created;
};

/// One evaluation of the many that studies are made of.
struct ReportResult {
    std::string scope;
    std::string data;
    std::string plan; ///< fingerprint
    std::int64_t images = 0;
    double top1 = 0; ///< percent
    std::string seed;
    std::string version;
    std::string machine;
    std::string created;
};

struct ReportContent {
    std::string title;
    std::vector<ReportSource> sources;
    std::vector<ReportStudy> studies;
    std::vector<ReportResult> results;
    std::string version; ///< of the program that writes the report
    std::string created;
};

/// One page of HTML that needs nothing else: charts as inline SVG, tables, scope and provenance of every study, and the
/// energy tables that were used. No script, and nothing is loaded from anywhere. Documents of commands it knows nothing
/// of, and fields that are missing, are shown as far as they go.
std::string toHtml(const ReportContent& content);

} // namespace quantoscope::exporting
