// SPDX-License-Identifier: GPL-3.0-or-later
// labels: integration
// What a package brings beside the programs: what the tools of the desktop say of it, and whether the man pages are
// complete.
#include <QDir>
#include <QFile>
#include <QProcess>
#include <QRegularExpression>
#include <QStandardPaths>
#include <QTest>
#include <QXmlStreamReader>

#include "tests/support/command_line.h"

namespace {

const QString packaging = QS_SOURCE_DIR "/packaging/";
const QString application = packaging + "desktop/org.quantoscope.Quantoscope";

QString textOf(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
}

/// All captures of a pattern's first group.
QStringList captures(const QString& pattern, const QString& text)
{
    QStringList found;
    const QRegularExpression expression(pattern, QRegularExpression::MultilineOption);
    for (auto matches = expression.globalMatch(text); matches.hasNext();)
        found << matches.next().captured(1);
    return found;
}

QString help(const QStringList& arguments)
{
    return QString::fromUtf8(quantoscope::test::runCommandLine(arguments).out);
}

} // namespace

class TestPackaging : public QObject {
    Q_OBJECT

private slots:
    void validates_data()
    {
        QTest::addColumn<QStringList>("command");
        QTest::newRow("menu entry") << QStringList { "desktop-file-validate", application + ".desktop" };
        QTest::newRow("metainfo") << QStringList { "appstreamcli", "validate", "--no-net",
            application + ".metainfo.xml" };
    }

    void validates()
    {
        QFETCH(QStringList, command);
        const QString program = command.takeFirst();
        if (QStandardPaths::findExecutable(program).isEmpty())
            QSKIP(qPrintable(program + " is not installed"));
        QProcess process;
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.start(program, command);
        QVERIFY(process.waitForFinished());
        const auto said = process.readAll();
        QVERIFY2(process.exitCode() == 0, said.constData());
        QVERIFY2(!said.contains("warning") && !said.contains("hint"), said.constData());
    }

    void projectsHaveAType()
    {
        const QString text = textOf(application + ".xml");
        QXmlStreamReader xml(text);
        QString type;
        QMap<QString, QString> patterns;
        while (!xml.atEnd()) {
            xml.readNext();
            if (xml.isStartElement() && xml.name() == QLatin1String("mime-type"))
                type = xml.attributes().value("type").toString();
            else if (xml.isStartElement() && xml.name() == QLatin1String("glob"))
                patterns[xml.attributes().value("pattern").toString()] = type;
        }
        QVERIFY2(!xml.hasError(), qPrintable(xml.errorString()));
        for (const QString pattern : { "*.qscope", "*.onnx" }) {
            QVERIFY(patterns.contains(pattern));
            QVERIFY(textOf(application + ".desktop").contains(patterns[pattern] + ';'));
        }
    }

    void manPageHasEveryOption()
    {
        QProcess process;
        process.start(packaging + "man/cli-page.sh", { QS_BINARY_DIR "/app/quantoscope-cli" });
        QVERIFY(process.waitForFinished());
        QVERIFY2(process.exitCode() == 0, process.readAllStandardError().constData());
        const QString page = QString::fromUtf8(process.readAllStandardOutput()).replace("\\-", "-");
        const QString overview = help({ "--help" });
        const QStringList commands = captures("^  ([a-z]+) ", overview.mid(overview.indexOf("Subcommands:")));
        QVERIFY(commands.contains("evaluate") && commands.contains("export"));
        for (const auto& command : commands) {
            QVERIFY2(page.contains(".SS quantoscope-cli " + command), qPrintable(command));
            const QStringList options = captures("^  (?:-\\w,)?(--[a-z-]+)", help({ command, "--help" }));
            QVERIFY(options.contains("--help"));
            for (const auto& option : options)
                QVERIFY2(page.contains(option), qPrintable(command + ' ' + option));
        }
    }

    void manPageOfTheWindowHasEveryOption()
    {
        const QString page = textOf(packaging + "man/quantoscope.1.in").replace("\\-", "-");
        const QStringList options = captures(
            "QCommandLineOption \\w+\\(\\s*QStringLiteral\\(\"([a-z-]+)\"", textOf(QS_SOURCE_DIR "/app/gui_main.cpp"));
        QVERIFY(options.contains("sample") && options.contains("data"));
        for (const auto& option : options)
            QVERIFY2(page.contains("--" + option), qPrintable(option));
    }
};

QTEST_APPLESS_MAIN(TestPackaging)
#include "tst_packaging.moc"
