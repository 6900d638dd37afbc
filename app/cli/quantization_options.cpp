// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/quantization_options.h"

#include <utility>

#include <CLI/CLI.hpp>

#include "core/quant/config.h"
#include "core/quant/option_texts.h"
#include "core/sweep/sweep.h"

namespace quantoscope::cli {

namespace {

constexpr const char* quantizationGroup = "Quantization";

Result<std::optional<int>> singleBits(const std::string& text, const std::string& option)
{
    QS_TRY(const auto bits, sweep::parseBits(text));
    if (bits.size() != 1)
        return fail(ErrorCode::InvalidInput, "one word-length expected, got '" + text + "'", option,
            "use the command sweep for several");
    return bits.front();
}

std::vector<std::string> words(quant::OptionTexts texts)
{
    std::vector<std::string> list;
    for (const auto& text : texts)
        list.emplace_back(text.word);
    return list;
}

/// A paragraph for the end of the help: every choice with its sentence and formula.
std::string explain(const std::string& title, quant::OptionTexts texts)
{
    std::string paragraph = title + ":\n";
    for (const auto& text : texts) {
        ((paragraph += "  ") += text.spelling) += "\n";
        ((paragraph += "      ") += text.sentence) += "\n";
        if (!text.formula.empty())
            ((paragraph += "      ") += text.formula) += "\n";
    }
    return paragraph;
}

/// Adds options to the group of this file.
class OptionAdder {
public:
    explicit OptionAdder(CLI::App& command)
        : m_command(command)
    {
    }

