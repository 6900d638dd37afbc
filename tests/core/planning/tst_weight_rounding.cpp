// SPDX-License-Identifier: GPL-3.0-or-later
// Layers as matrices, second moments, compensated rounding and coordinate descent against loops that say what they
// mean.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <QTest>

#include "core/base/random.h"
#include "core/calibration/range_estimator.h"
#include "core/planning/transforms/adaptive_rounding.h"
#include "core/planning/transforms/layer_fit.h"
#include "core/planning/transforms/spread.h"
#include "core/planning/transforms/weight_rounding.h"
#include "tests/support/run_graph.h"
#include "tests/support/small_networks.h"

using namespace quantoscope;
using namespace quantoscope::planning;
using test::Attributes;
using test::Ints;
using test::normalTensor;

namespace {

struct LayerCase {
    std::string op;
    Shape input;
    Tensor weight;
    Attributes attributes;
    bool weightIsLeft = false;
};

std::map<std::string, LayerCase> layerCases()
{
    const auto one = std::int64_t { 1 };
    std::map<std::string, LayerCase> cases;
    cases["conv 1d, dilated"] = { "Conv", { 2, 3, 11 }, normalTensor({ 4, 3, 3 }, 1),
        { { "dilations", Ints { 2 } }, { "pads", Ints { 1, 2 } } } };
    cases["conv 2d, strides and uneven pads"] = { "Conv", { 2, 3, 7, 6 }, normalTensor({ 5, 3, 3, 2 }, 2),
        { { "strides", Ints { 2, 1 } }, { "pads", Ints { 1, 0, 2, 1 } } } };
    cases["conv 2d, groups"] = { "Conv", { 1, 4, 5, 5 }, normalTensor({ 6, 2, 3, 3 }, 3),
        { { "group", std::int64_t { 2 } }, { "pads", Ints { 1, 1, 1, 1 } } } };
    cases["conv 2d, depthwise"]
        = { "Conv", { 2, 4, 6, 6 }, normalTensor({ 4, 1, 3, 3 }, 4), { { "group", std::int64_t { 4 } } } };
    cases["conv 3d"]
        = { "Conv", { 1, 2, 4, 5, 4 }, normalTensor({ 3, 2, 2, 3, 2 }, 5), { { "strides", Ints { 1, 2, 1 } } } };
    cases["transposed convolution"] = { "ConvTranspose", { 2, 4, 4, 3 }, normalTensor({ 4, 3, 3, 2 }, 6),
        { { "strides", Ints { 2, 3 } }, { "pads", Ints { 1, 0, 0, 1 } } } };
    cases["transposed convolution, groups and dilation"] = { "ConvTranspose", { 1, 4, 5 }, normalTensor({ 4, 3, 2 }, 7),
        { { "group", std::int64_t { 2 } }, { "dilations", Ints { 2 } } } };
    cases["gemm"] = { "Gemm", { 3, 5 }, normalTensor({ 5, 4 }, 8), {} };
    cases["gemm, both transposed"]
        = { "Gemm", { 5, 3 }, normalTensor({ 4, 5 }, 9), { { "transA", one }, { "transB", one } } };
    cases["gemm, weight on the left"] = { "Gemm", { 5, 3 }, normalTensor({ 4, 5 }, 10), {}, true };
    cases["gemm, weight on the left, both transposed"]
        = { "Gemm", { 3, 5 }, normalTensor({ 5, 4 }, 11), { { "transA", one }, { "transB", one } }, true };
    cases["matmul, three axes"] = { "MatMul", { 2, 3, 5 }, normalTensor({ 5, 4 }, 12), {} };
    cases["matmul, weight on the left"] = { "MatMul", { 2, 5, 3 }, normalTensor({ 4, 5 }, 13), {}, true };
    return cases;
}

graph::Graph graphOf(const LayerCase& layer)
{
    test::GraphBuilder builder;
    const auto input = builder.input("x", graph::toDims(layer.input));
    const auto weight = builder.constant("w", layer.weight);
    std::vector<graph::ValueId> operands { input, weight };
    if (layer.weightIsLeft)
        std::swap(operands[0], operands[1]);
    builder.output(builder.node(layer.op, operands, "y", layer.attributes));
    [[maybe_unused]] const auto inferred = graph::inferShapes(builder.graph());
    Q_ASSERT(inferred.has_value());
    return builder.graph();
}

/// Rows of correlated values with a constant 1 behind them.
SampleMatrix correlatedSamples(std::int64_t groups, std::int64_t columns, std::int64_t rows, std::uint64_t seed)
{
    base::Random random(seed);
    SampleMatrix samples(groups, columns + 1, rows);
    std::vector<float> row(static_cast<std::size_t>(columns) + 1, 1.0F);
    for (std::int64_t group = 0; group < groups; ++group)
        for (std::int64_t r = 0; r < rows; ++r) {
            const double common = random.normal();
            for (std::size_t c = 0; c + 1 < row.size(); ++c)
                row[c] = static_cast<float>(random.normal() + common + 0.3);
            samples.setRow(group, r, row.data());
        }
    return samples;
}

/// A plain matrix [rows, columns] as the weight of a Gemm.
struct MatrixCase {
    graph::Graph graph;
    LayerMatrix matrix;
    Tensor weight;
    quant::Encoding encoding;
    SecondMoments inputs;
    std::vector<HessianFactor> factors;
};

MatrixCase matrixCase(std::int64_t rows, std::int64_t columns, int bits, const SampleMatrix& samples, double damping)
{
    MatrixCase result;
    result.weight = normalTensor({ rows, columns }, 20, 0.5);
    result.graph = graphOf({ "Gemm", { 1, columns }, result.weight, { { "transB", std::int64_t { 1 } } } });
    result.matrix = *LayerMatrix::create(result.graph, graph::computeLayers(result.graph).at(0));
    quant::QuantizerConfig config;
    config.bits = bits;
    config.granularity = quant::Granularity::perChannel(0);
    result.encoding = *calibration::estimateWeightEncoding(result.weight.view(), config, {});
    result.inputs = *secondMoments(samples, { 0, samples.rows() }, 1);
    result.factors = *factorizeGroups(result.inputs, damping, 1, {});
    return result;
}

/// e^T (H + damping) e of one row.
double errorOf(const MatrixCase& c, std::int64_t row, std::span<const float> rounded)
{
    const std::int64_t columns = c.matrix.columns();
    double sum = 0;
    for (std::int64_t i = 0; i < columns; ++i)
        for (std::int64_t j = 0; j < columns; ++j) {
            const auto e = [&](std::int64_t k) {
                const auto at = static_cast<std::size_t>(row * columns + k);
                return static_cast<double>(c.weight.as<float>()[at]) - static_cast<double>(rounded[at]);
            };
            sum += e(i) * e(j) * (c.inputs.at(0, i, j) + (i == j ? c.factors[0].damping : 0));
        }
    return sum;
}

double totalError(const MatrixCase& c, const Tensor& rounded)
{
    double sum = 0;
    for (std::int64_t row = 0; row < c.matrix.rows(); ++row)
        sum += errorOf(c, row, rounded.as<float>());
    return sum;
}

Tensor compensated(const MatrixCase& c, int threads = 1)
{
    return roundWeights(c.matrix, c.encoding, c.factors, c.weight, { .threads = threads }, {})->values;
}

bool close(double actual, double expected, double tolerance = 1e-4)
{
    return std::abs(actual - expected) <= tolerance * std::max(1.0, std::abs(expected));
}

} // namespace

