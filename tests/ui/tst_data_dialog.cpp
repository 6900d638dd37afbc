// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui integration
// Choosing images: what is kept of those before, what suits the new ones, warnings, and errors where they are looked
// for.
#include <QComboBox>
#include <QDir>
#include <QFileDialog>
#include <QFileIconProvider>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QSettings>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>

#include "tests/ui/fresh_start.h"
#include "tests/ui/tiny_project.h"
#include "ui/main_window.h"
#include "ui/views/accuracy_badge.h"
#include "ui/views/data_dialog.h"
#include "ui/views/data_preview.h"
#include "ui/views/file_choice.h"
#include "ui/views/job_strip.h"
#include "ui/views/message_bar.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 60'000;

void writeFile(const QString& path, const QByteArray& bytes)
{
    QFile file(path);
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size())
        qFatal("cannot write %s", qPrintable(path));
}

/// A folder of pictures of one label, of many sizes but none smaller than `side`.
void writePictures(const QString& folder, int count, int side)
{
    QDir().mkpath(folder);
    QByteArray labels;
    for (int i = 0; i < count; ++i) {
        QImage image(side + 7 * (i % 5), side + 3 * (i % 4), QImage::Format_RGB888);
        image.fill(QColor::fromHsv(37 * i % 360, 200, 200));
        const QString name = QStringLiteral("%1.png").arg(i, 3, 10, QLatin1Char('0'));
        if (!image.save(folder + QLatin1Char('/') + name))
            qFatal("cannot write a picture");
        labels += name.toLatin1() + " 0\n";
    }
    writeFile(folder + QStringLiteral("/labels.txt"), labels);
}

/// Gray images of 28 x 28 with labels beside them.
void writeIdx(const QString& folder, int count)
{
    QDir().mkpath(folder);
    const char extents[] = { 0, 0, 8, 3, 0, 0, 0, static_cast<char>(count), 0, 0, 0, 28, 0, 0, 0, 28 };
    const char labels[] = { 0, 0, 8, 1, 0, 0, 0, static_cast<char>(count) };
    writeFile(folder + QStringLiteral("/t10k-images-idx3-ubyte"),
        QByteArray(extents, sizeof extents) + QByteArray(count * 28 * 28, '\x40'));
    writeFile(
        folder + QStringLiteral("/t10k-labels-idx1-ubyte"), QByteArray(labels, sizeof labels) + QByteArray(count, 1));
}

} // namespace

