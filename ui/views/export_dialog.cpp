// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/views/export_dialog.h"

#include <algorithm>

#include <QComboBox>
#include <QDialogButtonBox>
#include <QFileInfo>
#include <QFormLayout>
#include <QHeaderView>
#include <QLabel>
#include <QPushButton>
#include <QTreeWidget>
#include <QVBoxLayout>

#include "ui/charts/number_format.h"
#include "ui/charts/range_words.h"
#include "ui/views/option_words.h"

namespace quantoscope::ui {

using exporting::Containers;
using exporting::EncodingsVersion;
using exporting::Format;

namespace {

constexpr int rowHeight = 24; // pixels
constexpr int columnGap = 12;
constexpr int widestText = 240; ///< of what a name or a reason may take before it is elided

enum Column { Tensor, Kind, Bits, Container, Values, Bytes, Arithmetic, columnCount };

template <typename Enum> void addChoice(QComboBox* box, const QString& text, Enum value)
{
    box->addItem(text, static_cast<int>(value));
}

template <typename Enum> Enum chosen(const QComboBox* box) { return static_cast<Enum>(box->currentData().toInt()); }

template <typename Enum> void choose(QComboBox* box, Enum value)
{
    box->setCurrentIndex(box->findData(static_cast<int>(value)));
}

} // namespace

ExportDialog::ExportDialog(Session& session, QWidget* parent)
    : QDialog(parent)
    , m_session(session)
{
    setWindowTitle(tr("Export"));
    m_format = new QComboBox;
    addChoice(m_format, tr("ONNX with QuantizeLinear and DequantizeLinear"), Format::Qdq);
    addChoice(m_format, tr("ONNX with Quant nodes (QONNX)"), Format::Qonnx);
    addChoice(m_format, tr("ONNX in float, constants with their quantized values"), Format::Float);
    addChoice(m_format, tr("Encodings for AIMET (JSON)"), Format::Encodings);
    addChoice(m_format, tr("Encodings as a table (CSV)"), Format::Csv);
    m_containers = new QComboBox;
    addChoice(m_containers, tr("int8 or int16, also for fewer bits (runs everywhere)"), Containers::Portable);
    addChoice(m_containers, tr("int4 for up to 4 bits (needs opset 21)"), Containers::Native);
    m_version = new QComboBox;
    addChoice(m_version, QStringLiteral("1.0.0"), EncodingsVersion::V100);
    addChoice(m_version, QStringLiteral("0.6.1"), EncodingsVersion::V061);
    m_summary = new QLabel;
    m_summary->setWordWrap(true);
    m_tensors = new QTreeWidget;
    m_tensors->setRootIsDecorated(false);
    m_tensors->setUniformRowHeights(true);
    m_tensors->setAlternatingRowColors(true);
    m_tensors->setAccessibleName(tr("What becomes of every tensor"));
    m_tensors->setHeaderLabels({ tr("Tensor"), tr("Kind"), tr("Bits"), tr("Element type"), tr("Values in the file"),
        tr("Size [bytes]"), tr("Layer computes in") });
    m_tensors->headerItem()->setToolTip(Values, tr("What the tensor holds in the file"));
    m_tensors->headerItem()->setToolTip(Arithmetic,
        wrapped(
            tr("What ONNX Runtime makes of the layer that reads the tensor: integers where input, weight and result "
               "are of 8-bit types and the bias is quantized or absent, float otherwise.")));
    for (const int column : { Bits, Bytes })
        m_tensors->headerItem()->setTextAlignment(column, Qt::AlignRight | Qt::AlignVCenter);

    auto* form = new QFormLayout;
    form->addRow(tr("&Format"), m_format);
    form->addRow(tr("&Element types"), m_containers);
    form->addRow(tr("&Version"), m_version);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Cancel);
    auto* write = buttons->addButton(tr("&Export…"), QDialogButtonBox::AcceptRole);
    connect(buttons, &QDialogButtonBox::accepted, this, &QDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &QDialog::reject);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(16, 16, 16, 16);
    layout->setSpacing(12);
    layout->addLayout(form);
    layout->addWidget(m_summary);
    layout->addWidget(m_tensors, 1);
    layout->addWidget(buttons);
    write->setDefault(true); // heard once it is in the dialog
    for (QComboBox* box : { m_format, m_containers, m_version })
        connect(box, &QComboBox::currentIndexChanged, this, &ExportDialog::refresh);
    connect(&session, &Session::analysisChanged, this, &ExportDialog::refresh);
    resize(960, 520);
    refresh();
}

