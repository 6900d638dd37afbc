// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/accuracy_badge.h"

#include <algorithm>

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>

#include "ui/charts/number_format.h"
#include "ui/charts/range_words.h"
#include "ui/charts/theme.h"
#include "ui/session/outcomes.h"
#include "ui/session/window_words.h"
#include "ui/views/elided_label.h"

namespace quantoscope::ui {

AccuracyBadge::AccuracyBadge(Session& session, QWidget* parent)
    : QFrame(parent)
    , m_session(session)
    , m_plan(new ElidedLabel)
    , m_value(new QLabel)
    , m_detail(new ElidedLabel)
{
    setFrameShape(QFrame::StyledPanel);
    QFont bold = font();
    bold.setBold(true);
    m_value->setFont(bold);
    m_detail->setEnabled(false);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(12, 4, 12, 4);
    layout->setSpacing(8);
    for (QLabel* label : { m_plan, m_value, m_detail })
        layout->addWidget(label);
    for (const auto signal : { &Session::accuracyChanged, &Session::floatResultChanged, &Session::requestChanged,
             &Session::modelChanged, &Session::dataChanged, &Session::statsChanged })
        connect(&session, signal, this, &AccuracyBadge::refresh);
    refresh();
}

QString AccuracyBadge::text() const
{
    return QStringList { m_plan->text(), m_value->text(), m_detail->text() }.join(QLatin1Char(' ')).simplified();
}

void AccuracyBadge::changeEvent(QEvent* event)
{
    QFrame::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_detail)
        refresh();
}

QString AccuracyBadge::valueText() const
{
    const Accuracy& accuracy = m_session.accuracy();
    if (accuracy.images > 0) {
        // Not as plus and minus: near 100 % the interval reaches much further down than up.
        return tr("%1 (%2 – %3)")
            .arg(formatTop1(accuracy.top1, accuracy.images), formatShare(accuracy.interval.low, accuracy.images),
                formatShare(accuracy.interval.high, accuracy.images));
    }
    switch (accuracy.state) {
    case Accuracy::State::Waiting:
    case Accuracy::State::Running:
        return QStringLiteral("…");
    case Accuracy::State::Failed:
        return tr("failed");
    default:
        return QStringLiteral("–");
    }
}

QString AccuracyBadge::detailText() const
{
    if (!m_session.data())
        return tr("no images");
    const Accuracy& accuracy = m_session.accuracy();
    const bool underWay = accuracy.state == Accuracy::State::Running && accuracy.images > 0;
    QStringList parts;
    if (m_session.floatResult())
        parts << tr("float %1").arg(formatTop1(m_session.floatResult()->top1(), m_session.floatResult()->images()));
    if (underWay)
        parts << tr("%1 of %2").arg(formatCount(accuracy.images), formatCount(accuracy.total));
    else if (accuracy.images > 0)
        parts << tr("%1 images").arg(formatCount(accuracy.images));
    return parts.join(QStringLiteral(" · "));
}

QString AccuracyBadge::planText() const
{
    const auto& tried = m_session.accuracy().corrections;
    const auto kept = std::ranges::count_if(tried, &flow::CorrectionOutcome::kept);
    QString text = m_session.accuracy().plan;
    if (kept == 1)
        text += QStringLiteral(" + ") + keptCorrections(tried);
    else if (kept > 1)
        text += tr(" + %1 corrections").arg(kept);
    if (kept < static_cast<std::ptrdiff_t>(tried.size()))
        text += QStringLiteral(" ⚠");
    return text;
}

void AccuracyBadge::refresh()
{
    setVisible(m_session.model() != nullptr);
    const QString plan = planText();
    m_plan->setText(plan);
    m_plan->setVisible(!plan.isEmpty());
    m_value->setText(valueText());
    m_detail->setText(detailText());
    QPalette colors = palette();
    colors.setColor(QPalette::WindowText, Theme::forPalette(palette()).quantized);
    m_value->setPalette(colors);
    QString tip = tr("Top-1 accuracy of the current plan with its 95 % interval (Wilson), and of the float network "
                     "on the same images.\n%1")
                      .arg(inWords(m_session.request().describe()));
    for (const flow::CorrectionOutcome& outcome : m_session.accuracy().corrections)
        tip += tr("\n%1: %2").arg(correctionName(outcome.correction), outcomeText(outcome));
    if (m_session.data() && m_session.stats())
        tip += QLatin1Char('\n') + tr("Ranges of activations: %1").arg(calibrationText(*m_session.data()));
    setToolTip(tip);
    setAccessibleName(tr("Accuracy: %1").arg(text()));
}

} // namespace quantoscope::ui
