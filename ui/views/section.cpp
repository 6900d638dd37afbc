// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/section.h"

#include <QLabel>
#include <QSettings>
#include <QToolButton>
#include <QVBoxLayout>

namespace quantoscope::ui {

Section::Section(const QString& title, const QString& name, QWidget* content, QWidget* parent)
    : QWidget(parent)
    , m_key(QStringLiteral("sections/") + name)
    , m_header(new QToolButton)
    , m_summary(new QLabel)
    , m_content(content)
{
    m_header->setText(title);
    m_header->setCheckable(true);
    m_header->setAutoRaise(true);
    m_header->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_header->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    m_header->setAccessibleName(tr("%1, fold or unfold").arg(title));
    QFont bold = m_header->font();
    bold.setBold(true);
    m_header->setFont(bold);
    m_summary->setEnabled(false);
    m_summary->setWordWrap(true);
    m_summary->setContentsMargins(24, 0, 0, 4);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_header);
    layout->addWidget(m_summary);
    layout->addWidget(m_content);
    connect(m_header, &QToolButton::toggled, this, [this](bool open) {
        QSettings().setValue(m_key, open);
        refresh();
    });
    m_header->setChecked(QSettings().value(m_key, true).toBool());
    refresh();
}

void Section::setSummary(const QString& text)
{
    m_summaryText = text;
    refresh();
}

bool Section::isOpen() const { return m_header->isChecked(); }

void Section::setOpen(bool open) { m_header->setChecked(open); }

void Section::refresh()
{
    m_header->setArrowType(isOpen() ? Qt::DownArrow : Qt::RightArrow);
    m_content->setVisible(isOpen());
    m_summary->setText(m_summaryText);
    m_summary->setVisible(!isOpen() && !m_summaryText.isEmpty());
}

} // namespace quantoscope::ui
