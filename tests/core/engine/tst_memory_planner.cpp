// SPDX-License-Identifier: GPL-3.0-or-later
#include <QtTest>

#include "core/base/random.h"
#include "core/engine/memory_planner.h"

using namespace quantoscope;
using engine::BufferLifetime;

namespace {

bool liveTogether(const BufferLifetime& a, const BufferLifetime& b) { return a.first <= b.last && b.first <= a.last; }

bool overlap(std::size_t a, std::size_t aBytes, std::size_t b, std::size_t bBytes)
{
    return a < b + bBytes && b < a + aBytes;
}

/// Bytes no plan can do without: the busiest step.
std::size_t peak(const std::vector<BufferLifetime>& buffers, int steps)
{
    std::size_t largest = 0;
    for (int step = 0; step < steps; ++step) {
        std::size_t sum = 0;
        for (const BufferLifetime& buffer : buffers)
            sum += buffer.first <= step && step <= buffer.last ? (buffer.bytes + 63) / 64 * 64 : 0;
        largest = std::max(largest, sum);
    }
    return largest;
}

} // namespace

class TestMemoryPlanner : public QObject {
    Q_OBJECT

private slots:
    void nothing()
    {
        const auto plan = engine::planMemory({});
        QCOMPARE(plan.bytes, std::size_t { 0 });
        QVERIFY(plan.offsets.empty());
    }

    void chainNeedsTwoBuffers()
    {
        std::vector<BufferLifetime> chain;
        for (int i = 0; i < 20; ++i)
            chain.push_back({ 1000, i, i + 1 });
        QCOMPARE(engine::planMemory(chain).bytes, std::size_t { 2 * 1024 });
    }

    void smallBuffersFillGaps()
    {
        // The large first buffer is gone when the two small ones live: both fit where it was.
        const std::vector<BufferLifetime> buffers { { 640, 0, 1 }, { 64, 1, 3 }, { 320, 2, 3 }, { 320, 2, 3 } };
        QCOMPARE(engine::planMemory(buffers).bytes, std::size_t { 704 });
    }

    void emptyBuffersTakeNothing()
    {
        const std::vector<BufferLifetime> buffers { { 0, 0, 5 }, { 1, 0, 5 } };
        QCOMPARE(engine::planMemory(buffers).bytes, std::size_t { 64 });
    }

    void randomLifetimesNeverOverlap_data()
    {
        QTest::addColumn<int>("seed");
        for (int seed = 0; seed < 50; ++seed)
            QTest::addRow("seed %d", seed) << seed;
    }

    void randomLifetimesNeverOverlap()
    {
        QFETCH(int, seed);
        base::Random random(static_cast<std::uint64_t>(seed));
        constexpr int steps = 60;
        std::vector<BufferLifetime> buffers;
        for (int i = 0; i < 120; ++i) {
            const int first = static_cast<int>(random.below(steps));
            const int last = std::min<int>(steps - 1, first + static_cast<int>(random.below(12)));
            buffers.push_back({ static_cast<std::size_t>(random.below(5000)), first, last });
        }
        const auto plan = engine::planMemory(buffers);
        QCOMPARE(plan.offsets.size(), buffers.size());
        for (std::size_t i = 0; i < buffers.size(); ++i) {
            QCOMPARE(plan.offsets[i] % 64, std::size_t { 0 });
            QVERIFY(buffers[i].bytes == 0 || plan.offsets[i] + buffers[i].bytes <= plan.bytes);
            for (std::size_t j = 0; j < i; ++j) {
                if (liveTogether(buffers[i], buffers[j]))
                    QVERIFY(!overlap(plan.offsets[i], buffers[i].bytes, plan.offsets[j], buffers[j].bytes)
                        || buffers[i].bytes == 0 || buffers[j].bytes == 0);
            }
        }
        // Greedy is not optimal, but far from wasteful.
        QVERIFY(plan.bytes >= peak(buffers, steps));
        QVERIFY(plan.bytes <= peak(buffers, steps) * 3 / 2);
    }
};

QTEST_APPLESS_MAIN(TestMemoryPlanner)
#include "tst_memory_planner.moc"
