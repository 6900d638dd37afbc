// SPDX-License-Identifier: GPL-3.0-or-later
// What each format says, and that it is read back as the plan it was written from.
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <nlohmann/json.hpp>

#include "core/calibration/stats.h"
#include "core/engine/engine.h"
#include "core/evaluation/evaluator.h"
#include "core/exporting/exporter.h"
#include "core/importing/quantized_model.h"
#include "core/onnx_io/reader.h"
#include "core/onnx_io/writer.h"
#include "core/planning/plan_builder.h"
#include "tests/core/exporting/residual_network.h"
#include "tests/support/memory_dataset.h"

using namespace quantoscope;
using exporting::Containers;
using exporting::EncodingsVersion;
using exporting::ExportOptions;
using exporting::Format;

namespace {

#define VERIFY_OK(result) QVERIFY2((result).has_value(), (result) ? "" : (result).error().message().c_str())

/// Scale, zero point and levels of every tensor, as text that is the same only for the same numbers.
std::string encodingsOf(const quant::QuantizationPlan& plan)
{
    Json json = Json::object();
    for (const auto& [name, quantizer] : plan.tensors())
        json[name] = { { "role", quant::toString(quantizer.role) }, { "encoding", quantizer.encoding.toJson() } };
    return json.dump(1);
}

} // namespace

class TestExportFormats : public QObject {
    Q_OBJECT

private slots:
    void initTestCase()
    {
        m_model = test::residualNetwork();
        auto prepared = engine::prepareGraph(m_model);
        VERIFY_OK(prepared);
        m_prepared = *prepared;
        auto samples = dataset::SampleSet::load(test::randomDataset(48, 8, 8, 3, 3), {});
        VERIFY_OK(samples);
        m_samples = *samples;
        auto stats = calibration::calibrate(*m_prepared, *m_samples);
        VERIFY_OK(stats);
        m_stats = *stats;
    }

    void readsBack_data()
    {
        QTest::addColumn<int>("format");
        QTest::addColumn<int>("containers");
        QTest::addColumn<int>("scope");
        QTest::addColumn<int>("weightBits");
        QTest::addColumn<int>("activationBits");
        QTest::addColumn<bool>("perChannel");
        for (const auto format : { Format::Qdq, Format::Qonnx, Format::Float })
            for (const auto containers : { Containers::Portable, Containers::Native })
                for (const auto scope : { quant::Scope::Compute, quant::Scope::Integer })
                    for (const auto& [w, a, channel] : { std::tuple(8, 8, true), { 4, 4, true }, { 3, 6, false },
                             { 8, 16, true }, { 5, 11, false } }) {
                        if (containers == Containers::Native && format != Format::Qdq)
                            continue;
                        QTest::addRow("%s %s %s W%dA%d %s", exporting::toString(format).c_str(),
                            exporting::toString(containers).c_str(), quant::toString(scope).c_str(), w, a,
                            channel ? "per channel" : "per tensor")
                            << static_cast<int>(format) << static_cast<int>(containers) << static_cast<int>(scope) << w
                            << a << channel;
                    }
    }

    void readsBack()
    {
        QFETCH(int, format);
        QFETCH(int, containers);
        const auto plan = fetchedPlan();
        ExportOptions options;
        options.format = static_cast<Format>(format);
        options.containers = static_cast<Containers>(containers);
        QTemporaryDir folder;
        const std::filesystem::path file = folder.filePath("model.onnx").toStdString();
        const auto report = exporting::exportPlan(m_model, *m_prepared, plan, options, file, m_samples.get());
        VERIFY_OK(report);
        QCOMPARE(report->images, 48);
        QCOMPARE(report->agreement, 100.0);
        QVERIFY2(report->maxAbsDiff < 1e-4, std::to_string(report->maxAbsDiff).c_str());
        QVERIFY2(report->firstDifference.empty(), report->firstDifference.c_str());
        QCOMPARE(report->outputs.size(), std::size_t { 1 });
        QCOMPARE(static_cast<std::uint64_t>(QFile(QString::fromStdString(file.string())).size()), report->bytes);
        if (options.format == Format::Float)
            return;

        // What is read is the plan, and written once more it is the same file.
        const auto reread = onnx_io::readModel(file);
        VERIFY_OK(reread);
        QVERIFY(importing::isQuantized(reread->graph));
        const auto imported = importing::readQuantizedModel(*reread);
        VERIFY_OK(imported);
        QVERIFY2(imported->notes.empty(), imported->notes.empty() ? "" : imported->notes.front().c_str());
        QVERIFY(imported->plan.scope == plan.scope);
        QCOMPARE(encodingsOf(imported->plan), encodingsOf(plan));
        QVERIFY(!importing::isQuantized(imported->model.graph));
        const auto prepared = engine::prepareGraph(imported->model, importing::preparation());
        VERIFY_OK(prepared);
        const auto again = exporting::buildModel(imported->model, **prepared, imported->plan, options);
        VERIFY_OK(again);
        const auto twice = importing::readQuantizedModel(*again);
        VERIFY_OK(twice);
        QCOMPARE(encodingsOf(twice->plan), encodingsOf(plan));
    }

