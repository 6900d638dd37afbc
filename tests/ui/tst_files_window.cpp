// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// What the window exchanges with other tools: quantized models, encodings, exports.
#include <QComboBox>
#include <QCheckBox>
#include <QFile>
#include <QPushButton>
#include <QTest>
#include <QTreeWidget>

#include <nlohmann/json.hpp>

#include "core/base/file.h"
#include "core/exporting/encodings_file.h"
#include "tests/ui/fresh_start.h"
#include "tests/ui/tiny_project.h"
#include "ui/main_window.h"
#include "ui/views/corrections_panel.h"
#include "ui/views/export_dialog.h"
#include "ui/views/message_bar.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000; // a loaded machine is slow

}

class TestFilesWindow : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_files_window");
        m_project = std::make_unique<test::TinyProject>();
    }

    void init()
    {
        m_window = std::make_unique<MainWindow>();
        m_window->show();
        m_window->openModel(m_project->modelPath());
        m_window->openData(m_project->dataRequest());
        settle();
    }

    void cleanup() { m_window.reset(); }

    void exportSaysWhatBecomesOfTheTensors()
    {
        askForBits(4, 8);
        ExportDialog dialog(session());
        const auto summaryOf = [&](exporting::ExportOptions options) {
            dialog.setOptions(options);
            return dialog.summary();
        };
        exporting::ExportOptions options;
        const QString portable = summaryOf(options);
        QVERIFY2(portable.contains(QStringLiteral("wider than the word-lengths")), qPrintable(portable));
        QVERIFY(portable.contains(QStringLiteral("Opset 13")));
        QCOMPARE(dialog.tensors()->topLevelItemCount(), int(session().currentAnalysis()->plan->tensors().size()));
        options.containers = exporting::Containers::Native;
        const QString native = summaryOf(options);
        QVERIFY(!native.contains(QStringLiteral("wider")) && native.contains(QStringLiteral("Opset 21")));
        const auto weights = dialog.tensors()->findItems(QStringLiteral("int4"), Qt::MatchExactly, 3);
        QCOMPARE(weights.size(), 3);
        QVERIFY(dialog.suggestedFile().endsWith(QStringLiteral("tiny_qdq.onnx")));
        // The first layer's input and weight stand first; why a layer is computed in float is told.
        const auto* first = dialog.tensors()->topLevelItem(0);
        QCOMPARE(first->text(0), QString::fromStdString(session().model()->layers[0].inputTensor));
        QCOMPARE(dialog.tensors()->topLevelItem(1)->text(0),
            QString::fromStdString(session().model()->layers[0].weightTensor));
        const QString arithmetic = dialog.tensors()->headerItem()->text(6);
        QCOMPARE(arithmetic, QStringLiteral("Layer computes in"));
        QVERIFY2(first->text(6).startsWith(QStringLiteral("float, because")), qPrintable(first->text(6)));
        QVERIFY(!dialog.findChildren<QComboBox*>().at(2)->isEnabled());
        QVERIFY(!dialog.findChildren<QComboBox*>().at(2)->toolTip().isEmpty());
        options.format = exporting::Format::Csv;
        QVERIFY(!summaryOf(options).contains(QStringLiteral("Opset")));
        QVERIFY(dialog.suggestedFile().endsWith(QStringLiteral(".csv")));
        dialog.show();
        for (const QPushButton* button : dialog.findChildren<QPushButton*>())
            QCOMPARE(button->isDefault(), button->text() == QStringLiteral("&Export…"));
        dialog.hide();

        // What is announced is what is written.
        options = {};
        options.containers = exporting::Containers::Native;
        const auto small = exported("native.onnx", options);
        const auto large = exported("portable.onnx", {});
        QVERIFY(small.bytes < large.bytes);
        QCOMPARE(small.opset, 21);
    }

    void quantizedModelsOpenWithTheirPlan()
    {
        askForBits(5, 7);
        const auto written = session().currentAnalysis()->plan;
        exported("quantized.onnx", {});
        m_window->openModel(file("quantized.onnx"));
        QTRY_VERIFY_WITH_TIMEOUT(session().model()->plan, patience);
        settle();
        const auto& plan = *session().currentAnalysis()->plan;
        QCOMPARE(plan.tensors().size(), written->tensors().size());
        for (const auto& [name, quantizer] : written->tensors())
            QVERIFY2(plan.find(name) && plan.find(name)->encoding == quantizer.encoding, name.c_str());
        QCOMPARE(session().request().weights.bits, std::optional(5));
        QCOMPARE(session().request().activations.bits, std::optional(7));
        QVERIFY(!m_window->findChild<CorrectionsPanel*>()->foldBatchNorm()->isEnabled());

        // One edit changes one tensor; the others keep the file's numbers.
        session().editBits({ 1 }, Operand::Weight, 8);
        settle();
        const std::string edited = session().model()->layers[1].weightTensor;
        for (const auto& [name, quantizer] : session().currentAnalysis()->plan->tensors()) {
            QCOMPARE(quantizer.encoding == written->find(name)->encoding, name != edited);
            if (name == edited)
                QCOMPARE(quantizer.encoding.bits(), 8);
        }
        session().undoStack().undo();
        settle();
        QVERIFY(session().currentAnalysis()->plan->find(edited)->encoding == written->find(edited)->encoding);
    }

    void encodingsApplyAndWhatDoesNotMatchIsOffered()
    {
        askForBits(4, 6);
        Json json = exporting::aimetEncodings(*session().currentAnalysis()->plan, exporting::EncodingsVersion::V100);
        const auto wanted = session().currentAnalysis()->plan;
        json["activation_encodings"][0]["name"] = "nobody";
        QVERIFY(base::writeFileAtomically(file("e.json").toStdString(), json.dump()).has_value());
        askForBits(8, 8);
        m_window->workbench().applyEncodings(file("e.json").toStdString());
        QTRY_VERIFY_WITH_TIMEOUT(session().wish().base, patience);
        settle();
        int same = 0;
        for (const auto& [name, quantizer] : session().currentAnalysis()->plan->tensors())
            same += quantizer.encoding == wanted->find(name)->encoding;
        QCOMPARE(same, int(wanted->tensors().size()) - 1);
        QVERIFY(m_window->messages()->text().contains(QStringLiteral("1 of its entries do not match")));
        session().undoStack().undo();
        settle();
        QVERIFY(!session().wish().base);
        for (const auto& [name, quantizer] : session().currentAnalysis()->plan->tensors())
            QCOMPARE(quantizer.encoding.bits(), 8);
    }

    void strangeEncodingsAreRefusedInPlace()
    {
        QVERIFY(base::writeFileAtomically(file("strange.json").toStdString(), R"({"nobody": [0, 1]})").has_value());
        m_window->workbench().applyEncodings(file("strange.json").toStdString());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->messages()->text().contains(QStringLiteral("was not applied")), patience);
        QVERIFY(!session().wish().base);
    }