class TestDataDialog : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        test::freshStart("tst_data_dialog");
        m_tiny = std::make_unique<test::TinyProject>();
        QVERIFY(m_folder.isValid());
        writePictures(at("photos"), 40, 150);
        writeIdx(at("gray"), 20);
        QDir().mkpath(at("few"));
        writeFile(at("few/labels.txt"), "1\n2\n3\n");
    }

    void init()
    {
        QSettings().clear();
        m_window = std::make_unique<MainWindow>();
        m_window->show();
    }

    void cleanup() { m_window.reset(); }

    void otherImagesForgetWhatWasSaidOfThoseBefore()
    {
        openTiny();
        DataRequest request = m_tiny->dataRequest();
        request.kind = dataset::Kind::Cifar10;
        request.preprocessing.channels = dataset::Channels::Bgr;
        request.calibrationResize = 32;
        dialog()->setRequest(request);
        settle("test_batch.bin");
        type("Images", at("photos"));
        settle("photos");
        const auto now = *dialog()->request();
        QVERIFY(now.calibrationPath.empty());
        QVERIFY(!now.calibrationResize);
        QCOMPARE(now.kind, dataset::Kind::Auto);
        // What the model takes, from pictures of many sizes; the order of channels is the model's.
        QCOMPARE(now.preprocessing.resize, dataset::Resize(32));
        QCOMPARE(now.preprocessing.crop, (dataset::Extent { 32, 32 }));
        QCOMPARE(now.preprocessing.channels, dataset::Channels::Bgr);
        QCOMPARE(dialog()->warning(), QString());
        QVERIFY(dialog()->preview()->text().contains(QStringLiteral("3×32×32")));

        // And back: pictures of that size need nothing.
        type("Images", path(m_tiny->dataRequest().path));
        settle("test_batch.bin");
        QCOMPARE(dialog()->request()->preprocessing.crop, dataset::Extent {});
        QVERIFY(dialog()->request()->preprocessing.resize.none());
    }

    void labelsAndClassesGoWithTheirImages()
    {
        writeFile(at("classes.txt"), "a\nb\n");
        DataRequest request;
        request.path = at("gray/t10k-images-idx3-ubyte").toStdString();
        request.labels = at("gray/t10k-labels-idx1-ubyte").toStdString();
        request.classes = at("classes.txt").toStdString();
        request.preprocessing.channels = dataset::Channels::Gray;
        dialog()->setRequest(request);
        dialog()->show();
        settle("t10k");
        type("Images", path(m_tiny->dataRequest().path));
        settle("test_batch.bin");
        QVERIFY(dialog()->request()->labels.empty() && dialog()->request()->classes.empty());
        QVERIFY(dialog()->openButton()->isEnabled());
    }

    void calibrationStaysWithinADataSet()
    {
        openTiny();
        dialog()->setRequest(m_tiny->dataRequest());
        settle("test_batch.bin");
        const QString sibling = m_tiny->folder() + QStringLiteral("/test_batch_2.bin");
        QFile::copy(path(m_tiny->dataRequest().path), sibling);
        type("Images", sibling);
        settle("test_batch_2.bin");
        QCOMPARE(dialog()->request()->calibrationPath, m_tiny->dataRequest().calibrationPath);
    }

    void whatWasChosenForTheNewImagesStays()
    {
        openTiny();
        dialog()->setRequest(m_tiny->dataRequest());
        settle("test_batch.bin");
        type("Images", at("photos"));
        field<QLineEdit>("Calibration images")->setText(at("photos"));
        type("Crop", QStringLiteral("24"));
        settle("3×24×24");
        const auto now = *dialog()->request();
        QCOMPARE(path(now.calibrationPath), at("photos"));
        QCOMPARE(now.preprocessing.crop, (dataset::Extent { 24, 24 }));
        QCOMPARE(now.preprocessing.resize, dataset::Resize(32));
    }

    void channelsFollowTheImagesWhereThereIsNoModel()
    {
        dialog()->show();
        type("Images", at("gray/t10k-images-idx3-ubyte"));
        settle("1×28×28");
        QCOMPARE(dialog()->request()->preprocessing.channels, dataset::Channels::Gray);
        auto* kind = field<QComboBox>(nullptr, tr("IDX (MNIST)"));
        kind->setCurrentIndex(kind->findText(tr("IDX (MNIST)")));
        type("Images", path(m_tiny->dataRequest().path));
        settle("3×32×32");
        QCOMPARE(dialog()->request()->preprocessing.channels, dataset::Channels::Rgb);
        QCOMPARE(dialog()->request()->kind, dataset::Kind::Auto);
        QVERIFY(dialog()->openButton()->isEnabled());
    }

    void inputsNeedNotBeSquare()
    {
        const test::TinyProject wide(8, test::smallConvNet(3, 24, 32, 10));
        m_window->openModel(wide.modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().model(), patience);
        dialog()->show();
        type("Images", at("photos"));
        settle("3×24×32");
        QVERIFY(dialog()->request()->preprocessing.resize == dataset::Extent({ 24, 32 }));
        QCOMPARE(field<QLineEdit>("Resize")->text(), QStringLiteral("32x24"));
        QVERIFY(dialog()->request()->preprocessing.crop.none());
        type("Resize", QStringLiteral("40 × 30"));
        QTRY_VERIFY2_WITH_TIMEOUT(
            dialog()->preview()->text().contains(QStringLiteral("Set Resize or Crop to 32x24 pixels")),
            qPrintable(dialog()->preview()->text()), patience);
        type("Crop", QStringLiteral("32x24"));
        settle("3×24×32");
        dialog()->openButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().floatResult(), patience);
        QVERIFY(m_window->session().data()->request.preprocessing.resize == dataset::Extent({ 30, 40 }));
    }

    void whatIsNoSizeIsRefused()
    {
        openTiny();
        type("Images", at("photos"));
        settle("3×32×32");
        for (const char* name : { "Resize", "Crop", "Resize of calibration images", "Crop of calibration images" }) {
            const QString before = field<QLineEdit>(name)->text();
            type(name, QStringLiteral("32x"));
            QTRY_VERIFY_WITH_TIMEOUT(!dialog()->openButton()->isEnabled(), patience);
            QVERIFY2(dialog()->outcome().contains(QStringLiteral("%1: '32x' is no size").arg(QLatin1String(name)))
                    || dialog()->outcome().contains(QStringLiteral("%1 '32x' is no size").arg(QLatin1String(name))),
                qPrintable(dialog()->outcome()));
            type(name, before);
            QTRY_VERIFY_WITH_TIMEOUT(dialog()->openButton()->isEnabled(), patience);
            QVERIFY2(!dialog()->outcome().contains(QStringLiteral("no size")), qPrintable(dialog()->outcome()));
        }
    }

    void calibrationImagesHaveSizesOfTheirOwn()
    {
        openTiny();
        dialog()->setRequest(m_tiny->dataRequest());
        settle("test_batch.bin");
        type("Resize of calibration images", QStringLiteral("40x36"));
        type("Crop of calibration images", QStringLiteral("32"));
        const auto request = *dialog()->request();
        QVERIFY(request.calibrationResize == dataset::Resize(dataset::Extent { 36, 40 }));
        QVERIFY(request.calibrationCrop == (dataset::Extent { 32, 32 }));
        dialog()->openButton()->click();
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().data(), patience);
        const auto& used = m_window->session().data()->calibration->preprocessing();
        QVERIFY(used.resize == request.calibrationResize && used.crop == request.calibrationCrop);
        QVERIFY(m_window->session().data()->evaluation->preprocessing().resize.none());
        m_window->workbench().project().saveAs(at("sizes.qscope").toStdString());
        QTRY_VERIFY_WITH_TIMEOUT(QFile::exists(at("sizes.qscope")) && m_window->jobs().idle(), patience);
        m_window = std::make_unique<MainWindow>();
        m_window->show();
        m_window->openProject(at("sizes.qscope"));
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().data(), patience);
        QVERIFY(m_window->session().data()->request == request);
    }

    void imagesThatAreDroppedAreRecognisedToo()
    {
        openTiny();
        m_window->openFile(at("photos"));
        settle("3×32×32");
        QCOMPARE(dialog()->request()->preprocessing.crop, (dataset::Extent { 32, 32 }));
    }

    void strangeCalibrationImagesAreWarnedOf()
    {
        openTiny();
        type("Images", at("photos"));
        settle("photos");
        field<QLineEdit>("Calibration images")->setText(path(m_tiny->dataRequest().calibrationPath));
        QTRY_VERIFY_WITH_TIMEOUT(dialog()->warning().contains(QStringLiteral("calibration images")), patience);
        QVERIFY2(dialog()->warning().startsWith(QStringLiteral("The calibration images, data_batch_1.bin, are 32×32")),
            qPrintable(dialog()->warning()));
        QVERIFY(dialog()->openButton()->isEnabled()); // a person may know better
        field<QLineEdit>("Calibration images")->clear();
        QTRY_COMPARE_WITH_TIMEOUT(dialog()->warning(), QString(), patience);
    }

    void aCropThatIsFilledUpIsWarnedOf()
    {
        dialog()->show();
        type("Images", path(m_tiny->dataRequest().path));
        settle("3×32×32");
        type("Crop", QStringLiteral("224"));
        QTRY_VERIFY_WITH_TIMEOUT(dialog()->warning().contains(QStringLiteral("Set Resize to 224")), patience);
        type("Resize", QStringLiteral("256"));
        QTRY_COMPARE_WITH_TIMEOUT(dialog()->warning(), QString(), patience);
    }

    void imagesThatCannotBeReadCannotBeOpened()
    {
        dialog()->show();
        type("Images", at("gray/t10k-images-idx3-ubyte"));
        settle("1×28×28");
        field<QLineEdit>("Labels")->setText(at("few/labels.txt"));
        QTRY_VERIFY_WITH_TIMEOUT(!dialog()->openButton()->isEnabled(), patience);
        QVERIFY2(dialog()->preview()->text().contains(QStringLiteral(">labels.txt")),
            qPrintable(dialog()->preview()->text()));
        field<QLineEdit>("Labels")->clear();
        QTRY_VERIFY_WITH_TIMEOUT(dialog()->openButton()->isEnabled(), patience);
        field<QLineEdit>("Calibration images")->setText(at("nowhere.bin"));
        QTRY_VERIFY_WITH_TIMEOUT(!dialog()->openButton()->isEnabled(), patience);
        QVERIFY(dialog()->preview()->text().contains(QStringLiteral("nowhere.bin: no such file")));
    }

    void theDialogSaysWhyImagesWereNotOpened()
    {
        QDir().mkpath(at("torn"));
        writePictures(at("torn"), 40, 40);
        auto seen = dataset::sampleIndices(40, 18, 0);
        for (const auto index : dataset::sampleIndices(40, 6, 0))
            seen.push_back(index);
        int unseen = 0;
        while (std::ranges::find(seen, unseen) != seen.end())
            ++unseen;
        const QString torn = QStringLiteral("%1.png").arg(unseen, 3, 10, QLatin1Char('0'));
        writeFile(at("torn/") + torn, "no picture");
        dialog()->show();
        type("Images", at("torn"));
        settle("3×224×224");
        dialog()->openButton()->click();
        QTRY_VERIFY2_WITH_TIMEOUT(dialog()->outcome().contains(torn), qPrintable(dialog()->outcome()), patience);
        QVERIFY(!m_window->session().data());
    }

    void openWaitsForWhatSuitsTheImages()
    {
        openTiny();
        type("Images", at("photos"));
        dialog()->openButton()->click(); // before anything is known of them
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().data(), patience);
        QCOMPARE(m_window->session().data()->request.preprocessing.crop, (dataset::Extent { 32, 32 }));
    }

    void theWindowSaysWhatCalibrated()
    {
        openTiny();
        m_window->openData(m_tiny->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().stats(), patience);
        const QString said = QStringLiteral("calibrated on 32 of data_batch_1.bin");
        QTRY_VERIFY_WITH_TIMEOUT(m_window->badge()->toolTip().contains(said), patience);
        const auto labels = m_window->findChild<JobStrip*>()->findChildren<QLabel*>();
        QVERIFY(std::ranges::any_of(labels, [&](const QLabel* label) { return label->text().contains(said); }));
        DataRequest alone = m_tiny->dataRequest();
        alone.calibrationPath.clear();
        alone.calibrationCount = 20;
        m_window->openData(alone);
        QTRY_VERIFY_WITH_TIMEOUT(
            m_window->badge()->toolTip().contains(QStringLiteral("20 of the evaluated images (test_batch.bin)")),
            patience);
    }

    void everyProblemOffersWhatMendsIt()
    {
        openTiny();
        m_window->openData(m_tiny->dataRequest());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().accuracy().state == Accuracy::State::Done, patience);
        m_window->workbench().project().saveAs("/proc/x.qscope");
        expectMessage(QStringLiteral("x.qscope was not saved"), QStringLiteral("Save as…"));
        QCOMPARE(rememberedFolder(QStringLiteral("project")), QString());
        writeFile(at("trunc.onnx"), "no model");
        m_window->openModel(at("trunc.onnx"));
        expectMessage(QStringLiteral("trunc.onnx was not opened"), QStringLiteral("Open another…"));
        writeFile(at("half.qscope"), "no project");
        m_window->workbench().project().open(at("half.qscope").toStdString());
        expectMessage(QStringLiteral("half.qscope was not opened"), QStringLiteral("Open another…"));
        DataRequest request = m_tiny->dataRequest();
        request.path = at("nowhere.bin").toStdString();
        m_window->openData(request);
        expectMessage(QStringLiteral("nowhere.bin was not opened"), QStringLiteral("Open images…"));
        emit m_window->workbench().problem({ ErrorCode::Internal, "is strange", {}, {} }, QStringLiteral("This"), {});
        expectMessage(QStringLiteral("is strange"), {});
        // What went well is remembered.
        m_window->workbench().project().saveAs(at("well.qscope").toStdString());
        QTRY_COMPARE_WITH_TIMEOUT(rememberedFolder(QStringLiteral("project")), m_folder.path(), patience);
    }

    void aFailedSaveIsNotWhereTheNextOneBegins()
    {
        openTiny();
        QSettings().setValue(QStringLiteral("folders/project"), QStringLiteral("/proc"));
        QString first;
        QString kind;
        writeFile(at("picture.zzz"), QByteArray::fromHex("89504e470d0a1a0a0000000d49484452"));
        QTimer::singleShot(200, this, [&] {
            auto* files = m_window->findChild<QFileDialog*>();
            if (!files)
                return;
            first = files->directory().absolutePath();
            kind = files->iconProvider()->type(QFileInfo(at("picture.zzz")));
            files->reject();
        });
        for (QAction* action : m_window->findChildren<QAction*>())
            if (action->text() == tr("Save project &as…"))
                action->trigger();
        QCOMPARE(first, QDir::currentPath());
        QCOMPARE(kind, QStringLiteral("ZZZ")); // by its name, not by what is in it
    }

    void rememberedFoldersAreThere_data()
    {
        QTest::addColumn<QString>("folder");
        QTest::addColumn<bool>("kept");
        QTest::newRow("a folder") << m_folder.path() << true;
        QTest::newRow("gone") << at("gone") << false;
        QTest::newRow("proc") << QStringLiteral("/proc") << false;
        QTest::newRow("below proc") << QStringLiteral("/proc/self") << false;
        QTest::newRow("dev") << QStringLiteral("/dev") << false;
        QTest::newRow("sys") << QStringLiteral("/sys") << false;
    }
    void rememberedFoldersAreThere()
    {
        QFETCH(QString, folder);
        QFETCH(bool, kept);
        QSettings().setValue(QStringLiteral("folders/project"), folder);
        QCOMPARE(rememberedFolder(QStringLiteral("project")), kept ? folder : QString());
        const QString file = inRememberedFolder(QStringLiteral("project"), QStringLiteral("x"));
        QCOMPARE(file, kept ? folder + QStringLiteral("/x") : QStringLiteral("x"));
    }

