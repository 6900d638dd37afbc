// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <optional>

#include <QDBusVariant>
#include <QObject>

namespace quantoscope {

/// Whether the desktop asks for dark windows, as the XDG desktop portal says
/// (org.freedesktop.appearance color-scheme, https://flatpak.github.io/xdg-desktop-portal/docs). Qt 6.4 itself
/// learns that from few desktops only.
class DesktopColours : public QObject {
    Q_OBJECT

public:
    explicit DesktopColours(QObject* parent = nullptr);

    std::optional<bool> prefersDark() const { return m_dark; } ///< empty: the desktop does not say

signals:
    void changed(std::optional<bool> dark);

private slots:
    void settingChanged(const QString& group, const QString& key, const QDBusVariant& value);

private:
    std::optional<bool> m_dark;
};

} // namespace quantoscope
