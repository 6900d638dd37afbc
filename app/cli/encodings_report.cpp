// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/encodings_report.h"

#include "app/cli/text.h"

namespace quantoscope::cli {

void reportEncodings(Report& report, const std::string& path, const importing::EncodingsFile& file,
    const importing::AppliedEncodings& applied)
{
    Json unmatched = Json::array();
    using enum Table::Align;
    Table table({ { "not applied", Left }, { "why", Left } });
    for (const auto& entry : applied.unmatched) {
        unmatched.push_back({ { "tensor", entry.tensor }, { "why", entry.why } });
        table.add({ entry.tensor, entry.why });
    }
    report.json()["encodings"] = { { "file", path }, { "kind", file.kind }, { "entries", file.entries.size() },
        { "applied", applied.applied }, { "unmatched", std::move(unmatched) }, { "missing", applied.missing } };
    const auto number = [](const auto& list) { return count(static_cast<std::int64_t>(list.size())); };
    report.text("Encodings: " + file.kind + " with " + number(file.entries) + " entries; " + number(applied.applied)
        + " tensors have them now, " + number(applied.unmatched) + " entries do not match the model, "
        + number(applied.missing) + " quantized tensors are not in the file.\n");
    if (!table.empty())
        report.text(table.toString());
    std::string missing;
    for (const auto& tensor : applied.missing)
        missing += (missing.empty() ? "" : ", ") + tensor;
    if (!missing.empty())
        report.text("Not in the file, as before: " + missing + "\n");
}

} // namespace quantoscope::cli
