// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
#include <QAbstractItemView>
#include <QCheckBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QPushButton>
#include <QStandardItemModel>
#include <QTest>

#include "core/planning/profile_rules.h"
#include "tests/ui/fresh_start.h"
#include "tests/ui/session_fixture.h"
#include "ui/views/bits_spin_box.h"
#include "ui/views/check_list_button.h"
#include "ui/views/choice_box.h"
#include "ui/views/corrections_panel.h"
#include "ui/views/general_options.h"
#include "ui/views/options_panel.h"
#include "ui/views/range_editor.h"
#include "ui/views/section.h"
#include "ui/views/tensor_options.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

/// Chooses as a person does: the box tells of it.
void choose(ChoiceBox* box, const QString& key)
{
    const int index = box->findData(key);
    QVERIFY2(index >= 0, qPrintable(key));
    box->setCurrentIndex(index);
    emit box->activated(index);
}

bool canChoose(ChoiceBox* box, const QString& key)
{
    return qobject_cast<QStandardItemModel*>(box->model())->item(box->findData(key))->isEnabled();
}

QString tipOf(ChoiceBox* box, const QString& key)
{
    return box->itemData(box->findData(key), Qt::ToolTipRole).toString();
}

}

class TestOptionsPanel : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { test::freshStart("tst_options_panel"); }

    void init()
    {
        m_session = std::make_unique<Session>();
        m_jobs = std::make_unique<JobRunner>();
        m_workbench = std::make_unique<Workbench>(*m_session, *m_jobs);
        m_panel = std::make_unique<OptionsPanel>(*m_session, *m_workbench);
        m_panel->resize(280, 560);
        m_panel->show();
    }

    void cleanup()
    {
        m_panel.reset();
        m_workbench.reset();
        m_jobs.reset();
        m_session.reset();
    }

    void everyEstimator_data()
    {
        QTest::addColumn<QString>("word");
        QTest::addColumn<QString>("spelling");
        QTest::newRow("min-max") << "min-max"
                                 << "min-max";
        QTest::newRow("MSE") << "mse"
                             << "mse";
        QTest::newRow("percentile") << "percentile"
                                    << "percentile:99.99";
        QTest::newRow("entropy") << "entropy"
                                 << "entropy";
        QTest::newRow("aciq") << "aciq"
                              << "aciq";
        QTest::newRow("sigma") << "sigma"
                               << "sigma:4";
    }

    void everyEstimator()
    {
        QFETCH(QString, word);
        QFETCH(QString, spelling);
        for (TensorOptions* side : { m_panel->weights(), m_panel->activations() }) {
            const planning::PlanRequest before = m_session->request();
            const bool weight = side == m_panel->weights();
            choose(side->range()->method(), QStringLiteral("entropy"));
            choose(side->range()->method(), word);
            const planning::PlanRequest& after = m_session->request();
            QCOMPARE(QString::fromStdString((weight ? after.weights : after.activations).range.toString()), spelling);
            QCOMPARE(weight ? after.activations : after.weights, weight ? before.activations : before.weights);
            QCOMPARE(side->range()->low()->isVisible(), word == QLatin1String("percentile"));
            QCOMPARE(side->range()->sigmas()->isVisible(), word == QLatin1String("sigma"));
            QCOMPARE(side->range()->density()->isVisible(), word == QLatin1String("aciq"));
            const QString tip = tipOf(side->range()->method(), word);
            QVERIFY2(tip.contains(QStringLiteral("<i>")) && tip.size() > 60, qPrintable(tip));
        }
    }

    void parametersOfEstimators()
    {
        RangeEditor* range = m_panel->activations()->range();
        const auto spelled
            = [this] { return QString::fromStdString(m_session->request().activations.range.toString()); };
        choose(range->method(), QStringLiteral("percentile"));
        range->high()->setValue(99.9);
        QCOMPARE(spelled(), QStringLiteral("percentile:0.01,99.9"));
        range->low()->setValue(0.1);
        QCOMPARE(spelled(), QStringLiteral("percentile:99.9"));
        choose(range->method(), QStringLiteral("sigma"));
        range->sigmas()->setValue(2.5);
        QCOMPARE(spelled(), QStringLiteral("sigma:2.5"));
        choose(range->method(), QStringLiteral("aciq"));
        choose(range->density(), QStringLiteral("aciq:laplace"));
        QCOMPARE(spelled(), QStringLiteral("aciq:laplace"));
    }

    void rangesByHandAreMadeInTheChart()
    {
        ChoiceBox* method = m_panel->weights()->range()->method();
        QVERIFY(!canChoose(method, QStringLiteral("manual")));
        QVERIFY(tipOf(method, QStringLiteral("manual")).contains(QStringLiteral("handle")));
    }

    void everythingElseOfATensor()
    {
        TensorOptions* side = m_panel->activations();
        choose(side->scheme(), QStringLiteral("power-of-two"));
        choose(side->sign(), QStringLiteral("signed"));
        side->narrow()->click();
        choose(side->granularity(), QStringLiteral("channel"));
        choose(side->rounding(), QStringLiteral("floor"));
        const planning::TensorWish& wish = m_session->request().activations;
        QCOMPARE(wish.scheme, std::string("power-of-two"));
        QVERIFY(wish.sign == quant::Signedness::Signed);
        QVERIFY(wish.narrow);
        QVERIFY(wish.perChannel);
        QVERIFY(wish.rounding == quant::Rounding::Floor);
        QCOMPARE(m_session->request().weights, planning::PlanRequest {}.weights);
        choose(side->rounding(), QStringLiteral("half-even"));
        QVERIFY(!m_session->request().activations.rounding);
        QCOMPARE(m_session->undoStack().count(), 6);
        side->bits()->setBits(std::nullopt);
        QVERIFY(!side->scheme()->isEnabled());
        while (m_session->undoStack().canUndo())
            m_session->undoStack().undo();
        QCOMPARE(m_session->request(), planning::PlanRequest {});
        QVERIFY(side->scheme()->isEnabled());
    }

    void biasesBelongToTheIntegerScope()
    {
        GeneralOptions* general = m_panel->general();
        QVERIFY(!general->biasBits()->isEnabled());
        QVERIFY(general->biasBits()->toolTip().contains(QStringLiteral("integer")));
        choose(general->scope(), QStringLiteral("integer"));
        QVERIFY(general->biasBits()->isEnabled());
        choose(general->biasBits(), QStringLiteral("16"));
        choose(general->biasRoom(), QStringLiteral("shift"));
        QCOMPARE(m_session->request().biasBits, std::optional(16));
        QVERIFY(m_session->request().biasRoom == quant::BiasRoom::ShiftBias);
        choose(general->biasBits(), QStringLiteral("float"));
        QVERIFY(!m_session->request().biasBits);
        QVERIFY(!general->biasRoom()->isEnabled());
    }

    void profilesLimitAndSayWhy()
    {
        m_panel->weightBits()->setBits(5);
        choose(m_panel->general()->profile(), QStringLiteral("generic-int8"));
        QCOMPARE(m_session->profile().name, std::string("generic-int8"));
        QCOMPARE(m_session->request().weights.bits, std::optional(8));
        QVERIFY(m_session->request().scope == quant::Scope::Integer);
        QVERIFY(planning::check(m_session->profile(), m_session->request()).empty());
        QVERIFY(m_panel->general()->profileNote()->isVisible());
        QVERIFY(m_panel->general()->profileNote()->text().contains(QStringLiteral("multipliers")));

        ChoiceBox* scheme = m_panel->weights()->scheme();
        QVERIFY(canChoose(scheme, QStringLiteral("symmetric")));
        QVERIFY(!canChoose(scheme, QStringLiteral("asymmetric")));
        QVERIFY(tipOf(scheme, QStringLiteral("asymmetric")).contains(QStringLiteral("second sum")));
        QVERIFY(!canChoose(m_panel->general()->scope(), QStringLiteral("compute")));
        QVERIFY(!canChoose(m_panel->activations()->rounding(), QStringLiteral("floor")));
        QVERIFY(!m_panel->activations()->narrow()->isEnabled());
        QVERIFY(m_panel->weightBits()->toolTip().contains(QStringLiteral("8-bit weights")));
        m_panel->weightBits()->stepDown();
        QCOMPARE(m_panel->weightBits()->bits(), std::optional(8));

        m_session->undoStack().undo();
        QCOMPARE(m_session->profile().name, std::string("unrestricted"));
        QCOMPARE(m_session->request().weights.bits, std::optional(5));
        QVERIFY(canChoose(scheme, QStringLiteral("asymmetric")));
        QVERIFY(!m_panel->general()->profileNote()->isVisible());
    }

    void typedBitsObeyTheProfile()
    {
        choose(m_panel->general()->profile(), QStringLiteral("int4-weights"));
        BitsSpinBox* box = m_panel->weightBits();
        box->selectAll();
        QTest::keyClicks(box, QStringLiteral("6"));
        QTest::keyClick(box, Qt::Key_Return);
        QCOMPARE(box->bits(), std::optional(4));
        QCOMPARE(m_session->request().weights.bits, std::optional(4));
        box = m_panel->activationBits();
        const auto before = box->bits();
        box->stepUp();
        QVERIFY(box->bits() == before || box->bits() == std::optional(16));
    }

    void layersObeyTheProfileToo()
    {
        m_session->setModel(test::layersOnly(3));
        choose(m_panel->general()->profile(), QStringLiteral("generic-int8"));
        QString reason;
        connect(m_session.get(), &Session::refused, this, [&](const QString& text) { reason = text; });
        m_session->editBits({ 1 }, Operand::Weight, 4);
        QVERIFY(m_session->request().overrides.empty());
        QVERIFY(reason.contains(QStringLiteral("generic-int8")));
    }

    void plansFromElsewhereAreToldAndFitted()
    {
        choose(m_panel->general()->profile(), QStringLiteral("generic-int8"));
        QVERIFY(!m_panel->general()->fit()->isVisible());
        planning::PlanRequest foreign = m_session->request();
        foreign.weights.bits = 3;
        m_session->edit(foreign, QStringLiteral("a run"));
        QVERIFY(m_panel->general()->fit()->isVisible());
        QVERIFY(m_panel->general()->profileNote()->text().contains(QStringLiteral("Not allowed")));
        m_panel->general()->fit()->click();
        QCOMPARE(m_session->request().weights.bits, std::optional(8));
        QVERIFY(!m_panel->general()->fit()->isVisible());
    }

    void correctionsAreSwitches()
    {
        CorrectionsPanel* panel = m_panel->corrections();
        for (const CorrectionSwitch& item : correctionSwitches()) {
            if (item.word == "absorb-high-bias")
                continue;
            QVERIFY(!(m_session->request().corrections.*item.member));
            panel->box(item.word)->click();
            QVERIFY2(m_session->request().corrections.*item.member, item.word.data());
            QVERIFY(panel->box(item.word)->toolTip().size() > 60);
            m_session->undoStack().undo();
            QVERIFY(!panel->box(item.word)->isChecked());
        }
        QVERIFY(!panel->box("absorb-high-bias")->isEnabled());
        panel->box("equalize")->click();
        panel->box("absorb-high-bias")->click();
        QVERIFY(m_session->request().corrections.absorbHighBias);
        panel->box("balance")->click(); // the other way to choose factors
        QVERIFY(m_session->request().corrections.balance);
        QVERIFY(!m_session->request().corrections.equalize);
        QVERIFY(!m_session->request().corrections.absorbHighBias);
        panel->box("equalize")->click();
        QVERIFY(!m_session->request().corrections.balance);
        panel->box("equalize")->click();
        QVERIFY(!m_session->request().corrections.any());
    }

    void whatBecameOfACorrectionIsTold_data()
    {
        QTest::addColumn<bool>("kept");
        QTest::addColumn<bool>("classifies");
        QTest::addColumn<int>("undone");
        QTest::addColumn<QString>("text");
        QTest::newRow("kept") << true << true << 0 << "✓ kept, agreement 47.0 → 93.0 %";
        QTest::newRow("dropped") << false << true << 0 << "⚠ dropped: agreement 93.0 → 47.0 %";
        QTest::newRow("undone in layers")
            << true << true << 2 << "◐ in effect in 25 of 27 layers (not l0, l1), agreement 47.0 → 93.0 %";
        QTest::newRow("undone in many layers")
            << true << true << 175 << "◐ in effect in 25 of 200 layers, agreement 47.0 → 93.0 %";
        QTest::newRow("no difference") << true << true << -175
                                       << "◐ in effect in 25 of 200 layers, agreement unchanged (93.0 %)";
        QTest::newRow("no classes") << true << false << 0 << "✓ kept, divergence 0.500 → 0.250";
    }

    void whatBecameOfACorrectionIsTold()
    {
        QFETCH(bool, kept);
        QFETCH(bool, classifies);
        QFETCH(int, undone);
        QFETCH(QString, text);
        m_panel->corrections()->box("bias-correction")->click();
        flow::CorrectionOutcome outcome;
        outcome.correction = "bias-correction";
        outcome.kept = kept;
        outcome.before = { classifies, 100, kept ? 47 : 93, 0.5 };
        outcome.after = { classifies, 100, kept ? 93 : 47, 0.25 };
        outcome.reason = "because";
        if (undone < 0)
            outcome.before = outcome.after;
        if (undone != 0)
            outcome.keptLayers = 25;
        for (int i = 0; i < std::abs(undone); ++i)
            outcome.droppedLayers.push_back("l" + std::to_string(i));
        flow::QuantizedNetwork network;
        network.corrections = { outcome };
        m_session->setCorrected(
            std::make_shared<const CorrectedNetwork>(CorrectedNetwork { m_session->request(), network }));
        QLabel* label = m_panel->corrections()->outcome("bias-correction");
        QVERIFY(label->isVisible());
        QCOMPARE(label->text(), text);
        QVERIFY(label->toolTip().contains(QStringLiteral("because")));
        QCOMPARE(label->toolTip().contains(QStringLiteral("l1")), undone != 0);
        m_panel->corrections()->box("gain-correction")->click();
        QVERIFY2(!label->isVisible(), "what was found out under other options is not told of these");
    }

    void partsFoldAndStayUsable()
    {
        m_panel->resize(m_panel->minimumSizeHint().width(), 400);
        QVERIFY2(m_panel->minimumSizeHint().width() <= 300, "leaves room for the charts in a window of 1024 pixels");
        Section* section = m_panel->findChildren<Section*>().at(1);
        QVERIFY(m_panel->weights()->isVisible());
        section->setOpen(false);
        QVERIFY(!m_panel->weights()->isVisible());
        QVERIFY(m_panel->weights()->summary().contains(QStringLiteral("8 bits")));
        OptionsPanel again(*m_session, *m_workbench);
        again.show();
        QVERIFY2(!again.weights()->isVisible(), "folded parts stay folded");
        section->setOpen(true);
    }

    void checkListsSayWhatIsChecked()
    {
        CheckListButton button(QStringLiteral("ranges"));
        button.resize(300, 24);
        button.add(QStringLiteral("one"), QStringLiteral("1"), {});
        button.add(QStringLiteral("two"), QStringLiteral("2"), {});
        QCOMPARE(button.checked(), QStringList());
        button.setChecked({ QStringLiteral("2") });
        QCOMPARE(button.checked(), QStringList(QStringLiteral("2")));
        QCOMPARE(button.text(), QStringLiteral("two"));
        button.setChecked({ QStringLiteral("1"), QStringLiteral("2") });
        QVERIFY(button.toolTip().contains(QStringLiteral("one, two")));
    }

private:
    std::unique_ptr<Session> m_session;
    std::unique_ptr<JobRunner> m_jobs;
    std::unique_ptr<Workbench> m_workbench;
    std::unique_ptr<OptionsPanel> m_panel;
};

QTEST_MAIN(TestOptionsPanel)
#include "tst_options_panel.moc"