class TestWeightRounding : public QObject {
    Q_OBJECT

private slots:
    void layerIsAMatrixProduct_data()
    {
        QTest::addColumn<QString>("name");
        for (const auto& [name, layer] : layerCases())
            QTest::newRow(name.c_str()) << QString::fromStdString(name);
    }
    void layerIsAMatrixProduct()
    {
        QFETCH(QString, name);
        const auto layer = layerCases().at(name.toStdString());
        const auto graph = graphOf(layer);
        const auto created = LayerMatrix::create(graph, graph::computeLayers(graph).at(0));
        QVERIFY2(created.has_value(), created ? "" : created.error().message().c_str());
        const LayerMatrix& matrix = *created;
        const Tensor input = normalTensor(layer.input, 99);
        const auto outputs = test::runGraph(graph, { input });
        QVERIFY2(outputs.has_value(), outputs ? "" : outputs.error().message().c_str());
        const Tensor& output = outputs->at(0);
        QCOMPARE(matrix.positions() * matrix.groups() * matrix.rows(), output.size());
        QCOMPARE(matrix.groups() * matrix.rows() * matrix.columns(), layer.weight.size());
        std::vector<bool> reached(static_cast<std::size_t>(output.size()));
        std::vector<std::int64_t> taps(matrix.tapCount());
        std::vector<float> column(static_cast<std::size_t>(matrix.columns()));
        for (std::int64_t position = 0; position < matrix.positions(); ++position) {
            matrix.locate(position, taps);
            for (std::int64_t channel = 0; channel < matrix.groups() * matrix.rows(); ++channel) {
                const std::int64_t group = channel / matrix.rows();
                matrix.gather(input.as<float>().data(), taps, group, column.data());
                double sum = 0;
                for (std::int64_t k = 0; k < matrix.columns(); ++k)
                    sum += static_cast<double>(column[static_cast<std::size_t>(k)])
                        * static_cast<double>(layer.weight.as<float>()[static_cast<std::size_t>(
                            matrix.weightIndex(group, channel % matrix.rows(), k))]);
                const auto at = static_cast<std::size_t>(matrix.outputIndex(position, channel));
                reached[at] = true;
                QVERIFY2(close(static_cast<double>(output.as<float>()[at]), sum),
                    qPrintable(QString("position %1 channel %2: %3 instead of %4")
                                   .arg(position)
                                   .arg(channel)
                                   .arg(sum)
                                   .arg(static_cast<double>(output.as<float>()[at]))));
            }
        }
        QVERIFY(std::ranges::all_of(reached, [](bool r) { return r; }));
    }

