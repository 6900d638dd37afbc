// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui slow
// Renders every page of the window on the bundled sample, in light and in dark, and checks that each is drawn. With
// QUANTOSCOPE_SCREENSHOTS set to a folder the pictures are kept there; packaging/screenshots.sh does that under Xvfb.
// QUANTOSCOPE_WINDOW set to WIDTHxHEIGHT gives another size than 1280x800.
#include <cstdlib>

#include <QApplication>
#include <QComboBox>
#include <QDir>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QStandardPaths>
#include <QTabWidget>
#include <QTableView>
#include <QTest>
#include <QTimer>
#include <QToolButton>

#include "tests/support/deep_network.h"
#include "tests/ui/fresh_start.h"
#include "tests/ui/tiny_project.h"
#include "ui/charts/options_chart.h"
#include "ui/charts/pareto_chart.h"
#include "ui/charts/sensitivity_chart.h"
#include "ui/charts/sweep_chart.h"
#include "ui/main_window.h"
#include "ui/views/appearance.h"
#include "ui/views/bits_spin_box.h"
#include "ui/views/data_dialog.h"
#include "ui/views/distribution_panel.h"
#include "ui/views/distributions_page.h"
#include "ui/views/export_dialog.h"
#include "ui/views/flips_page.h"
#include "ui/views/graph_page.h"
#include "ui/views/graph_view.h"
#include "ui/views/energy_dialog.h"
#include "ui/views/help_window.h"
#include "ui/views/layers_view.h"
#include "ui/views/message_bar.h"
#include "ui/views/model_check_dialog.h"
#include "ui/views/options_panel.h"
#include "ui/views/options_study_page.h"
#include "ui/views/plan_panel.h"
#include "ui/views/runs_page.h"
#include "ui/views/search_page.h"
#include "ui/views/sensitivity_page.h"
#include "ui/views/studies_page.h"
#include "ui/views/study_charts.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 300'000;
constexpr auto chosenRow = QItemSelectionModel::Select | QItemSelectionModel::Rows;

struct Look {
    const char* name;
    Appearance appearance;
};
QSize windowSize()
{
    const QStringList sides = qEnvironmentVariable("QUANTOSCOPE_WINDOW", "1280x800").split(QLatin1Char('x'));
    return sides.size() == 2 ? QSize(sides[0].toInt(), sides[1].toInt()) : QSize(1280, 800);
}

constexpr Look looks[] = { { "light", Appearance::Light }, { "dark", Appearance::Dark } };

}

