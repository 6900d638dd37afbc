// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/range_editor.h"

#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>

#include "ui/session/limits.h"
#include "ui/views/choice_box.h"
#include "ui/views/option_words.h"

namespace quantoscope::ui {

namespace {

using Method = quant::RangeSpec::Method;
using Density = quant::RangeSpec::Density;

QString wordOf(Method method) { return QString::fromUtf8(quant::describe(method).word.data()); }

QDoubleSpinBox* numberBox(double low, double high, double step, int decimals, const QString& name, const QString& tip)
{
    auto* box = new QDoubleSpinBox;
    box->setRange(low, high);
    box->setSingleStep(step);
    box->setDecimals(decimals);
    box->setKeyboardTracking(false);
    box->setAlignment(Qt::AlignRight);
    box->setAccessibleName(name);
    box->setToolTip(tip);
    box->setMinimumWidth(56);
    return box;
}

} // namespace

RangeEditor::RangeEditor(QFormLayout* form, const QString& title, QObject* parent)
    : QObject(parent)
    , m_form(form)
{
    buildMethods(title);
    form->addRow(tr("Range"), m_method);

    const QString percentileTip = optionTip(quant::describe(Method::Percentile));
    m_low = numberBox(0, 49.9999, 0.01, 4, tr("%1: percentile of the low end").arg(title), percentileTip);
    m_high = numberBox(50.0001, 100, 0.01, 4, tr("%1: percentile of the high end").arg(title), percentileTip);
    for (QDoubleSpinBox* box : { m_low, m_high })
        box->setButtonSymbols(QAbstractSpinBox::NoButtons);
    m_percentiles = new QWidget;
    auto* row = new QHBoxLayout(m_percentiles);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(4);
    row->addWidget(m_low, 1);
    row->addWidget(new QLabel(tr("to")));
    row->addWidget(m_high, 1);
    form->addRow(tr("  at [%]"), m_percentiles);

    m_sigmas = numberBox(
        0.5, 50, 0.5, 2, tr("%1: standard deviations").arg(title), optionTip(quant::describe(Method::Sigma)));
    form->addRow(tr("  K"), m_sigmas);

    m_density = new ChoiceBox(tr("%1: density").arg(title));
    m_density->add(tr("best fit"), QStringLiteral("aciq"),
        wrapped(tr("Gauss or Laplace, whichever has the ratio of E|x| to √E x² nearer to what was seen.")));
    m_density->add(tr("Gauss"), QStringLiteral("aciq:gauss"), wrapped(tr("Values are taken as normally distributed.")));
    m_density->add(tr("Laplace"), QStringLiteral("aciq:laplace"),
        wrapped(
            tr("Values are taken as falling off exponentially to both sides, as weights and activations often do.")));
    form->addRow(tr("  density"), m_density);

    connect(m_method, &QComboBox::activated, this, &RangeEditor::chooseMethod);
    connect(m_low, &QDoubleSpinBox::valueChanged, this, &RangeEditor::choosePercentiles);
    connect(m_high, &QDoubleSpinBox::valueChanged, this, &RangeEditor::choosePercentiles);
    connect(m_sigmas, &QDoubleSpinBox::valueChanged, this, [this](double value) {
        quant::RangeSpec spec = usualRange(Method::Sigma);
        spec.parameter = value;
        if (!m_updating)
            emit chosen(spec);
    });
    connect(m_density, &QComboBox::activated, this, [this] {
        if (const auto spec = quant::RangeSpec::parse(m_density->key().toStdString()))
            emit chosen(*spec);
    });
}

void RangeEditor::buildMethods(const QString& title)
{
    m_method = new ChoiceBox(tr("%1: range").arg(title));
    m_method->add(quant::rangeTexts());
    m_method->setRefusals([](const QString& key) {
        return key == wordOf(Method::Manual)
            ? tr("A range by hand belongs to one layer: drag a handle in Distributions, or type the range there.")
            : QString();
    });
}

void RangeEditor::chooseMethod()
{
    for (const quant::OptionText& text : quant::rangeTexts())
        if (m_method->key() == QString::fromUtf8(text.word.data())) {
            const auto method = static_cast<Method>(&text - quant::rangeTexts().data());
            emit chosen(usualRange(method));
            return;
        }
}

void RangeEditor::choosePercentiles()
{
    if (!m_updating)
        emit chosen(percentileRange(m_low->value(), m_high->value()));
}

void RangeEditor::show(const quant::RangeSpec& range)
{
    m_updating = true;
    m_method->setKey(wordOf(range.method));
    if (range.method == Method::Percentile) {
        m_low->setValue(range.percentiles().low);
        m_high->setValue(range.percentiles().high);
    }
    if (range.method == Method::Sigma)
        m_sigmas->setValue(range.parameter);
    if (range.method == Method::Aciq)
        m_density->setKey(QString::fromStdString(range.toString()));
    m_form->setRowVisible(m_percentiles, range.method == Method::Percentile);
    m_form->setRowVisible(m_sigmas, range.method == Method::Sigma);
    m_form->setRowVisible(m_density, range.method == Method::Aciq);
    m_updating = false;
}

void RangeEditor::setEnabled(bool on)
{
    for (QWidget* widget : std::initializer_list<QWidget*> { m_method, m_percentiles, m_sigmas, m_density })
        widget->setEnabled(on);
}

} // namespace quantoscope::ui