exporting::ExportOptions ExportDialog::options() const
{
    exporting::ExportOptions options;
    options.format = chosen<Format>(m_format);
    options.containers = chosen<Containers>(m_containers);
    options.encodings = chosen<EncodingsVersion>(m_version);
    return options;
}

void ExportDialog::setOptions(const exporting::ExportOptions& options)
{
    choose(m_format, options.format);
    choose(m_containers, options.containers);
    choose(m_version, options.encodings);
}

QString ExportDialog::summary() const { return m_summary->text(); }

QString ExportDialog::suggestedFile() const
{
    const QString stem
        = m_session.model() ? QFileInfo(m_session.model()->name).completeBaseName() : QStringLiteral("model");
    switch (options().format) {
    case Format::Encodings:
        return stem + QStringLiteral("_encodings.json");
    case Format::Csv:
        return stem + QStringLiteral("_encodings.csv");
    default:
        return stem + QLatin1Char('_') + QString::fromStdString(exporting::toString(options().format))
            + QStringLiteral(".onnx");
    }
}

QString ExportDialog::fileFilter() const
{
    const Format format = options().format;
    return format == Format::Csv      ? tr("Tables (*.csv)")
        : format == Format::Encodings ? tr("Encodings (*.json *.encodings)")
                                      : tr("ONNX models (*.onnx)");
}

void ExportDialog::refresh()
{
    const auto wanted = options();
    m_containers->setEnabled(wanted.format == Format::Qdq);
    m_containers->setToolTip(wrapped(m_containers->isEnabled()
            ? tr("Runtimes have kernels for 8-bit types; shorter word-lengths fit into them and are kept by the scale "
                 "and a Clip. 4-bit types halve the file where the runtime knows them.")
            : tr("Only ONNX with QuantizeLinear and DequantizeLinear has a choice of element types.")));
    m_version->setEnabled(wanted.format == Format::Encodings);
    m_version->setToolTip(wrapped(m_version->isEnabled() ? tr("Version of the encodings file that AIMET reads")
                                                         : tr("Only encodings for AIMET come in versions.")));
    m_tensors->clear();
    m_tensors->setColumnHidden(Arithmetic, wanted.format != Format::Qdq);
    const AnalysisPtr analysis = m_session.currentAnalysis();
    const LoadedModelPtr& model = m_session.model();
    if (!analysis || !model) {
        m_summary->setText(tr("The plan is being made."));
        return;
    }
    const auto report = exporting::describeContainers(*model->graph, *analysis->plan, wanted.format, wanted.containers);
    QString text = inWords(report.describe());
    if (report.opset > 0)
        text += QLatin1Char(' ') + tr("Opset %1.").arg(report.opset);
    if (analysis->weightsOnly)
        text += QLatin1Char(' ') + tr("Without images, activations stay float.");
    m_summary->setText(text);
    for (const auto& tensor : report.tensors) {
        auto* row = new QTreeWidgetItem(m_tensors);
        row->setText(Tensor, QString::fromStdString(tensor.tensor));
        row->setText(Kind, QString::fromStdString(quant::toString(tensor.role)));
        row->setText(Bits, QString::number(tensor.logicalBits));
        row->setText(Container, QString::fromStdString(tensor.container));
        row->setText(Values, QString::fromStdString(tensor.executes));
        row->setText(Bytes, tensor.bytesOnDisk > 0 ? formatCount(static_cast<qint64>(tensor.bytesOnDisk)) : QString());
        row->setText(Arithmetic, QString::fromStdString(tensor.computedIn));
        row->setSizeHint(Tensor, QSize(fontMetrics().horizontalAdvance(row->text(Tensor)), rowHeight));
        for (const int column : { Tensor, Values, Arithmetic })
            row->setToolTip(column, row->text(column));
        row->setTextAlignment(Bits, Qt::AlignRight | Qt::AlignVCenter);
        row->setTextAlignment(Bytes, Qt::AlignRight | Qt::AlignVCenter);
    }
    for (int column = 0; column < Arithmetic; ++column) { // the last one takes what room there is
        m_tensors->resizeColumnToContents(column);
        m_tensors->setColumnWidth(column, std::min(m_tensors->columnWidth(column) + columnGap, widestText));
    }
}

} // namespace quantoscope::ui
