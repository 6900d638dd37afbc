// SPDX-License-Identifier: GPL-3.0-or-later
#include <QTest>

#include "core/sweep/sweep.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using namespace quantoscope::sweep;

class TestShard : public QObject {
    Q_OBJECT

private slots:
    void parses()
    {
        const auto shard = Shard::parse("2/8");
        QVERIFY(shard && *shard == (Shard { 2, 8 }));
        QVERIFY(Shard::parse("1/1")->isWhole() && Shard {}.isWhole() && !shard->isWhole());
    }

    void refuses_data()
    {
        QTest::addColumn<QString>("text");
        for (const char* text : { "", "/", "1", "1/", "/2", "0/2", "3/2", "-1/2", "1/0", "1/-1", "1/2/3", "1/2x",
                 " 1/2", "1 /2", "a/b", "1.5/2", "1/99999999999999999999", "1/2000000" })
            QTest::newRow(text) << text;
    }

    void refuses()
    {
        QFETCH(QString, text);
        const auto shard = Shard::parse(text.toStdString());
        QVERIFY(!shard && shard.error().code == ErrorCode::InvalidInput && !shard.error().hint.empty());
    }

    /// Every item goes to exactly one shard, and shards differ in size by one at most.
    void deals()
    {
        for (const std::int64_t count : { 1, 2, 3, 7, 20 }) {
            std::vector<int> sizes(static_cast<std::size_t>(count));
            for (std::int64_t item = 0; item < 13; ++item) {
                int takers = 0;
                for (std::int64_t number = 1; number <= count; ++number)
                    if (Shard { number, count }.takes(item)) {
                        ++takers;
                        ++sizes[static_cast<std::size_t>(number - 1)];
                    }
                QCOMPARE(takers, 1);
            }
            QVERIFY(std::ranges::max(sizes) - std::ranges::min(sizes) <= 1);
        }
    }

    /// The points of all shards are those of the whole grid, bit for bit.
    void gridsComeApart()
    {
        dataset::SampleSet::Options load;
        load.preprocessing.channels = dataset::Channels::Gray;
        const auto samples = *dataset::SampleSet::load(test::randomDataset(20, 8, 8, 1, 10), load);
        const flow::Quantizer quantizer(std::make_shared<const graph::Graph>(test::smallConvNet(1, 8, 10)), samples);
        GridOptions options;
        options.weightBits = { 3, 4, std::nullopt };
        options.activationBits = { 4, 8 };
        const auto whole = *runGrid(quantizer, *samples, options);
        QCOMPARE(whole.points.size(), std::size_t { 6 });
        std::size_t points = 0;
        for (const std::int64_t number : { 1, 2, 3, 4 }) {
            options.shard = { number, 4 };
            base::Progress progress;
            const auto part = *runGrid(quantizer, *samples, options, { &progress, {} });
            QVERIFY(part.complete);
            QCOMPARE(progress.state().done, static_cast<std::int64_t>(part.points.size() + 1) * 20);
            for (std::size_t i = 0; i < part.points.size(); ++i) {
                const auto& mine = part.points[i];
                const auto& same = whole.points[static_cast<std::size_t>(number - 1) + 4 * i];
                QVERIFY(mine.weightBits == same.weightBits && mine.activationBits == same.activationBits);
                QVERIFY(mine.predictions == same.predictions && mine.loss == same.loss);
            }
            points += part.points.size();
        }
        QCOMPARE(points, whole.points.size());
    }
};

QTEST_APPLESS_MAIN(TestShard)
#include "tst_shard.moc"