    void momentsAreMeansOfProducts()
    {
        const auto samples = correlatedSamples(2, 35, 700, 1); // more than two panels, more than two blocks of rows
        const RowRange rows { 3, 650 };
        const auto moments = *secondMoments(samples, rows, 2);
        const auto cross = *crossMoments(samples, samples, rows, 1);
        for (std::int64_t group = 0; group < 2; ++group)
            for (std::int64_t i = 0; i < 36; ++i)
                for (std::int64_t j = 0; j < 36; ++j) {
                    double sum = 0;
                    for (std::int64_t r = rows.first; r < rows.end; ++r)
                        sum += static_cast<double>(samples.at(group, r, i))
                            * static_cast<double>(samples.at(group, r, j));
                    sum /= static_cast<double>(rows.count());
                    QVERIFY(close(moments.at(group, i, j), sum));
                    QVERIFY(close(cross.at(group, i, j), sum));
                    QCOMPARE(moments.at(group, i, j), moments.at(group, j, i));
                }
        QVERIFY(close(moments.at(0, 35, 35), 1, 1e-12));
    }

    void factorIsOfTheDampedHessian()
    {
        const auto samples = correlatedSamples(1, 7, 50, 2);
        const auto moments = *secondMoments(samples, { 0, 50 }, 1);
        const auto factor = factorize(moments, 0, 7, 0.01);
        QVERIFY(factor.has_value());
        for (std::int64_t i = 0; i < 7; ++i) {
            for (std::int64_t j = 0; j < 7; ++j) {
                double sum = 0;
                for (std::int64_t k = 0; k < 7; ++k)
                    sum += factor->row(k)[i] * factor->row(k)[j];
                const auto a = factor->order[static_cast<std::size_t>(i)];
                const auto b = factor->order[static_cast<std::size_t>(j)];
                QVERIFY(close(sum, moments.at(0, a, b) + (i == j ? factor->damping : 0), 1e-10));
            }
            if (i > 0)
                QVERIFY(moments.at(
                            0, factor->order[static_cast<std::size_t>(i)], factor->order[static_cast<std::size_t>(i)])
                    >= moments.at(0, factor->order[static_cast<std::size_t>(i - 1)],
                        factor->order[static_cast<std::size_t>(i - 1)]));
        }
    }

