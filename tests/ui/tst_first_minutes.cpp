// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// What a person meets first: the preview of images, a preparation that does not fit, the model check, help.
#include <QAbstractButton>
#include <QAbstractItemView>
#include <QAbstractSpinBox>
#include <QAccessible>
#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDialog>
#include <QDirIterator>
#include <QDockWidget>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QRegularExpression>
#include <QScrollBar>
#include <QSettings>
#include <QSpinBox>
#include <QTabWidget>
#include <QTableView>
#include <QTemporaryDir>
#include <QTest>
#include <QTextBlock>
#include <QTextBrowser>
#include <QToolButton>

#include "core/base/random.h"
#include "core/onnx_io/writer.h"
#include "tests/ui/fresh_start.h"
#include "tests/ui/tiny_project.h"
#include "ui/main_window.h"
#include "ui/session/data_checks.h"
#include "ui/session/model_check.h"
#include "ui/session/work.h"
#include "ui/views/data_dialog.h"
#include "ui/views/data_preview.h"
#include "ui/views/distributions_page.h"
#include "ui/views/graph_page.h"
#include "ui/views/help_window.h"
#include "ui/views/message_bar.h"
#include "ui/views/model_check_dialog.h"
#include "ui/views/options_panel.h"
#include "ui/views/visible_export.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000;

/// A check of a model with these nodes more than a small network has.
ModelCheckPtr checkOf(const std::function<void(graph::Graph&)>& change)
{
    graph::Model model;
    model.graph = test::smallConvNet(3, 32, 10);
    change(model.graph);
    LoadedModel read;
    read.name = QStringLiteral("made.onnx");
    read.source = std::make_shared<const graph::Model>(model);
    const auto loaded = prepareModel(read, true);
    return checkModel(model, read.name, loaded ? loaded->get() : nullptr);
}

bool has(const ModelCheck& check, ModelFinding::Kind kind, const QString& text)
{
    return std::ranges::any_of(check.findings,
        [&](const ModelFinding& finding) { return finding.kind == kind && finding.title.contains(text); });
}

} // namespace

