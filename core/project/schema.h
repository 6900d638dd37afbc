// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace SQLite {
class Database;
}

namespace quantoscope::project::detail {

constexpr int applicationId = 0x51534350; ///< "QSCP", in the header of every project file

/// Brings a database from `version` (0: empty) to schemaVersion in one transaction. False, and nothing is changed, if
/// that does not give exactly the tables of a project. Throws SQLite::Exception, and has changed nothing then either.
bool migrate(SQLite::Database& database, int version);

/// Whether the database has exactly the tables of a project, and neither triggers nor views.
bool hasExpectedSchema(SQLite::Database& database);

} // namespace quantoscope::project::detail
