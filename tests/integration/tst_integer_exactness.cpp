// SPDX-License-Identifier: GPL-3.0-or-later
// labels: real numeric
// Every layer of real networks that computes in integers, against its definition in plain loops: whole sums of
// (code x weight), then (float(sum) + bias) multiplier rounded half to even. The same levels, all of them.
#include <QtTest>

#include "core/calibration/stats.h"
#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "core/graph/layers.h"
#include "core/graph/passes/activation_fusion.h"
#include "core/graph/windows.h"
#include "core/onnx_io/reader.h"
#include "core/planning/plan_builder.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/shared_data.h"

using namespace quantoscope;

namespace {

using quant::Encoding;
using Tensors = std::map<std::string, Tensor>;

std::vector<std::int32_t> levelsOf(const Encoding& encoding, const Tensor& values)
{
    std::vector<std::int32_t> levels(static_cast<std::size_t>(values.size()));
    quant::quantize(encoding, values.shape(), values.as<float>(), levels);
    return levels;
}

/// One of the shared models with a plan for all its tensors and the values that the engine gives them for one image.
struct Network {
    std::shared_ptr<const graph::Graph> graph;
    quant::QuantizationPlan plan;
    Tensors values;
    int integerLayers = 0;

    const Encoding* encodingOf(graph::ValueId value) const
    {
        const auto* quantizer = plan.find(graph->value(value).name);
        return quantizer ? &quantizer->encoding : nullptr;
    }
};

Shape inputShape(const graph::Graph& graph)
{
    std::vector<std::int64_t> extents;
    for (const graph::Dim& dim : *graph.value(graph.inputs().front()).type.dims)
        extents.push_back(dim.known() ? dim.value : extents.empty() ? 1 : 224);
    return Shape(extents);
}

dataset::SampleSetPtr randomImages(const Shape& input, std::int64_t count)
{
    dataset::SampleSet::Options options;
    options.preprocessing = *dataset::Preprocessing::named("imagenet");
    const int channels = static_cast<int>(input[1]);
    if (channels == 1)
        options.preprocessing.channels = dataset::Channels::Gray;
    return *dataset::SampleSet::load(
        test::randomDataset(count, static_cast<int>(input[2]), static_cast<int>(input[3]), channels, 10), options);
}

Result<Network> load(const std::filesystem::path& path, int bits)
{
    Network network;
    QS_TRY(const graph::Model model, onnx_io::readModel(path));
    QS_TRY(network.graph, engine::prepareGraph(model));
    const Shape shape = inputShape(*network.graph);
    const auto images = randomImages(shape, 2);
    QS_TRY(const auto stats, calibration::calibrate(*network.graph, *images));
    planning::PlanRequest request;
    request.scope = quant::Scope::Integer;
    request.weights.bits = bits;
    request.activations.bits = bits;
    QS_TRY(auto built, planning::buildPlan(*network.graph, stats.get(), request));
    network.plan = std::move(built.plan);

    engine::CompileOptions options;
    options.arithmetic = engine::Arithmetic::Auto;
    options.inputShapes = { { network.graph->value(network.graph->inputs().front()).name, shape } };
    for (const auto& [name, quantizer] : network.plan.tensors())
        if (quantizer.role == quant::Role::Activation && !network.graph->isConstant(*network.graph->find(name)))
            options.outputs.push_back(name);
    QS_TRY(const auto compiled, engine::compile(*network.graph, network.plan, options));
    network.integerLayers = compiled->arithmeticUse().integerLayers;
    Tensor input(DType::Float32, shape);
    images->fill(0, 1, input.as<float>());
    engine::Executor executor(compiled);
    QS_CHECK(executor.run(std::array { input.view() }));
    for (std::size_t i = 0; i < options.outputs.size(); ++i)
        network.values[options.outputs[i]] = tensor::convert(executor.output(i), DType::Float32);
    return network;
}

/// The sums of a layer over codes, padding with the zero point, in the order of its output.
std::vector<std::int32_t> sumsOf(const graph::Node& node, const graph::Layer& layer, const Shape& input,
    const std::vector<std::int32_t>& codes, std::int32_t zero, const Shape& weight,
    const std::vector<std::int32_t>& weights, const Shape& output)
{
    std::vector<std::int32_t> sums(static_cast<std::size_t>(output.size()), 0);
    if (layer.op != "Conv") {
        const bool transposed = node.intAttribute("transB", 0) != 0;
        const std::int64_t depth = weight[transposed ? 1 : 0];
        const std::int64_t columns = weight[transposed ? 0 : 1];
        for (std::int64_t r = 0; r < output.size() / columns; ++r)
            for (std::int64_t c = 0; c < columns; ++c)
                for (std::int64_t k = 0; k < depth; ++k)
                    sums[static_cast<std::size_t>(r * columns + c)] += codes[static_cast<std::size_t>(r * depth + k)]
                        * weights[static_cast<std::size_t>(transposed ? c * depth + k : k * columns + c)];
        return sums;
    }
    const auto window = graph::resolveWindow(
        node, std::array { input[2], input[3] }, std::vector<std::int64_t> { weight[2], weight[3] });
    const std::int64_t perGroup = output[1] / layer.groups;
    for (std::int64_t o = 0; o < output[1]; ++o)
        for (std::int64_t i = 0; i < weight[1]; ++i)
            for (std::int64_t y = 0; y < weight[2]; ++y)
                for (std::int64_t x = 0; x < weight[3]; ++x) {
                    const std::int32_t factor
                        = weights[static_cast<std::size_t>(((o * weight[1] + i) * weight[2] + y) * weight[3] + x)];
                    const std::int32_t* const plane
                        = codes.data() + (o / perGroup * weight[1] + i) * input[2] * input[3];
                    std::int32_t* const result = sums.data() + o * output[2] * output[3];
                    for (std::int64_t h = 0; h < output[2]; ++h) {
                        const std::int64_t row
                            = h * window->strides[0] + y * window->dilations[0] - window->padsBegin[0];
                        for (std::int64_t w = 0; w < output[3]; ++w) {
                            const std::int64_t column
                                = w * window->strides[1] + x * window->dilations[1] - window->padsBegin[1];
                            const bool inside = row >= 0 && row < input[2] && column >= 0 && column < input[3];
                            result[h * output[3] + w] += factor * (inside ? plane[row * input[3] + column] : zero);
                        }
                    }
                }
    return sums;
}

/// What an output channel adds to its sums, in units of them: its own bias less what the input's zero point brought in.
std::vector<float> biasesOf(const Network& network, const graph::Layer& layer, std::int64_t channels, std::int32_t zero,
    const std::vector<std::int32_t>& weights, bool channelIsOuter)
{
    std::vector<std::int64_t> fromInput(static_cast<std::size_t>(channels), 0);
    const auto size = static_cast<std::int64_t>(weights.size());
    for (std::int64_t i = 0; i < size; ++i)
        fromInput[static_cast<std::size_t>(channelIsOuter ? i / (size / channels) : i % channels)]
            += std::int64_t { zero } * weights[static_cast<std::size_t>(i)];
    std::vector<float> biases;
    const Encoding* const encoding = layer.bias.valid() ? network.encodingOf(layer.bias) : nullptr;
    std::vector<std::int32_t> own(static_cast<std::size_t>(channels), 0);
    if (encoding)
        own = levelsOf(*encoding, *network.graph->value(layer.bias).constant);
    for (std::size_t c = 0; c < fromInput.size(); ++c)
        biases.push_back(static_cast<float>(static_cast<double>(own[c]) - static_cast<double>(fromInput[c])));
    return biases;
}

/// How many elements of a layer's output are not what the definition says; empty if integers do not compute it.
std::optional<std::int64_t> differing(const Network& network, const graph::Layer& layer)
{
    const graph::Graph& graph = *network.graph;
    const graph::Node& node = graph.node(layer.node);
    const graph::ActivationFusion fusion(graph);
    const auto activation = fusion.after(layer.node);
    const graph::ValueId result = activation ? activation->output : node.outputs[0];
    const Encoding* const in = network.encodingOf(layer.input);
    const Encoding* const out = network.encodingOf(result);
    const Encoding* const by = layer.weight.valid() ? network.encodingOf(layer.weight) : nullptr;
    const bool hasFloatBias = layer.bias.valid() && !network.encodingOf(layer.bias);
    if (!in || !out || !by || hasFloatBias || layer.op == "ConvTranspose" || in->perChannel() || in->bits() > 8
        || by->bits() > 8)
        return std::nullopt;
    const Tensor& input = network.values.at(graph.value(layer.input).name);
    const Tensor& output = network.values.at(graph.value(result).name);
    const Tensor& weight = *graph.value(layer.weight).constant;
    if (layer.op == "Conv" && input.shape().rank() != 4)
        return std::nullopt;

    std::vector<std::int32_t> codes = levelsOf(*in, input);
    for (std::int32_t& code : codes)
        code -= in->qmin;
    const std::int32_t zero = in->zeroPoint[0] - in->qmin;
    std::vector<std::int32_t> weights = levelsOf(*by, weight); // symmetric: the zero point is 0
    const auto sums = sumsOf(node, layer, input.shape(), codes, zero, weight.shape(), weights, output.shape());
    const bool isConvolution = layer.op == "Conv";
    const std::int64_t channels = weight.shape()[layer.weightChannelAxis];
    const auto biases = biasesOf(network, layer, channels, zero, weights, layer.weightChannelAxis == 0);
    const std::int64_t positions = isConvolution ? output.shape()[2] * output.shape()[3] : 1;
    const auto outZero = static_cast<float>(out->zeroPoint[0]);
    const auto bound = [&](float limit, std::int32_t level) {
        const float own = static_cast<float>(level) - outZero;
        return std::isinf(limit) ? own : std::nearbyint(limit / out->scale[0]);
    };
    const float low
        = std::max(bound(activation ? activation->low : -INFINITY, out->qmin), static_cast<float>(out->qmin) - outZero);
    const float high
        = std::min(bound(activation ? activation->high : INFINITY, out->qmax), static_cast<float>(out->qmax) - outZero);
    std::int64_t wrong = 0;
    for (std::size_t i = 0; i < sums.size(); ++i) {
        const auto channel = static_cast<std::size_t>(static_cast<std::int64_t>(i) / positions % channels);
        const double scale
            = static_cast<double>(in->scale[0]) * static_cast<double>(by->scale[by->scale.size() == 1 ? 0 : channel]);
        const auto multiplier = static_cast<float>(scale / static_cast<double>(out->scale[0]));
        const float v = (static_cast<float>(sums[i]) + biases[channel]) * multiplier;
        const float level = std::clamp(std::nearbyint(v), low, high);
        wrong += output.as<float>()[i] != level * out->scale[0] ? 1 : 0;
    }
    return wrong;
}

} // namespace

