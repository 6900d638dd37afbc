// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
// Dark and light as the desktop asks for it: a portal of our own on a bus of our own says what.
#include <QApplication>
#include <QDBusAbstractAdaptor>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusVariant>
#include <QDeadlineTimer>
#include <QImage>
#include <QPalette>
#include <QProcess>
#include <QScopeGuard>
#include <QStandardPaths>
#include <QTest>
#include <QThread>
#include <QToolButton>

#include "app/desktop_colours.h"
#include "ui/main_window.h"
#include "ui/views/appearance.h"
#include "ui/views/message_bar.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

constexpr int patience = 20'000;

/// What is painted, letters and lines included; those are few.
bool looksDark(QWidget& widget)
{
    const QImage image = widget.grab().toImage();
    int dark = 0;
    int all = 0;
    for (int y = 0; y < image.height(); y += 3)
        for (int x = 0; x < image.width(); x += 3, ++all)
            dark += image.pixelColor(x, y).lightness() < 128 ? 1 : 0;
    return 2 * dark > all;
}

bool isDark() { return QApplication::palette().color(QPalette::Window).lightness() < 128; }

class Portal : public QDBusAbstractAdaptor {
    Q_OBJECT
    Q_CLASSINFO("D-Bus Interface", "org.freedesktop.portal.Settings")

public:
    explicit Portal(QObject* parent)
        : QDBusAbstractAdaptor(parent)
    {
    }

    uint scheme = 1;

public slots:
    QDBusVariant Read(const QString& group, const QString& key)
    {
        const bool known = group == QLatin1String("org.freedesktop.appearance") && key == QLatin1String("color-scheme");
        // Wrapped twice, as the portal's Read does.
        return QDBusVariant(QVariant::fromValue(QDBusVariant(known ? QVariant(scheme) : QVariant(7U))));
    }
};

}