class TestScreenshots : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_screenshots");
        applyAppearance(Appearance::Light);
        // Nothing that another test left, and no button lit up because the pointer is there.
        QDir(QStandardPaths::writableLocation(QStandardPaths::AppDataLocation)).removeRecursively();
        QCursor::setPos(0, 0);
        m_window = std::make_unique<MainWindow>();
        m_window->resize(windowSize());
        m_window->show();
    }

    void startPage() { shootAll("start"); }

    void sample()
    {
        if (!Workbench::sampleData() || !std::filesystem::exists(Workbench::sampleModel()))
            QSKIP("the sample or Fashion-MNIST is not installed");
        DataRequest request = *Workbench::sampleData();
        request.limit = 1000;
        m_window->openModel(QString::fromStdString(Workbench::sampleModel().string()));
        m_window->openData(request);
        QTRY_VERIFY_WITH_TIMEOUT(
            m_window->session().floatResult() && m_window->session().accuracy().state == Accuracy::State::Done,
            patience);
        evaluateAt(6, 6);
        m_window->session().editBits({ 4, 5 }, Operand::Weight, 4);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        m_window->session().selectLayer(4);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->jobs().idle(), patience);
        m_window->showPage(m_window->distributions());
        shootAll("distributions");
        shootDistributionViews("");
        shootGraph("");
    }

    // One function each: a function that takes more than five minutes is aborted.
    void sweeps()
    {
        if (!m_window->session().data())
            QSKIP("the sample or Fashion-MNIST is not installed");
        m_window->showPage(m_window->studies());
        m_window->studies()->setSettings({ { 2, 3, 4, 5, 6, 8 }, { 2, 3, 4, 6, 8 } });
        m_window->workbench().startSweep({ { 2, 3, 4, 5, 6, 8 }, { 2, 3, 4, 6, 8 } });
        QTRY_VERIFY_WITH_TIMEOUT(
            m_window->session().sweep() && m_window->session().sweep()->points.size() > 8, patience);
        shootAll("sweep_running");
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sweep), patience);
        shootAll("studies");
        m_window->studies()->showNearFloat();
        shootAll("near_float");
        m_window->studies()->charts()->showOwn(m_window->studies()->lines());
        emit m_window->studies()->lines()->pointClicked(8);
        shootAll("studies_point");
        m_window->studies()->showMap();
        shootAll("map");
    }

    void options()
    {
        if (!m_window->session().data())
            QSKIP("the sample or Fashion-MNIST is not installed");
        compareOptions();
    }

    void searches()
    {
        if (!m_window->session().data())
            QSKIP("the sample or Fashion-MNIST is not installed");
        sensitivityAndSearch();
    }

    void results()
    {
        if (!m_window->session().data())
            QSKIP("the sample or Fashion-MNIST is not installed");
        m_window->showPage(m_window->runs());
        shootAll("runs");
        m_window->showPage(m_window->flips());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().flipTrace(), patience);
        shootAll("flips");
        m_window->flips()->showConfusion();
        shootAll("confusion");
        m_window->showPage(m_window->runs());
        QTableView* runs = m_window->runs()->table();
        runs->setFocus();
        runs->selectionModel()->select(runs->model()->index(2, 0), chosenRow);
        runs->selectionModel()->select(runs->model()->index(4, 0), chosenRow);
        m_window->runs()->compareButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(
            m_window->session().runComparison() && m_window->session().runComparison()->images > 0, patience);
        shootAll("compare");
    }

    void dialogs()
    {
        if (!m_window->session().data())
            QSKIP("the sample or Fashion-MNIST is not installed");
        // Where the sources lie does not belong into a picture.
        DataRequest request = m_window->session().data()->request;
        const std::filesystem::path classes = std::filesystem::temp_directory_path() / request.classes.filename();
        std::filesystem::copy_file(request.classes, classes, std::filesystem::copy_options::overwrite_existing);
        request.classes = classes;
        m_window->dataDialog()->setRequest(request);
        m_window->dataDialog()->show();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().dataPreview(), patience);
        shootBoth(m_window->dataDialog(), "data");
        m_window->modelCheck()->show();
        shootBoth(m_window->modelCheck(), "model_check");
        action("E&nergy model…")->trigger();
        shootBoth(m_window->energyDialog(), "energy");
        m_window->energyDialog()->hide();
        action("&Export…")->trigger();
        shootBoth(m_window->findChild<ExportDialog*>(), "export");
        action("&Keyboard and mouse")->trigger();
        shootBoth(m_window->help(), "shortcuts");
        action("&About Quantoscope")->trigger();
        shootBoth(m_window->findChild<QDialog*>(QStringLiteral("About")), "about");
        action("&Options and formulas")->trigger();
        shootBoth(m_window->help(), "help");
        QTimer::singleShot(0, this, [this] {
            auto* box = qobject_cast<QDialog*>(QApplication::activeModalWidget());
            shootBoth(box, "memory");
        });
        action("&Memory between evaluations…")->trigger();
        action("&Close project")->trigger();
        shootBoth(m_window->findChild<QDialog*>(QStringLiteral("UnsavedQuestion")), "unsaved");
        for (const char* title : { "&File", "&Run", "&View", "&Help" }) {
            QMenu* menu = action(title)->menu();
            menu->popup(m_window->mapToGlobal(QPoint(40, 40)));
            shoot(menu, "menu_" + QByteArray(title).mid(1).toLower(), looks[0]);
            menu->hide();
        }
        m_window->messages()->showError(
            { ErrorCode::NotFound, "there is no such file", "model.onnx", "choose another" },
            QStringLiteral("The model was not opened"), { QStringLiteral("Open another…"), [] {} });
        m_window->showPage(m_window->distributions());
        shootAll("message");
        m_window->messages()->clear();
    }

    /// A network of 200 layers, made for this, with images of noise.
    void deepModel()
    {
        if (!std::getenv("QUANTOSCOPE_SCREENSHOTS"))
            QSKIP("for pictures only: packaging/screenshots.sh");
        const test::TinyProject project(48, test::deepNetwork(99, 8, 32, 10));
        m_window->session().setModel(nullptr);
        m_window->openModel(project.modelPath());
        m_window->openData(project.dataRequest());
        QTRY_VERIFY2_WITH_TIMEOUT(m_window->session().model() && m_window->session().model()->layers.size() == 200
                && m_window->session().accuracy().state == Accuracy::State::Done,
            qPrintable(m_window->messages()->text()), patience);
        m_window->session().selectLayer(10);
        m_window->showPage(m_window->distributions());
        shootAll("distributions_deep");
        shootDistributionViews("_deep");
        shootGraph("_deep");
    }

