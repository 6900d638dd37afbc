// SPDX-License-Identifier: GPL-3.0-or-later
// Exports every network in every configuration, runs the files here and in ONNX Runtime and prints what differs as a
// table in Markdown. See --help.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <QCoreApplication>
#include <QTemporaryDir>

#include "core/evaluation/evaluator.h"
#include "core/exporting/exporter.h"
#include "core/graph/layers.h"
#include "core/onnx_io/writer.h"
#include "core/planning/glob.h"
#include "core/planning/plan_builder.h"
#include "tests/parity/explain.h"
#include "tests/parity/peer.h"
#include "tests/parity/subject.h"

using namespace quantoscope;
using namespace quantoscope::parity;
namespace fs = std::filesystem;

namespace {

constexpr int exitDifferent = 1;
constexpr int exitUsage = 2;
constexpr int exitSkipped = 77;
constexpr double leastAgreement = 99.9; ///< percent
constexpr std::size_t mostExplained = 3; ///< differing images a row that are looked into

constexpr const char* help
    = "usage: parity_table [--short] [--models GLOB] [--divide N] [--threads N]\n"
      "  --short     the bundled sample on few images: what runs with the tests\n"
      "  --models    only networks whose name matches\n"
      "  --divide N  take the Nth part of the images\n"
      "Prints a Markdown table. Status 0: every top-1 is the same here and there, and predictions agree or differ "
      "in ways that are known only; 1: not so; 77: ONNX Runtime is not installed.\n";

struct Arguments {
    bool isShort = false;
    std::string models = "*";
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
        else if (list[i] == "--divide")
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

struct Configuration {
    std::string name;
    int weightBits;
    int activationBits;
    bool isMixed = false;
};

const std::vector<Configuration> configurations { { "W8A8", 8, 8 }, { "W6A6", 6, 6 }, { "W4A8", 4, 8 },
    { "W4A4", 4, 4 }, { "W8A16", 8, 16 }, { "W4A4 mixed", 4, 4, true } };

planning::PlanRequest requestFor(
    const Configuration& configuration, quant::Scope scope, bool perChannel, const graph::Graph& graph)
{
    planning::PlanRequest request;
    request.scope = scope;
    request.weights.bits = configuration.weightBits;
    request.activations.bits = configuration.activationBits;
    request.weights.perChannel = perChannel;
    if (!configuration.isMixed)
        return request;
    request.firstLastBits = 8;
    const auto layers = graph::computeLayers(graph);
    for (std::size_t i = 1; i + 1 < layers.size(); ++i) {
        planning::LayerOverride layer { .pattern = layers[i].name };
        if (i % 3 == 1)
            layer.weights.bits = layer.activations.bits = 8;
        else if (i % 3 == 2) {
            layer.weights.bits = 6;
            layer.activations.bits = 5;
        } else
            continue;
        request.overrides.push_back(layer);
    }
    return request;
}

/// How ONNX Runtime did on a file at one level of optimisation.
struct Comparison {
    double top1 = 0;
    double agreement = 0;
    double largest = 0; ///< difference of an output
    std::vector<std::string> unexplained;
    std::vector<std::string> explained;
    std::string failure;

    bool isFine(double ours) const
    {
        return failure.empty() && top1 == ours && (agreement >= leastAgreement || unexplained.empty());
    }
};

double percentEqual(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b)
{
    std::size_t equal = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        equal += a[i] == b[i];
    return a.empty() ? 100 : 100.0 * static_cast<double>(equal) / static_cast<double>(a.size());
}

double largestDifference(const Outputs& a, const Outputs& b)
{
    double largest = 0;
    for (std::size_t o = 0; o < std::min(a.size(), b.size()); ++o)
        for (std::size_t i = 0; i < std::min(a[o].values.size(), b[o].values.size()); ++i)
            largest = std::max<double>(largest, std::abs(a[o].values[i] - b[o].values[i]));
    return largest;
}

class ParityTable {
public:
    explicit ParityTable(const Arguments& arguments)
        : m_arguments(arguments)
    {
    }

