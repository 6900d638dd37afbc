// SPDX-License-Identifier: GPL-3.0-or-later
#include <fstream>
#include <string>
#include <thread>

#include <sys/utsname.h>

#include "core/project/project.h"

namespace quantoscope::project {

namespace {

/// "model name : AMD EPYC 9R14" -> "AMD EPYC 9R14"; empty where the system does not say.
std::string processorName()
{
    std::ifstream file("/proc/cpuinfo");
    for (std::string line; std::getline(file, line);) {
        const auto colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos)
            return line.substr(colon + 2);
    }
    return {};
}

} // namespace

std::string machineDescription()
{
    struct utsname system { };
    std::string text = processorName();
    text += (text.empty() ? "" : ", ") + std::to_string(std::thread::hardware_concurrency()) + " threads";
    if (::uname(&system) == 0)
        text += std::string(", ") + system.sysname + " " + system.machine;
    return text;
}

} // namespace quantoscope::project
