// SPDX-License-Identifier: GPL-3.0-or-later
// labels: ui
// Dark and light as the desktop asks for it: a portal of our own on a bus of our own says what.
#include <QApplication>
#include <QDBusAbstractAdaptor>
#include <QDBusConnection>
#include <QDBusVariant>
#include <QPalette>
#include <QProcess>
#include <QScopeGuard>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTest>
#include <QThread>

#include "app/desktop_colours.h"
#include "ui/views/appearance.h"

using namespace quantoscope;
using namespace quantoscope::ui;

namespace {

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
        QSignalSpy changed(&colours, &DesktopColours::changed);
        const auto tell = [&](const char* group, uint scheme) {
            QVERIFY(QMetaObject::invokeMethod(&colours, "settingChanged", Q_ARG(QString, QString::fromUtf8(group)),
                Q_ARG(QString, QStringLiteral("color-scheme")), Q_ARG(QDBusVariant, QDBusVariant(QVariant(scheme)))));
        };
        tell("org.something.else", 2);
        tell("org.freedesktop.appearance", 2);
        QCOMPARE(changed.count(), 1);
        QCOMPARE(colours.prefersDark(), std::optional(false));
        tell("org.freedesktop.appearance", 0);
        QVERIFY(!colours.prefersDark());
    }
};

QTEST_MAIN(TestAppearance)
#include "tst_appearance.moc"
