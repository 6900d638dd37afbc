// SPDX-License-Identifier: GPL-3.0-or-later
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <string_view>

#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "app/cli/exit_status.h"
#include "app/cli/interrupt.h"
#include "app/cli/progress_bar.h"

namespace {

using namespace quantoscope;
using namespace quantoscope::cli;

struct CommandEntry {
    const char* name;
    const char* help;
    CommandPtr (*make)(CLI::App&);
};

constexpr std::array commands {
    CommandEntry { "inspect", "What a model consists of; needs no data", makeInspect },
    CommandEntry { "evaluate", "Accuracy of the float and the quantized network", makeEvaluate },
    CommandEntry { "sweep", "Accuracy over a grid of word-lengths, as table, chart and CSV", makeSweep },
    CommandEntry { "sensitivity", "Which layer hurts: each alone at each word-length", makeSensitivity },
    CommandEntry { "search", "Word-lengths layer by layer under a budget, measured", makeSearch },
    CommandEntry { "options", "Which quantization options pay for this model: ranked, with what differs", makeOptions },
    CommandEntry { "layers", "What quantizing does to every tensor", makeLayers },
    CommandEntry { "flips", "Images whose prediction changed, and where the two networks part", makeFlips },
    CommandEntry { "compare", "Two plans or quantized models, layer by layer", makeCompare },
    CommandEntry { "export", "The quantized model as an ONNX file", makeExport },
    CommandEntry { "report", "A project, or a plan measured, as one HTML file that needs nothing else", makeReport },
    CommandEntry { "merge", "The projects of shards in one", makeMerge },
    CommandEntry { "energy", "The tables that energy figures are made of: list, edit, keep in a project", makeEnergy },
    CommandEntry { "profiles", "Hardware that can limit the choices", makeProfiles },
    CommandEntry { "operators", "The ONNX operators that can be computed", makeOperators },
};

/// Always one line, whatever a message quotes.
void printError(std::string message)
{
    std::replace_if(
        message.begin(), message.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    std::fprintf(stderr, "error: %s\n", message.c_str());
}

int runCommand(Command& command, const std::string& name)
{
    if (const auto read = command.readOptions(); !read) {
        printError(read.error().message());
        return exitUsage;
    }
    Interrupt interrupt;
    Report report(name);
    Result<void> done;
    {
        ProgressBar bar;
        done = command.run({ &bar.progress(), interrupt.token() }, report);
    }
    if (done || command.worthPrinting()) {
        if (auto printed = report.print(command.common().json); !printed)
            done = std::move(printed);
    }
    if (done)
        return exitDone;
    if (done.error().code == ErrorCode::Cancelled) {
        std::fputs("cancelled\n", stderr);
        return exitCancelled;
    }
    printError(done.error().message());
    return exitFailed;
}

/// What CLI11 found wrong, in a line that also tells a misspelt command from a missing one.
std::string usageMessage(const CLI::App& app, const CLI::ParseError& error, int argc, char** argv)
{
    const std::string first = argc > 1 ? argv[1] : "";
    const bool known
        = std::any_of(commands.begin(), commands.end(), [&](const auto& entry) { return first == entry.name; });
    std::string message = error.what();
    if (!known && !first.empty() && first.front() != '-')
        message = "'" + first + "' is not a command";
    return message + ": see " + app.get_name() + (known ? " " + first : "") + " --help";
}

/// No option has a use for an empty value, and a script's unset variable must not count as "not given".
bool hasEmptyArgument(int argc, char** argv)
{
    for (int i = 1; i < argc; ++i) {
        const std::string_view argument = argv[i];
        if (argument.empty() || (argument.starts_with("--") && argument.ends_with('='))) {
            printError("an empty value" + (i > 1 ? " after '" + std::string(argv[i - 1]) + "'" : std::string())
                + ": give one, or leave the option out");
            return true;
        }
    }
    return false;
}

int runProgram(int argc, char** argv)
{
    if (hasEmptyArgument(argc, argv))
        return exitUsage;
    CLI::App app { "Quantoscope: post-training quantization of ONNX models, measured", "quantoscope-cli" };
    app.set_version_flag("--version", "quantoscope-cli " QUANTOSCOPE_VERSION);
    app.require_subcommand(1);
    std::map<const CLI::App*, CommandPtr> made;
    for (const auto& entry : commands) {
        CLI::App* command = app.add_subcommand(entry.name, entry.help);
        made[command] = entry.make(*command);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        if (e.get_exit_code() == 0)
            return app.exit(e); // --help and --version
        printError(usageMessage(app, e, argc, argv));
        return exitUsage;
    }
    const CLI::App* chosen = app.get_subcommands().front();
    return runCommand(*made.at(chosen), chosen->get_name());
}

} // namespace

int main(int argc, char** argv)
{
    try {
        return runProgram(argc, argv);
    } catch (const std::bad_alloc&) {
        printError("out of memory");
    } catch (const std::exception& e) {
        printError(e.what());
    }
    return exitFailed;
}
