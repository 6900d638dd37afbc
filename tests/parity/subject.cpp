// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/parity/subject.h"

#include <algorithm>
#include <utility>

#include "core/calibration/feed.h"
#include "core/dataset/dataset.h"
#include "core/engine/engine.h"
#include "core/evaluation/evaluator.h"
#include "core/onnx_io/reader.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/shared_data.h"

namespace quantoscope::parity {

namespace fs = std::filesystem;

namespace {

constexpr const char* fashion = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";

/// Every picture sampled to one size, which need not be a square.
Result<dataset::DatasetPtr> fitted(const dataset::Dataset& data, std::int64_t count, int height, int width)
{
    std::vector<dataset::Image> images;
    for (std::int64_t i = 0; i < std::min(count, data.size()); ++i) {
        QS_TRY(const auto picture, data.image(i));
        images.push_back(dataset::resizeBilinear(dataset::toChannels(picture, dataset::Channels::Rgb), height, width));
    }
    std::vector<int> labels(images.size(), -1);
    return std::make_shared<test::MemoryDataset>(std::move(images), std::move(labels));
}

Result<dataset::SampleSetPtr> loadSamples(const SubjectSpec& spec, std::int64_t count)
{
    QS_TRY(auto data, dataset::openDataset(spec.images));
    if (spec.height > 0) {
        QS_TRY(data, fitted(*data, count, spec.height, spec.width));
    }
    dataset::SampleSet::Options options;
    QS_TRY(options.preprocessing, dataset::Preprocessing::named(spec.preprocessing));
    options.preprocessing.channels = spec.channels;
    options.preprocessing.crop = { spec.crop, spec.crop };
    options.indices = dataset::firstIndices(data->size(), count);
    return dataset::SampleSet::load(data, options);
}

std::vector<SubjectSpec> cifarSubjects(const fs::path& folder, std::int64_t count)
{
    std::vector<SubjectSpec> specs;
    for (const char* name : { "resnet20_cifar10", "resnet20_cifar10_bn", "resnet20_cifar10_torchraw",
             "resnet32_cifar10", "resnet56_cifar10", "resnet56_cifar10_bn" })
        specs.push_back({ .name = name,
            .model = folder / "models" / (std::string(name) + ".onnx"),
            .images = folder / "test_1000.bin",
            .preprocessing = "imagenet",
            .count = count,
            .calibrationCount = 128 });
    specs.front().corrected = true;
    return specs;
}

std::vector<SubjectSpec> imagenetSubjects(const fs::path& folder, std::int64_t count)
{
    std::vector<SubjectSpec> specs;
    for (const char* name : { "mobilenetv2_fc8", "squeezenet1.1_mxnet" })
        specs.push_back({ .name = name,
            .model = folder / "models" / (std::string(name) + ".onnx"),
            .images = folder / "val650",
            .preprocessing = "imagenet",
            .crop = 224,
            .count = count,
            .calibrationCount = 64 });
    return specs;
}

/// Networks that find something in a picture: their decisions are compared box by box.
std::vector<SubjectSpec> detectors(const fs::path& data, std::int64_t count)
{
    const auto detector = [&](const char* name, int height, int width, Decision decision) {
        return SubjectSpec { .name = name,
            .model = data / "detect" / (std::string(name) + ".onnx"),
            .images = data / "imagenet/val650",
            .preprocessing = "imagenet",
            .count = count,
            .calibrationCount = 16,
            .height = height,
            .width = width,
            .labelled = false,
            .decision = decision };
    };
    return { detector("ultraface_RFB320", 240, 320, { .axis = 2 }),
        detector("FastestDet", 352, 352, { .axis = 1, .first = 5 }),
        detector("ch_ppocr_mobile_v2.0_cls_infer", 48, 192, {}) };
}

} // namespace

std::vector<SubjectSpec> subjects(std::int64_t scale)
{
    std::vector<SubjectSpec> specs { { .name = "fashion_resnet20 (bundled)",
        .model = fs::path(QS_SOURCE_DIR) / "resources/samples/fashion_resnet20.onnx",
        .images = fashion,
        .preprocessing = "unit",
        .channels = dataset::Channels::Gray,
        .count = 1000 / scale,
        .calibrationCount = 128,
        .corrected = true } };
    const auto data = test::sharedFolder() / "data";
    std::vector<SubjectSpec> shared = cifarSubjects(data / "cifar10", 1000 / scale);
    shared.push_back({ .name = "mnist-8",
        .model = data / "mnist/mnist-8.onnx",
        .images = data / "mnist/t10k-images-idx3-ubyte.gz",
        .preprocessing = "raw",
        .channels = dataset::Channels::Gray,
        .count = 1000 / scale,
        .calibrationCount = 128 });
    for (auto& spec : imagenetSubjects(data / "imagenet", 200 / scale))
        shared.push_back(std::move(spec));
    for (auto& spec : detectors(data, std::max<std::int64_t>(2, 16 / scale)))
        shared.push_back(std::move(spec));
    std::ranges::copy(shared, std::back_inserter(specs));
    std::erase_if(specs, [](const auto& spec) { return !fs::exists(spec.model) || !fs::exists(spec.images); });
    return specs;
}

Result<Subject> loadSubject(const SubjectSpec& spec)
{
    Subject subject;
    subject.spec = spec;
    QS_TRY(subject.model, onnx_io::readModel(spec.model));
    QS_TRY(subject.prepared, engine::prepareGraph(subject.model));
    QS_TRY(subject.samples, loadSamples(spec, spec.count));
    QS_TRY(subject.calibration, loadSamples(spec, spec.calibrationCount));
    QS_TRY(subject.stats, calibration::calibrate(*subject.prepared, *subject.calibration));
    QS_TRY(subject.batch, calibration::chooseBatch(*subject.prepared, *subject.samples));
    // This engine may take more images at once than the file says; another runtime takes what it says.
    const auto& dims = subject.model.graph.value(subject.model.graph.inputs().front()).type.dims;
    if (dims && dims->front().known())
        subject.batch = dims->front().value;
    if (spec.labelled) {
        subject.truth.assign(subject.samples->labels().begin(), subject.samples->labels().end());
        return subject;
    }
    QS_TRY(const auto outputs, runHere(*subject.prepared, {}, *subject.samples, 0, subject.samples->size()));
    subject.truth = decisions(spec.decision, outputs);
    return subject;
}

Result<Outputs> runHere(const graph::Graph& graph, const quant::QuantizationPlan& plan,
    const dataset::SampleSet& samples, std::int64_t first, std::int64_t count)
{
    QS_TRY(const auto tensors, evaluation::runSamples(graph, plan, samples, first, count));
    Outputs outputs;
    for (const auto& tensor : tensors) {
        Output output;
        for (int axis = 0; axis < tensor.shape().rank(); ++axis)
            output.dims.push_back(tensor.shape()[axis]);
        const auto values = tensor::toDoubles(tensor.view());
        output.values.assign(values.begin(), values.end());
        outputs.push_back(std::move(output));
    }
    return outputs;
}

std::vector<std::int32_t> decisions(const Decision& decision, const Outputs& outputs)
{
    const auto& [dims, values] = outputs.at(decision.output);
    const auto axis = static_cast<std::size_t>(decision.axis);
    std::int64_t inner = 1;
    for (std::size_t i = axis + 1; i < dims.size(); ++i)
        inner *= dims[i];
    const std::int64_t extent = dims.at(axis);
    const std::int64_t end = decision.count < 0 ? extent : decision.first + decision.count;
    const auto outer = static_cast<std::int64_t>(values.size()) / (inner * extent);
    std::vector<std::int32_t> chosen;
    for (std::int64_t o = 0; o < outer; ++o)
        for (std::int64_t i = 0; i < inner; ++i) {
            const auto at
                = [&](std::int64_t c) { return values[static_cast<std::size_t>((o * extent + c) * inner + i)]; };
            std::int64_t best = decision.first;
            for (std::int64_t c = best + 1; c < end; ++c)
                if (at(c) > at(best))
                    best = c;
            chosen.push_back(static_cast<std::int32_t>(best));
        }
    return chosen;
}

} // namespace quantoscope::parity
