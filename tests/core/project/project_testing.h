// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <QTemporaryDir>

#include "core/evaluation/evaluator.h"
#include "core/flow/quantizer.h"
#include "core/project/project.h"
#include "tests/support/memory_dataset.h"
#include "tests/support/small_networks.h"

namespace quantoscope::test {

/// A folder for project files and what goes with them.
class ProjectFolder {
public:
    std::string file(const std::string& name = "study.qscope") const
    {
        return m_folder.filePath(QString::fromStdString(name)).toStdString();
    }
    std::string path() const { return m_folder.path().toStdString(); }

    void write(const std::string& name, const std::string& content) const
    {
        std::ofstream(file(name), std::ios::binary) << content;
    }
    std::string read(const std::string& name = "study.qscope") const
    {
        std::ifstream in(file(name), std::ios::binary);
        return { std::istreambuf_iterator<char>(in), {} };
    }

private:
    QTemporaryDir m_folder;
};

inline dataset::SampleSetPtr graySamples(std::int64_t images = 40, std::uint64_t seed = 1)
{
    dataset::SampleSet::Options load;
    load.preprocessing.channels = dataset::Channels::Gray;
    return *dataset::SampleSet::load(randomDataset(images, 8, 8, 1, 10, seed), load);
}

/// A network with images whose work is kept in a project.
struct ProjectWork {
    flow::GraphPtr graph = std::make_shared<const graph::Graph>(smallConvNet(1, 8, 10));
    dataset::SampleSetPtr samples = graySamples();
    project::ProjectPtr project;
    std::unique_ptr<flow::Quantizer> quantizer;
    evaluation::EvaluationOptions evaluation;

    explicit ProjectWork(project::ProjectPtr file)
        : project(std::move(file))
    {
        quantizer = std::make_unique<flow::Quantizer>(graph, samples, flow::QuantizerOptions { .store = project });
        evaluation.store = project;
    }
    explicit ProjectWork(const std::string& file)
        : ProjectWork(*project::Project::open(file))
    {
    }
};

} // namespace quantoscope::test