    int run()
    {
        auto specs = subjects(m_arguments.divide);
        std::erase_if(specs, [&](const auto& spec) { return !planning::globMatches(m_arguments.models, spec.name); });
        if (specs.empty()) {
            std::fputs("skipped: no network with its images is here\n", stderr);
            return exitSkipped;
        }
        std::printf(
            "| network | images | configuration | scope | weights | top-1 here [%%] | optimisation off: top-1 | "
            "agreement [%%] | largest difference | top-1 here [%%] | optimisation on: top-1 | agreement [%%] | "
            "largest difference |\n| --- | ---: | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | "
            "---: |\n");
        for (const auto& spec : specs)
            if (const auto done = compareSubject(spec); !done) {
                std::fprintf(stderr, "error: %s: %s\n", spec.name.c_str(), done.error().message().c_str());
                ++m_failures;
            }
        summarize();
        return m_differentTop1 + m_unexplained + m_failures > 0 ? exitDifferent : 0;
    }

private:
    Result<void> compareSubject(const SubjectSpec& spec)
    {
        QS_TRY(const auto subject, loadSubject(spec));
        Peer peer;
        QS_CHECK(peer.start(*subject.samples, m_arguments.threads));
        for (const auto& configuration : configurations)
            for (const auto scope : { quant::Scope::Compute, quant::Scope::Integer })
                for (const bool perChannel : { false, true })
                    QS_CHECK(compareConfiguration(subject, peer, configuration, scope, perChannel));
        return {};
    }

    Result<void> compareConfiguration(
        const Subject& subject, Peer& peer, const Configuration& configuration, quant::Scope scope, bool perChannel)
    {
        const auto& graph = *subject.prepared;
        QS_TRY(const auto built,
            planning::buildPlan(graph, subject.stats.get(), requestFor(configuration, scope, perChannel, graph)));
        QS_TRY(const auto model, exporting::buildModel(subject.model, graph, built.plan, {}));
        const fs::path file = m_folder.filePath("model.onnx").toStdString();
        QS_CHECK(onnx_io::writeModel(model, file));
        QS_TRY(const auto ours, runHere(graph, built.plan, *subject.samples, 0, subject.samples->size()));
        const auto here = decisions(subject.spec.decision, ours);
        auto inIntegers = here;
        if (scope == quant::Scope::Integer && subject.spec.labelled && configuration.activationBits <= 8) {
            QS_TRY(inIntegers, decisionsInIntegers(subject, built.plan));
        }
        const double top1 = percentEqual(here, subject.truth);
        const std::string title
            = configuration.name + " | " + quant::toString(scope) + " | " + (perChannel ? "per channel" : "per tensor");
        std::printf("| %s | %lld | %s | %.2f |", subject.spec.name.c_str(),
            static_cast<long long>(subject.samples->size()), title.c_str(), top1);
        ++m_rows;
        const std::string where = subject.spec.name + " | " + title;
        const auto off = compareLevel(subject, peer, file, "disabled", ours, here);
        print(off, top1);
        count(off, top1, where + " | off");
        const double integerTop1 = percentEqual(inIntegers, subject.truth);
        std::printf(" %.2f |", integerTop1);
        const auto on = compareLevel(subject, peer, file, "all", ours, inIntegers);
        print(on, integerTop1);
        count(on, integerTop1, where + " | on");
        std::puts("");
        std::fflush(stdout);
        return {};
    }

    /// What the runtime does where it optimises, sums in integers, done here.
    Result<std::vector<std::int32_t>> decisionsInIntegers(
        const Subject& subject, const quant::QuantizationPlan& plan) const
    {
        evaluation::EvaluationOptions options;
        options.threads = m_arguments.threads;
        options.arithmetic = engine::Arithmetic::Auto;
        QS_TRY(const auto result, evaluation::evaluate(*subject.prepared, plan, *subject.samples, options));
        std::vector<std::int32_t> predictions;
        for (const auto& outcome : result->outcomes)
            predictions.push_back(outcome.prediction);
        return predictions;
    }