    void independentInputsRoundToNearest()
    {
        SampleMatrix samples(1, 7, 6); // row r has one input alone, and no constant
        for (std::int64_t r = 0; r < 6; ++r) {
            std::vector<float> row(7, 0.0F);
            row[static_cast<std::size_t>(r)] = static_cast<float>(r + 1);
            samples.setRow(0, r, row.data());
        }
        const auto c = matrixCase(9, 6, 3, samples, 0.01);
        const Tensor nearest = quant::fakeQuantize(c.encoding, c.weight.view());
        QVERIFY(std::ranges::equal(compensated(c).as<float>(), nearest.as<float>()));
    }

    /// Two inputs that are the same: what rounding the first leaves is for the second to make up.
    void secondColumnMakesUpForTheFirst()
    {
        SampleMatrix samples(1, 3, 2);
        const std::vector<float> row { 2, 1.9F, 0 };
        samples.setRow(0, 0, row.data());
        samples.setRow(0, 1, row.data());
        auto c = matrixCase(1, 2, 4, samples, 1e-9);
        c.encoding.scale = { 1 };
        c.weight.as<float>()[0] = 1.4F; // the larger diagonal, so rounded first: 1, and 0.4 * 2 / 1.9 go to the other
        c.weight.as<float>()[1] = 2.3F; // 2.3 + 0.42 -> 3; to nearest it would be 2
        const Tensor rounded = compensated(c);
        QCOMPARE(rounded.as<float>()[0], 1.0F);
        QCOMPARE(rounded.as<float>()[1], 3.0F);
    }

    void comparesWithTheBestThereIs()
    {
        const auto samples = correlatedSamples(1, 5, 40, 4);
        const auto c = matrixCase(16, 5, 3, samples, 0.01);
        Tensor rounded = compensated(c);
        const Tensor nearest = quant::fakeQuantize(c.encoding, c.weight.view());
        const double ofNearest = totalError(c, nearest);
        const double ofCompensation = totalError(c, rounded);
        const double fell = *descend(c.matrix, c.encoding, c.inputs, c.factors, c.weight, rounded, 50, 1);
        const double ofDescent = totalError(c, rounded);
        QVERIFY(close(ofCompensation - fell, ofDescent, 1e-6));
        double best = 0;
        for (std::int64_t row = 0; row < 16; ++row) {
            double least = std::numeric_limits<double>::infinity();
            Tensor trial = nearest;
            for (int code = 0; code < 8 * 8 * 8 * 8 * 8; ++code) {
                for (int k = 0, rest = code; k < 5; ++k, rest /= 8)
                    trial.as<float>()[static_cast<std::size_t>(row * 5 + k)]
                        = static_cast<float>(rest % 8 - 4) * c.encoding.scale[static_cast<std::size_t>(row)];
                least = std::min(least, errorOf(c, row, trial.as<float>()));
            }
            best += least;
        }
        QVERIFY2(ofDescent <= ofCompensation && ofCompensation < 0.8 * ofNearest && best <= ofDescent * (1 + 1e-9)
                && ofDescent < 1.15 * best,
            qPrintable(QString("nearest %1, compensated %2, descended %3, best %4")
                           .arg(ofNearest)
                           .arg(ofCompensation)
                           .arg(ofDescent)
                           .arg(best)));
    }

