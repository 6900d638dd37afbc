// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// The energy model in the window: chosen, edited, undone, kept with the project, and in every figure.
#include <QAction>
#include <QComboBox>
#include <QFile>
#include <QLineEdit>
#include <QTest>

#include "tests/ui/fresh_start.h"
#include "tests/ui/tiny_project.h"
#include "ui/main_window.h"
#include "ui/views/energy_dialog.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000;

/// What the same plans cost, computed anew.
double energyOf(const Session& session, const quant::PlanPtr& plan, const cost::EnergyModel& energy)
{
    return cost::computeCost(*session.model()->graph, plan ? *plan : quant::QuantizationPlan {}, energy).energyPj;
}

}

class TestEnergyWindow : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { test::freshStart("tst_energy_window"); }

    void init()
    {
        QFile::remove(file());
        m_window = makeWindow();
        m_window->openModel(m_tiny.modelPath());
        m_window->openData(m_tiny.dataRequest());
        waitUntilIdle();
        for (auto* action : m_window->findChildren<QAction*>())
            if (action->text() == QStringLiteral("E&nergy model…"))
                action->trigger();
        QVERIFY(dialog());
    }

    void cleanup() { m_window.reset(); }

    void aChoiceChangesEveryFigure()
    {
        m_window->workbench().startSweep({ { 3, 8 }, { 4 } });
        waitUntilIdle();
        m_window->workbench().startSensitivity({ { 4 }, {}, false });
        waitUntilIdle();
        m_window->workbench().startSearch({ { 4, 8 }, { 8 }, *sweep::Budget::parse("size=60%"), true });
        waitUntilIdle();
        check(cost::defaultEnergyModel());
        choose(QStringLiteral("bops"));
        waitUntilIdle();
        const auto& bops = m_window->session().energyModel();
        QCOMPARE(bops.name, std::string("bops"));
        check(bops);
        QVERIFY(m_window->session().search()->complete);
        QVERIFY(dialog()->field(tr("A bit operation")));
        QVERIFY(!dialog()->field(tr("Off-chip memory")));
        m_window->session().undoStack().undo();
        waitUntilIdle();
        QCOMPARE(m_window->session().energyModel(), cost::defaultEnergyModel());
        check(cost::defaultEnergyModel());
    }

    void figuresAreThoseWorkedOutByHand_data()
    {
        QTest::addColumn<QString>("model");
        QTest::addColumn<double>("quantized"); // pJ a multiply-accumulate of 8 by 8 bits
        QTest::newRow("bit operations") << "bops" << 0.0044921875 * 8 * 8;
        QTest::newRow("word-length") << "word-length" << 0.14375 * 8;
        // 0.2 pJ for an integer multiply of 8 bits and 0.1 for an add of 32, Horowitz's table.
        QTest::newRow("operations") << "horowitz-45nm-compute" << 0.2 + 0.1;
    }
    /// Against the definitions in resources/energy and the shapes of the network: what is priced here is 3x3
    /// convolutions of 3 to 8 and 8 to 12 channels on 32x32 positions, and 12 numbers to 10.
    void figuresAreThoseWorkedOutByHand()
    {
        QFETCH(const QString, model);
        QFETCH(const double, quantized);
        constexpr double macs[] = { 3 * 9 * 8 * 1024, 8 * 9 * 12 * 1024, 12 * 10 };
        constexpr double all = macs[0] + macs[1] + macs[2];
        constexpr double floating = 4.6; // pJ, a multiply of 3.7 and an add of 0.9
        choose(model);
        waitUntilIdle();
        const auto closeTo = [](double got, double expected) { return std::abs(got - expected) < 1e-5 * expected; };
        const auto& session = m_window->session();
        const double got = session.analysis()->cost.energyPj;
        QVERIFY2(
            closeTo(got, quantized * all), QByteArray::number(got) + " for " + QByteArray::number(quantized * all));
        for (const Run& run : session.runs())
            QVERIFY(closeTo(run.cost.energyPj, (run.isFloat ? floating : quantized) * all));
        // One layer with float weights.
        m_window->session().editBits({ 1 }, Operand::Weight, std::nullopt);
        waitUntilIdle();
        const double mixed = session.analysis()->cost.energyPj;
        const double expected = quantized * (all - macs[1]) + priceWithFloatWeights(model) * macs[1];
        QVERIFY2(closeTo(mixed, expected), QByteArray::number(mixed) + " for " + QByteArray::number(expected));
    }

    void aSearchWithinAnEnergyKeepsItsAnswer()
    {
        m_window->workbench().startSearch({ { 4, 8 }, { 8 }, *sweep::Budget::parse("energy=60%"), true });
        waitUntilIdle();
        const auto before = m_window->session().search();
        QVERIFY(!before->points.empty());
        choose(QStringLiteral("word-length"));
        waitUntilIdle();
        const auto after = m_window->session().search();
        QCOMPARE(after->points.size(), before->points.size());
        for (std::size_t i = 0; i < before->points.size(); ++i)
            QCOMPARE(after->points[i].price, before->points[i].price);
    }

    void numbersAreEditedWithKeys()
    {
        type(QStringLiteral("Off-chip memory"), QStringLiteral("40"));
        QCOMPARE(m_window->session().energyModel().offChipBit, 40.0);
        QCOMPARE(m_window->session().energyModel().name, std::string("horowitz-45nm (edited)"));
        QCOMPARE(dialog()->model()->currentText(), QStringLiteral("horowitz-45nm (edited)"));
        type(QStringLiteral("Float multiply"), QStringLiteral("7"));
        // W4 A8 takes what W8 A8 does, which is told: the wider operand decides.
        const QString examples = dialog()->examples().replace(QChar(0x00a0), QLatin1Char(' '));
        QVERIFY2(examples.contains(QStringLiteral("float: 7.00 pJ + 0.900 pJ")), qPrintable(examples));
        QVERIFY2(examples.contains(QStringLiteral("W8 A8: 0.200 pJ + 0.100 pJ")), qPrintable(examples));
        QVERIFY2(examples.contains(QStringLiteral("W4 A8: 0.200 pJ + 0.100 pJ")), qPrintable(examples));
        QVERIFY(examples.contains(QStringLiteral("wider operand")));
        waitUntilIdle();
        check(m_window->session().energyModel());
        // Both are one step, as they follow each other.
        m_window->session().undoStack().undo();
        QCOMPARE(m_window->session().energyModel(), cost::defaultEnergyModel());
        QCOMPARE(dialog()->field(QStringLiteral("Float multiply"))->text(), QLocale().toString(3.7));
    }

    void whatIsNoNumberIsSaid_data()
    {
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("text");
        QTest::newRow("negative") << "Off-chip memory"
                                  << "-1";
        QTest::newRow("word") << "Multiply, linear"
                              << "much";
        QTest::newRow("endless") << "Float add"
                                 << "inf";
        QTest::newRow("no number") << "Float add"
                                   << "nan";
        QTest::newRow("part of a bit") << "Accumulator"
                                       << "16.5";
        QTest::newRow("too few bits") << "Accumulator"
                                      << "4";
        QTest::newRow("nothing") << "On-chip memory"
                                 << "";
    }
    void whatIsNoNumberIsSaid()
    {
        QFETCH(const QString, field);
        QFETCH(const QString, text);
        const QString before = dialog()->field(field)->text();
        type(field, text);
        QVERIFY2(dialog()->message().contains(field), qPrintable(dialog()->message()));
        QCOMPARE(dialog()->field(field)->text(), before);
        QCOMPARE(m_window->session().energyModel(), cost::defaultEnergyModel());
    }

    void theOldNumberMakesItTheOldModel()
    {
        const QString before = dialog()->field(QStringLiteral("On-chip memory"))->text();
        type(QStringLiteral("On-chip memory"), QStringLiteral("1"));
        type(QStringLiteral("On-chip memory"), before);
        QCOMPARE(m_window->session().energyModel(), cost::defaultEnergyModel());
    }

    void theProjectKeepsIt()
    {
        type(QStringLiteral("Accumulator"), QStringLiteral("16"));
        const auto edited = m_window->session().energyModel();
        m_window->workbench().project().saveAs(file().toStdString());
        waitUntilIdle();
        m_window.reset();
        {
            const auto project = project::Project::open(file().toStdString());
            QVERIFY(project.has_value());
            QCOMPARE((*project)->energyModel().value(), std::optional(edited)); // what the command line counts with
        }
        m_window = makeWindow();
        QCOMPARE(m_window->session().energyModel(), cost::defaultEnergyModel());
        m_window->openProject(file());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().analysis(), patience);
        waitUntilIdle();
        QCOMPARE(m_window->session().energyModel(), edited);
        check(edited);
        m_window->workbench().close();
        QCOMPARE(m_window->session().energyModel(), cost::defaultEnergyModel());
    }

    void filesAreWrittenAndRead()
    {
        type(QStringLiteral("Float add"), QStringLiteral("2"));
        const auto edited = m_window->session().energyModel();
        const QString path = m_tiny.folder() + QStringLiteral("/mine.json");
        dialog()->save(path);
        QCOMPARE(dialog()->message(), QString());
        choose(QStringLiteral("word-length"));
        dialog()->open(path);
        QCOMPARE(m_window->session().energyModel(), edited);
        dialog()->open(m_tiny.folder() + QStringLiteral("/absent.json"));
        QVERIFY(dialog()->message().contains(QStringLiteral("absent.json")));
        dialog()->save(m_tiny.folder() + QStringLiteral("/no/such/folder.json"));
        QVERIFY2(dialog()->message().contains(QStringLiteral("no/such")), qPrintable(dialog()->message()));
        QCOMPARE(m_window->session().energyModel(), edited);
    }