    /// What another tool wrote has no plan in its metadata: word-lengths come from types and clips alone.
    void readsModelsOfOtherTools_data() { readsBack_data(); }
    void readsModelsOfOtherTools()
    {
        QFETCH(int, format);
        QFETCH(int, containers);
        if (static_cast<Format>(format) == Format::Float)
            return; // holds no quantizers
        const auto plan = fetchedPlan();
        ExportOptions options;
        options.format = static_cast<Format>(format);
        options.containers = static_cast<Containers>(containers);
        auto model = exporting::buildModel(m_model, *m_prepared, plan, options);
        VERIFY_OK(model);
        model->metadata.erase("quantoscope.plan");
        const auto imported = importing::readQuantizedModel(*model);
        VERIFY_OK(imported);
        for (const auto& [name, expected] : plan.tensors()) {
            const auto* found = imported->plan.find(name);
            QVERIFY2(found, name.c_str());
            QCOMPARE(found->encoding.scale, expected.encoding.scale);
            QCOMPARE(found->encoding.zeroPoint, expected.encoding.zeroPoint);
            if (expected.role == quant::Role::Activation)
                QCOMPARE(found->encoding.bits(), expected.encoding.bits());
            else if (expected.role == quant::Role::Weight) // the smallest word-length that holds what is stored
                QVERIFY2(found->encoding.bits() <= expected.encoding.bits(), name.c_str());
        }
        const auto prepared = engine::prepareGraph(imported->model, importing::preparation());
        VERIFY_OK(prepared);
        const auto here = evaluation::runSamples(*m_prepared, plan, *m_samples, 0, 16);
        const auto there = evaluation::runSamples(**prepared, imported->plan, *m_samples, 0, 16);
        VERIFY_OK(here);
        VERIFY_OK(there);
        const auto expected = here->front().as<float>();
        const auto actual = there->front().as<float>();
        for (std::size_t i = 0; i < expected.size(); ++i)
            QVERIFY(std::abs(expected[i] - actual[i]) < 1e-4F);
    }

    void floatModelIsNotQuantized()
    {
        QVERIFY(!importing::isQuantized(m_model.graph));
        const auto imported = importing::readQuantizedModel(m_model);
        VERIFY_OK(imported);
        QVERIFY(imported->plan.empty());
    }

    void nativeContainersAreSmaller()
    {
        const auto plan = planFor(quant::Scope::Compute, 4, 8, true);
        const auto portable = exporting::describeContainers(*m_prepared, plan, Format::Qdq, Containers::Portable);
        const auto native = exporting::describeContainers(*m_prepared, plan, Format::Qdq, Containers::Native);
        QCOMPARE(portable.opset, 13);
        QCOMPARE(native.opset, 21);
        QVERIFY(static_cast<double>(portable.bytesOnDisk) >= 1.9 * static_cast<double>(native.bytesOnDisk));
        QVERIFY(static_cast<double>(native.bytesOnDisk) < 1.1 * native.logicalBytes);
        exporting::ContainerReport large;
        large.logicalBytes = 713'600'000;
        large.floatBytes = 2'854'400'000;
        QVERIFY2(
            large.describe().starts_with("Quantized constants: 713.6 MB at their word-lengths, 2,854.4 MB as float32."),
            large.describe().c_str());
        large.logicalBytes = 999'960;
        QVERIFY2(large.describe().find("1.0 MB at") != std::string::npos, large.describe().c_str());
        QVERIFY(portable.describe().find("wider than the word-lengths") != std::string::npos);
        QVERIFY(native.describe().find("wider") == std::string::npos);
        // In the order of the network, and with what the layer that reads it is computed in.
        QVERIFY(portable.tensors.front().role == quant::Role::Activation);
        for (const auto& tensor : portable.tensors)
            QVERIFY2(tensor.computedIn.starts_with("float, because its "), tensor.computedIn.c_str());
        const auto integer = planFor(quant::Scope::Integer, 8, 8, true);
        const auto computed = exporting::describeContainers(*m_prepared, integer, Format::Qdq, Containers::Portable);
        QVERIFY(computed.integerLayers > 0);
        QVERIFY(std::ranges::any_of(computed.tensors, [](const auto& t) { return t.computedIn == "integers"; }));
        for (const auto& tensor : native.tensors) {
            QVERIFY(!tensor.executes.empty());
            if (tensor.role == quant::Role::Weight)
                QCOMPARE(tensor.container, std::string("int4"));
        }
        // What is announced is what is written.
        const auto bytesFor = [&](Containers containers) {
            ExportOptions options;
            options.containers = containers;
            return onnx_io::serializeModel(*exporting::buildModel(m_model, *m_prepared, plan, options))->size();
        };
        const auto saved = bytesFor(Containers::Portable) - bytesFor(Containers::Native);
        const auto announced = portable.bytesOnDisk - native.bytesOnDisk;
        QVERIFY2(saved + 64 > announced && saved < announced + 64, std::to_string(saved).c_str());
    }

