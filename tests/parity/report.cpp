// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/parity/report.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <string>
#include <tuple>

namespace quantoscope::parity {

namespace {

constexpr int eightBits = 8;
constexpr std::size_t mostTold = 2; ///< images a row

double percent(std::size_t part, std::size_t all)
{
    return all == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(all);
}

/// How far the two sides lie apart, in terms of two orders of the same sums here.
std::string ratio(const Apart& sides, const Apart& orders)
{
    if (orders.distance <= 0)
        return sides.distance <= 0 ? "0" : "-";
    char text[32];
    std::snprintf(text, sizeof text, "%.2f", sides.distance / orders.distance);
    return text;
}

const char* verdict(const Row& row)
{
    if (!row.failure.empty())
        return "FAILED";
    if (!row.isFine())
        return "NOT EXPLAINED";
    if (row.floatsOff.decisions + row.integersOn.decisions == 0)
        return "equal";
    return row.sameTop1() && row.agrees() ? "equal top-1" : "order of sums";
}

/// Rows that are told of together.
struct Group {
    std::size_t rows = 0;
    std::size_t sameTop1 = 0;
    std::size_t unexplained = 0;
    std::size_t decisions = 0;
    std::size_t floatsOff = 0;
    std::size_t integersOn = 0;
    std::size_t offOn = 0;
    std::size_t orders = 0;
    std::size_t differing = 0;
    std::size_t exactComputed = 0;
    std::size_t exactHere = 0;
    std::size_t exactThere = 0;

