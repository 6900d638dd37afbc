// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/start_page.h"

#include <QCommandLinkButton>
#include <QDir>
#include <QEvent>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QIcon>
#include <QLabel>
#include <QLocale>
#include <QPainter>
#include <QPushButton>
#include <QVBoxLayout>

#include "ui/views/appearance.h"

namespace quantoscope::ui {

namespace {

constexpr int recentWidth = 460; // pixels
constexpr int logoSide = 64;
constexpr int iconSide = 24;
/// Everything that is written begins here: what a command link leaves before its text, with an icon as wide as the
/// logo.
constexpr int textEdge = logoSide + 7 + 6;

/// An icon in the middle of a place as wide as the logo, so that the texts beside both stand in one line.
QIcon centred(const QIcon& icon)
{
    const QPixmap drawing = icon.pixmap(QSize(iconSide, iconSide));
    QPixmap place(QSize(logoSide, iconSide) * drawing.devicePixelRatio());
    place.setDevicePixelRatio(drawing.devicePixelRatio());
    place.fill(Qt::transparent);
    QPainter painter(&place);
    painter.drawPixmap((logoSide - iconSide) / 2, 0, drawing);
    painter.end();
    return QIcon(place);
}

} // namespace

StartPage::StartPage(QWidget* parent)
    : QWidget(parent)
{
    auto* icon = new QLabel;
    icon->setPixmap(QIcon(QStringLiteral(":/icons/quantoscope.svg")).pixmap(logoSide, logoSide));
    auto* title = new QLabel(tr("Quantoscope"));
    QFont large = title->font();
    large.setPointSizeF(large.pointSizeF() * 2);
    large.setBold(true);
    title->setFont(large);
    auto* purpose = new QLabel(
        tr("See what quantization does to a network: choose word-lengths and ranges, watch the accuracy."));
    purpose->setWordWrap(true);
    purpose->setEnabled(false);

    auto* names = new QVBoxLayout;
    names->setSpacing(4);
    names->addWidget(title);
    names->addWidget(purpose);
    auto* head = new QHBoxLayout;
    head->setSpacing(textEdge - logoSide);
    head->addWidget(icon);
    head->addLayout(names, 1);

    auto* column = new QWidget;
    column->setMaximumWidth(560);
    auto* layout = new QVBoxLayout(column);
    layout->setSpacing(8);
    layout->addLayout(head);
    layout->addSpacing(16);
    m_buttons = new QVBoxLayout;
    m_buttons->setSpacing(8);
    layout->addLayout(m_buttons);
    addButton(tr("Open the sample"), tr("A ResNet-20 for Fashion-MNIST with its 10,000 test images"),
        QStringLiteral("sample"), &StartPage::sampleWanted)
        ->setFocus();
    addButton(tr("Open a model…"), tr("An ONNX file; or drop one onto this window"), QStringLiteral("model"),
        &StartPage::modelWanted);
    addButton(tr("Open a project…"), tr("A .qscope file: models, images, options and every result"),
        QStringLiteral("project"), &StartPage::projectWanted);
    m_unsavedTitle = new QLabel(tr("Not saved when Quantoscope last ended"));
    m_unsavedTitle->setEnabled(false);
    m_unsavedTitle->setContentsMargins(textEdge, 0, 0, 0);
    layout->addSpacing(8);
    layout->addWidget(m_unsavedTitle);
    m_unsaved = new QVBoxLayout;
    m_unsaved->setSpacing(4);
    layout->addLayout(m_unsaved);
    m_recentTitle = new QLabel(tr("Recent"));
    m_recentTitle->setEnabled(false);
    m_recentTitle->setContentsMargins(textEdge, 0, 0, 0);
    layout->addSpacing(8);
    layout->addWidget(m_recentTitle);
    m_recent = new QVBoxLayout;
    m_recent->setSpacing(0);
    layout->addLayout(m_recent);

    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(24, 24, 24, 24);
    outer->addStretch(1);
    auto* middle = new QHBoxLayout;
    middle->addStretch(1);
    middle->addWidget(column, 10);
    middle->addStretch(1);
    outer->addLayout(middle);
    outer->addStretch(2);
    setRecent({});
    setUnsaved({});
}

QPushButton* StartPage::addButton(
    const QString& text, const QString& detail, const QString& icon, void (StartPage::*signal)())
{
    auto* button = new QCommandLinkButton(text, detail);
    button->setAccessibleName(text);
    button->setProperty("iconName", icon);
    button->setIconSize({ logoSide, iconSide });
    button->setIcon(centred(tintedIcon(icon, palette())));
    connect(button, &QPushButton::clicked, this, signal);
    m_buttons->addWidget(button);
    return button;
}

void StartPage::changeEvent(QEvent* event)
{
    QWidget::changeEvent(event);
    if (event->type() != QEvent::PaletteChange)
        return;
    for (auto* button : findChildren<QCommandLinkButton*>())
        button->setIcon(centred(tintedIcon(button->property("iconName").toString(), palette())));
}

void StartPage::setUnsaved(const std::vector<UnsavedWork>& work)
{
    while (QLayoutItem* item = m_unsaved->takeAt(0)) {
        item->widget()->deleteLater();
        delete item;
    }
    for (const UnsavedWork& entry : work) {
        auto* row = new QWidget;
        auto* open = new QPushButton(tr("Recover"));
        open->setAccessibleName(tr("Recover %1").arg(entry.title));
        open->setToolTip(tr("Go on where that session ended"));
        auto* remove = new QPushButton(tr("Delete"));
        remove->setAccessibleName(tr("Delete %1").arg(entry.title));
        auto* title
            = new QLabel(tr("%1, %2").arg(entry.title, QLocale().toString(entry.changed, QLocale::ShortFormat)));
        auto* layout = new QHBoxLayout(row);
        layout->setContentsMargins(textEdge, 0, 0, 0);
        layout->setSpacing(8);
        layout->addWidget(title, 1);
        layout->addWidget(open);
        layout->addWidget(remove);
        connect(open, &QPushButton::clicked, this, [this, entry] { emit unsavedWanted(entry); });
        connect(remove, &QPushButton::clicked, this, [this, entry] { emit unsavedRefused(entry); });
        m_unsaved->addWidget(row);
    }
    m_unsavedTitle->setVisible(!work.empty());
}

void StartPage::setRecent(const QStringList& paths)
{
    while (QLayoutItem* item = m_recent->takeAt(0)) {
        item->widget()->deleteLater();
        delete item;
    }
    for (const QString& path : paths) {
        // Models of different folders often have the same name.
        const QFileInfo file(path);
        const QString text = tr("%1  –  %2").arg(file.fileName(), QDir::toNativeSeparators(file.path()));
        auto* button = new QPushButton(fontMetrics().elidedText(text, Qt::ElideMiddle, recentWidth));
        button->setFlat(true);
        button->setStyleSheet(QStringLiteral("text-align: left; padding: 4px 8px 4px %1px").arg(textEdge));
        button->setToolTip(path);
        connect(button, &QPushButton::clicked, this, [this, path] { emit recentWanted(path); });
        m_recent->addWidget(button);
    }
    m_recentTitle->setVisible(!paths.isEmpty());
}

} // namespace quantoscope::ui
