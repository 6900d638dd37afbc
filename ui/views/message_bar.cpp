// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/message_bar.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QPainter>
#include <QPushButton>
#include <QStyle>
#include <QTimer>
#include <QToolButton>
#include <QVBoxLayout>

#include "ui/charts/theme.h"
#include "ui/session/window_words.h"

namespace quantoscope::ui {

namespace {

constexpr int mostMessages = 3;
constexpr int noticeMilliseconds = 15000;
constexpr int edgeWidth = 4; // pixels
constexpr int leastText = 160;

/// One message: a coloured edge on a tinted ground. Painted, not a style sheet, which would keep the colours that text
/// had when it was made.
class MessageFrame : public QFrame {
public:
    explicit MessageFrame(MessageBar::Kind kind)
        : m_kind(kind)
    {
    }

protected:
    void paintEvent(QPaintEvent* /*event*/) override
    {
        const Theme theme = Theme::forPalette(palette());
        const QColor accent = m_kind == MessageBar::Kind::Problem ? theme.quantized : theme.weights;
        QPainter painter(this);
        painter.fillRect(rect(), translucent(accent, theme.dark ? 0.22 : 0.12));
        painter.fillRect(QRect(0, 0, edgeWidth, height()), accent);
    }

private:
    MessageBar::Kind m_kind;
};

} // namespace

MessageBar::MessageBar(QWidget* parent)
    : QWidget(parent)
    , m_layout(new QVBoxLayout(this))
{
    m_layout->setContentsMargins(0, 0, 0, 0);
    m_layout->setSpacing(0);
    hide();
}

void MessageBar::showError(const base::Error& error, const QString& context, const Remedy& remedy)
{
    const QString what = inWindow(error.what);
    const QString where = QString::fromStdString(error.where);
    const QString hint = inWindow(error.hint);
    QString rich = QStringLiteral("<b>%1</b>: %2").arg(context.toHtmlEscaped(), what.toHtmlEscaped());
    if (!where.isEmpty())
        rich += QStringLiteral(" <span style='white-space:nowrap'>(%1)</span>").arg(where.toHtmlEscaped());
    rich = sentence(rich);
    if (!hint.isEmpty())
        rich += QStringLiteral("<br>%1").arg(sentence(hint.left(1).toUpper() + hint.mid(1)).toHtmlEscaped());
    QString plain = sentence(where.isEmpty() ? QStringLiteral("%1: %2").arg(context, what)
                                             : QStringLiteral("%1: %2 (%3)").arg(context, what, where));
    if (!hint.isEmpty())
        plain += QLatin1Char(' ') + sentence(hint.left(1).toUpper() + hint.mid(1));
    add(Kind::Problem, rich, plain, remedy);
}

void MessageBar::showNotice(const QString& text) { showOffer(text, {}); }

void MessageBar::showOffer(const QString& text, const Remedy& remedy)
{
    add(Kind::Notice, text.toHtmlEscaped(), text, remedy);
}

QString MessageBar::text() const
{
    const QLayoutItem* first = m_layout->itemAt(0);
    return first ? first->widget()->accessibleName() : QString();
}

void MessageBar::clear()
{
    while (QLayoutItem* item = m_layout->takeAt(0)) {
        item->widget()->deleteLater();
        delete item;
    }
    hide();
}

void MessageBar::add(Kind kind, const QString& richText, const QString& plainText, const Remedy& remedy)
{
    auto* frame = new MessageFrame(kind);
    frame->setAccessibleName(plainText);
    frame->setObjectName(QStringLiteral("message"));
    auto* label = new QLabel(richText);
    label->setWordWrap(true);
    // A long path is one word to it, which would widen the window.
    label->setMinimumWidth(leastText);
    label->setToolTip(plainText);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto* close = new QToolButton;
    close->setAutoRaise(true);
    close->setIcon(style()->standardIcon(QStyle::SP_TitleBarCloseButton));
    close->setToolTip(tr("Close this message"));
    close->setAccessibleName(tr("Close this message"));

    auto* row = new QHBoxLayout(frame);
    row->setContentsMargins(edgeWidth + 12, 8, 8, 8);
    row->setSpacing(8);
    row->addWidget(label, 1);
    const auto dismiss = [this, frame] {
        m_layout->removeWidget(frame);
        frame->deleteLater();
        setVisible(m_layout->count() > 0);
    };
    if (remedy.act) {
        auto* button = new QPushButton(remedy.text);
        row->addWidget(button, 0, Qt::AlignTop);
        connect(button, &QPushButton::clicked, frame, [dismiss, act = remedy.act] {
            dismiss();
            act();
        });
    }
    row->addWidget(close, 0, Qt::AlignTop);
    connect(close, &QToolButton::clicked, frame, dismiss);
    if (kind == Kind::Notice && !remedy.act)
        QTimer::singleShot(noticeMilliseconds, frame, dismiss);

    m_layout->insertWidget(0, frame);
    while (m_layout->count() > mostMessages) {
        QLayoutItem* oldest = m_layout->takeAt(m_layout->count() - 1);
        oldest->widget()->deleteLater();
        delete oldest;
    }
    show();
}

void MessageBar::tell(QWidget* widget, const base::Error& error, const QString& context)
{
    if (auto* bar = widget->window()->findChild<MessageBar*>())
        bar->showError(error, context);
}

} // namespace quantoscope::ui