private:
    Session& session() { return m_window->session(); }
    QString file(const char* name) const { return m_project->folder() + QLatin1Char('/') + QString::fromUtf8(name); }

    /// Waits until everything that was asked for is there.
    void settle()
    {
        QTRY_VERIFY_WITH_TIMEOUT(session().stats() && session().currentAnalysis()
                && !session().currentAnalysis()->weightsOnly && session().accuracy().state == Accuracy::State::Done,
            patience);
    }

    void askForBits(int weights, int activations)
    {
        auto request = session().request();
        request.weights.bits = weights;
        request.activations.bits = activations;
        session().edit(request, QStringLiteral("bits"));
        settle();
    }

    exporting::ExportReport exported(const char* name, const exporting::ExportOptions& options)
    {
        std::optional<exporting::ExportReport> report;
        const auto connection
            = connect(&m_window->workbench(), &Workbench::exported, this, [&](const auto& r) { report = r; });
        m_window->workbench().exportPlan(file(name).toStdString(), options);
        const bool done = QTest::qWaitFor([&] { return report.has_value(); }, patience);
        disconnect(connection);
        if (!done)
            qFatal("no export");
        return *report;
    }

    std::unique_ptr<test::TinyProject> m_project;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestFilesWindow)
#include "tst_files_window.moc"
