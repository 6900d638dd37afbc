// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/desktop_colours.h"

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusVariant>
#include <QFileInfo>

namespace quantoscope {

namespace {

const QString service = QStringLiteral("org.freedesktop.portal.Desktop");
const QString path = QStringLiteral("/org/freedesktop/portal/desktop");
const QString interface = QStringLiteral("org.freedesktop.portal.Settings");
const QString group = QStringLiteral("org.freedesktop.appearance");
const QString key = QStringLiteral("color-scheme");
constexpr int patience = 500; // milliseconds that the window may wait for it

/// Without one Qt would try to start a bus.
bool haveBus()
{
    return !qEnvironmentVariableIsEmpty("DBUS_SESSION_BUS_ADDRESS")
        || QFileInfo::exists(qEnvironmentVariable("XDG_RUNTIME_DIR") + QStringLiteral("/bus"));
}

/// 1: dark, 2: light, anything else: no preference. Portals of old wrap the number twice.
std::optional<bool> darkOf(QVariant value)
{
    while (value.canConvert<QDBusVariant>())
        value = value.value<QDBusVariant>().variant();
    const uint scheme = value.toUInt();
    return scheme == 1 ? std::optional(true) : scheme == 2 ? std::optional(false) : std::nullopt;
}

} // namespace

DesktopColours::DesktopColours(QObject* parent)
    : QObject(parent)
{
    if (!haveBus())
        return;
    QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected())
        return;
    // Qt knows the type of a slot's argument by its name only once somebody has used it; without that it connects
    // nothing.
    qRegisterMetaType<QDBusVariant>("QDBusVariant");
    if (!bus.connect(service, path, interface, QStringLiteral("SettingChanged"), this,
            SLOT(settingChanged(QString, QString, QDBusVariant))))
        qWarning("the desktop's change of colours cannot be followed");
    QDBusMessage question = QDBusMessage::createMethodCall(service, path, interface, QStringLiteral("Read"));
    question << group << key;
    const QDBusMessage answer = bus.call(question, QDBus::Block, patience);
    if (answer.type() == QDBusMessage::ReplyMessage && !answer.arguments().isEmpty())
        m_dark = darkOf(answer.arguments().constFirst());
}

void DesktopColours::settingChanged(const QString& ofGroup, const QString& ofKey, const QDBusVariant& value)
{
    if (ofGroup != group || ofKey != key)
        return;
    m_dark = darkOf(value.variant());
    emit changed(m_dark);
}

} // namespace quantoscope