    template <typename T> CLI::Option* operator()(const std::string& name, T& value, const std::string& help)
    {
        return m_command.add_option(name, value, help)->group(quantizationGroup);
    }
    void operator()(
        const std::string& name, std::string& value, const std::string& help, const std::vector<std::string>& choices)
    {
        (*this)(name, value, help)->check(CLI::IsMember(choices));
    }

private:
    CLI::App& m_command;
};

/// The options of one kind of tensor; `kind` is "weight" or "activation".
void addOperand(OptionAdder& add, OperandOptions& operand, const std::string& kind, bool grid)
{
    const std::string option = "--" + kind + "-";
    add(option + "bits", operand.bits,
        "Word-length of " + kind + "s"
            + (grid ? ": 2..8, 4,8 or 2..8,float; default 2..8" : ": 2..16 or float; default 8"));
    add(option + "granularity", operand.granularity, "One scale a tensor or channel", { "tensor", "channel" });
    add(option + "scheme", operand.scheme, "Grid of " + kind + "s", words(quant::schemeTexts()));
    add(option + "range", operand.range,
        "How " + kind + " ranges are found: " + quant::spellings(quant::rangeTexts()) + "; default "
            + (kind == "weight" ? "min-max" : "mse"));
    add(option + "sign", operand.sign, "Integers of " + kind + "s; default auto: as scheme and values ask",
        { "auto", "signed", "unsigned" });
    add(option + "narrow", operand.narrow, "Leave the lowest level of a signed grid unused; default off",
        { "on", "off" });
    add(option + "rounding", operand.rounding, "--rounding for " + kind + "s alone", words(quant::roundingTexts()));
}

} // namespace

bool OperandOptions::given() const
{
    for (const auto* text : { &bits, &granularity, &scheme, &range, &sign, &narrow, &rounding })
        if (!text->empty())
            return true;
    return false;
}

Result<planning::WishChange> OperandOptions::change() const
{
    planning::WishChange change;
    const std::pair<const char*, const std::string*> settings[] { { "granularity", &granularity },
        { "scheme", &scheme }, { "range", &range }, { "sign", &sign }, { "narrow", &narrow },
        { "rounding", &rounding } };
    for (const auto& [key, text] : settings)
        if (!text->empty())
            QS_CHECK(change.set(key, *text));
    return change;
}

void QuantizationOptions::addTo(CLI::App& command, WordLengths wordLengths)
{
    OptionAdder add(command);
    const bool grid = wordLengths == WordLengths::Grid;
    add("--profile", profile,
        "Hardware that limits the choices and sets the defaults: a name that the command profiles lists, or FILE.json");
    addOperand(add, weights, "weight", grid);
    addOperand(add, activations, "activation", grid);
    add("--scope", scope, "What is quantized: inputs and weights of compute layers, or every tensor",
        words(quant::scopeTexts()));
    add("--rounding", rounding, "How values are rounded; default half-even", words(quant::roundingTexts()));
    add("--first-last-bits", firstLastBits, "Word-length of the first and the last compute layer")
        ->check(CLI::Range(quant::minBits, quant::maxBits));
    add("--bias-bits", biasBits, "Word-length of biases in the integer scope: 8..32 or float; default 32");
    add("--bias-room", biasRoom,
        "What to do with a bias that does not fit: raise its channel's weight scale, or shift the bias; default raise",
        { "raise", "shift" });
    add("--layer", layers,
        "NAME:w=4,a=8 for layers whose name matches; also weight-scheme=..., weight-granularity=..., weight-range=..., "
        "weight-sign=..., weight-narrow=..., weight-rounding=... and the same with activation-; repeatable")
        ->take_all()
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    if (!grid)
        add("--encodings", encodings,
            "Encodings of AIMET (2.0.0, 1.0.0, 0.6.1) or a calibration table of ONNX Runtime (.json, .cache): numbers "
            "for the tensors they name; what does not match the model is listed");
    add("--engine", engine,
        "Arithmetic of the quantized network: integers where they are exact, in every compute layer, or float",
        { "auto", "integer", "float" });
    corrections.addTo(command);
    command.footer(explain("Ranges", quant::rangeTexts()) + "\n" + explain("Schemes", quant::schemeTexts()) + "\n"
        + explain("Roundings", quant::roundingTexts()) + "\n" + explain("Scopes", quant::scopeTexts()));
}

Result<std::optional<quant::HardwareProfile>> QuantizationOptions::hardwareProfile() const
{
    if (profile.empty())
        return std::nullopt;
    return quant::findProfile(profile);
}

Result<planning::PlanRequest> QuantizationOptions::request(planning::PlanRequest base, WordLengths wordLengths) const
{
    QS_TRY(const auto hardware, hardwareProfile());
    if (hardware)
        base = planning::defaultsFor(*hardware, std::move(base));
    QS_TRY(auto request, changed(std::move(base), wordLengths));
    if (hardware)
        QS_CHECK(refuse(planning::check(*hardware, request), "leave the option out, or choose another --profile"));
    return request;
}

Result<planning::PlanRequest> QuantizationOptions::changed(planning::PlanRequest request, WordLengths wordLengths) const
{
    if (!scope.empty()) {
        QS_TRY(request.scope, quant::parseScope(scope));
    }
    if (!rounding.empty()) {
        QS_TRY(request.rounding, quant::parseRounding(rounding));
    }
    for (const auto& [options, wish] :
        { std::pair { &weights, &request.weights }, std::pair { &activations, &request.activations } }) {
        QS_TRY(const auto change, options->change());
        change.applyTo(*wish);
        if (wordLengths == WordLengths::Single && !options->bits.empty()) {
            QS_TRY(wish->bits, singleBits(options->bits, "word-length"));
        }
    }
    if (corrections.corrections.any())
        request.corrections = corrections.corrections;
    if (firstLastBits)
        request.firstLastBits = firstLastBits;
    if (!biasBits.empty()) {
        QS_TRY(request.biasBits, planning::parseBiasBits(biasBits));
    }
    if (!biasRoom.empty()) {
        QS_TRY(request.biasRoom, quant::parseBiasRoom(biasRoom));
    }
    for (const auto& text : layers) {
        QS_TRY(auto parsed, planning::LayerOverride::parse(text));
        request.overrides.push_back(std::move(parsed));
    }
    QS_CHECK(request.validate());
    return request;
}

planning::ChangedTensors QuantizationOptions::changedTensors() const
{
    const bool both = !rounding.empty() || firstLastBits;
    return { both || weights.given(), both || activations.given() };
}

bool QuantizationOptions::changeAnything() const
{
    const auto tensors = changedTensors();
    return tensors.weights || tensors.activations || !layers.empty() || !scope.empty() || !biasBits.empty()
        || !biasRoom.empty() || corrections.given();
}

std::optional<flow::FixedOptions> QuantizationOptions::bestFlow() const
{
    if (!corrections.best())
        return std::nullopt;
    return flow::FixedOptions { !weights.range.empty(), !activations.range.empty(), corrections.corrections };
}

Result<void> refuse(const std::vector<planning::Violation>& violations, const std::string& hint)
{
    if (violations.empty())
        return {};
    const auto more = violations.size() - 1;
    return fail(ErrorCode::InvalidInput,
        violations.front().reason + (more > 0 ? ", and " + std::to_string(more) + " more" : ""),
        violations.front().setting, hint);
}

} // namespace quantoscope::cli