private:
    QString file() const { return m_tiny.folder() + QStringLiteral("/study.qscope"); }
    EnergyDialog* dialog() const { return m_window->energyDialog(); }

    static std::unique_ptr<MainWindow> makeWindow()
    {
        auto window = std::make_unique<MainWindow>();
        window->resize(1280, 800);
        window->show();
        return window;
    }

    void waitUntilIdle()
    {
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().analysis() && m_window->jobs().idle(), patience);
        // An edit is evaluated after a moment of quiet.
        QTest::qWait(100);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs().idle(), patience);
    }

    void choose(const QString& name)
    {
        QComboBox* box = dialog()->model();
        QVERIFY(box->findText(name) >= 0);
        box->setCurrentIndex(box->findText(name));
        emit box->activated(box->currentIndex());
    }

    void type(const QString& field, const QString& text)
    {
        QLineEdit* edit = dialog()->field(field);
        QVERIFY2(edit, qPrintable(field));
        edit->setFocus();
        edit->selectAll();
        QTest::keyClick(edit, Qt::Key_Delete);
        QTest::keyClicks(edit, text);
        QTest::keyClick(edit, Qt::Key_Return);
    }

    /// Of a multiply-accumulate of a float weight and an activation of 8 bits, in pJ.
    static double priceWithFloatWeights(const QString& model)
    {
        return model == QStringLiteral("bops")       ? 0.0044921875 * 32 * 8
            : model == QStringLiteral("word-length") ? 0.14375 * (32 + 8) / 2
                                                     : 4.6;
    }

    /// Every price that is shown.
    void check(const cost::EnergyModel& energy)
    {
        const Session& session = m_window->session();
        QCOMPARE(session.analysis()->cost.energyPj, energyOf(session, session.analysis()->plan, energy));
        QVERIFY(!session.runs().empty());
        for (const Run& run : session.runs())
            QCOMPARE(run.cost.energyPj, energyOf(session, run.plan, energy));
        if (session.sweep())
            for (const auto& point : session.sweep()->points)
                QCOMPARE(point.cost.energyPj, energyOf(session, point.plan, energy));
        if (session.sensitivity())
            for (const auto& point : session.sensitivity()->points)
                QCOMPARE(point.cost.energyPj, energyOf(session, point.plan, energy));
        if (session.search()) {
            QCOMPARE(session.search()->floatCost.energyPj, energyOf(session, nullptr, energy));
            for (const auto& point : session.search()->points)
                QCOMPARE(point.cost.energyPj, energyOf(session, point.plan, energy));
        }
    }

    test::TinyProject m_tiny;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestEnergyWindow)
#include "tst_energy_window.moc"
