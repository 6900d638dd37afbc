// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/model_check_dialog.h"

#include <algorithm>

#include <QDialogButtonBox>
#include <QEvent>
#include <QLabel>
#include <QRegularExpression>
#include <QScrollArea>
#include <QVBoxLayout>

#include "ui/charts/theme.h"

namespace quantoscope::ui {

namespace {

constexpr int dialogWidth = 520; // pixels
constexpr int leastHeight = 120;
constexpr int mostHeight = 640;

/// "s_x s_w" as a formula.
QString formulas(QString html)
{
    static const QRegularExpression scale(QStringLiteral("\\bs_([xw])\\b"));
    return html.replace(scale, QStringLiteral("<i>s</i><sub>\\1</sub>"));
}

/// A sign, as colour alone does not tell everybody.
QString signOf(ModelFinding::Kind kind)
{
    switch (kind) {
    case ModelFinding::Kind::Good:
        return QStringLiteral("✓");
    case ModelFinding::Kind::Note:
        return QStringLiteral("ⓘ");
    case ModelFinding::Kind::Warning:
        return QStringLiteral("⚠");
    case ModelFinding::Kind::Blocker:
        break;
    }
    return QStringLiteral("✗");
}

} // namespace

ModelCheckDialog::ModelCheckDialog(Session& session, QWidget* parent)
    : QDialog(parent)
    , m_session(session)
{
    setModal(false);
    auto* content = new QWidget;
    m_list = new QVBoxLayout(content);
    m_list->setContentsMargins(0, 0, 8, 0);
    m_list->setSpacing(12);
    auto* scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidget(content);
    m_buttons = new QDialogButtonBox(QDialogButtonBox::Close);
    connect(m_buttons, &QDialogButtonBox::rejected, this, &QDialog::hide);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 16, 16, 16);
    layout->setSpacing(12);
    layout->addWidget(scroll, 1);
    layout->addWidget(m_buttons);
    resize(dialogWidth, leastHeight);
    connect(&session, &Session::modelCheckChanged, this, &ModelCheckDialog::refresh);
    refresh();
}

QStringList ModelCheckDialog::titles() const
{
    QStringList all;
    for (const auto* label : findChildren<QLabel*>(QStringLiteral("finding")))
        all << label->accessibleName();
    return all;
}

void ModelCheckDialog::refresh()
{
    while (QLayoutItem* item = m_list->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    const ModelCheckPtr& check = m_session.modelCheck();
    setWindowTitle(check ? tr("Model check: %1").arg(check->name) : tr("Model check"));
    if (!check)
        return;
    auto* heading = new QLabel(check->name);
    heading->setTextFormat(Qt::PlainText);
    heading->setWordWrap(true);
    m_list->addWidget(heading);
    for (const ModelFinding& finding : check->findings)
        add(finding);
    if (check->usable && check->biases.empty())
        add({ ModelFinding::Kind::Note, tr("Biases: open images for a forecast"),
            tr("Whether they fit depends on the ranges of activations, which calibration images tell.") });
    for (const ModelFinding& finding : check->biases)
        add(finding);
    m_list->addStretch(1);
    if (isVisible())
        fitHeight();
}

void ModelCheckDialog::fitHeight()
{
    const QMargins margins = layout()->contentsMargins();
    const int text = m_list->heightForWidth(width() - margins.left() - margins.right());
    const int all = text + margins.top() + margins.bottom() + layout()->spacing() + m_buttons->sizeHint().height() + 2;
    // As high as what it says; while it is open it only grows, as somebody may have made it larger.
    resize(width(), std::clamp(all, isVisible() ? height() : leastHeight, std::max(mostHeight, height())));
}

void ModelCheckDialog::showEvent(QShowEvent* event)
{
    fitHeight();
    QDialog::showEvent(event);
}

void ModelCheckDialog::changeEvent(QEvent* event)
{
    QDialog::changeEvent(event);
    // The colours of the signs are part of the texts.
    if (event->type() == QEvent::PaletteChange && m_list)
        refresh();
}

void ModelCheckDialog::add(const ModelFinding& finding)
{
    const bool bad = finding.kind >= ModelFinding::Kind::Warning;
    const QString colour = (bad ? Theme::forPalette(palette()).quantized : palette().color(QPalette::Text)).name();
    QString text = QStringLiteral("<b><span style='color:%1'>%2</span> %3</b>")
                       .arg(colour, signOf(finding.kind), formulas(finding.title.toHtmlEscaped()));
    if (!finding.detail.isEmpty())
        text += QStringLiteral("<br>")
            + formulas(finding.detail.toHtmlEscaped().replace(QLatin1Char('\n'), QStringLiteral("<br>")));
    auto* label = new QLabel(text);
    label->setObjectName(QStringLiteral("finding"));
    label->setAccessibleName(finding.title);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_list->addWidget(label);
}

} // namespace quantoscope::ui