    void neverWorseThanNearest_data()
    {
        QTest::addColumn<int>("bits");
        QTest::addColumn<int>("rows");
        QTest::newRow("2 bits") << 2 << 200;
        QTest::newRow("4 bits") << 4 << 200;
        QTest::newRow("8 bits") << 8 << 200;
        QTest::newRow("fewer samples than inputs") << 4 << 5;
    }
    void neverWorseThanNearest()
    {
        QFETCH(int, bits);
        QFETCH(int, rows);
        const auto c = matrixCase(21, 40, bits, correlatedSamples(1, 40, rows, 5), 0.01);
        const auto rounded = *roundWeights(c.matrix, c.encoding, c.factors, c.weight, { .threads = 2 }, {});
        const Tensor nearest = quant::fakeQuantize(c.encoding, c.weight.view());
        Tensor descended = rounded.values;
        QVERIFY(descend(c.matrix, c.encoding, c.inputs, c.factors, c.weight, descended, 5, 2).has_value());
        for (std::int64_t row = 0; row < 21; ++row) {
            const double before = errorOf(c, row, nearest.as<float>());
            const double between = errorOf(c, row, rounded.values.as<float>());
            QVERIFY(between <= before * (1 + 1e-9));
            QVERIFY(errorOf(c, row, descended.as<float>()) <= between * (1 + 1e-9));
        }
        QVERIFY(close(rounded.error, totalError(c, rounded.values), 1e-6));
        QVERIFY(close(rounded.errorOfNearest, totalError(c, nearest), 1e-6));
        for (const Tensor* values : std::initializer_list<const Tensor*> { &rounded.values, &descended })
            QVERIFY(
                std::ranges::equal(quant::fakeQuantize(c.encoding, values->view()).as<float>(), values->as<float>()));
        const Tensor alone = compensated(c, 1);
        QVERIFY(std::ranges::equal(alone.as<float>(), rounded.values.as<float>()));
    }

    void deadInputsRoundToNearest()
    {
        SampleMatrix samples = correlatedSamples(1, 12, 100, 6);
        std::vector<float> row(13);
        for (std::int64_t r = 0; r < 100; ++r) {
            for (std::int64_t k = 0; k < 13; ++k)
                row[static_cast<std::size_t>(k)] = k == 4 || k == 9 ? 0.0F : samples.at(0, r, k);
            samples.setRow(0, r, row.data());
        }
        const auto c = matrixCase(3, 12, 4, samples, 0.01);
        const Tensor rounded = compensated(c);
        const Tensor nearest = quant::fakeQuantize(c.encoding, c.weight.view());
        for (std::size_t r = 0; r < 3; ++r)
            for (const std::size_t k : { 4, 9 })
                QCOMPARE(rounded.as<float>()[r * 12 + k], nearest.as<float>()[r * 12 + k]);
        const auto dead = matrixCase(3, 12, 4, SampleMatrix(1, 13, 10), 0.01);
        QVERIFY(std::ranges::equal(
            compensated(dead).as<float>(), quant::fakeQuantize(dead.encoding, dead.weight.view()).as<float>()));
    }

    void valuesThatAreNotFiniteAreAnError()
    {
        SampleMatrix samples = correlatedSamples(1, 4, 10, 7);
        const std::vector<float> row { 1, std::numeric_limits<float>::infinity(), 1, 1, 1 };
        samples.setRow(0, 3, row.data());
        const auto moments = *secondMoments(samples, { 0, 10 }, 1);
        const auto factors = factorizeGroups(moments, 0.01, 1, {});
        QVERIFY(!factors.has_value());
        QCOMPARE(factors.error().code, ErrorCode::Internal);
    }

    void chosenScalesLowerTheError()
    {
        auto c = matrixCase(12, 20, 3, correlatedSamples(1, 20, 300, 8), 0.01);
        const double before = roundWeights(c.matrix, c.encoding, c.factors, c.weight, {}, {})->error;
        const auto chosen = *chooseScales(c.matrix, c.encoding, c.factors, c.weight, {}, {});
        const double after = roundWeights(c.matrix, chosen, c.factors, c.weight, {}, {})->error;
        QVERIFY2(after < 0.9 * before, qPrintable(QString("%1 -> %2").arg(before).arg(after)));
        QVERIFY(std::ranges::equal(chosen.zeroPoint, c.encoding.zeroPoint));
    }