private:
    DataDialog* dialog() const { return m_window->dataDialog(); }
    QString at(const char* name) const { return m_folder.path() + QLatin1Char('/') + QString::fromUtf8(name); }
    static QString path(const std::filesystem::path& path) { return QString::fromStdString(path.string()); }

    void openTiny()
    {
        m_window->openModel(m_tiny->modelPath());
        QTRY_VERIFY_WITH_TIMEOUT(m_window->session().model(), patience);
        dialog()->show();
    }

    /// A field by its name, or by an entry of its list.
    template <typename T> T* field(const char* name, const QString& entry = {}) const
    {
        for (T* widget : dialog()->template findChildren<T*>()) {
            if (name && widget->accessibleName() == QLatin1String(name))
                return widget;
            if constexpr (std::is_same_v<T, QComboBox>)
                if (!entry.isEmpty() && widget->findText(entry) >= 0)
                    return widget;
        }
        qFatal("no such field");
    }

    /// As from the keyboard or the clipboard: what was there is replaced.
    void type(const char* name, const QString& text) const
    {
        auto* edit = field<QLineEdit>(name);
        edit->selectAll();
        edit->insert(text);
    }

    /// Waits until the preview says something of these.
    void settle(const char* said)
    {
        QTRY_VERIFY2_WITH_TIMEOUT(dialog()->preview()->text().contains(QString::fromUtf8(said)),
            qPrintable(dialog()->preview()->text()), patience);
        QTest::qWait(350); // a second look follows what was found out
    }

    void expectMessage(const QString& text, const QString& button)
    {
        QTRY_VERIFY2_WITH_TIMEOUT(
            m_window->messages()->text().contains(text), qPrintable(m_window->messages()->text()), patience);
        const auto* frame = m_window->messages()->findChild<QFrame*>(QStringLiteral("message"));
        QString offered;
        for (const auto* candidate : m_window->messages()->findChildren<QFrame*>(QStringLiteral("message")))
            if (candidate->accessibleName() == m_window->messages()->text())
                frame = candidate;
        for (const auto* candidate : frame->findChildren<QPushButton*>())
            offered = candidate->text();
        QCOMPARE(offered, button);
    }

    QTemporaryDir m_folder;
    std::unique_ptr<test::TinyProject> m_tiny;
    std::unique_ptr<MainWindow> m_window;
};

QTEST_MAIN(TestDataDialog)
#include "tst_data_dialog.moc"