class TestAppearance : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        QStandardPaths::setTestModeEnabled(true);
        QCoreApplication::setOrganizationName(QStringLiteral("QuantoscopeTest"));
    }

    void cleanup()
    {
        setDesktopPrefersDark({});
        applyAppearance(Appearance::System);
    }

    void lightAndDarkWhateverTheDesktopHas()
    {
        setDesktopPrefersDark(true);
        applyAppearance(Appearance::Light);
        QVERIFY(!isDark());
        setDesktopPrefersDark(false);
        applyAppearance(Appearance::Dark);
        QVERIFY(isDark());
        setDesktopPrefersDark(true);
        QVERIFY(isDark());
    }

    void aButtonThatIsOnIsSeen_data()
    {
        QTest::addColumn<Appearance>("appearance");
        QTest::newRow("light") << Appearance::Light;
        QTest::newRow("dark") << Appearance::Dark;
    }
    void aButtonThatIsOnIsSeen()
    {
        QFETCH(const Appearance, appearance);
        applyAppearance(appearance);
        QWidget row;
        QToolButton buttons[2];
        for (QToolButton& button : buttons) {
            button.setParent(&row);
            button.setCheckable(true);
            button.resize(80, 24);
        }
        buttons[1].setChecked(true);
        const QColor off = buttons[0].grab().toImage().pixelColor(40, 12);
        const QColor on = buttons[1].grab().toImage().pixelColor(40, 12);
        const int apart
            = std::abs(off.red() - on.red()) + std::abs(off.green() - on.green()) + std::abs(off.blue() - on.blue());
        QVERIFY2(apart > 45, QByteArray::number(apart));
        // A heading with an arrow is no choice among others.
        for (QToolButton& button : buttons)
            button.setArrowType(Qt::DownArrow);
        QVERIFY(std::abs(buttons[0].grab().toImage().pixelColor(70, 12).blue()
                    - buttons[1].grab().toImage().pixelColor(70, 12).blue())
            < 45);
    }

    void asTheDesktopSays()
    {
        applyAppearance(Appearance::System);
        const bool before = isDark();
        setDesktopPrefersDark(true);
        QVERIFY(isDark());
        setDesktopPrefersDark(false);
        QVERIFY(!isDark());
        setDesktopPrefersDark({});
        QCOMPARE(isDark(), before);
    }

    void aDesktopWithoutAPortal()
    {
        qunsetenv("DBUS_SESSION_BUS_ADDRESS");
        qputenv("XDG_RUNTIME_DIR", "/nonexistent");
        QVERIFY(!DesktopColours().prefersDark());
    }

    void thePortalIsAsked()
    {
        const QString program = QStandardPaths::findExecutable(QStringLiteral("dbus-daemon"));
        if (program.isEmpty())
            QSKIP("there is no dbus-daemon");
        QProcess daemon;
        daemon.start(
            program, { QStringLiteral("--session"), QStringLiteral("--nofork"), QStringLiteral("--print-address") });
        QVERIFY(daemon.waitForStarted());
        while (!daemon.canReadLine())
            QVERIFY2(daemon.waitForReadyRead(20'000), daemon.readAllStandardError().constData());
        const QByteArray address = daemon.readLine().trimmed();
        qputenv("DBUS_SESSION_BUS_ADDRESS", address);
        // On a connection of its own, in a thread of its own: the window waits for the answer.
        QThread thread;
        QObject desktop;
        new Portal(&desktop);
        QDBusConnection bus = QDBusConnection::connectToBus(QString::fromUtf8(address), QStringLiteral("portal"));
        QVERIFY(bus.isConnected());
        QVERIFY(bus.registerObject(QStringLiteral("/org/freedesktop/portal/desktop"), &desktop));
        const auto end = qScopeGuard([&] {
            thread.quit();
            thread.wait();
            daemon.kill();
            daemon.waitForFinished();
        });
        desktop.moveToThread(&thread);
        thread.start();
        QVERIFY(bus.registerService(QStringLiteral("org.freedesktop.portal.Desktop")));
        DesktopColours colours;
        QCOMPARE(colours.prefersDark(), std::optional(true));
        // As gui_main.cpp does it.
        setDesktopPrefersDark(colours.prefersDark());
        connect(&colours, &DesktopColours::changed, qApp, setDesktopPrefersDark);
        applyAppearance(Appearance::System);
        MainWindow window;
        window.show();
        window.messages()->showError(
            { ErrorCode::NotFound, "it is not there", "a.onnx", "choose another" }, QStringLiteral("Opening"));
        QCOMPARE(window.messages()->text(), QStringLiteral("Opening: it is not there (a.onnx). Choose another."));
        QVERIFY(looksDark(window) && looksDark(*window.messages()));
        // Told again until it is heard: a bus may be slow.
        const auto tell = [&](const char* group, uint scheme) {
            QDBusMessage signal = QDBusMessage::createSignal(QStringLiteral("/org/freedesktop/portal/desktop"),
                QStringLiteral("org.freedesktop.portal.Settings"), QStringLiteral("SettingChanged"));
            signal << QString::fromUtf8(group) << QStringLiteral("color-scheme")
                   << QVariant::fromValue(QDBusVariant(QVariant(scheme)));
            bus.send(signal);
            QTest::qWait(20);
        };
        const auto heard = [&](uint scheme, std::optional<bool> dark) {
            for (QDeadlineTimer limit(patience); colours.prefersDark() != dark && !limit.hasExpired();)
                tell("org.freedesktop.appearance", scheme);
            return colours.prefersDark() == dark;
        };
        tell("org.something.else", 2);
        QCOMPARE(colours.prefersDark(), std::optional(true));
        QVERIFY(heard(2, false));
        tell("org.something.else", 1);
        QCOMPARE(colours.prefersDark(), std::optional(false));
        QVERIFY(!looksDark(window) && !looksDark(*window.messages()));
        QVERIFY(heard(1, true));
        QVERIFY(looksDark(window) && looksDark(*window.messages()));
        QVERIFY(heard(0, std::nullopt));
    }
};

QTEST_MAIN(TestAppearance)
#include "tst_appearance.moc"
