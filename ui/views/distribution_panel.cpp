// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/distribution_panel.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include "core/calibration/range_estimator.h"
#include "ui/charts/number_format.h"
#include "ui/charts/range_words.h"
#include "ui/session/work.h"
#include "ui/views/chart_menu.h"
#include "ui/views/elided_label.h"

namespace quantoscope::ui {

namespace {

constexpr double farthest = 1e9;
constexpr double leastRange = 1e-3; ///< of the largest magnitude, as far as an end follows the pointer
constexpr int roomyWidth = 540; // pixels: figures and range fit side by side
constexpr int ampleWidth = 960; // pixels: more, and they would be far apart
constexpr int near = 420; // pixels from one to the next there

QDoubleSpinBox* rangeBox(double least, double most, const QString& name, const QString& tip)
{
    auto* box = new QDoubleSpinBox;
    box->setRange(least, most);
    box->setDecimals(4);
    box->setKeyboardTracking(false);
    box->setButtonSymbols(QAbstractSpinBox::NoButtons);
    box->setAlignment(Qt::AlignRight);
    box->setFixedWidth(84);
    box->setAccessibleName(name);
    box->setToolTip(tip);
    return box;
}

QString configText(const quant::TensorQuantizer& quantizer)
{
    const auto& config = quantizer.config;
    const bool perChannel = config.granularity.kind == quant::Granularity::Kind::PerChannel;
    const QString text
        = DistributionPanel::tr("%1 bits, %2, %3, %4")
              .arg(config.bits)
              .arg(inWords(quant::schemeName(config)),
                  perChannel ? DistributionPanel::tr("per channel") : DistributionPanel::tr("per tensor"),
                  quantizer.range.method == quant::RangeSpec::Method::Manual ? DistributionPanel::tr("range by hand")
                                                                             : inWords(quantizer.range.toString()));
    const auto format
        = config.scale == quant::ScaleRestriction::PowerOfTwo ? quant::qFormat(quantizer.encoding) : std::nullopt;
    return format ? text + QStringLiteral(", ") + QString::fromStdString(*format) : text;
}

/// Which part of the error is rounding and which is clipping.
QString splitText(const quant::QuantizationError& error)
{
    if (error.noisePower <= 0)
        return {};
    const double clipping = std::clamp(100 * error.clippingPower / error.noisePower, 0.0, 100.0);
    // Both with the same decimals, so that they add up; what is small but there is not called nothing.
    const auto percent = [](double share) {
        return share > 0 && share < 0.05   ? QStringLiteral("&lt;&nbsp;0.1")
            : share > 99.95 && share < 100 ? QStringLiteral("&gt;&nbsp;99.9")
            : share == 0 || share == 100   ? QString::number(share)
                                           : QString::number(share, 'f', 1);
    };
    return DistributionPanel::tr("error <b>%1&nbsp;%</b> rounding, <b>%2&nbsp;%</b> clipping")
        .arg(percent(100 - clipping), percent(clipping));
}

/// The encoding all channels share when a range is set by hand.
quant::Encoding encodingByHand(const quant::TensorQuantizer& quantizer, const Span& range)
{
    quant::QuantizerConfig config = quantizer.config;
    config.granularity = quant::Granularity::perTensor();
    quant::Encoding encoding = quant::encodingForRange(config, range.low, range.high);
    encoding.rounding = config.rounding;
    return encoding;
}

} // namespace

DistributionPanel::DistributionPanel(Session& session, Operand operand, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_operand(operand)
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 4, 8, 0);
    layout->setSpacing(4);
    buildHeader(layout);
    m_chart = new DistributionChart;
    m_chart->setAccessibleName(operand == Operand::Weight ? tr("Weight histogram") : tr("Activation histogram"));
    attachChartMenu(m_chart);
    layout->addWidget(m_chart, 1);

