// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/json.h"

namespace quantoscope::cli {

/// What a command prints: the same findings as lines and tables for people and as one JSON document for programs.
class Report {
public:
    explicit Report(std::string command);

    /// A named line of the head, and a string of the document: "data", "scope".
    void fact(const std::string& name, const std::string& text);
    /// Something a person should know; the document lists them under "notes".
    void note(const std::string& text);
    /// A block of text after the head.
    void text(const std::string& block);
    Json& json() { return m_json; }
    /// What people read: head, notes and blocks.
    std::string toString() const { return m_head + m_notes + m_text; }

    /// Writes one of the two to standard output. Io if that fails.
    Result<void> print(bool asJson) const;

private:
    Json m_json;
    std::string m_head;
    std::string m_notes;
    std::string m_text;
};

} // namespace quantoscope::cli
