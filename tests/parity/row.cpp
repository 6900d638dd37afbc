// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/parity/row.h"

#include <algorithm>
#include <set>
#include <span>
#include <utility>

#include "core/exporting/exporter.h"
#include "core/onnx_io/writer.h"
#include "tests/parity/explain.h"
#include "tests/parity/orders.h"

namespace quantoscope::parity {

namespace fs = std::filesystem;

namespace {

constexpr double leastAgreement = 99.9; ///< percent
constexpr std::size_t mostExact = 8; ///< differing images a row for which exact sums are computed
constexpr std::size_t mostExplained = 4; ///< of them, those that are gone through layer by layer

double percentEqual(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b)
{
    std::size_t equal = 0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
        equal += a[i] == b[i];
    return a.empty() ? 100 : 100.0 * static_cast<double>(equal) / static_cast<double>(a.size());
}

Answer answer(const Subject& subject, Outputs outputs)
{
    Answer result;
    result.decisions = decisions(subject.spec.decision, outputs);
    result.top1 = percentEqual(result.decisions, subject.truth);
    result.outputs = std::move(outputs);
    return result;
}

Apart apart(const Answer& a, const Answer& b)
{
    Apart result;
    for (std::size_t i = 0; i < std::min(a.decisions.size(), b.decisions.size()); ++i)
        result.decisions += a.decisions[i] != b.decisions[i];
    result.distance = meanDifference(a.outputs, b.outputs);
    return result;
}

/// The images on which two answers decide otherwise.
std::set<std::int64_t> partedImages(const Answer& a, const Answer& b, std::int64_t images)
{
    std::set<std::int64_t> parted;
    const auto perImage = a.decisions.size() / static_cast<std::size_t>(images);
    for (std::size_t i = 0; i < a.decisions.size(); ++i)
        if (a.decisions[i] != b.decisions[i])
            parted.insert(static_cast<std::int64_t>(i / perImage));
    return parted;
}

/// All answers to the same question.
struct Answers {
    Answer floats;
    Answer other; ///< floats in another order
    Answer integers;
    Answer off;
    Answer on;
};

/// Goes through the images on which the two sides part.
class Inquiry {
public:
    Inquiry(const Subject& subject, const QuantizedNetwork& network, const Answers& answers, Row& row)
        : m_subject(subject)
        , m_network(network)
        , m_answers(answers)
        , m_row(row)
    {
    }

    Result<void> run(Peer& peer, const fs::path& file)
    {
        const auto images = m_row.images;
        const auto withoutOptimisation = partedImages(m_answers.floats, m_answers.off, images);
        auto differing = withoutOptimisation;
        differing.merge(partedImages(m_answers.integers, m_answers.on, images));
        const auto offOn = partedImages(m_answers.off, m_answers.on, images);
        const auto orders = partedImages(m_answers.floats, m_answers.other, images);
        m_row.differing = differing.size();
        std::vector<std::int64_t> chosen;
        for (const auto image : differing) {
            m_row.differingOffOn += offOn.contains(image);
            m_row.differingOrders += orders.contains(image);
            if (chosen.size() < mostExact)
                chosen.push_back(image);
        }
        if (chosen.empty())
            return {};
        QS_TRY(auto outputs, compute(*m_network.graph, *m_network.plan, *m_subject.samples, chosen, exactly));
        const auto exact = decisions(m_subject.spec.decision, outputs);
        for (std::size_t i = 0; i < chosen.size(); ++i) {
            const bool isOff = withoutOptimisation.contains(chosen[i]);
            const auto text = verdictOfSums(chosen[i], isOff, std::span(exact).subspan(i * perImage(), perImage()));
            if (i >= mostExplained)
                continue;
            const auto why = explain(m_subject, peer, file, isOff ? "disabled" : "all", chosen[i]);
            (why && why->isKnown ? m_row.explained : m_row.unexplained)
                .push_back(text + "; " + (why ? why->text : why.error().message()));
            if (!why)
                continue;
            ++m_row.goneThrough;
            m_row.sums += why->sums;
            m_row.ties += why->ties;
        }
        return {};
    }

private:
    std::size_t perImage() const { return m_answers.floats.decisions.size() / static_cast<std::size_t>(m_row.images); }

