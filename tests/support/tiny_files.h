// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <filesystem>
#include <fstream>
#include <vector>

#include <QTemporaryDir>

#include "core/base/random.h"
#include "core/engine/engine.h"
#include "core/evaluation/evaluator.h"
#include "core/evaluation/preparation.h"
#include "core/onnx_io/writer.h"
#include "tests/support/small_networks.h"

namespace quantoscope::test {

/// A small convolutional network, or another one for images of 3x32x32, and CIFAR-10 binary files that go with it, in a
/// temporary folder. The labels are what the float network says, so that its accuracy is 100 %.
class TinyFiles {
public:
    explicit TinyFiles(int count = 96, graph::Graph network = smallConvNet(3, 32, 10))
    {
        graph::Model model;
        model.graph = std::move(network);
        model.irVersion = 7;
        [[maybe_unused]] const auto written = onnx_io::writeModel(model, model_());
        assert(written.has_value());
        std::vector<int> labels(static_cast<std::size_t>(count), 0);
        writeImages(images(), labels, 1);
        writeImages(calibration(), std::vector<int>(32, 0), 2);
        relabel(model, labels);
        writeImages(images(), labels, 1);
    }

    QString modelPath() const { return QString::fromStdString(model_().string()); }
    QString folder() const { return m_folder.path(); }

    std::filesystem::path images() const { return file("test_batch.bin"); }
    std::filesystem::path calibration() const { return file("data_batch_1.bin"); }

private:
    std::filesystem::path file(const char* name) const
    {
        return std::filesystem::path(m_folder.path().toStdString()) / name;
    }
    std::filesystem::path model_() const { return file("tiny.onnx"); }

    static void writeImages(const std::filesystem::path& path, const std::vector<int>& labels, std::uint64_t seed)
    {
        std::ofstream out(path, std::ios::binary);
        base::Random random(seed);
        for (const int label : labels) {
            out.put(static_cast<char>(label));
            // A colour cast for each image, so that the network's answers differ.
            const std::uint64_t cast[3] = { random.below(200), random.below(200), random.below(200) };
            for (int i = 0; i < 3 * 32 * 32; ++i)
                out.put(static_cast<char>(cast[i / 1024] + random.below(56)));
        }
    }

    void relabel(const graph::Model& model, std::vector<int>& labels) const
    {
        const auto graph = engine::prepareGraph(model);
        const auto data = dataset::openDataset(images());
        assert(graph.has_value() && data.has_value());
        dataset::SampleSet::Options options;
        const auto input = evaluation::imageInput(**graph);
        if (input.size() == 3 && (input[1] != 32 || input[2] != 32))
            options.preprocessing.resize = dataset::Extent { static_cast<int>(input[1]), static_cast<int>(input[2]) };
        const auto samples = dataset::SampleSet::load(*data, options);
        assert(samples.has_value());
        const auto result = evaluation::evaluate(**graph, {}, **samples);
        assert(result.has_value());
        for (std::size_t i = 0; i < labels.size(); ++i)
            labels[i] = (*result)->outcomes[i].prediction;
    }

    QTemporaryDir m_folder;
};

} // namespace quantoscope::test