private:
    void compareOptions()
    {
        OptionsStudyPage* page = m_window->optionsStudy();
        m_window->showPage(page);
        StudyChoices choices;
        choices.weightBits = QStringLiteral("3,4");
        choices.activationBits = QStringLiteral("8");
        choices.weightRanges = QStringList { QStringLiteral("min-max"), QStringLiteral("mse") };
        choices.weightGranularities = QStringList { QStringLiteral("tensor"), QStringLiteral("channel") };
        choices.corrections = QStringList { QStringLiteral("none"), QStringLiteral("gain-correction+bias-correction") };
        page->setChoices(choices);
        shootAll("options_setup");
        page->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Options), patience);
        emit page->chart()->pointClicked(0);
        shootAll("options_study");
        page->currentButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        m_window->showPage(m_window->distributions());
        m_window->layers()->table()->setColumnHidden(LayersModel::ActivationOwn, false);
        m_window->options()->ensureCorrectionsVisible();
        shootAll("corrections");
        m_window->layers()->table()->setColumnHidden(LayersModel::ActivationOwn, true);
    }

    void sensitivityAndSearch()
    {
        SensitivityPage* page = m_window->sensitivity();
        m_window->showPage(page);
        page->weightBits()->setText(QStringLiteral("2,3,4"));
        page->activationBits()->setText(QStringLiteral("2,3,4"));
        shootAll("sensitivity_empty");
        page->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Sensitivity), patience);
        emit page->chart()->pointClicked(5);
        m_window->session().setMeasure(Measure::Sensitivity);
        shootAll("sensitivity");
        SearchPage* search = m_window->search();
        m_window->showPage(search);
        search->weightBits()->setText(QStringLiteral("2,3,4,6,8"));
        search->activationBits()->setText(QStringLiteral("3,4,6,8"));
        search->startButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->workbench().running(Study::Search), patience);
        if (const auto& found = m_window->session().search(); found && found->chosen)
            emit search->chart()->pointClicked(static_cast<qsizetype>(*found->chosen));
        search->plan()->planButton()->setChecked(true);
        shootAll("search");
        m_window->session().setMeasure(Measure::None);
    }

    void shootDistributionViews(const QByteArray& model)
    {
        DistributionsPage* page = m_window->distributions();
        m_window->showPage(page);
        page->setView(DistributionsPage::View::Channels);
        page->weights()->setChannel(2);
        shootAll("channels" + model);
        page->channelChartBox()->setCurrentIndex(1);
        shootAll("channels_heat" + model);
        page->operandBox()->setCurrentIndex(1);
        shootAll("channels_activations" + model);
        page->channelChartBox()->setCurrentIndex(0);
        page->operandBox()->setCurrentIndex(0);
        page->setView(DistributionsPage::View::Layers);
        shootAll("ranges" + model);
        page->operandBox()->setCurrentIndex(1);
        shootAll("ranges_activations" + model);
        page->operandBox()->setCurrentIndex(0);
        page->setView(DistributionsPage::View::Histograms);
        page->weights()->setChannel(-1);
        page->logarithmicValues()->setChecked(true);
        shootAll("logarithmic" + model);
        page->logarithmicShares()->setChecked(true);
        shootAll("logarithmic_both" + model);
        page->logarithmicValues()->setChecked(false);
        page->logarithmicShares()->setChecked(false);
    }

    void shootGraph(const QByteArray& model)
    {
        m_window->showPage(m_window->graph());
        shootAll("graph" + model);
        m_window->session().setMeasure(Measure::WeightSqnr);
        m_window->graph()->view()->fit();
        shootAll("graph_fit" + model);
        m_window->session().setMeasure(Measure::None);
    }

    void evaluateAt(int weights, int activations)
    {
        m_window->options()->weightBits()->setBits(weights);
        m_window->options()->activationBits()->setBits(activations);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
    }

    QAction* action(const char* text) const
    {
        for (QAction* candidate : m_window->findChildren<QAction*>())
            if (candidate->text() == QString::fromUtf8(text))
                return candidate;
        qFatal("no action %s", text);
    }

    void shootBoth(QWidget* dialog, const QByteArray& name)
    {
        QVERIFY2(dialog, name.constData());
        for (const Look& look : looks)
            shoot(dialog, name, look);
        applyAppearance(Appearance::Light);
        auto* closed = qobject_cast<QDialog*>(dialog);
        closed ? closed->reject() : dialog->hide();
    }

    void shootAll(const QByteArray& page)
    {
        for (const Look& look : looks)
            shoot(m_window.get(), page, look);
        QCOMPARE(m_window->size(), windowSize()); // no page asks for more
        applyAppearance(Appearance::Light);
    }

    void shoot(QWidget* widget, const QByteArray& page, const Look& look)
    {
        applyAppearance(look.appearance);
        for (int i = 0; i < 5; ++i)
            QTest::qWait(20);
        const QImage image = widget->grab().toImage();
        QVERIFY(!image.isNull());
        QSet<QRgb> colours;
        for (int y = 0; y < image.height(); y += 7)
            for (int x = 0; x < image.width(); x += 7)
                colours.insert(image.pixel(x, y));
        QVERIFY2(colours.size() > 4, page.constData());
        if (const char* folder = std::getenv("QUANTOSCOPE_SCREENSHOTS")) {
            QVERIFY(QDir().mkpath(QString::fromLocal8Bit(folder)));
            QVERIFY(image.save(
                QStringLiteral("%1/%2_%3.png")
                    .arg(QString::fromLocal8Bit(folder), QString::fromUtf8(page), QLatin1String(look.name))));
        }
    }

    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestScreenshots)
#include "tst_screenshots.moc"