    connect(m_chart, &DistributionChart::clipDragged, this, &DistributionPanel::follow);
    connect(m_chart, &DistributionChart::clipReleased, this, &DistributionPanel::leave);
    connect(m_low, &QDoubleSpinBox::editingFinished, this, [this] { rangeTyped(false); });
    connect(m_high, &QDoubleSpinBox::editingFinished, this, [this] { rangeTyped(true); });
    connect(m_channel, &QSpinBox::valueChanged, this, [this] {
        if (m_updating)
            return;
        refresh(false);
        emit channelChanged(m_channel->value());
    });
    connect(m_reset, &QToolButton::clicked, this,
        [this] { m_session.editRange(m_session.selectedLayer(), m_operand, std::nullopt); });
    connect(m_openData, &QToolButton::clicked, this, &DistributionPanel::openDataWanted);
    connect(&session, &Session::selectionChanged, this, [this] { refresh(false); });
    connect(&session, &Session::modelChanged, this, [this] { refresh(false); });
    connect(&session, &Session::statsChanged, this, [this] { refresh(false); });
    connect(&session, &Session::analysisChanged, this, [this] { refresh(true); });
    connect(&session, &Session::confidenceChanged, this, &DistributionPanel::showConfidence);
    refresh(false);
}

void DistributionPanel::buildHeader(QVBoxLayout* layout)
{
    m_title = new ElidedLabel;
    QFont bold = m_title->font();
    bold.setBold(true);
    m_title->setFont(bold);
    m_title->setMinimumWidth(96);
    m_config = new ElidedLabel;
    m_config->setEnabled(false);
    m_config->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_channelLabel = new QLabel(tr("Channel"));
    m_channel = new QSpinBox;
    m_channel->setSpecialValueText(tr("All"));
    m_channel->setAccessibleName(tr("Channel"));
    m_channel->setToolTip(m_operand == Operand::Weight
            ? tr("One output channel of the weights, counted from 0; All for the whole tensor")
            : tr("One channel of the activations, counted from 0; All for the whole tensor"));
    m_channelLabel->setBuddy(m_channel);
    m_openData = new QToolButton;
    m_openData->setText(tr("Open images…"));

    auto* top = new QHBoxLayout;
    top->setSpacing(8);
    top->addWidget(m_title);
    top->addWidget(m_config, 1000);
    top->addWidget(m_openData);
    top->addWidget(m_channelLabel);
    top->addWidget(m_channel);
    top->addStretch(1);
    layout->addLayout(top);

    m_readout = new QLabel;
    m_readout->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_readout->setWordWrap(true);
    m_rangeLabel = new QLabel(tr("Range"));
    m_toLabel = new QLabel(tr("to"));
    m_low = rangeBox(-farthest, 0, tr("Lower end of the range"),
        tr("Smallest representable value, at most 0; drag the left handle or type"));
    m_high = rangeBox(0, farthest, tr("Upper end of the range"),
        tr("Largest representable value, at least 0; drag the right handle or type"));
    m_reset = new QToolButton;
    m_reset->setText(tr("Reset"));
    m_reset->setToolTip(tr("Back to the range that Options choose"));

    auto* range = new QHBoxLayout;
    range->setSpacing(8);
    for (QWidget* widget : std::initializer_list<QWidget*> { m_rangeLabel, m_low, m_toLabel, m_high, m_reset })
        range->addWidget(widget);
    range->addStretch(1);
    m_figures = new QBoxLayout(QBoxLayout::LeftToRight);
    m_figures->setSpacing(4);
    m_figures->addWidget(m_readout, 1000);
    m_figures->addLayout(range, 1);
    layout->addLayout(m_figures);
    m_hint = new QLabel;
    m_hint->setWordWrap(true);
    m_hint->hide();
    layout->addWidget(m_hint);
}

void DistributionPanel::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    for (QLabel* label : { static_cast<QLabel*>(m_config), m_readout })
        label->setMaximumWidth(width() < ampleWidth ? QWIDGETSIZE_MAX : near);
    const auto direction = width() < roomyWidth ? QBoxLayout::TopToBottom : QBoxLayout::LeftToRight;
    if (direction == m_figures->direction())
        return;
    m_figures->setDirection(direction);
    showError();
}

QString DistributionPanel::readout() const { return m_readout->text(); }

int DistributionPanel::channel() const { return m_channel->value(); }

void DistributionPanel::setChannel(int channel) { m_channel->setValue(channel); }