    /// A shrunk copy gets back to where it came from.
    void gainIsRestored()
    {
        auto c = matrixCase(4, 10, 8, correlatedSamples(1, 10, 200, 9), 0.01);
        Tensor rounded = quant::fakeQuantize(c.encoding, c.weight.view());
        const auto scale = c.encoding.scale;
        for (float& s : c.encoding.scale)
            s *= 0.5F;
        for (float& w : rounded.as<float>())
            w *= 0.5F;
        restoreGain(c.matrix, ownTargets(c.matrix, c.inputs, c.weight), 1, c.encoding, rounded);
        for (std::size_t channel = 0; channel < 4; ++channel)
            QVERIFY(close(static_cast<double>(c.encoding.scale[channel] / scale[channel]), 1, 0.02));
        QVERIFY(std::ranges::equal(quant::fakeQuantize(c.encoding, rounded.view()).as<float>(), rounded.as<float>()));
    }

    /// Targets that another affine function of the inputs makes are found again; without a difference nothing moves.
    void fitFindsWhatMadeTheTargets()
    {
        constexpr std::int64_t columns = 6;
        const auto samples = correlatedSamples(1, columns, 400, 10);
        SampleMatrix targets(1, 1, 400);
        const std::vector<double> made { 0.5, -1, 2, 0.25, 0, 1, 3 };
        for (std::int64_t r = 0; r < 400; ++r) {
            double sum = 0;
            for (std::int64_t k = 0; k <= columns; ++k)
                sum += made[static_cast<std::size_t>(k)] * static_cast<double>(samples.at(0, r, k));
            const auto value = static_cast<float>(sum);
            targets.setRow(0, r, &value);
        }
        const auto momentsOf = [&](RowRange rows) {
            LayerMoments moments;
            moments.inputs = *secondMoments(samples, rows, 1);
            moments.targets = *crossMoments(targets, samples, rows, 1);
            return moments;
        };
        const auto fit = *fitLayer(
            momentsOf({ 0, 320 }), momentsOf({ 320, 400 }), momentsOf({ 0, 400 }), { std::vector<double>(7, 0.0) }, 2);
        QVERIFY(fit.gain > 0);
        for (std::size_t k = 0; k < made.size(); ++k)
            QVERIFY2(close(fit.rows[0][k], made[k], 0.02), qPrintable(QString::number(fit.rows[0][k])));
        const auto same = *fitLayer(momentsOf({ 0, 320 }), momentsOf({ 320, 400 }), momentsOf({ 0, 400 }), { made }, 1);
        for (std::size_t k = 0; k < made.size(); ++k)
            QVERIFY(close(same.rows[0][k], made[k], 1e-3));
    }

    /// Noise is nothing to fit: the weights stay, and the bias takes the mean.
    void fitLeavesNoiseAlone()
    {
        const auto samples = correlatedSamples(1, 30, 40, 11);
        SampleMatrix targets(1, 1, 40);
        base::Random random(12);
        for (std::int64_t r = 0; r < 40; ++r) {
            const auto value = static_cast<float>(5 + 10 * random.normal());
            targets.setRow(0, r, &value);
        }
        const auto momentsOf = [&](RowRange rows) {
            return LayerMoments { *secondMoments(samples, rows, 1), *crossMoments(targets, samples, rows, 1), {} };
        };
        const auto fit = *fitLayer(
            momentsOf({ 0, 32 }), momentsOf({ 32, 40 }), momentsOf({ 0, 40 }), { std::vector<double>(31, 0.0) }, 1);
        QVERIFY2(fit.strength >= 1, qPrintable(QString::number(fit.strength)));
    }
};

QTEST_APPLESS_MAIN(TestWeightRounding)
#include "tst_weight_rounding.moc"