    void encodings_data()
    {
        QTest::addColumn<int>("version");
        QTest::newRow("1.0.0") << static_cast<int>(EncodingsVersion::V100);
        QTest::newRow("0.6.1") << static_cast<int>(EncodingsVersion::V061);
    }

    void encodings()
    {
        QFETCH(int, version);
        const auto plan = planFor(quant::Scope::Compute, 4, 8, true);
        ExportOptions options;
        options.format = Format::Encodings;
        options.encodings = static_cast<EncodingsVersion>(version);
        QTemporaryDir folder;
        const std::filesystem::path file = folder.filePath("model.encodings").toStdString();
        const auto report = exporting::exportPlan(m_model, *m_prepared, plan, options, file, m_samples.get());
        VERIFY_OK(report);
        QCOMPARE(report->opset, 0);
        QFile written(QString::fromStdString(file.string()));
        QVERIFY(written.open(QIODevice::ReadOnly));
        const auto text = written.readAll();
        const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
        QCOMPARE(json["version"].get<std::string>(), exporting::toString(options.encodings));
        const bool list = options.encodings == EncodingsVersion::V100;
        QCOMPARE(json["activation_encodings"].is_array(), list);
        std::size_t count = 0;
        for (const auto& [name, quantizer] : plan.tensors()) {
            const auto& group
                = json[quantizer.role == quant::Role::Activation ? "activation_encodings" : "param_encodings"];
            const auto& e = quantizer.encoding;
            const double lift = e.isSigned() ? std::exp2(e.bits() - 1) : 0;
            if (list) {
                const auto found
                    = std::ranges::find_if(group, [&](const Json& entry) { return entry["name"] == name; });
                QVERIFY2(found != group.end(), name.c_str());
                QCOMPARE((*found)["scale"].size(), e.scale.size());
                QCOMPARE((*found)["scale"][0].get<float>(), e.scale[0]);
                QCOMPARE((*found)["offset"][0].get<double>(), -(e.zeroPoint[0] + lift));
                QCOMPARE((*found)["bw"].get<int>(), e.bits());
            } else {
                QVERIFY2(group.contains(name), name.c_str());
                QCOMPARE(group[name].size(), e.scale.size());
                QCOMPARE(group[name][0]["scale"].get<float>(), e.scale[0]);
                QCOMPARE(group[name][0]["offset"].get<double>(), -(e.zeroPoint[0] + lift));
                QCOMPARE(group[name][0]["bitwidth"].get<int>(), e.bits());
            }
            ++count;
        }
        QCOMPARE(json["activation_encodings"].size() + json["param_encodings"].size(), count);
    }

    void csv()
    {
        const auto plan = planFor(quant::Scope::Integer, 4, 8, true);
        const QStringList lines = QString::fromStdString(exporting::encodingsCsv(plan)).split('\n');
        std::size_t channels = 0;
        for (const auto& [name, quantizer] : plan.tensors())
            channels += quantizer.encoding.scale.size();
        QCOMPARE(static_cast<std::size_t>(lines.size()), channels + 2); // header, and nothing behind the last line
        for (const auto& line : lines.mid(0, lines.size() - 1))
            QCOMPARE(line.count(','), 11);
    }

private:
    quant::QuantizationPlan planFor(quant::Scope scope, int weightBits, int activationBits, bool perChannel) const
    {
        planning::PlanRequest wish;
        wish.scope = scope;
        wish.weights.bits = weightBits;
        wish.weights.perChannel = perChannel;
        wish.activations.bits = activationBits;
        auto built = planning::buildPlan(*m_prepared, m_stats.get(), wish);
        if (!built)
            qFatal("%s", built.error().message().c_str());
        return built->plan;
    }

    quant::QuantizationPlan fetchedPlan() const
    {
        const auto fetch = [](const char* name) { return *static_cast<int*>(QTest::qData(name, QMetaType::Int)); };
        return planFor(static_cast<quant::Scope>(fetch("scope")), fetch("weightBits"), fetch("activationBits"),
            *static_cast<bool*>(QTest::qData("perChannel", QMetaType::Bool)));
    }

    graph::Model m_model;
    std::shared_ptr<const graph::Graph> m_prepared;
    dataset::SampleSetPtr m_samples;
    calibration::CalibrationStatsPtr m_stats;
};

QTEST_APPLESS_MAIN(TestExportFormats)
#include "tst_export_formats.moc"
