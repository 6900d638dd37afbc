// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
// What core says, in the words of the window.
#include <QDirIterator>
#include <QFileInfo>
#include <QFile>
#include <QRegularExpression>
#include <QTest>

#include "ui/session/window_words.h"

using namespace quantoscope;
using namespace quantoscope::ui;

class TestWindowWords : public QObject {
    Q_OBJECT

private slots:
    void optionsAreFieldsInTheWindow_data()
    {
        QTest::addColumn<QString>("core");
        QTest::addColumn<QString>("window");
        const auto row = [](const char* core, const char* window) {
            QTest::newRow(core) << QString::fromUtf8(core) << QString::fromUtf8(window);
        };
        row("use --channels rgb, or --layout if the channels stand elsewhere",
            "use Channels RGB, or NCHW or NHWC if the channels stand elsewhere");
        row("use --resize 224 --crop 224", "use Resize 224 Crop 224");
        row("use --resize 320x240", "use Resize 320x240");
        row("use --layout nhwc", "use NHWC");
        row("use fewer images (--limit)", "use fewer images (At most)");
        row("say how: --preprocess, or --mean, --std and --scale", "say how: Preset, or Mean, Std and Scale");
        row("a - b -- c", "a - b -- c");
    }
    void optionsAreFieldsInTheWindow()
    {
        QFETCH(QString, core);
        QTEST(inWindow(core.toStdString()), "window");
    }

    void errorsBeginWithTheirSubject()
    {
        QCOMPARE(errorSentences({ ErrorCode::InvalidInput, "has no CIFAR batches", "/a/b/val650", "choose a folder" }),
            QStringLiteral("val650 has no CIFAR batches. Choose a folder."));
        QCOMPARE(errorSentences({ ErrorCode::NotFound, "no such file or folder", "/a/b/x.bin", {} }),
            QStringLiteral("x.bin: no such file or folder."));
        QCOMPARE(errorSentences({ ErrorCode::InvalidInput, "is torn", "/a/val, image 'c.jpg'", {} }),
            QStringLiteral("val, image 'c.jpg' is torn."));
        QCOMPARE(errorSentences({ ErrorCode::InvalidInput, "no images were chosen", {}, "give --crop 3" }),
            QStringLiteral("No images were chosen. Give Crop 3."));
        // Options in what went wrong are fields as well, and a sentence ends once.
        QCOMPARE(errorSentences({ ErrorCode::InvalidInput, "--mean has 1 value.", {}, "give 3, as channels." }),
            QStringLiteral("Mean has 1 value. Give 3, as channels."));
    }

    /// Every option that core's errors name is a field of the window.
    void everyOptionOfCoreHasItsField()
    {
        static const QRegularExpression named(QStringLiteral("\"[^\"\\n]*--([a-z][a-z-]*)[^\"\\n]*\""));
        QStringList strange;
        int count = 0;
        QDirIterator files(QStringLiteral(QS_SOURCE_DIR "/core"), { QStringLiteral("*.cpp") }, QDir::Files,
            QDirIterator::Subdirectories);
        while (files.hasNext()) {
            QFile file(files.next());
            if (file.fileName().endsWith(QStringLiteral("option_texts.cpp"))) // the table of the options themselves
                continue;
            QVERIFY(file.open(QIODevice::ReadOnly));
            auto matches = named.globalMatch(QString::fromUtf8(file.readAll()));
            while (matches.hasNext()) {
                const QString option = matches.next().captured(1);
                ++count;
                const QString field = inWindow("--" + option.toStdString());
                QString plain = option;
                if (field.contains(QStringLiteral("--")) || field == plain.replace(QLatin1Char('-'), QLatin1Char(' ')))
                    strange << QFileInfo(file).fileName() + QStringLiteral(": --") + option;
            }
        }
        QVERIFY(count > 5);
        QVERIFY2(strange.isEmpty(), qPrintable(strange.join(QLatin1Char('\n'))));
    }
};

QTEST_APPLESS_MAIN(TestWindowWords)
#include "tst_window_words.moc"