class TestIntegerExactness : public QObject {
    Q_OBJECT

private slots:
    void everyLayer_data();
    void everyLayer();
};

void TestIntegerExactness::everyLayer_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<int>("bits");
    const auto models = test::sharedModels();
    for (const auto& path : models)
        for (const int bits : { 8, 3 }) {
            const std::string name = path.filename().string();
            // The same network written down otherwise has the same layers.
            if (name.find("_bn") != std::string::npos || (bits == 3 && !name.starts_with("resnet20_cifar10.")))
                continue;
            QTest::addRow("%s, %d bits", path.filename().c_str(), bits)
                << QString::fromStdString(path.string()) << bits;
        }
    if (models.empty())
        QSKIP("the shared models are not here: set QUANTOSCOPE_SHARED");
}

void TestIntegerExactness::everyLayer()
{
    QFETCH(QString, path);
    QFETCH(int, bits);
    const auto network = load(path.toStdString(), bits);
    QVERIFY2(network, network ? "" : network.error().message().c_str());
    int compared = 0;
    std::int64_t wrong = 0;
    for (const graph::Layer& layer : graph::computeLayers(*network->graph)) {
        const auto count = differing(*network, layer);
        compared += count ? 1 : 0;
        if (count.value_or(0) > 0)
            qWarning("layer '%s': %lld elements differ", layer.name.c_str(), static_cast<long long>(*count));
        wrong += count.value_or(0);
    }
    qInfo("%d of %d integer layers compared", compared, network->integerLayers);
    QCOMPARE(wrong, 0);
    QVERIFY(compared > 0 || network->integerLayers == 0);
}

QTEST_GUILESS_MAIN(TestIntegerExactness)
#include "tst_integer_exactness.moc"
