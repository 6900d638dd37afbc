// SPDX-License-Identifier: GPL-3.0-or-later
#include <chrono>

#include <CLI/CLI.hpp>

#include "app/cli/command.h"
#include "app/cli/energy_option.h"
#include "app/cli/findings.h"
#include "app/cli/output_file.h"
#include "app/cli/pipeline.h"
#include "app/cli/result_files.h"
#include "app/cli/shard_option.h"
#include "app/cli/text.h"
#include "core/base/file.h"
#include "core/quant/option_texts.h"
#include "core/sweep/options_study.h"
#include "core/sweep/study_document.h"

namespace quantoscope::cli {

namespace {

using sweep::OptionsStudy;
using sweep::StudyRow;

constexpr const char* studyGroup = "What is compared";

/// "a,b,c" taken apart by `separator`.
std::vector<std::string> split(const std::string& text, char separator)
{
    std::vector<std::string> parts;
    std::size_t begin = 0;
    for (std::size_t end = text.find(separator); end != std::string::npos; end = text.find(separator, begin)) {
        parts.push_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    parts.push_back(text.substr(begin));
    return parts;
}

/// "none" or words of corrections joined by +: "compensate+gain-correction+bias-correction".
Result<planning::Corrections> parseCorrections(const std::string& text)
{
    planning::Corrections set;
    if (text == "none")
        return set;
    const std::pair<const char*, bool*> members[] { { "equalize", &set.equalize }, { "balance", &set.balance },
        { "absorb-high-bias", &set.absorbHighBias }, { "reconstruct", &set.reconstruct },
        { "compensate", &set.compensate }, { "adaptive-rounding", &set.adaptiveRounding },
        { "gain-correction", &set.gain }, { "bias-correction", &set.bias } };
    for (const auto& word : split(text, '+')) {
        const auto* found = std::ranges::find_if(members, [&](const auto& member) { return word == member.first; });
        if (found == std::end(members))
            return fail(ErrorCode::InvalidInput, "'" + word + "' is not a correction", "--correction-sets",
                "write none, or words of the corrections joined by +: compensate+gain-correction+bias-correction");
        *found->second = true;
    }
    return set;
}

/// What a comma-separated list of choices says.
template <typename T, typename Parse>
Result<std::vector<T>> parseList(const std::string& text, char separator, Parse parse)
{
    std::vector<T> list;
    if (text.empty())
        return list;
    for (const auto& part : split(text, separator)) {
        QS_TRY(auto value, parse(part));
        if (std::ranges::find(list, value) == list.end())
            list.push_back(std::move(value));
    }
    return list;
}

Result<std::string> parseScheme(const std::string& text)
{
    if (!quant::findText(quant::schemeTexts(), text))
        return fail(ErrorCode::InvalidInput, "'" + text + "' is not a scheme", {},
            "choose among " + quant::spellings(quant::schemeTexts()));
    return text;
}

Result<bool> parseGrain(const std::string& text)
{
    if (text != "tensor" && text != "channel")
        return fail(ErrorCode::InvalidInput, "'" + text + "' is not a granularity", {}, "choose tensor or channel");
    return text == "channel";
}

/// The lists of one kind of tensor.
struct OperandChoices {
    std::string ranges;
    std::string schemes;
    std::string grains;

    void addTo(CLI::App& command, const std::string& kind)
    {
        const auto add = [&](const std::string& what, std::string& value, const std::string& help) {
            command.add_option("--" + kind + "-" + what, value, help)->group(studyGroup);
        };
        add("ranges", ranges, "Ranges of " + kind + "s, separated by ; or spaces: min-max;mse;percentile:99.9");
        add("schemes", schemes, "Schemes of " + kind + "s: symmetric,asymmetric,power-of-two");
        add("granularities", grains, "tensor,channel");
    }
    Result<std::vector<quant::RangeSpec>> rangeList() const
    {
        const char separator = ranges.find(';') != std::string::npos ? ';' : ' ';
        return parseList<quant::RangeSpec>(ranges, separator, &quant::RangeSpec::parse);
    }
    Result<std::vector<std::string>> schemeList() const { return parseList<std::string>(schemes, ',', parseScheme); }
    Result<std::vector<bool>> grainList() const { return parseList<bool>(grains, ',', parseGrain); }
};

/// The cross product of chosen options, ranked. What was finished before a cancellation is shown and written all the
/// same.
class Options : public Command {
public:
    explicit Options(CLI::App& command)
    {
        m_common.addTo(command);
        m_files.addTo(command, "Draw the rows with their intervals");
        command.add_option("--markdown", m_markdown, "Write the tables for a document");
        m_energy.addTo(command);
        m_shard.addTo(command);
        m_weights.addTo(command, "weight");
        m_activations.addTo(command, "activation");
        command
            .add_option("--correction-sets", m_corrections,
                "Sets of corrections: none,bias-correction,compensate+gain-correction+bias-correction")
            ->group(studyGroup);
        m_data.addTo(command, true);
        m_quantization.addTo(command, WordLengths::Grid);
        m_graph.addTo(command);
    }

    Result<void> readOptions() override
    {
        const auto bits = [](const std::string& text) { return sweep::parseBits(text.empty() ? "4" : text); };
        QS_TRY(m_settings.weightBits, bits(m_quantization.weights.bits));
        QS_TRY(m_settings.activationBits, bits(m_quantization.activations.bits));
        QS_TRY(m_settings.weightRanges, m_weights.rangeList());
        QS_TRY(m_settings.activationRanges, m_activations.rangeList());
        QS_TRY(m_settings.weightSchemes, m_weights.schemeList());
        QS_TRY(m_settings.activationSchemes, m_activations.schemeList());
        QS_TRY(m_settings.weightPerChannel, m_weights.grainList());
        QS_TRY(m_settings.activationPerChannel, m_activations.grainList());
        QS_TRY(m_settings.corrections, parseList<planning::Corrections>(m_corrections, ',', parseCorrections));
        QS_TRY(m_settings.shard, m_shard.shard());
        QS_CHECK(m_energy.check());
        QS_CHECK(m_data.preprocessing({}));
        m_settings.request.seed = m_common.seed;
        QS_TRY(m_settings.request, m_quantization.request(m_settings.request, WordLengths::Grid));
        if (m_quantization.corrections.best())
            return fail(ErrorCode::InvalidInput, "the study compares options, --flow best chooses them", "--flow",
                "use evaluate or sweep for --flow best");
        return m_files.checkFormats();
    }

    Result<void> run(const base::Job& job, Report& report) override
    {
        const auto start = std::chrono::steady_clock::now();
        QS_CHECK(m_files.check(m_common, m_data));
        QS_CHECK(checkOutput(m_markdown, m_common, m_data));
        Pipeline pipeline(m_common, job, report);
        QS_CHECK(pipeline.openModel(m_graph));
        QS_CHECK(pipeline.openLabelledData(m_data));
        QS_TRY(m_settings.energy, pipeline.energyModel(m_energy));
        m_settings.evaluation = pipeline.evaluation(m_quantization);
        QS_TRY(const auto* quantizer, pipeline.openQuantizer(m_quantization, m_data, needsCalibration()));
        QS_TRY(auto result, sweep::runOptionsStudy(*quantizer, *pipeline.samples(), m_settings, job));
        const auto study = std::make_shared<const OptionsStudy>(std::move(result));
        const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
        report.fact("scope", study->scope);
        describeEnergy(report, m_settings.energy);
        describe(report, *study, elapsed.count());
        m_finished = true;
        QS_CHECK(m_files.write(sweep::toCsv(*study), study, report));
        QS_CHECK(writeMarkdown(report, *study));
        QS_CHECK(pipeline.keepStudy(
            "options", sweep::settingsOf(m_settings), study->complete && m_settings.shard.isWhole()));
        if (!study->complete)
            return base::cancelled();
        return {};
    }

    bool worthPrinting() const override { return m_finished; }

private:
    bool needsCalibration() const
    {
        const auto corrects = [](const auto& set) { return set.any(); };
        auto request = m_settings.request;
        request.activations.bits.reset();
        return std::ranges::any_of(m_settings.activationBits, [](auto bits) { return bits.has_value(); })
            || std::ranges::any_of(m_settings.corrections, corrects) || flow::needsCalibration(request);
    }

    static void describe(Report& report, const OptionsStudy& study, double seconds)
    {
        const auto& reference = *study.floatResult;
        Json& json = report.json();
        json.update(sweep::toJson(study));
        json["images"] = reference.images();
        json["seconds"] = seconds;
        for (const auto& note : study.notes)
            report.note(note);
        for (const auto& entry : study.leftOut)
            report.note("left out: " + entry.what + ": " + entry.why);
        report.text("float        top-1 " + fixed(reference.top1()) + " % " + interval(reference.top1Interval())
            + " (95 %) on " + count(reference.images()) + " images\n");
        report.text(listRows(study));
        report.text("Rows of one group cannot be told from its first row: exact McNemar test on the same images, "
                    "significance 5 % after Holm over all pairs with the same word-lengths.\n");
        report.text(count(static_cast<std::int64_t>(study.rows.size())) + " combinations in " + significant(seconds)
            + " s" + (study.complete ? "" : "; cancelled, the rest was not measured") + "\n");
    }

    static std::string listRows(const OptionsStudy& study)
    {
        using enum Table::Align;
        Table table({ { "W" }, { "A" }, { "#" }, { "group" }, { "weights", Left }, { "activations", Left },
            { "corrections", Left }, { "top-1 [%]" }, { "95 % interval" }, { "difference" }, { "p against best" },
            { "beats" } });
        for (const auto& row : study.rows)
            table.add({ sweep::toString(row.weightBits()), sweep::toString(row.activationBits()),
                std::to_string(row.rank), std::to_string(row.tier), row.weights, row.activations, row.corrections,
                fixed(row.top1), interval(row.top1Interval), signedFixed(row.againstFloat.delta),
                row.rank == 1 ? "" : probability(row.pAgainstBest), std::to_string(row.beats) });
        return table.toString();
    }

    Result<void> writeMarkdown(Report& report, const OptionsStudy& study) const
    {
        if (m_markdown.empty())
            return {};
        QS_CHECK(base::writeFileAtomically(m_markdown, sweep::toMarkdown(study)));
        report.json()["files"].push_back(m_markdown);
        report.text("wrote        " + m_markdown + "\n");
        return {};
    }

    ResultFiles m_files;
    std::string m_markdown;
    OperandChoices m_weights;
    OperandChoices m_activations;
    std::string m_corrections;
    EnergyOption m_energy;
    ShardOption m_shard;
    DataOptions m_data;
    QuantizationOptions m_quantization;
    GraphOptions m_graph;
    sweep::OptionsStudySettings m_settings;
    bool m_finished = false;
};

} // namespace

CommandPtr makeOptions(CLI::App& command) { return std::make_unique<Options>(command); }

} // namespace quantoscope::cli
