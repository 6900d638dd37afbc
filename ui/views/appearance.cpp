// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/appearance.h"

#include <QAbstractItemView>
#include <QApplication>
#include <QFile>
#include <QPainter>
#include <QPixmap>
#include <QProxyStyle>
#include <QSettings>
#include <QStyleFactory>
#include <QStyleOption>
#include <QSvgRenderer>
#include <QTableView>
#include <QToolButton>
#include <QTreeView>

namespace quantoscope::ui {

namespace {

const QString key = QStringLiteral("window/appearance");

constexpr int headerMargin = 3; // pixels on both sides of a title
constexpr int besideNumbers = 6; // pixels before left-aligned text in a table
constexpr int arrowRoom = 10; // pixels beside the text of a button that opens a menu

bool isMenuButton(const QStyleOption* option)
{
    const auto* button = qstyleoption_cast<const QStyleOptionToolButton*>(option);
    return button && (button->features & QStyleOptionToolButton::HasMenu)
        && !(button->features & QStyleOptionToolButton::MenuButtonPopup)
        && button->toolButtonStyle != Qt::ToolButtonIconOnly;
}

/// Of a button that opens and closes what is below it the arrow says whether it is on.
bool hasArrow(const QWidget* widget)
{
    const auto* button = qobject_cast<const QToolButton*>(widget);
    return button && button->arrowType() != Qt::NoArrow;
}

/// Fusion, but for what it leaves hard to see: boxes to check and buttons that are on, on a dark ground, and the arrow
/// of a button with a menu, which it puts over the last letter.
class Look : public QProxyStyle {
public:
    using QProxyStyle::QProxyStyle;