    Comparison compareLevel(const Subject& subject, Peer& peer, const fs::path& file, const std::string& level,
        const Outputs& ours, const std::vector<std::int32_t>& here) const
    {
        Comparison comparison;
        const auto images = subject.samples->size();
        const auto theirs = peer.run({ file, level, subject.batch, 0, images });
        if (!theirs) {
            comparison.failure = theirs.error().message();
            return comparison;
        }
        const auto there = decisions(subject.spec.decision, *theirs);
        comparison.top1 = percentEqual(there, subject.truth);
        comparison.agreement = percentEqual(there, here);
        comparison.largest = largestDifference(ours, *theirs);
        const auto perImage = here.size() / static_cast<std::size_t>(images);
        std::vector<std::int64_t> different;
        for (std::size_t i = 0; i < here.size(); ++i)
            if (here[i] != there[i]
                && (different.empty() || different.back() != static_cast<std::int64_t>(i / perImage)))
                different.push_back(static_cast<std::int64_t>(i / perImage));
        different.resize(std::min(different.size(), mostExplained));
        for (const auto image : different) {
            const auto why = explain(subject, peer, file, level, image);
            const std::string text
                = "image " + std::to_string(image) + ": " + (why ? why->text : why.error().message());
            (why && why->isKnown ? comparison.explained : comparison.unexplained).push_back(text);
        }
        return comparison;
    }

    static void print(const Comparison& comparison, double ours)
    {
        if (!comparison.failure.empty()) {
            std::printf(" failed | | |");
            return;
        }
        const char* mark = comparison.top1 == ours ? "" : "**";
        std::printf(" %s%.2f%s | %.2f | %.2g |", mark, comparison.top1, mark, comparison.agreement, comparison.largest);
    }

    void count(const Comparison& comparison, double ours, const std::string& title)
    {
        m_differentTop1 += comparison.failure.empty() && comparison.top1 != ours;
        m_belowAgreement += comparison.agreement < leastAgreement;
        m_unexplained += comparison.unexplained.size();
        if (!comparison.failure.empty()) {
            ++m_failures;
            m_remarks.push_back(title + ": FAILED: " + comparison.failure);
        }
        for (const auto& text : comparison.explained)
            m_remarks.push_back(title + ": " + text);
        for (const auto& text : comparison.unexplained)
            m_remarks.push_back(title + ": NOT EXPLAINED: " + text);
    }

    void summarize() const
    {
        std::printf("\n%zu configurations, each with optimisation off and on: top-1 differs in %zu, agreement is below "
                    "%.1f %% in "
                    "%zu, %zu differences are not explained, %zu failed.\n",
            m_rows, m_differentTop1, leastAgreement, m_belowAgreement, m_unexplained, m_failures);
        std::printf("Here: in float beside optimisation off; beside optimisation on in integers where the scope is "
                    "integer and both "
                    "sides sum in them. Mixed: the first and the last layer at 8 bits, of the others in turn W4A4, "
                    "W8A8, W6A5. Networks without "
                    "labels: top-1 is how often they decide as their float network.\n");
        if (!m_remarks.empty())
            std::puts("\nWhere the two sides part, for up to three images a row:\n");
        for (const auto& remark : m_remarks)
            std::printf("- %s\n", remark.c_str());
    }

    Arguments m_arguments;
    QTemporaryDir m_folder;
    std::size_t m_rows = 0;
    std::size_t m_differentTop1 = 0;
    std::size_t m_belowAgreement = 0;
    std::size_t m_unexplained = 0;
    std::size_t m_failures = 0;
    std::vector<std::string> m_remarks;
};

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
    return ParityTable(*arguments).run();
}
