// SPDX-License-Identifier: GPL-3.0-or-later
// Faults made on purpose, one a test function: they show that a sanitizer, whatever it is told to overlook, still sees
// what goes wrong in a test. Built with a sanitizer only; each is run by a test that wants it reported.
#include <limits>
#include <thread>
#include <vector>

#include <QTest>

class Faults : public QObject {
    Q_OBJECT

private slots:
    /// A test's thread is called by Qt Test and QMetaMethod, and so are all its stacks.
    void raceWithTheTest()
    {
        volatile int shared = 0;
        std::jthread worker([&shared] { count(shared); });
        count(shared);
    }

    void raceOfWorkers()
    {
        volatile int shared = 0;
        std::vector<std::jthread> workers;
        for (int i = 0; i < 2; ++i)
            workers.emplace_back([&shared] { count(shared); });
    }

    void useAfterFree()
    {
        const volatile int* value = nullptr;
        {
            const std::vector<int> values(1000, 1);
            value = &values[500];
        }
        QVERIFY(*value >= std::numeric_limits<int>::min());
    }

    void overflow()
    {
        volatile int value = std::numeric_limits<int>::max();
        value = value + 1;
        QVERIFY(value != 0);
    }

    void leak()
    {
        auto* lost = new std::vector<int>(1000, 1);
        QVERIFY(!lost->empty());
        lost = nullptr;
    }

private:
    static void count(volatile int& shared)
    {
        for (int i = 0; i < 1000; ++i)
            shared = shared + 1;
    }
};

QTEST_GUILESS_MAIN(Faults)
#include "faults.moc"