    void add(const Row& row)
    {
        ++rows;
        sameTop1 += row.failure.empty() && row.sameTop1();
        unexplained += row.unexplained.size() + !row.failure.empty();
        decisions += row.decisions;
        floatsOff += row.floatsOff.decisions;
        integersOn += row.integersOn.decisions;
        offOn += row.offOn.decisions;
        orders += row.orders.decisions;
        differing += row.differing;
        exactComputed += row.exactComputed;
        exactHere += row.exactHere;
        exactThere += row.exactThere;
    }
};

void printGroups(const std::vector<Row>& rows)
{
    std::map<std::tuple<std::string, std::string, std::string>, Group> groups;
    for (const auto& row : rows) {
        const auto& configuration = row.setting.configuration;
        groups[{ row.network, quant::toString(row.setting.scope),
                   configuration.isCorrected                       ? "corrected"
                       : configuration.activationBits >= eightBits ? "A8, A16"
                                                                   : "A4..6, mixed" }]
            .add(row);
    }
    std::printf(
        "\n| network | scope | activations | configurations | of equal top-1 | decisions apart [%%]: here - off "
        "| here - on | off - on | two orders here | exact sums side with: here | there | not explained |\n"
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n");
    for (const auto& [key, group] : groups) {
        const auto& [network, scope, activations] = key;
        std::printf("| %s | %s | %s | %zu | %zu | %.3f | %.3f | %.3f | %.3f | %zu of %zu | %zu | %zu |\n",
            network.c_str(), scope.c_str(), activations.c_str(), group.rows, group.sameTop1,
            percent(group.floatsOff, group.decisions), percent(group.integersOn, group.decisions),
            percent(group.offOn, group.decisions), percent(group.orders, group.decisions), group.exactHere,
            group.exactComputed, group.exactThere, group.unexplained);
    }
}

/// How many rows there are of which something holds.
template <typename Predicate> std::size_t countOf(const std::vector<Row>& rows, Predicate predicate)
{
    return static_cast<std::size_t>(std::ranges::count_if(rows, predicate));
}

void printCounts(const std::vector<Row>& all)
{
    std::vector<Row> rows = all;
    const auto failed = std::erase_if(rows, [](const Row& row) { return !row.failure.empty(); });
    const auto top1Equal = [](const Row& row) { return row.sameTop1(); };
    const auto equal = countOf(rows, top1Equal);
    const auto decided = [](const Row& row) { return row.differing == 0; };
    const auto unexplained = countOf(rows, [](const Row& row) { return !row.unexplained.empty(); });
    std::size_t sums = 0;
    std::size_t ties = 0;
    std::size_t images = 0;
    for (const auto& row : rows) {
        sums += row.sums;
        ties += row.ties;
        images += row.goneThrough;
    }
    std::printf(
        "\n**%zu configurations, each with optimisation off and on.** Top-1 is equal on both in %zu (%zu without a "
        "single decision that differs), and differs in %zu; NOT EXPLAINED: %zu, failed: %zu.\n",
        all.size(), equal, countOf(rows, decided), rows.size() - equal, unexplained, failed);
    std::printf("The runtime by itself: with optimisation on it decides otherwise than off in %zu configurations, with "
                "another top-1 in %zu. Two orders of the same sums here: %zu and %zu.\n",
        countOf(rows, [](const Row& row) { return row.offOn.decisions > 0; }),
        countOf(rows, [](const Row& row) { return row.top1Off != row.top1On; }),
        countOf(rows, [](const Row& row) { return row.orders.decisions > 0; }),
        countOf(rows, [](const Row& row) { return row.top1Floats != row.top1Other; }));
    const auto isExact = [](const Row& row) { return row.setting.configuration.isPowerOfTwo; };
    std::printf(
        "Where scales are powers of two: of %zu configurations %zu are decided alike with optimisation off, %zu "
        "with it on.\n",
        countOf(rows, isExact),
        countOf(rows, [&](const Row& row) { return isExact(row) && row.floatsOff.decisions == 0; }),
        countOf(rows, [&](const Row& row) { return isExact(row) && row.integersOn.decisions == 0; }));
    std::printf(
        "Gone through layer by layer: %zu images; %zu of the values that differ there are sums of integers, and "
        "%zu of these lie on a rounding edge exactly, all others near one.\n",
        images, sums, ties);
}

void printRemarks(const std::vector<Row>& rows)
{
    std::puts("\nImages on which the two sides part, up to two a row:\n");
    for (const auto& row : rows) {
        const auto where = row.network + " | " + row.setting.title() + ": ";
        if (!row.failure.empty())
            std::printf("- %sFAILED: %s\n", where.c_str(), row.failure.c_str());
        for (const auto& text : row.unexplained)
            std::printf("- %sNOT EXPLAINED: %s\n", where.c_str(), text.c_str());
        for (std::size_t i = 0; i < std::min(row.explained.size(), mostTold); ++i)
            std::printf("- %s%s\n", where.c_str(), row.explained[i].c_str());
    }
}

} // namespace

void printHeader()
{
    std::printf(
        "| network | images | configuration | scope | weights | top-1 [%%]: here, floats | here, integers | there, "
        "off | there, on | decisions apart: floats - off | integers - on | off - on | two orders here | "
        "distance off / orders | on / orders | images that part | of them off - on too | two orders too | "
        "exact sums side with: here | there | verdict |\n"
        "| --- | ---: | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: "
        "| ---: | ---: | ---: | ---: | ---: | --- |\n");
}

void printRow(const Row& row)
{
    const auto top1 = [](double there, double here) {
        char text[32];
        std::snprintf(text, sizeof text, there == here ? "%.2f" : "**%.2f**", there);
        return std::string(text);
    };
    std::printf("| %s | %lld | %s | %.2f | %.2f | %s | %s | %zu | %zu | %zu | %zu | %s | %s | %zu | %zu | %zu | %zu of "
                "%zu | %zu | %s |\n",
        row.network.c_str(), static_cast<long long>(row.images), row.setting.title().c_str(), row.top1Floats,
        row.top1Integers, top1(row.top1Off, row.top1Floats).c_str(), top1(row.top1On, row.top1Integers).c_str(),
        row.floatsOff.decisions, row.integersOn.decisions, row.offOn.decisions, row.orders.decisions,
        ratio(row.floatsOff, row.orders).c_str(), ratio(row.integersOn, row.orders).c_str(), row.differing,
        row.differingOffOn, row.differingOrders, row.exactHere, row.exactComputed, row.exactThere, verdict(row));
    std::fflush(stdout);
}

void printSummary(const std::vector<Row>& rows)
{
    printGroups(rows);
    printCounts(rows);
    std::puts(
        "\nOff is compared with this engine's floats; on with its integers where the scope is integer and both "
        "sides sum in them, otherwise with floats too. Two orders here: the same float sums with the channels of "
        "every tensor reversed, or, where a network does not allow that, in integers. Distance: mean absolute "
        "difference of the outputs, as a multiple of that between two orders here. Exact sums: in double "
        "precision, for up to eight images a row. Mixed: the first and the last layer at 8 bits, of the others in "
        "turn W4A4, W8A8, W6A5. Power of two: all scales are, and sums of integers are exact in any order. Corrected: "
        "equalized, high biases absorbed, reconstructed, gains and biases "
        "corrected. Networks without labels: top-1 is how often they decide as their float network.");
    printRemarks(rows);
}

} // namespace quantoscope::parity