void DistributionPanel::setLogarithmicValues(bool on)
{
    if (on == m_logarithmicValues)
        return;
    m_logarithmicValues = on;
    refresh(false);
}

DistributionSeries DistributionPanel::quantizedBars(
    const quant::Encoding& encoding, const DistributionChart::Content& content) const
{
    return content.scale.logarithmic() ? quantizedSeries(*histogram(), encoding, content.scale, content.values.edges)
                                       : quantizedSeries(*histogram(), encoding, content.values.width);
}

std::optional<std::size_t> DistributionPanel::oneChannel() const
{
    return m_channel->value() >= 0 ? std::optional(static_cast<std::size_t>(m_channel->value())) : std::nullopt;
}

int DistributionPanel::channelCount() const
{
    const LayerInfo* layer = m_session.selectedLayerInfo();
    if (!layer)
        return 0;
    if (m_operand == Operand::Weight)
        return static_cast<int>(layer->channels);
    const calibration::TensorStats* seen = m_session.stats() ? m_session.stats()->find(layer->inputTensor) : nullptr;
    return seen ? static_cast<int>(seen->channelHistograms().size()) : 0;
}

QString DistributionPanel::tensorName() const
{
    const LayerInfo* layer = m_session.selectedLayerInfo();
    return !layer                      ? QString()
        : m_operand == Operand::Weight ? tr("Weights of %1").arg(layer->name)
                                       : tr("Activations into %1").arg(layer->name);
}

const calibration::Histogram* DistributionPanel::histogram() const
{
    const LayerInfo* layer = m_session.selectedLayerInfo();
    if (!layer)
        return nullptr;
    if (m_operand == Operand::Weight)
        return !layer->weight ? nullptr : oneChannel() ? &m_channelHistogram : &layer->weightHistogram;
    const calibration::TensorStats* seen = m_session.stats() ? m_session.stats()->find(layer->inputTensor) : nullptr;
    if (!seen)
        return nullptr;
    return oneChannel() && *oneChannel() < seen->channelHistograms().size() ? &seen->channelHistograms()[*oneChannel()]
                                                                            : &seen->histogram();
}

std::optional<quant::TensorQuantizer> DistributionPanel::quantizer() const
{
    const AnalysisPtr& analysis = m_session.analysis();
    const auto index = static_cast<std::size_t>(m_session.selectedLayer());
    if (!analysis || m_session.selectedLayer() < 0 || index >= analysis->layers.size())
        return std::nullopt;
    return m_operand == Operand::Weight ? analysis->layers[index].weight : analysis->layers[index].activation;
}

void DistributionPanel::refresh(bool keepView)
{
    const LayerInfo* layer = m_session.selectedLayerInfo();
    m_updating = true;
    const bool another = m_session.selectedLayer() != m_layer || m_session.model() != m_model;
    const int shownChannel = m_channel->value();
    m_channel->setRange(-1, channelCount() - 1);
    if (another) {
        m_layer = m_session.selectedLayer();
        m_model = m_session.model();
        m_channel->setValue(-1);
    }
    m_updating = false;
    if (m_channel->value() != shownChannel)
        emit channelChanged(m_channel->value());
    if (!layer)
        return showNothing({}, tr("Choose a layer to see its distributions"));
    if (m_operand == Operand::Weight && !layer->weight)
        return showNothing(tensorName(), tr("This layer multiplies two activations and has no weights"));
    if (m_operand == Operand::Weight && oneChannel())
        m_channelHistogram = channelHistogram(*layer, m_channel->value());
    if (!histogram())
        return showNothing(tensorName(),
            m_session.data() ? tr("Activations appear once the calibration images have run through the model")
                             : tr("Open labelled images to see activations"));
    showTensor(keepView && !another);
}

void DistributionPanel::showNothing(const QString& title, const QString& message)
{
    m_title->setText(title);
    m_error.reset();
    showError();
    m_config->clear();
    m_hint->hide();
    for (QWidget* widget :
        std::initializer_list<QWidget*> { m_channelLabel, m_channel, m_rangeLabel, m_low, m_toLabel, m_high, m_reset })
        widget->hide();
    m_openData->setVisible(m_operand == Operand::Activation && m_session.model() && !m_session.data());
    m_chart->setContent({}, false);
    m_chart->setMessage(message);
}