    /// Whom exact sums side with where the two sides part on an image; counted too.
    std::string verdictOfSums(std::int64_t image, bool isOff, std::span<const std::int32_t> exact)
    {
        const auto& here = isOff ? m_answers.floats : m_answers.integers;
        const auto& there = isOff ? m_answers.off : m_answers.on;
        std::size_t withHere = 0;
        std::size_t withThere = 0;
        std::size_t parted = 0;
        for (std::size_t d = 0; d < exact.size(); ++d) {
            const auto at = static_cast<std::size_t>(image) * perImage() + d;
            if (here.decisions[at] == there.decisions[at])
                continue;
            ++parted;
            withHere += exact[d] == here.decisions[at];
            withThere += exact[d] == there.decisions[at];
        }
        m_row.exactComputed += parted;
        m_row.exactHere += withHere;
        m_row.exactThere += withThere;
        return "image " + std::to_string(image) + ", optimisation " + (isOff ? "off" : "on") + ": exact sums side with "
            + (withHere == parted         ? "this engine"
                    : withThere == parted ? "the runtime"
                    : withHere + withThere == 0
                    ? "neither"
                    : std::to_string(withHere) + " decisions here, " + std::to_string(withThere) + " there");
    }

    const Subject& m_subject;
    const QuantizedNetwork& m_network;
    const Answers& m_answers;
    Row& m_row;
};

/// Whether the runtime sums in integers where it optimises, and this engine can too.
bool sumsInIntegers(const Setting& setting)
{
    return setting.scope == quant::Scope::Integer && setting.configuration.activationBits <= 8;
}

void fill(Row& row, const Answers& answers)
{
    row.decisions = answers.floats.decisions.size();
    row.top1Floats = answers.floats.top1;
    row.top1Integers = answers.integers.top1;
    row.top1Off = answers.off.top1;
    row.top1On = answers.on.top1;
    row.top1Other = answers.other.top1;
    row.floatsOff = apart(answers.floats, answers.off);
    row.integersOn = apart(answers.integers, answers.on);
    row.offOn = apart(answers.off, answers.on);
    row.orders = apart(answers.floats, answers.other);
}

} // namespace

bool Row::agrees() const
{
    const auto most = std::max(floatsOff.decisions, integersOn.decisions);
    return 100.0 * static_cast<double>(most) <= (100 - leastAgreement) * static_cast<double>(decisions);
}

Result<Row> compareSides(const Subject& subject, Peer& peer, const Setting& setting, const fs::path& file)
{
    Row row;
    row.network = subject.spec.name;
    row.setting = setting;
    row.images = subject.samples->size();
    QS_TRY(const auto network, quantize(subject, setting));
    QS_TRY(const auto model, exporting::buildModel(subject.model, *network.graph, *network.plan, {}));
    QS_CHECK(onnx_io::writeModel(model, file));
    Answers answers;
    for (const auto& [level, there] : { std::pair("disabled", &answers.off), { "all", &answers.on } }) {
        auto outputs = peer.run({ file, level, subject.batch, 0, row.images });
        if (!outputs) {
            row.failure = outputs.error().message();
            return row;
        }
        *there = answer(subject, *std::move(outputs));
    }
    const auto images = allImages(*subject.samples);
    QS_TRY(auto inFloats, compute(*network.graph, *network.plan, *subject.samples, images, floats));
    answers.floats = answer(subject, std::move(inFloats));
    QS_TRY(auto other, computeInOtherOrder(subject, network));
    row.otherOrder = other.name;
    answers.other = answer(subject, std::move(other.outputs));
    answers.integers = answers.floats;
    if (sumsInIntegers(setting)) {
        QS_TRY(auto inIntegers, compute(*network.graph, *network.plan, *subject.samples, images, integers));
        answers.integers = answer(subject, std::move(inIntegers));
    }
    fill(row, answers);
    QS_CHECK(Inquiry(subject, network, answers, row).run(peer, file));
    return row;
}

} // namespace quantoscope::parity
