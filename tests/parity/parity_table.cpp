// SPDX-License-Identifier: GPL-3.0-or-later
// Exports every network in every configuration, runs the files here and in ONNX Runtime and prints what differs as a
// table in Markdown. See --help.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <QCoreApplication>
#include <QTemporaryDir>

#include "core/planning/glob.h"
#include "tests/parity/network.h"
#include "tests/parity/peer.h"
#include "tests/parity/report.h"
#include "tests/parity/row.h"
#include "tests/parity/subject.h"

using namespace quantoscope;
using namespace quantoscope::parity;
namespace fs = std::filesystem;

namespace {

constexpr int exitDifferent = 1;
constexpr int exitUsage = 2;
constexpr int exitSkipped = 77;

constexpr const char* help
    = "usage: parity_table [--short] [--models GLOB] [--settings GLOB] [--activation-range RANGE] [--divide N] "
      "[--threads N]\n"
      "  --short     the bundled sample on few images: what runs with the tests\n"
      "  --models    only networks whose name matches\n"
      "  --settings  only settings that match, such as 'W4A6 corrected | integer | *'\n"
      "  --activation-range  min-max, mse and so on, instead of the default\n"
      "  --divide N  take the Nth part of the images\n"
      "Prints a Markdown table. Status 0: predictions are the same here and there, or differ only where the order of "
      "float sums decides; 1: not so; 77: ONNX Runtime is not installed.\n";

struct Arguments {
    bool isShort = false;
    std::string models = "*";
    std::string settings = "*";
    std::optional<quant::RangeSpec> activationRange = {};
    std::int64_t divide = 1;
    int threads = 1;
};

std::optional<Arguments> parse(const QStringList& list)
{
    Arguments arguments;
    for (qsizetype i = 1; i < list.size(); ++i) {
        const auto value = [&] { return ++i < list.size() ? list[i] : QString(); };
        if (list[i] == "--short")
            arguments.isShort = true;
        else if (list[i] == "--models")
            arguments.models = value().toStdString();
        else if (list[i] == "--settings")
            arguments.settings = value().toStdString();
        else if (list[i] == "--activation-range") {
            const auto range = quant::RangeSpec::parse(value().toStdString());
            if (!range)
                return std::nullopt;
            arguments.activationRange = *range;
        } else if (list[i] == "--divide")
            arguments.divide = value().toInt();
        else if (list[i] == "--threads")
            arguments.threads = value().toInt();
        else
            return std::nullopt;
    }
    if (arguments.isShort) {
        arguments.models = "fashion*";
        arguments.divide = std::max<std::int64_t>(arguments.divide, 10);
    }
    return arguments.divide > 0 && arguments.threads > 0 ? std::optional(arguments) : std::nullopt;
}

/// Every setting that a network is tried in.
std::vector<Setting> settingsOf(const SubjectSpec& spec, const Arguments& arguments)
{
    std::vector<Setting> settings;
    const bool tryCorrected = spec.corrected && !arguments.isShort; // it has a test of its own
    for (const auto& configuration : configurations())
        for (const auto scope : { quant::Scope::Compute, quant::Scope::Integer })
            for (const bool perChannel : { false, true }) {
                Setting setting { configuration, scope, perChannel, arguments.activationRange };
                if ((!configuration.isCorrected || tryCorrected)
                    && planning::globMatches(arguments.settings, setting.title()))
                    settings.push_back(std::move(setting));
            }
    return settings;
}

Result<void> compareSubject(const SubjectSpec& spec, const Arguments& arguments, std::vector<Row>& rows)
{
    const auto settings = settingsOf(spec, arguments);
    if (settings.empty())
        return {};
    QS_TRY(const auto subject, loadSubject(spec));
    const QTemporaryDir folder;
    const fs::path file = folder.filePath("model.onnx").toStdString();
    Peer peer;
    QS_CHECK(peer.start(*subject.samples, arguments.threads));
    for (const auto& setting : settings) {
        QS_TRY(auto row, compareSides(subject, peer, setting, file));
        printRow(row);
        rows.push_back(std::move(row));
    }
    return {};
}

int run(const Arguments& arguments)
{
    auto specs = subjects(arguments.divide);
    std::erase_if(specs, [&](const auto& spec) { return !planning::globMatches(arguments.models, spec.name); });
    if (specs.empty()) {
        std::fputs("skipped: no network with its images is here\n", stderr);
        return exitSkipped;
    }
    printHeader();
    std::vector<Row> rows;
    bool anyError = false;
    for (const auto& spec : specs)
        if (const auto done = compareSubject(spec, arguments, rows); !done) {
            std::fprintf(stderr, "error: %s: %s\n", spec.name.c_str(), done.error().message().c_str());
            anyError = true;
        }
    printSummary(rows);
    const bool allFine = std::ranges::all_of(rows, [](const Row& row) { return row.isFine(); });
    return allFine && !anyError ? 0 : exitDifferent;
}

} // namespace

int main(int argc, char** argv)
{
    const QCoreApplication application(argc, argv);
    const auto arguments = parse(QCoreApplication::arguments());
    if (!arguments) {
        std::fputs(help, stderr);
        return exitUsage;
    }
    if (!Peer::isInstalled()) {
        std::fputs(
            "skipped: ONNX Runtime is not installed; packaging/install-onnxruntime.sh puts it into the build folder\n",
            stderr);
        return exitSkipped;
    }
    return run(*arguments);
}
