// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/project/schema.h"

#include <array>
#include <string>
#include <vector>

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>

#include "core/project/project.h"

namespace quantoscope::project::detail {

namespace {

/// What makes version i + 1 of version i. Never change one that was released: files were made with it.
constexpr std::array migrations {
    R"(
CREATE TABLE sources (
    role TEXT NOT NULL, fingerprint TEXT NOT NULL, path TEXT NOT NULL, relative_path TEXT NOT NULL,
    details TEXT NOT NULL, PRIMARY KEY (role, fingerprint));
CREATE TABLE statistics (key TEXT PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE plans (fingerprint TEXT PRIMARY KEY, title TEXT NOT NULL, content BLOB NOT NULL);
CREATE TABLE networks (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, plan TEXT NOT NULL REFERENCES plans (fingerprint),
    content BLOB NOT NULL, version TEXT NOT NULL, machine TEXT NOT NULL, created TEXT NOT NULL);
CREATE TABLE results (
    key TEXT PRIMARY KEY, graph TEXT NOT NULL, plan TEXT NOT NULL REFERENCES plans (fingerprint),
    samples TEXT NOT NULL, scope TEXT NOT NULL, data TEXT NOT NULL, seed TEXT NOT NULL, images INTEGER NOT NULL,
    top1 REAL NOT NULL, content BLOB NOT NULL, version TEXT NOT NULL, machine TEXT NOT NULL, created TEXT NOT NULL);
CREATE TABLE view_state (key TEXT PRIMARY KEY, content BLOB NOT NULL);
)",
    R"(
CREATE TABLE studies (
    command TEXT NOT NULL, settings TEXT NOT NULL, document BLOB NOT NULL, complete INTEGER NOT NULL,
    version TEXT NOT NULL, machine TEXT NOT NULL, created TEXT NOT NULL, PRIMARY KEY (command, settings));
)",
    R"(
CREATE TABLE fidelities (key TEXT PRIMARY KEY, content BLOB NOT NULL);
)",
};
static_assert(migrations.size() == schemaVersion);

/// Everything a database defines, in a fixed order.
std::vector<std::string> definitions(SQLite::Database& database)
{
    std::vector<std::string> all;
    SQLite::Statement query(
        database, "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master ORDER BY type, name");
    while (query.executeStep())
        all.push_back(query.getColumn(0).getString());
    return all;
}

void build(SQLite::Database& database, int version)
{
    for (auto step = static_cast<std::size_t>(version); step < migrations.size(); ++step)
        database.exec(migrations[step]);
    database.exec("PRAGMA application_id = " + std::to_string(applicationId));
    database.exec("PRAGMA user_version = " + std::to_string(schemaVersion));
}

} // namespace

bool migrate(SQLite::Database& database, int version)
{
    SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
    build(database, version);
    if (!hasExpectedSchema(database))
        return false;
    transaction.commit();
    return true;
}

bool hasExpectedSchema(SQLite::Database& database)
{
    SQLite::Database fresh(":memory:", SQLite::OPEN_READWRITE);
    build(fresh, 0);
    return definitions(database) == definitions(fresh);
}

} // namespace quantoscope::project::detail