class TestFirstMinutes : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_first_minutes");
        m_tiny = std::make_unique<test::TinyProject>();
    }

    void init()
    {
        m_window = std::make_unique<MainWindow>();
        m_window->show();
    }

    void cleanup() { m_window.reset(); }

    void imagesAreShownAsTheNetworkSeesThem()
    {
        m_window->openModel(m_tiny->modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().model(), patience);
        DataDialog* dialog = m_window->dataDialog();
        dialog->setRequest(m_tiny->dataRequest());
        dialog->show();
        QTRY_COMPARE_WITH_TIMEOUT(dialog->preview()->images()->count(), 18, patience);
        QVERIFY(dialog->preview()->text().contains(QStringLiteral("3×32×32")));
        QVERIFY(!dialog->preview()->images()->item(0)->icon().isNull());
        QVERIFY(!dialog->preview()->images()->item(0)->text().isEmpty());
        // What does not fit the model is said before anything is opened.
        DataRequest request = m_tiny->dataRequest();
        request.preprocessing.crop = { 24, 24 };
        dialog->setRequest(request);
        QTRY_VERIFY_WITH_TIMEOUT(dialog->preview()->text().contains(QStringLiteral("3×24×24")), patience);
        QVERIFY(dialog->preview()->text().contains(QStringLiteral("Crop to 32")));
        request.preprocessing.crop = {};
        request.preprocessing.channels = dataset::Channels::Gray;
        dialog->setRequest(request);
        QTRY_VERIFY_WITH_TIMEOUT(dialog->preview()->text().contains(QStringLiteral("RGB or BGR")), patience);
        QVERIFY(!m_window->session().data());
        request.path = "/nonexistent/images.bin";
        dialog->setRequest(request);
        QTRY_VERIFY_WITH_TIMEOUT(dialog->preview()->text().contains(QStringLiteral("images.bin")), patience);
        QCOMPARE(dialog->preview()->images()->count(), 0);
    }

    void aPreparationThatFitsIsOffered()
    {
        // The labels are what the network says of values from 0 to 1 in RGB: any other preparation is near chance.
        DataRequest wrong = m_tiny->dataRequest();
        wrong.preprocessing = *dataset::Preprocessing::named("raw");
        wrong.preprocessing.channels = dataset::Channels::Bgr;
        m_window->openModel(m_tiny->modelPath());
        const auto model = [this] { return m_window->session().model(); };
        QTRY_VERIFY_WITH_TIMEOUT(model(), patience);
        const auto found = findVariant(wrong, *model());
        QVERIFY(found.has_value());
        if (!*found)
            QSKIP("this network does not mind");
        QCOMPARE((*found)->after, 100.0);
        QVERIFY((*found)->request.preprocessing.channels == dataset::Channels::Rgb);
        QCOMPARE((*found)->request.preprocessing.scale, 1.0F / 255);
        QVERIFY((*found)->difference.contains(QStringLiteral("RGB")));
        // And nothing is where nothing is wrong.
        const auto none = findVariant(m_tiny->dataRequest(), *model());
        QVERIFY(none.has_value() && !*none);

        m_window->openData(wrong);
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().floatResult(), patience);
        m_window->session().setDataVariant(*found);
        m_window->dataDialog()->show();
        QVERIFY(m_window->dataDialog()->variantButton()->isVisible());
        QVERIFY(m_window->dataDialog()->outcome().contains(QStringLiteral("RGB")));
        m_window->dataDialog()->variantButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(
            m_window->session().floatResult() && m_window->session().floatResult()->top1() == 100, patience);
        QVERIFY(!m_window->dataDialog()->variantButton()->isVisible());
    }

    void theModelCheckFindsWhatThereIs()
    {
        const auto plain = checkOf([](graph::Graph&) {});
        QVERIFY(plain->usable);
        QCOMPARE(plain->warnings(), 0);
        QVERIFY(has(*plain, ModelFinding::Kind::Good, QStringLiteral("Every operator")));

        const auto strange = checkOf([](graph::Graph& graph) {
            for (const auto id : graph.nodes())
                if (graph.node(id).opType == "Relu") {
                    graph.node(id).opType = "Frobnicate";
                    break;
                }
        });
        QVERIFY(!strange->usable);
        QVERIFY(has(*strange, ModelFinding::Kind::Blocker, QStringLiteral("Frobnicate")));
    }

    void biasesAreForecastOnceThereAreStatistics()
    {
        m_window->openModel(m_tiny->modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().modelCheck(), patience);
        QVERIFY(m_window->session().modelCheck()->biases.empty());
        m_window->openData(m_tiny->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(!m_window->session().modelCheck()->biases.empty(), patience);
        const QString titles = m_window->modelCheck()->titles().join(QLatin1Char('\n'));
        QVERIFY(titles.contains(QStringLiteral("32 bits")));
        QVERIFY2(titles.contains(QStringLiteral("no external data")), qPrintable(titles));
        QStringList shown;
        for (const QLabel* label : m_window->modelCheck()->findChildren<QLabel*>())
            shown << label->text();
        QVERIFY2(shown.contains(m_window->session().model()->name), "the model it is about is named");
        QVERIFY(!shown.join(QLatin1Char('\n')).contains(QStringLiteral("s_x")));
        // Eight bits are few for a sum.
        planning::PlanRequest request;
        request.biasBits = 8;
        const auto forecast
            = forecastBiases(*m_window->session().model()->graph, *m_window->session().stats(), request);
        QVERIFY(forecast.has_value());
        QCOMPARE(forecast->front().kind, ModelFinding::Kind::Warning);
        request.weights.bits.reset();
        const auto none = forecastBiases(*m_window->session().model()->graph, *m_window->session().stats(), request);
        QCOMPARE(none->front().kind, ModelFinding::Kind::Note);
    }

    void everyShortcutIsInTheHelp()
    {
        HelpWindow help;
        help.showPage(QStringLiteral("keyboard"));
        const QString text = help.browser()->toPlainText();
        int shortcuts = 0;
        for (const QAction* action : m_window->findChildren<QAction*>())
            for (const QKeySequence& keys : action->shortcuts()) {
                const QString name = keys.toString(QKeySequence::PortableText);
                static const QRegularExpression page(QStringLiteral("^Ctrl\\+[2-4]$")); // "Ctrl+1 … Ctrl+5"
                if (page.match(name).hasMatch())
                    continue;
                QVERIFY2(text.contains(name), qPrintable(name + QLatin1Char(' ') + action->text()));
                ++shortcuts;
            }
        QVERIFY2(shortcuts > 15, qPrintable(QString::number(shortcuts)));
    }

    void everyHelpPageIsThere()
    {
        HelpWindow help;
        help.show();
        for (int row = 0; row < help.contents()->count(); ++row) {
            help.contents()->setCurrentRow(row);
            const QString text = help.browser()->toPlainText();
            QVERIFY2(text.size() > 200, qPrintable(help.contents()->item(row)->text()));
            // Links lead somewhere.
            for (QTextBlock block = help.browser()->document()->begin(); block.isValid(); block = block.next())
                for (auto at = block.begin(); !at.atEnd(); ++at) {
                    const QString link = at.fragment().charFormat().anchorHref();
                    if (!link.isEmpty() && link != QLatin1String("operators.md"))
                        QVERIFY2(QFile::exists(QStringLiteral(":/help/") + link), qPrintable(link));
                }
        }
        help.showPage(QStringLiteral("operators"));
        QVERIFY(help.browser()->toPlainText().contains(QStringLiteral("Conv")));
        help.showPage(QStringLiteral("options"));
        QCOMPARE(help.contents()->currentItem()->text(), tr("Options and formulas"));
        help.search()->setText(QStringLiteral("GPTQ"));
        QCOMPARE(help.browser()->textCursor().selectedText(), QStringLiteral("GPTQ"));
    }

    void helpIsAboutWhatHasTheFocus()
    {
        m_window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        QTest::keyClick(m_window.get(), Qt::Key_F1);
        QVERIFY(m_window->help() && m_window->help()->isVisible());
        QCOMPARE(m_window->help()->contents()->currentRow(), 0);
    }

    void everyControlExplainsItself()
    {
        m_window->openModel(m_tiny->modelPath());
        m_window->openData(m_tiny->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        QStringList silent;
        for (const QWidget* widget : m_window->findChildren<QWidget*>()) {
            const QString name = QString::fromLatin1(widget->metaObject()->className()) + QLatin1Char(' ')
                + widget->objectName() + QLatin1Char(' ') + widget->accessibleName();
            // Part of another control, or of a dialog that Qt made.
            const bool part = QByteArray(widget->metaObject()->className()) == "QTableCornerButton"
                || qobject_cast<const QAbstractSpinBox*>(widget->parent())
                || qobject_cast<const QLineEdit*>(widget->parent()) || qobject_cast<const QComboBox*>(widget->parent())
                || (widget->parent() && widget->objectName().startsWith(QLatin1String("qt_")));
            if (part)
                continue;
            if (qobject_cast<const QComboBox*>(widget) || qobject_cast<const QAbstractSpinBox*>(widget)
                || qobject_cast<const QLineEdit*>(widget) || qobject_cast<const QAbstractSlider*>(widget)) {
                if (qobject_cast<const QScrollBar*>(widget))
                    continue;
                if (QAccessible::queryAccessibleInterface(const_cast<QWidget*>(widget))
                        ->text(QAccessible::Name)
                        .isEmpty())
                    silent << QStringLiteral("no accessible name: ") + name;
                if (widget->focusPolicy() == Qt::NoFocus)
                    silent << QStringLiteral("out of the tab order: ") + name;
                if (widget->toolTip().isEmpty() && m_window->options()->isAncestorOf(widget))
                    silent << QStringLiteral("no tooltip: ") + name;
            }
            if (const auto* button = qobject_cast<const QAbstractButton*>(widget))
                if (button->text().isEmpty() && button->accessibleName().isEmpty() && button->toolTip().isEmpty()
                    && !button->objectName().startsWith(QLatin1String("qt_")))
                    silent << QStringLiteral("a button that says nothing: ") + name
                            + QString::fromLatin1(widget->parent()->metaObject()->className());
        }
        QVERIFY2(silent.isEmpty(), qPrintable(silent.join(QLatin1Char('\n'))));
    }

    void docksComeWithAModel()
    {
        const auto docks = m_window->findChildren<QDockWidget*>();
        QCOMPARE(docks.size(), 2);
        QVERIFY(!docks[0]->isVisible() && !docks[1]->isVisible());
        m_window->openModel(m_tiny->modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().model(), patience);
        QVERIFY(docks[0]->isVisible() && docks[1]->isVisible());
        QVERIFY(docks[0]->width() > 200 && docks[1]->width() > 200);
        docks[1]->close();
        m_window->workbench().close();
        QVERIFY(!docks[0]->isVisible());
        QVERIFY(!docks[0]->toggleViewAction()->isEnabled());
        m_window->openModel(m_tiny->modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().model(), patience);
        QVERIFY(docks[0]->isVisible());
        QVERIFY2(!docks[1]->isVisible(), "what a person closed stays closed");
        // A window that ends without a model remembers how it was with one.
        m_window->workbench().close();
        m_window->close();
        m_window = std::make_unique<MainWindow>();
        m_window->show();
        m_window->openModel(m_tiny->modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().model(), patience);
        const auto again = m_window->findChildren<QDockWidget*>();
        QVERIFY(again[0]->isVisible() && !again[1]->isVisible());
        QSettings().clear();
    }

    void everythingIsReachedByTab()
    {
        m_window->openModel(m_tiny->modelPath());
        m_window->openData(m_tiny->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        m_window->activateWindow();
        QVERIFY(QTest::qWaitForWindowActive(m_window.get()));
        for (int page = 0; page < m_window->pages()->count(); ++page) {
            m_window->pages()->setCurrentIndex(page);
            m_window->pages()->setFocus();
            const QWidget* first = QApplication::focusWidget();
            QVERIFY(first);
            QSet<const QWidget*> reached;
            constexpr int manyTabs = 400;
            for (int tabs = 0; tabs < manyTabs && (tabs == 0 || QApplication::focusWidget() != first); ++tabs) {
                reached.insert(QApplication::focusWidget());
                QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
                QVERIFY(QApplication::focusWidget());
            }
            QStringList missed;
            for (const QWidget* widget : m_window->findChildren<QWidget*>()) {
                const bool wanted = widget->isVisible() && widget->isEnabled()
                    && (widget->focusPolicy() & Qt::TabFocus) == Qt::TabFocus && !widget->focusProxy();
                // Of buttons that exclude each other Tab reaches the one that is on, and arrows the others.
                const auto* button = qobject_cast<const QAbstractButton*>(widget);
                const bool other = button && button->group() && !button->isChecked();
                if (wanted && !other && !reached.contains(widget))
                    missed << QString::fromLatin1(widget->metaObject()->className()) + QLatin1Char(' ')
                            + widget->accessibleName();
            }
            QVERIFY2(missed.isEmpty(),
                qPrintable(m_window->pages()->tabText(page) + QLatin1String(": ") + missed.join(QLatin1String(", "))));
        }
    }

    void dialogsExplainThemselves()
    {
        m_window->openModel(m_tiny->modelPath());
        m_window->openData(m_tiny->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        for (const char* text : { "&Export…", "Open &images…", "Model &check…", "&Keyboard and mouse",
                 "&About Quantoscope", "&Options and formulas" }) {
            const auto actions = m_window->findChildren<QAction*>();
            const auto found = std::ranges::find(actions, QString::fromUtf8(text), &QAction::text);
            QVERIFY2(found != actions.end(), text);
            (*found)->trigger();
        }
        const auto dialogs = m_window->findChildren<QDialog*>();
        QVERIFY(dialogs.size() >= 5);
        QStringList silent;
        for (QDialog* dialog : dialogs) {
            if (dialog->windowTitle().isEmpty())
                silent << QStringLiteral("a dialog without a title: ") + dialog->objectName();
            for (QWidget* widget : dialog->findChildren<QWidget*>()) {
                const bool item = (qobject_cast<QAbstractItemView*>(widget) && !qobject_cast<QHeaderView*>(widget))
                    || qobject_cast<QTextBrowser*>(widget);
                const bool field = qobject_cast<QComboBox*>(widget) || qobject_cast<QAbstractSpinBox*>(widget)
                    || qobject_cast<QLineEdit*>(widget);
                if ((!item && !field) || widget->objectName().startsWith(QLatin1String("qt_"))
                    || qobject_cast<QComboBox*>(widget->parent())
                    || widget->parent()->inherits("QComboBoxPrivateContainer"))
                    continue;
                const auto* spoken = QAccessible::queryAccessibleInterface(widget);
                if (!spoken || spoken->text(QAccessible::Name).isEmpty())
                    silent << dialog->windowTitle() + QLatin1String(": ")
                            + QString::fromLatin1(widget->metaObject()->className());
            }
        }
        QVERIFY2(silent.isEmpty(), qPrintable(silent.join(QLatin1Char('\n'))));
    }

    /// What a person reads goes through tr(): nothing with a word in it is set as it stands in the source.
    void textsAreTranslated()
    {
        static const QRegularExpression bare(QStringLiteral(
            "(?:set(?:Text|ToolTip|WindowTitle|PlaceholderText|Label|Title|Message|AccessibleName|"
            "AccessibleDescription|"
            "Suffix|Prefix|SpecialValueText|InformativeText)|show(?:Notice|Offer)|add(?:Item|Action|Tab|Row)|"
            "Q(?:Label|PushButton|CheckBox|Action|GroupBox|DockWidget))\\((?:QStringLiteral\\(|QLatin1String\\()?"
            "\"(?!NCHW|NHWC)[^\"<]*[A-Za-z]{2}"));
        QStringList found;
        QDirIterator files(QStringLiteral(QS_SOURCE_DIR "/ui"), { QStringLiteral("*.cpp") }, QDir::Files,
            QDirIterator::Subdirectories);
        int count = 0;
        while (files.hasNext()) {
            QFile file(files.next());
            QVERIFY(file.open(QIODevice::ReadOnly));
            ++count;
            const QString source = QString::fromUtf8(file.readAll());
            auto matches = bare.globalMatch(source);
            while (matches.hasNext())
                found << file.fileName() + QLatin1String(": ") + matches.next().captured(0);
        }
        QVERIFY(count > 50);
        QVERIFY2(found.isEmpty(), qPrintable(found.join(QLatin1Char('\n'))));
    }

    void aSmallScreenIsEnough()
    {
        m_window->openModel(m_tiny->modelPath());
        m_window->openData(m_tiny->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        const auto fits = [this](const QString& what) {
            m_window->resize(1024, 700);
            QTest::qWait(20);
            QVERIFY2(m_window->size() == QSize(1024, 700),
                qPrintable(QStringLiteral("%1: %2 x %3").arg(what).arg(m_window->width()).arg(m_window->height())));
        };
        for (int page = 0; page < m_window->pages()->count(); ++page) {
            m_window->pages()->setCurrentIndex(page);
            fits(m_window->pages()->tabText(page));
            auto* tabs = qobject_cast<QTabWidget*>(m_window->pages()->widget(page));
            for (int tab = 0; tabs && tab < tabs->count(); ++tab) {
                tabs->setCurrentIndex(tab);
                fits(tabs->tabText(tab));
            }
        }
        using View = DistributionsPage::View;
        m_window->showPage(m_window->distributions());
        for (const View view : { View::Channels, View::Layers, View::Histograms }) {
            m_window->distributions()->setView(view);
            fits(m_window->distributions()->viewButton(view)->text());
        }
        m_window->resize(3840, 2160);
        QTest::qWait(20);
        QCOMPARE(m_window->size(), QSize(3840, 2160));
    }

    void whatIsVisibleIsSaved()
    {
        m_window->resize(1280, 800);
        m_window->openModel(m_tiny->modelPath());
        m_window->openData(m_tiny->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        const QTemporaryDir folder;
        const auto files = exportVisible(*m_window, folder.path().toStdString());
        QVERIFY(files.has_value());
        // Two histograms three times, and the layers.
        QCOMPARE(files->size(), std::size_t(7));
        for (const auto& file : *files)
            QVERIFY2(std::filesystem::file_size(file) > 100, file.c_str());
        QVERIFY(!exportVisible(*m_window, "/nonexistent/folder").has_value());
        // Of the graph all nodes, whatever is in sight, and the layers.
        m_window->showPage(m_window->graph());
        const QTemporaryDir other;
        const auto drawn = exportVisible(*m_window, other.path().toStdString());
        QVERIFY(drawn.has_value());
        QCOMPARE(drawn->size(), std::size_t(2));
        const QImage picture(QString::fromStdString(drawn->front().string()));
        QVERIFY(picture.height() >= m_window->session().model()->map->height);
        QCOMPARE(picture.pixelColor(0, 0), QColor(Qt::white));
    }

    void everyTableIsCopied()
    {
        m_window->openModel(m_tiny->modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().model(), patience);
        for (const QTableView* table : m_window->findChildren<QTableView*>()) {
            const auto actions = table->actions();
            const auto copy = std::ranges::find(actions, tr("Copy table"), &QAction::text);
            QVERIFY2(copy != actions.end(), qPrintable(table->accessibleName()));
            QGuiApplication::clipboard()->clear();
            (*copy)->trigger();
            const QString text = QGuiApplication::clipboard()->text();
            QCOMPARE(text.count(QLatin1Char('\n')), table->model()->rowCount() + 1);
            QVERIFY(text.contains(QLatin1Char('\t')));
        }
    }

private:
    std::unique_ptr<test::TinyProject> m_tiny;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestFirstMinutes)
#include "tst_first_minutes.moc"
