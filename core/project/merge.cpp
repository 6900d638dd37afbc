// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/project/merge.h"

#include <algorithm>
#include <array>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>

namespace quantoscope::project::detail {

namespace {

/// What the others refer to first.
constexpr std::array tables { "sources", "statistics", "plans", "networks", "fidelities", "results", "view_state",
    "studies" };

void copyValue(const SQLite::Column& from, SQLite::Statement& to, int index)
{
    if (from.isInteger())
        to.bind(index, from.getInt64());
    else if (from.isFloat())
        to.bind(index, from.getDouble());
    else if (from.isText())
        to.bind(index, from.getString());
    else if (from.isBlob()) // a null pointer would be NULL rather than nothing
        to.bind(index, from.getBytes() > 0 ? from.getBlob() : "", from.getBytes());
}

void copyTable(const std::string& table, SQLite::Database& from, SQLite::Database& to)
{
    SQLite::Statement rows(from, "SELECT * FROM " + table + " ORDER BY rowid");
    std::string parameters = "?";
    for (int i = 1; i < rows.getColumnCount(); ++i)
        parameters += ", ?";
    SQLite::Statement insert(to, "INSERT OR IGNORE INTO " + table + " VALUES (" + parameters + ")");
    while (rows.executeStep()) {
        for (int i = 0; i < rows.getColumnCount(); ++i)
            copyValue(rows.getColumn(i), insert, i + 1);
        insert.exec();
        insert.reset();
    }
}

/// The settings in which two studies of one command differ: "model, seed".
std::string differences(const Json& mine, const Json& others)
{
    std::string names;
    for (const auto& [key, value] : mine.items())
        if (!others.contains(key) || others.at(key) != value)
            names += (names.empty() ? "" : ", ") + key;
    for (const auto& [key, value] : others.items())
        if (!mine.contains(key))
            names += (names.empty() ? "" : ", ") + key;
    return names;
}

} // namespace

Result<void> checkSameStudies(
    const std::vector<Study>& mine, const std::vector<Study>& others, const std::string& where)
{
    if (mine.empty())
        return {};
    const auto refuse = [&where](std::string what) {
        return fail(ErrorCode::InvalidInput, std::move(what), where, "merge shards of one command only");
    };
    if (others.empty())
        return refuse("holds no study");
    for (const auto& study : others) {
        const auto same = std::ranges::find(mine, study.command, &Study::command);
        if (same == mine.end())
            return refuse("holds a study of another kind: " + study.command);
        const bool known = std::ranges::any_of(
            mine, [&study](const Study& m) { return m.command == study.command && m.settings == study.settings; });
        if (!known)
            return refuse("differs in " + differences(same->settings, study.settings));
    }
    return {};
}

Result<void> copyRows(const Database& from, const Database& to)
{
    Result<void> written;
    QS_CHECK(from.read([&](SQLite::Database& source) {
        written = to.write([&](SQLite::Database& target) {
            for (const auto* table : tables)
                copyTable(table, source, target);
        });
    }));
    return written;
}

} // namespace quantoscope::project::detail