void DistributionPanel::showTensor(bool keepView)
{
    const auto chosen = quantizer();
    const auto& seen = *histogram();
    m_chart->setMessage({});
    m_openData->hide();
    m_title->setText(tensorName());
    m_title->setToolTip(tensorName());
    m_channelLabel->setVisible(channelCount() > 1);
    m_channel->setVisible(channelCount() > 1);
    for (QWidget* widget : std::initializer_list<QWidget*> { m_rangeLabel, m_low, m_toLabel, m_high, m_reset })
        widget->setVisible(chosen.has_value());

    DistributionChart::Content content;
    content.title = tensorName();
    content.weights = m_operand == Operand::Weight;
    content.valueName = content.weights ? tr("Weight value") : tr("Activation value");
    if (m_logarithmicValues)
        content.scale = scaleFor(seen);
    content.values = distributionSeries(seen, content.scale, barsFor(seen));
    if (!chosen) {
        m_hint->hide();
        m_config->setText(tr("float"));
        m_error.reset();
        showError();
        return m_chart->setContent(std::move(content), keepView);
    }
    const quant::Encoding& encoding = chosen->encoding;
    const AnalysisPtr& analysis = m_session.analysis();
    const LayerAnalysis& layer = analysis->layers[static_cast<std::size_t>(m_session.selectedLayer())];
    const std::size_t one = encoding.perChannel() ? oneChannel().value_or(0) : 0;
    content.clip = representableSpan(encoding, encoding.perChannel() ? oneChannel() : std::nullopt);
    content.draggable = !oneChannel();
    quant::QuantizationError error = content.weights ? layer.weightError : layer.activationError;
    if (!encoding.perChannel() || oneChannel()) {
        quant::Encoding single = encoding;
        single.axis = -1;
        single.scale = { encoding.scale[one] };
        single.zeroPoint = { encoding.zeroPoint[one] };
        content.levels = gridLevels(single);
        content.quantized = quantizedBars(single, content);
        if (oneChannel())
            error = calibration::expectedError(seen, single);
    } else if (layer.quantizedWeights) {
        content.levelsNote = tr("levels differ by channel");
        const auto& quantized = *layer.quantizedWeights;
        content.quantized = content.scale.logarithmic()
            ? distributionSeries(quantized, content.scale, barsFor(quantized))
            : matchingSeries(quantized, content.values.width);
    }
    m_chart->setContent(std::move(content), keepView);
    showConfidence();
    // Histograms and figures are the plan's: what corrections make of weights is known only once they were run.
    const QString text = configText(*chosen);
    m_config->setText(m_session.request().corrections.any() ? tr("uncorrected: %1").arg(text) : text);
    m_config->setToolTip(m_session.request().corrections.any() ? tr("Before corrections: %1").arg(text) : text);
    const LayerInfo* info = m_session.selectedLayerInfo();
    showFigures(encoding, error, manualRange(m_session.request(), info->name, m_operand).has_value());
}

void DistributionPanel::showConfidence()
{
    const auto known = m_operand == Operand::Activation ? m_session.currentConfidence() : nullptr;
    m_hint->setVisible(known && known->confidence.moreImagesHelp);
    if (!known)
        return m_chart->setBands({}, {});
    const calibration::RangeConfidence& sure = known->confidence;
    m_chart->setBands(Span { sure.low.from, sure.low.to }, Span { sure.high.from, sure.high.to });
    const auto steps = [&](const calibration::RangeConfidence::End& end) {
        return sure.step > 0 ? formatSignificant(end.uncertainty() / sure.step, 2) : QStringLiteral("0");
    };
    const bool upper = sure.high.uncertainty() >= sure.low.uncertainty();
    const auto& unsure = upper ? sure.high : sure.low;
    const QString amount = formatSignificant(unsure.uncertainty(), 2);
    m_hint->setText((upper ? tr("Upper end ±%1 (%2 steps): more calibration images would help")
                           : tr("Lower end ±%1 (%2 steps): more calibration images would help"))
                        .arg(amount, steps(unsure)));
    m_hint->setToolTip(tr("Other calibration images would move the lower end by %1 and the upper end by %2 at most: "
                          "95 % bootstrap interval over %3 blocks of %4 calibration images each; a step is %5")
                           .arg(formatSignificant(sure.low.uncertainty()), formatSignificant(sure.high.uncertainty()))
                           .arg(sure.blocks)
                           .arg(sure.imagesPerBlock)
                           .arg(formatSignificant(sure.step)));
}

