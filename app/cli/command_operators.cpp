// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>

#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "app/cli/text.h"
#include "core/engine/kernel.h"
#include "core/graph/op_schema.h"

namespace quantoscope::cli {

namespace {

/// Every operator that has both a schema and a kernel, straight from the two registries.
class Operators : public Command {
public:
    explicit Operators(CLI::App& command)
    {
        command.add_flag("--json", m_common.json, "One JSON document on standard output, nothing else");
    }

    Result<void> run(const base::Job&, Report& report) override
    {
        using enum Table::Align;
        const auto kernels = engine::supportedOperators();
        Table table({ { "operator", Left }, { "kind", Left }, { "opsets", Left } });
        Json rows = Json::array();
        for (const auto& schema : graph::opSchemas()) {
            if (!std::ranges::binary_search(kernels, schema.opType))
                continue;
            const std::string since = std::to_string(schema.sinceOpset);
            const bool withdrawn = schema.untilOpset > 0;
            rows.push_back(
                { { "op", schema.opType }, { "category", schema.category }, { "since_opset", schema.sinceOpset },
                    { "until_opset", withdrawn ? Json(schema.untilOpset) : Json() } });
            table.add({ std::string(schema.opType), std::string(schema.category),
                withdrawn ? since + " to " + std::to_string(schema.untilOpset) : since + " and later" });
        }
        report.text(table.toString() + "\n" + std::to_string(rows.size()) + " operators of ai.onnx\n");
        report.json()["operators"] = std::move(rows);
        return {};
    }
};

} // namespace

CommandPtr makeOperators(CLI::App& command) { return std::make_unique<Operators>(command); }

} // namespace quantoscope::cli
