// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/session/model_check.h"

#include <map>

#include <QCoreApplication>

#include "core/engine/engine.h"
#include "core/planning/plan_builder.h"
#include "ui/charts/number_format.h"

namespace quantoscope::ui {

namespace {

using Kind = ModelFinding::Kind;

constexpr int mostNames = 6;

QString tr(const char* text) { return QCoreApplication::translate("ModelCheck", text); }

/// "conv1, conv2, conv3 and 12 more"
QString listed(const QStringList& names)
{
    if (names.size() <= mostNames)
        return names.join(QStringLiteral(", "));
    return tr("%1 and %2 more").arg(names.mid(0, mostNames).join(QStringLiteral(", "))).arg(names.size() - mostNames);
}

void checkOperators(const graph::Model& model, ModelCheck& check)
{
    struct Group {
        QStringList nodes;
        QString why;
    };
    std::map<QString, Group> groups;
    for (const graph::Unsupported& node : engine::findUnsupported(model.graph)) {
        Group& group = groups[QString::fromStdString(node.op)];
        group.nodes << QString::fromStdString(node.name);
        group.why = QString::fromStdString(node.why);
    }
    for (const auto& [op, group] : groups)
        check.findings.push_back({ Kind::Blocker, tr("Operator %1 is not supported: %2").arg(op, group.why),
            tr("In %1. Export the model without it, or cut the model before it.").arg(listed(group.nodes)) });
    if (groups.empty())
        check.findings.push_back({ Kind::Good, tr("Every operator is supported"), {} });
}

void checkBatchNorms(const LoadedModel& loaded, ModelCheck& check)
{
    QStringList left;
    for (const graph::NodeId id : loaded.graph->nodes())
        if (loaded.graph->node(id).opType == "BatchNormalization")
            left << QString::fromStdString(loaded.graph->label(id));
    if (left.isEmpty()) {
        check.findings.push_back({ Kind::Good, tr("No batch norm is left outside a layer’s weights"), {} });
        return;
    }
    const QString why = loaded.foldBatchNorm
        ? tr("Something else also reads what the layer before it gives, or there is none. It is computed in float.")
        : tr("Folding is switched off in the options. On devices it usually is part of the weights before it.");
    check.findings.push_back({ loaded.foldBatchNorm ? Kind::Warning : Kind::Note,
        tr("Batch norms that are left outside a layer’s weights: %1").arg(left.size()),
        listed(left) + QStringLiteral(". ") + why });
}

void checkExternalData(const graph::Model& model, ModelCheck& check)
{
    double bytes = 0;
    for (const graph::ValueId id : model.graph.values())
        if (const auto& constant = model.graph.value(id).constant)
            bytes += static_cast<double>(constant->bytes());
    std::error_code error;
    const auto file = static_cast<double>(std::filesystem::file_size(model.path, error));
    if (error)
        return;
    if (bytes <= file) {
        check.findings.push_back({ Kind::Good, tr("All weights are in the file, no external data"), {} });
        return;
    }
    check.findings.push_back({ Kind::Note, tr("Weights lie in files beside the model"),
        tr("%1 of weights are more than the %2 of the file. Keep its folder together; a project finds the model, not "
           "these files.")
            .arg(formatBytes(bytes), formatBytes(file)) });
}

void checkWeights(const LoadedModel& loaded, ModelCheck& check)
{
    QStringList computed;
    QStringList zero;
    for (const LayerInfo& layer : loaded.layers) {
        if (!layer.weight)
            computed << layer.name;
        else if (layer.weightHistogram.binWidth() == 0)
            zero << layer.name;
    }
    if (loaded.layers.empty())
        check.findings.push_back({ Kind::Warning, tr("There is no layer to quantize"),
            tr("Convolutions, fully connected layers and matrix products are what is quantized.") });
    if (!computed.isEmpty())
        check.findings.push_back(
            { Kind::Note, tr("Layers that multiply two activations: %1").arg(computed.size()), listed(computed) });
    if (!zero.isEmpty())
        check.findings.push_back(
            { Kind::Warning, tr("Layers that have only zeros as weights: %1").arg(zero.size()), listed(zero) });
}

} // namespace

ModelCheckPtr checkModel(const graph::Model& model, const QString& name, const LoadedModel* loaded)
{
    auto check = std::make_shared<ModelCheck>();
    check->name = name;
    check->usable = loaded != nullptr;
    checkOperators(model, *check);
    if (loaded) {
        checkBatchNorms(*loaded, *check);
        checkWeights(*loaded, *check);
    }
    checkExternalData(model, *check);
    return check;
}

Result<std::vector<ModelFinding>> forecastBiases(
    const graph::Graph& graph, const calibration::CalibrationStats& stats, planning::PlanRequest request)
{
    std::vector<ModelFinding> findings;
    if (!request.weights.bits || !request.activations.bits || !request.biasBits) {
        findings.push_back({ Kind::Note, tr("Biases: no forecast"),
            tr("They are stored in steps of s_x s_w where weights and activations are quantized; these options leave "
               "some in float.") });
        return findings;
    }
    request.scope = quant::Scope::Integer;
    QS_TRY(const auto built, planning::buildPlan(graph, &stats, request));
    QStringList remedies;
    for (const planning::BiasRemedy& remedy : built.biasRemedies)
        remedies << QString::fromStdString(remedy.describe());
    if (remedies.isEmpty())
        findings.push_back(
            { Kind::Good, tr("Every bias fits %1 bits in steps of s_x s_w").arg(*request.biasBits), {} });
    else
        findings.push_back({ Kind::Warning,
            tr("Layers whose biases do not fit %1 bits in steps of s_x s_w: %2")
                .arg(*request.biasBits)
                .arg(remedies.size()),
            remedies.join(QLatin1Char('\n')) });
    return findings;
}

} // namespace quantoscope::ui