    void drawPrimitive(
        PrimitiveElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const override
    {
        if (element == PE_IndicatorArrowDown && isMenuButton(option)) {
            QStyleOptionToolButton arrow = *static_cast<const QStyleOptionToolButton*>(option);
            arrow.rect.moveCenter({ arrow.rect.center().x() - 3, widget ? widget->rect().center().y() : 0 });
            return QProxyStyle::drawPrimitive(element, &arrow, painter, widget);
        }
        if (element == PE_FrameFocusRect && qobject_cast<const QAbstractItemView*>(widget))
            return drawCurrentCell(option, painter);
        QProxyStyle::drawPrimitive(element, option, painter, widget);
        const bool dark = option->palette.color(QPalette::Window).lightness() < 128;
        if (dark && (element == PE_PanelButtonTool || element == PE_PanelButtonCommand) && (option->state & State_On)
            && !hasArrow(widget))
            drawPressed(option, painter);
        if (!dark || (element != PE_IndicatorCheckBox && element != PE_IndicatorItemViewItemCheck))
            return;
        const bool enabled = option->state & State_Enabled;
        painter->save();
        painter->setBrush(Qt::NoBrush);
        painter->setPen(option->palette.color(enabled ? QPalette::PlaceholderText : QPalette::Mid));
        painter->drawRect(option->rect.adjusted(0, 0, -1, -1));
        painter->restore();
    }

    void drawControl(
        ControlElement element, const QStyleOption* option, QPainter* painter, const QWidget* widget) const override
    {
        if (element == CE_PushButtonBevel) {
            const auto* button = qstyleoption_cast<const QStyleOptionButton*>(option);
            if (button && (button->features & QStyleOptionButton::CommandLinkButton)) {
                // Without a frame nothing says that one can press it.
                QStyleOptionButton framed = *button;
                framed.features &= ~QStyleOptionButton::ButtonFeatures(QStyleOptionButton::CommandLinkButton);
                return QProxyStyle::drawControl(element, &framed, painter, widget);
            }
        }
        if (element == CE_HeaderLabel) {
            const auto* header = qstyleoption_cast<const QStyleOptionHeader*>(option);
            if (header && header->orientation == Qt::Horizontal && header->section > 0
                && (header->textAlignment & Qt::AlignLeft)) {
                // As what stands below it, see subElementRect().
                QStyleOptionHeaderV2 title;
                if (const auto* whole = qstyleoption_cast<const QStyleOptionHeaderV2*>(option))
                    title = *whole;
                else
                    static_cast<QStyleOptionHeader&>(title) = *header;
                title.rect.adjust(besideNumbers, 0, 0, 0);
                return QProxyStyle::drawControl(element, &title, painter, widget);
            }
        }
        if (element != CE_ToolButtonLabel || !isMenuButton(option))
            return QProxyStyle::drawControl(element, option, painter, widget);
        QStyleOptionToolButton label = *static_cast<const QStyleOptionToolButton*>(option);
        label.rect.adjust(0, 0, -arrowRoom, 0);
        QProxyStyle::drawControl(element, &label, painter, widget);
    }

    /// Which cell of a selected row keys go to is one faint line otherwise.
    static void drawCurrentCell(const QStyleOption* option, QPainter* painter)
    {
        const bool selected = option->state & State_Selected;
        painter->save();
        painter->setBrush(Qt::NoBrush);
        painter->setPen(QPen(option->palette.color(selected ? QPalette::HighlightedText : QPalette::Highlight), 1));
        painter->drawRect(option->rect.adjusted(1, 1, -2, -2));
        painter->restore();
    }

    /// A button that is on is a shade darker, which on a dark ground nobody sees.
    static void drawPressed(const QStyleOption* option, QPainter* painter)
    {
        QColor fill = option->palette.color(QPalette::Highlight);
        fill.setAlpha(option->state & State_Enabled ? 150 : 60);
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(Qt::NoPen);
        painter->setBrush(fill);
        painter->drawRoundedRect(QRectF(option->rect).adjusted(1, 1, -1, -1), 2, 2);
        painter->restore();
    }

    int styleHint(
        StyleHint hint, const QStyleOption* option, const QWidget* widget, QStyleHintReturn* more) const override
    {
        // Its icons are of another decade, and black on a dark ground.
        return hint == SH_DialogButtonBox_ButtonsHaveIcons ? 0 : QProxyStyle::styleHint(hint, option, widget, more);
    }

    int pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const override
    {
        // Titles would touch the lines between them.
        return metric == PM_HeaderMargin ? headerMargin : QProxyStyle::pixelMetric(metric, option, widget);
    }

    /// Left-aligned text in a table would touch the right-aligned column before it.
    QRect subElementRect(SubElement element, const QStyleOption* option, const QWidget* widget) const override
    {
        QRect rect = QProxyStyle::subElementRect(element, option, widget);
        if (element == SE_ItemViewItemText) {
            const auto* item = qstyleoption_cast<const QStyleOptionViewItem*>(option);
            if (item && isIndented(*item, widget))
                rect.adjust(besideNumbers, 0, 0, 0);
        }
        return rect;
    }

    static bool isIndented(const QStyleOptionViewItem& item, const QWidget* widget)
    {
        const bool table = qobject_cast<const QTableView*>(widget) || qobject_cast<const QTreeView*>(widget);
        return table && item.index.column() > 0 && (item.displayAlignment & Qt::AlignLeft)
            && !(item.features & QStyleOptionViewItem::HasDecoration);
    }

    QSize sizeFromContents(
        ContentsType type, const QStyleOption* option, const QSize& size, const QWidget* widget) const override
    {
        const QSize plain = QProxyStyle::sizeFromContents(type, option, size, widget);
        if (type == CT_ItemViewItem) {
            const auto* item = qstyleoption_cast<const QStyleOptionViewItem*>(option);
            return item && isIndented(*item, widget) ? plain + QSize(besideNumbers, 0) : plain;
        }
        return type == CT_ToolButton && isMenuButton(option) ? plain + QSize(arrowRoom, 0) : plain;
    }
};

QStyle* makeStyle(const QString& name)
{
    const bool fusion = name.compare(QLatin1String("fusion"), Qt::CaseInsensitive) == 0;
    return fusion ? new Look(name) : QStyleFactory::create(name);
}

/// What is less important is drawn in the colours of what is disabled, which a bare style has too faint to read.
QPalette readable(QPalette base, QPalette result = {})
{
    const QColor ground = base.color(QPalette::Active, QPalette::Window);
    for (const auto role : { QPalette::WindowText, QPalette::Text, QPalette::ButtonText }) {
        const QColor text = base.color(QPalette::Active, role);
        const auto mixed = [](int far, int near) { return (2 * far + 3 * near) / 5; };
        result.setColor(QPalette::Disabled, role,
            QColor(mixed(ground.red(), text.red()), mixed(ground.green(), text.green()),
                mixed(ground.blue(), text.blue())));
    }
    return result;
}

QPalette lightPalette()
{
    QPalette palette(QColor(0xf0, 0xf1, 0xf2));
    palette.setColor(QPalette::Window, QColor(0xf0, 0xf1, 0xf2));
    palette.setColor(QPalette::Base, Qt::white);
    palette.setColor(QPalette::AlternateBase, QColor(0xf6, 0xf7, 0xf8));
    palette.setColor(QPalette::Highlight, QColor(0x2f, 0x6f, 0xa8));
    palette.setColor(QPalette::HighlightedText, Qt::white);
    return readable(palette, palette);
}

QPalette darkPalette()
{
    const QColor text(0xe8, 0xea, 0xec);
    const QColor faint(0x8a, 0x92, 0x9a);
    QPalette palette;
    palette.setColor(QPalette::Window, QColor(0x26, 0x2a, 0x2e));
    palette.setColor(QPalette::WindowText, text);
    palette.setColor(QPalette::Base, QColor(0x1b, 0x1e, 0x21));
    palette.setColor(QPalette::AlternateBase, QColor(0x21, 0x25, 0x28));
    palette.setColor(QPalette::Text, text);
    palette.setColor(QPalette::PlaceholderText, faint);
    palette.setColor(QPalette::Button, QColor(0x32, 0x37, 0x3c));
    palette.setColor(QPalette::ButtonText, text);
    palette.setColor(QPalette::BrightText, Qt::white);
    palette.setColor(QPalette::ToolTipBase, QColor(0x32, 0x37, 0x3c));
    palette.setColor(QPalette::ToolTipText, text);
    palette.setColor(QPalette::Highlight, QColor(0x2f, 0x6f, 0xa8));
    palette.setColor(QPalette::HighlightedText, Qt::white);
    palette.setColor(QPalette::Link, QColor(0x56, 0xb4, 0xe9));
    palette.setColor(QPalette::Light, QColor(0x46, 0x4c, 0x52));
    palette.setColor(QPalette::Midlight, QColor(0x3c, 0x41, 0x46));
    palette.setColor(QPalette::Mid, QColor(0x4a, 0x50, 0x56));
    palette.setColor(QPalette::Dark, QColor(0x16, 0x18, 0x1a));
    palette.setColor(QPalette::Shadow, QColor(0x0c, 0x0d, 0x0e));
    for (const auto role : { QPalette::WindowText, QPalette::Text, QPalette::ButtonText })
        palette.setColor(QPalette::Disabled, role, faint);
    palette.setColor(QPalette::Disabled, QPalette::Highlight, QColor(0x3c, 0x41, 0x46));
    return palette;
}

} // namespace

namespace {

Appearance current = Appearance::System;
std::optional<bool> desktopPrefersDark;

void followDesktop()
{
    QApplication::setPalette(QPalette()); // what the platform's theme says
    QApplication::setPalette(readable(QApplication::palette()));
    const bool dark = QApplication::palette().color(QPalette::Window).lightness() < 128;
    if (desktopPrefersDark && *desktopPrefersDark != dark)
        QApplication::setPalette(*desktopPrefersDark ? darkPalette() : lightPalette());
}

} // namespace

void setDesktopPrefersDark(std::optional<bool> dark)
{
    desktopPrefersDark = dark;
    if (current == Appearance::System)
        followDesktop();
}

void applyAppearance(Appearance appearance)
{
    current = appearance;
    // What the program was started with is what "system" goes back to.
    static const QString systemStyle = QApplication::style()->name();
    if (appearance == Appearance::System) {
        QApplication::setStyle(makeStyle(systemStyle));
        followDesktop();
        return;
    }
    QApplication::setStyle(makeStyle(QStringLiteral("Fusion")));
    QApplication::setPalette(appearance == Appearance::Dark ? darkPalette() : lightPalette());
}

Appearance savedAppearance()
{
    const int value = QSettings().value(key, 0).toInt();
    return value == static_cast<int>(Appearance::Light) || value == static_cast<int>(Appearance::Dark)
        ? static_cast<Appearance>(value)
        : Appearance::System;
}

void saveAppearance(Appearance appearance) { QSettings().setValue(key, static_cast<int>(appearance)); }

QIcon tintedIcon(const QString& name, const QPalette& palette)
{
    QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    const QByteArray drawing = file.readAll();
    QIcon icon;
    for (const auto mode : { QIcon::Normal, QIcon::Disabled }) {
        const auto group = mode == QIcon::Normal ? QPalette::Active : QPalette::Disabled;
        QByteArray tinted = drawing;
        tinted.replace("currentColor", palette.color(group, QPalette::ButtonText).name().toLatin1());
        QSvgRenderer renderer(tinted);
        for (const int size : { 16, 24, 32, 48 }) {
            QPixmap pixmap(size, size);
            pixmap.fill(Qt::transparent);
            QPainter painter(&pixmap);
            renderer.render(&painter);
            painter.end();
            icon.addPixmap(pixmap, mode);
        }
    }
    return icon;
}

} // namespace quantoscope::ui
