// SPDX-License-Identifier: GPL-3.0-or-later
// What calibration costs beside evaluating the same images in float: seconds and peak memory, each in a process of its
// own so that they do not mix, best of three in turn.
// bench_calibration [MODEL.onnx DATA [IMAGES [RESIZE CROP]]]: the bundled sample and Fashion-MNIST without arguments.
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <sys/resource.h>

#include "core/calibration/stats.h"
#include "core/dataset/preprocessing.h"
#include "core/engine/engine.h"
#include "core/evaluation/evaluator.h"
#include "core/evaluation/input_defaults.h"
#include "core/onnx_io/reader.h"

using namespace quantoscope;

namespace {

constexpr const char* sampleModel = QS_SOURCE_DIR "/resources/samples/fashion_resnet20.onnx";
constexpr const char* sampleData = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz";

template <typename T> T orExit(Result<T> result)
{
    if (result)
        return *std::move(result);
    std::fprintf(stderr, "%s\n", result.error().message().c_str());
    std::exit(EXIT_FAILURE);
}

/// The most memory this process has ever held, in MiB.
double peakMemory()
{
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:"))
            return std::stod(line.substr(6)) / 1024;
    return 0;
}

/// Seconds that the processor has worked for this process, on all cores together: steady on a busy machine too.
double processorTime()
{
    ::rusage usage {};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const ::timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Settings {
    std::string model = sampleModel;
    std::string data = sampleData;
    std::int64_t images = 300;
    int resize = 0;
    int crop = 0;

    explicit Settings(const std::vector<std::string>& arguments)
    {
        if (arguments.size() >= 2) {
            model = arguments[0];
            data = arguments[1];
        }
        if (arguments.size() >= 3)
            images = std::stoll(arguments[2]);
        if (arguments.size() >= 5) {
            resize = std::stoi(arguments[3]);
            crop = std::stoi(arguments[4]);
        }
    }
};

dataset::SampleSetPtr load(const Settings& settings, const graph::Model& model)
{
    const auto dataset = orExit(dataset::openDataset(settings.data));
    dataset::SampleSet::Options options;
    options.preprocessing = orExit(evaluation::inputDefaults(model)).preprocessing;
    if (settings.model != sampleModel)
        options.preprocessing = orExit(dataset::Preprocessing::named("imagenet"));
    if (settings.crop > 0) {
        options.preprocessing.resize = settings.resize;
        options.preprocessing.crop = { settings.crop, settings.crop };
    }
    options.indices = dataset::firstIndices(dataset->size(), settings.images);
    return orExit(dataset::SampleSet::load(dataset, options));
}

struct Measured {
    double seconds = 1e300;
    double processorSeconds = 1e300;
    double peak = 0; ///< MiB
    double loaded = 0; ///< peak before the work began: program, model and images
    double statistics = 0;
};

/// The child's part: runs the work and prints what it took.
int runPart(std::string_view part, const Settings& settings)
{
    const auto model = orExit(onnx_io::readModel(settings.model));
    const auto graph = orExit(engine::prepareGraph(model));
    const auto samples = load(settings, model);
    Measured run;
    run.loaded = peakMemory();
    const auto begin = std::chrono::steady_clock::now();
    const double worked = processorTime();
    if (part == "calibrate")
        run.statistics = static_cast<double>(orExit(calibration::calibrate(*graph, *samples))->bytes()) / (1 << 20);
    else
        orExit(evaluation::evaluate(*graph, {}, *samples));
    run.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    run.processorSeconds = processorTime() - worked;
    run.peak = peakMemory();
    std::printf("%f %f %f %f %f\n", run.seconds, run.processorSeconds, run.peak, run.loaded, run.statistics);
    return EXIT_SUCCESS;
}

void measure(const std::string& command, Measured& best)
{
    std::FILE* const pipe = ::popen(command.c_str(), "r");
    Measured run;
    if (!pipe
        || std::fscanf(pipe, "%lf %lf %lf %lf %lf", &run.seconds, &run.processorSeconds, &run.peak, &run.loaded,
               &run.statistics)
            != 5)
        std::exit(EXIT_FAILURE);
    ::pclose(pipe);
    best.seconds = std::min(best.seconds, run.seconds);
    best.processorSeconds = std::min(best.processorSeconds, run.processorSeconds);
    best.peak = std::max(best.peak, run.peak);
    best.loaded = std::max(best.loaded, run.loaded);
    best.statistics = run.statistics;
}

void print(const char* what, const Measured& measured)
{
    std::printf("%-10s %9.3f %9.3f %9.1f %9.1f %9.1f\n", what, measured.seconds, measured.processorSeconds,
        measured.peak, measured.loaded, measured.statistics);
}

} // namespace

int main(int argc, char** argv)
{
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() > 1 && (arguments[0] == "evaluate" || arguments[0] == "calibrate"))
        return runPart(arguments[0], Settings({ arguments.begin() + 1, arguments.end() }));
    const Settings settings(arguments);
    const auto command = [&](const std::string& part) {
        return std::string("'") + argv[0] + "' " + part + " '" + settings.model + "' '" + settings.data + "' "
            + std::to_string(settings.images) + " " + std::to_string(settings.resize) + " "
            + std::to_string(settings.crop);
    };
    Measured evaluated;
    Measured calibrated;
    for (int repetition = 0; repetition < 3; ++repetition) {
        measure(command("evaluate"), evaluated);
        measure(command("calibrate"), calibrated);
    }
    std::printf("%s, %lld images\n", settings.model.c_str(), static_cast<long long>(settings.images));
    std::printf("             seconds     CPU s  peak MiB  load MiB stats MiB\n");
    print("evaluate", evaluated);
    print("calibrate", calibrated);
    std::printf("%-10s %9.2f %9.2f %9.2f   (peak memory: at most 1.5)\n", "ratio",
        calibrated.seconds / evaluated.seconds, calibrated.processorSeconds / evaluated.processorSeconds,
        calibrated.peak / evaluated.peak);
    return calibrated.peak <= 1.5 * evaluated.peak ? EXIT_SUCCESS : EXIT_FAILURE;
}