void DistributionPanel::showFigures(const quant::Encoding& encoding, const quant::QuantizationError& error, bool byHand)
{
    m_error = error;
    showError();
    const Span span = representableSpan(encoding, encoding.perChannel() ? oneChannel() : std::nullopt);
    m_updating = true;
    const double largest = std::max(std::abs(span.low), std::abs(span.high));
    const int decimals = largest > 0 ? std::clamp(3 - static_cast<int>(std::floor(std::log10(largest))), 0, 8) : 4;
    for (QDoubleSpinBox* box : { m_low, m_high }) {
        box->setDecimals(decimals);
        box->setReadOnly(oneChannel().has_value());
    }
    m_low->setValue(span.low);
    m_high->setValue(span.high);
    m_reset->setEnabled(byHand);
    m_updating = false;
}

void DistributionPanel::showError()
{
    if (!m_error)
        return m_readout->clear();
    // In one line where it has the whole width.
    const bool wide = m_figures->direction() == QBoxLayout::TopToBottom;
    const QString figures = tr("SQNR&nbsp;<b>%1&nbsp;dB</b> &nbsp; clipped&nbsp;<b>%2&nbsp;%</b>")
                                .arg(formatDecibel(m_error->sqnrDb()), formatSignificant(m_error->clippedPercent(), 2));
    m_readout->setText(figures + QLatin1String(wide ? " &nbsp; " : "<br>") + splitText(*m_error));
}

Span DistributionPanel::completed(double low, double high, bool highMoves) const
{
    // A range without width has no scale.
    const auto* seen = histogram();
    const double extent = seen ? std::max(std::abs(seen->low()), std::abs(seen->high())) : 0;
    const double least = extent > 0 ? extent * leastRange : std::numeric_limits<double>::min();
    // A symmetric signed grid has one size; the end that moves decides it.
    const auto chosen = quantizer();
    if (chosen && chosen->config.symmetric && chosen->encoding.isSigned()) {
        const double size = std::max(least, std::abs(highMoves ? high : low));
        return { -size, size };
    }
    if (high - low >= least)
        return { low, high };
    return highMoves ? Span { low, low + least } : Span { high - least, high };
}

void DistributionPanel::follow(double low, double high, bool highMoves)
{
    const auto chosen = quantizer();
    if (!chosen || !histogram())
        return;
    const quant::Encoding encoding = encodingByHand(*chosen, completed(low, high, highMoves));
    m_chart->updateQuantizer(
        representableSpan(encoding), gridLevels(encoding), quantizedBars(encoding, m_chart->content()));
    showFigures(encoding, calibration::expectedError(*histogram(), encoding), true);
}

void DistributionPanel::leave(double low, double high, bool highMoved)
{
    const Span range = completed(low, high, highMoved);
    quant::RangeSpec spec;
    spec.method = quant::RangeSpec::Method::Manual;
    spec.low = range.low;
    spec.high = range.high;
    m_session.editRange(m_session.selectedLayer(), m_operand, spec);
}

void DistributionPanel::rangeTyped(bool high)
{
    const QDoubleSpinBox* box = high ? m_high : m_low;
    const auto& clip = m_chart->content().clip;
    if (m_updating || !clip || oneChannel())
        return;
    // Leaving the field without a change is no edit; the field shows fewer digits than the range has.
    const double shown = high ? clip->high : clip->low;
    if (std::abs(box->value() - shown) <= std::pow(10.0, -box->decimals()))
        return;
    leave(std::min(0.0, m_low->value()), std::max(0.0, m_high->value()), high);
}

} // namespace quantoscope::ui
