// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/parity/peer.h"

#include <cstdlib>
#include <fstream>

#include <QProcess>
#include <QTemporaryDir>

#include <nlohmann/json.hpp>

#include "core/base/json.h"

namespace quantoscope::parity {

namespace fs = std::filesystem;

namespace {

constexpr int longestJob = 3600 * 1000; ///< ms

std::vector<float> readFloats(const fs::path& path)
{
    std::vector<float> values(fs::file_size(path) / sizeof(float));
    std::ifstream(path, std::ios::binary)
        .read(reinterpret_cast<char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
    return values;
}

void writeImages(const dataset::SampleSet& samples, const fs::path& path)
{
    std::ofstream file(path, std::ios::binary);
    std::vector<float> values(static_cast<std::size_t>(samples.sampleSize()));
    for (std::int64_t i = 0; i < samples.size(); ++i) {
        samples.fill(i, 1, values);
        file.write(
            reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(float)));
    }
}

} // namespace

fs::path Peer::folder()
{
    if (const char* folder = std::getenv("QUANTOSCOPE_ONNXRUNTIME"))
        return folder;
    return fs::path(QS_BINARY_DIR) / "onnxruntime";
}

bool Peer::isInstalled()
{
    if (!fs::exists(folder() / "node_modules/onnxruntime-node"))
        return false;
    QProcess node;
    node.start("node", { "--version" });
    return node.waitForFinished() && node.exitCode() == 0;
}

Peer::Peer()
    : m_folder(std::make_unique<QTemporaryDir>())
    , m_process(std::make_unique<QProcess>())
{
}

Peer::~Peer()
{
    m_process->closeWriteChannel();
    if (m_process->state() != QProcess::NotRunning && !m_process->waitForFinished(10000))
        m_process->kill();
}

Result<void> Peer::start(const dataset::SampleSet& samples, int threads)
{
    const fs::path images = m_folder->filePath("images.f32").toStdString();
    writeImages(samples, images);
    std::string shape;
    for (const auto extent : samples.sampleShape())
        shape += (shape.empty() ? "" : "x") + std::to_string(extent);
    QStringList arguments;
    for (const auto& argument : { std::string(QS_SOURCE_DIR "/tests/parity/serve_models.mjs"), folder().string(),
             images.string(), shape, std::to_string(threads) })
        arguments << QString::fromStdString(argument);
    m_process->setProcessChannelMode(QProcess::ForwardedErrorChannel);
    m_process->start("node", arguments);
    if (!m_process->waitForStarted())
        return fail(ErrorCode::Io, "node did not start");
    return {};
}

Result<Outputs> Peer::run(const Job& job)
{
    const std::string prefix = m_folder->filePath("output").toStdString();
    Json json { { "model", job.model.string() }, { "level", job.level }, { "batch", job.batch },
        { "images", { job.first, job.count } }, { "write", prefix } };
    if (!job.outputs.empty())
        json["outputs"] = job.outputs;
    if (!job.optimized.empty())
        json["optimized"] = job.optimized.string();
    m_process->write(QByteArray::fromStdString(json.dump() + "\n"));
    while (!m_process->canReadLine())
        if (!m_process->waitForReadyRead(longestJob))
            return fail(ErrorCode::Io, "ONNX Runtime did not answer", job.model.string());
    const Json answer = Json::parse(m_process->readLine().toStdString(), nullptr, false);
    if (answer.is_discarded() || !answer.contains("outputs"))
        return fail(
            ErrorCode::Io, answer.is_discarded() ? "no JSON" : answer.value("error", "no outputs"), job.model.string());
    Outputs outputs;
    for (std::size_t i = 0; i < answer["outputs"].size(); ++i) {
        Output output;
        output.dims = answer["outputs"][i]["dims"].get<std::vector<std::int64_t>>();
        output.values = readFloats(prefix + "." + std::to_string(i) + ".f32");
        if (!output.dims.empty())
            output.dims[0] = output.dims[0] == job.batch ? job.count : output.dims[0] * job.count / job.batch;
        outputs.push_back(std::move(output));
    }
    return outputs;
}

} // namespace quantoscope::parity
