// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/layers_model.h"

#include <cmath>
#include <limits>

#include "ui/charts/distribution_series.h"
#include "ui/charts/number_format.h"
#include "ui/session/work.h"

namespace quantoscope::ui {

namespace {

constexpr int thumbnailBars = 24;
constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

QString whole(double value) { return std::isnan(value) ? QStringLiteral("–") : QString::number(value, 'f', 0); }

QString share(double value) { return std::isnan(value) ? QStringLiteral("–") : formatSignificant(value, 2); }

} // namespace

LayersModel::LayersModel(Session& session, QObject* parent)
    : QAbstractTableModel(parent)
    , m_session(session)
{
    connect(&session, &Session::modelChanged, this, &LayersModel::reload);
    connect(&session, &Session::requestChanged, this, &LayersModel::refresh);
    connect(&session, &Session::analysisChanged, this, &LayersModel::refresh);
    connect(&session, &Session::errorsChanged, this, &LayersModel::refresh);
    connect(&session, &Session::measureChanged, this, &LayersModel::refreshMeasure);
    connect(&session, &Session::sensitivityChanged, this, &LayersModel::refreshMeasure);
    reload();
}

void LayersModel::reload()
{
    beginResetModel();
    m_model = m_session.model();
    m_measure = measureLayers(m_session);
    m_sensitivity = measureLayers(m_session, Measure::Sensitivity);
    m_thumbnails.clear();
    if (m_model)
        for (const LayerInfo& layer : m_model->layers) {
            const auto heights = thumbnail(layer.weightHistogram, thumbnailBars);
            m_thumbnails.emplace_back(heights.begin(), heights.end());
        }
    endResetModel();
}

void LayersModel::refresh()
{
    // Between a new model and its reset the session may already speak of other layers.
    if (!m_model || m_model != m_session.model() || rowCount() == 0)
        return;
    m_measure = measureLayers(m_session);
    emit dataChanged(index(0, Number), index(rowCount() - 1, AccumulatorSeen));
}

void LayersModel::refreshMeasure()
{
    if (m_model && m_model == m_session.model())
        m_sensitivity = measureLayers(m_session, Measure::Sensitivity);
    refresh();
    emit headerDataChanged(Qt::Horizontal, Sensitivity, Sensitivity);
}

int LayersModel::rowCount(const QModelIndex& parent) const
{
    return parent.isValid() || !m_model ? 0 : static_cast<int>(m_model->layers.size());
}

int LayersModel::columnCount(const QModelIndex& parent) const { return parent.isValid() ? 0 : ColumnCount; }

Operand LayersModel::operandOf(int column)
{
    switch (column) {
    case ActivationBits:
    case ActivationSqnr:
    case ActivationClipped:
    case ActivationClipping:
    case ActivationTotal:
    case ActivationOwn:
    case ActivationInherited:
        return Operand::Activation;
    default:
        return Operand::Weight;
    }
}

LayersModel::Bits LayersModel::bits(int row, Operand operand) const
{
    const auto index = static_cast<std::size_t>(row);
    const WishedBits wished = wishedBits(m_session.request(), m_model->layers, index);
    const bool weight = operand == Operand::Weight;
    Bits result { weight ? wished.weight : wished.activation,
        weight ? wished.weightOverridden : wished.activationOverridden };
    // A tensor that several layers read has one encoding; the plan knows whose wish won.
    const AnalysisPtr analysis = m_session.currentAnalysis();
    if (analysis && index < analysis->layers.size() && (weight || !analysis->weightsOnly)) {
        const auto& quantizer = weight ? analysis->layers[index].weight : analysis->layers[index].activation;
        result.value = quantizer ? std::optional(quantizer->config.bits) : std::nullopt;
    }
    return result;
}

double LayersModel::planned(int row, int column) const
{
    const AnalysisPtr& analysis = m_session.analysis();
    const auto index = static_cast<std::size_t>(row);
    if (!analysis || index >= analysis->layers.size())
        return unknown;
    const LayerAnalysis& layer = analysis->layers[index];
    const bool weight = operandOf(column) == Operand::Weight;
    const auto& error = weight ? layer.weightError : layer.activationError;
    if (!(weight ? layer.weight.has_value() : layer.activation.has_value()) || error.count == 0)
        return unknown;
    switch (column) {
    case WeightSqnr:
    case ActivationSqnr:
        return error.sqnrDb();
    case WeightClipped:
    case ActivationClipped:
        return error.clippedPercent();
    default:
        return error.noisePower > 0 ? 100 * error.clippingPower / error.noisePower : 0;
    }
}

double LayersModel::measured(int row, int column) const
{
    const LayerErrorsPtr errors = m_session.currentErrors();
    if (!errors)
        return unknown;
    const LayerInfo& layer = m_model->layers[static_cast<std::size_t>(row)];
    if (column == AccumulatorWorst || column == AccumulatorSeen) {
        const auto found = errors->accumulators.find(layer.layer.name);
        if (found == errors->accumulators.end())
            return unknown;
        return column == AccumulatorWorst ? found->second.worstCaseBits : found->second.observedBits.value_or(0);
    }
    const auto found = errors->tensors.find(layer.inputTensor);
    if (found == errors->tensors.end())
        return unknown;
    const evaluation::TensorError& error = found->second;
    if (column == ActivationTotal)
        return error.sqnrDb;
    // The signal is the same for all three; only the noise differs.
    const double noise = column == ActivationOwn ? error.ownError : error.inheritedError;
    return noise > 0 ? error.sqnrDb + 10 * std::log10(error.mse / noise) : std::numeric_limits<double>::infinity();
}

double LayersModel::error(int row, int column) const
{
    if (column == Sensitivity)
        return m_sensitivity.empty() ? unknown : m_sensitivity.values[static_cast<std::size_t>(row)];
    return column <= ActivationClipping ? planned(row, column) : measured(row, column);
}

QVariant LayersModel::display(int row, int column) const
{
    const LayerInfo& layer = m_model->layers[static_cast<std::size_t>(row)];
    switch (column) {
    case Number:
        return row + 1;
    case Name:
        return layer.name;
    case WeightBits:
    case ActivationBits: {
        if (column == WeightBits && !layer.weight)
            return QStringLiteral("–");
        const Bits value = bits(row, operandOf(column));
        return formatBits(value.value) + (value.overridden ? QStringLiteral("*") : QString());
    }
    case WeightSqnr:
    case ActivationSqnr:
    case ActivationTotal:
    case ActivationOwn:
    case ActivationInherited:
        return formatDecibel(error(row, column));
    case Sensitivity:
    case WeightClipped:
    case ActivationClipped:
    case WeightClipping:
    case ActivationClipping:
        return share(error(row, column));
    case AccumulatorWorst:
    case AccumulatorSeen:
        return whole(error(row, column));
    case Operator:
        return QString::fromStdString(layer.layer.op);
    case InputShape:
        return layer.inputShape;
    case OutputShape:
        return layer.outputShape;
    case WeightShape:
        return layer.weightShape;
    case Parameters:
        return formatCount(layer.layer.parameters);
    case Macs:
        return formatCount(layer.layer.macs);
    default:
        return {};
    }
}

QVariant LayersModel::sortKey(int row, int column) const
{
    const LayerInfo& layer = m_model->layers[static_cast<std::size_t>(row)];
    if (isError(column)) {
        const double value = error(row, column);
        return std::isnan(value) ? std::numeric_limits<double>::max() : value;
    }
    switch (column) {
    case Number:
    case Distribution:
        return row;
    case WeightBits:
    case ActivationBits:
        return bits(row, operandOf(column)).value.value_or(quant::maxBits + 1);
    case Parameters:
        return static_cast<qlonglong>(layer.layer.parameters);
    case Macs:
        return static_cast<qlonglong>(layer.layer.macs);
    default:
        return display(row, column);
    }
}

QString LayersModel::toolTip(int row, int column) const
{
    const LayerInfo& layer = m_model->layers[static_cast<std::size_t>(row)];
    if (isBits(column)) {
        const QString tensor
            = QString::fromStdString(operandOf(column) == Operand::Weight ? layer.weightTensor : layer.inputTensor);
        const QString state
            = bits(row, operandOf(column)).overridden ? tr("set for this layer alone") : tr("as in Options");
        return tr("%1\n%2\nType 2 to 16, or f for float; edits go to all selected rows").arg(tensor, state);
    }
    if (column == Number && m_measure.measure != Measure::None)
        return tr("%1: %2").arg(measureName(m_measure.measure),
            m_measure.empty() ? measureMissing(m_measure.measure)
                              : m_measure.text(m_measure.values[static_cast<std::size_t>(row)]));
    if (isError(column))
        return headerData(column, Qt::Horizontal, Qt::ToolTipRole).toString();
    return display(row, column).toString();
}

QVariant LayersModel::data(const QModelIndex& index, int role) const
{
    if (!checkIndex(index, CheckIndexOption::IndexIsValid | CheckIndexOption::ParentIsInvalid))
        return {};
    const int row = index.row();
    const int column = index.column();
    switch (role) {
    case Qt::DisplayRole:
        return display(row, column);
    case Qt::EditRole:
        return isBits(column) ? QVariant(bits(row, operandOf(column)).value.value_or(0)) : display(row, column);
    case Qt::ToolTipRole:
        return toolTip(row, column);
    case Qt::TextAlignmentRole: {
        const bool text = column == Name || column == Operator;
        return QVariant::fromValue(Qt::Alignment((text ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter));
    }
    case SortRole:
        return sortKey(row, column);
    case ThumbnailRole:
        return column == Distribution ? QVariant::fromValue(m_thumbnails[static_cast<std::size_t>(row)]) : QVariant();
    case OperandRole:
        return isBits(column) || isError(column) ? QVariant(static_cast<int>(operandOf(column))) : QVariant();
    case MeasureRole: {
        const auto position = m_measure.position(static_cast<std::size_t>(row));
        return position ? QVariant(*position) : QVariant();
    }
    case OverriddenRole:
        return isBits(column) && bits(row, operandOf(column)).overridden;
    default:
        return {};
    }
}

QString LayersModel::sensitivityTitle() const
{
    return m_sensitivity.empty() ? tr("Sensitivity") : tr("Lost at %1\n[%2]").arg(m_sensitivity.at, m_sensitivity.unit);
}

QVariant LayersModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return QAbstractTableModel::headerData(section, orientation, role);
    if (role == Qt::DisplayRole) {
        const QString titles[ColumnCount] = { tr("#"), tr("Layer"), tr("Weights"), tr("W\n[bits]"), tr("A\n[bits]"),
            tr("SQNR\nW [dB]"), tr("SQNR\nA [dB]"), sensitivityTitle(), tr("W clipped\n[%]"), tr("A clipped\n[%]"),
            tr("W clipping\n[% of error]"), tr("A clipping\n[% of error]"), tr("SQNR A in\nnetwork [dB]"),
            tr("SQNR A\nown [dB]"), tr("SQNR A\ninherited [dB]"), tr("Sums, worst\n[bits]"), tr("Sums, seen\n[bits]"),
            tr("Operator"), tr("Input"), tr("Output"), tr("Weight"), tr("Parameters"), tr("MACs\nan image") };
        return titles[section];
    }
    if (role == Qt::ToolTipRole) {
        const QString tips[ColumnCount] = { tr("Position in the network"), tr("Name in the file"),
            tr("Histogram of the weights"), tr("Word-length of the weights; * set for this layer alone"),
            tr("Word-length of the activations that enter the layer; * set for this layer alone"),
            tr("Signal-to-quantization-noise ratio of the weights, 10 log10(Σx² / Σ(x − x̂)²) dB: about 6 dB a bit"),
            tr("Signal-to-quantization-noise ratio of the activations that enter the layer, over the calibration "
               "images: about 6 dB a bit"),
            measureTip(Measure::Sensitivity), tr("Weights outside what can be represented"),
            tr("Activations outside what can be represented, over the calibration images"),
            tr("Clipping's share of the squared error of the weights; the rest is rounding"),
            tr("Clipping's share of the squared error of the activations; the rest is rounding"),
            tr("Signal-to-noise ratio of the activations in the running quantized network against the float one"),
            tr("The same if only this tensor were quantized"),
            tr("The same for what arrives here from the layers before"),
            tr("Bits of an accumulator that no input overflows, in whatever order the products are summed"),
            tr("Bits that the sums over the evaluated images needed"), tr("ONNX operator"),
            tr("Shape of the activations that enter"), tr("Shape of what the layer produces"),
            tr("Shape of the weights"), tr("Elements of weights and bias"),
            tr("Multiply-accumulate operations for one image") };
        return tips[section];
    }
    if (role == Qt::TextAlignmentRole) {
        const bool text = section == Name || section == Operator;
        return QVariant::fromValue(Qt::AlignVCenter
            | (text                           ? Qt::AlignLeft
                    : section == Distribution ? Qt::AlignHCenter
                                              : Qt::AlignRight));
    }
    return {};
}

Qt::ItemFlags LayersModel::flags(const QModelIndex& index) const
{
    Qt::ItemFlags result = QAbstractTableModel::flags(index);
    const bool editable = index.isValid() && isBits(index.column())
        && (index.column() == ActivationBits || m_model->layers[static_cast<std::size_t>(index.row())].weight);
    return editable ? result | Qt::ItemIsEditable : result;
}

bool LayersModel::setData(const QModelIndex& index, const QVariant& value, int role)
{
    if (role != Qt::EditRole || !(flags(index) & Qt::ItemIsEditable))
        return false;
    bool number = false;
    const int bits = value.toInt(&number);
    if (!number || (bits != 0 && (bits < quant::minBits || bits > quant::maxBits)))
        return false;
    m_session.editBits({ index.row() }, operandOf(index.column()), bitsFromEditor(bits));
    return true;
}

} // namespace quantoscope::ui
