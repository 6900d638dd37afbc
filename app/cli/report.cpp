// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/report.h"

#include <algorithm>
#include <iostream>

namespace quantoscope::cli {

namespace {
constexpr std::size_t nameWidth = 13;

std::string headLine(const std::string& name, const std::string& text)
{
    return name + std::string(nameWidth - std::min(name.size(), nameWidth - 1), ' ') + text + "\n";
}
}

Report::Report(std::string command)
    : m_json({ { "command", std::move(command) }, { "notes", Json::array() } })
{
}

void Report::fact(const std::string& name, const std::string& text)
{
    m_json[name] = text;
    m_head += headLine(name, text);
}

void Report::note(const std::string& text)
{
    m_json["notes"].push_back(text);
    m_notes += headLine("note", text);
}

void Report::text(const std::string& block) { m_text += "\n" + block; }

Result<void> Report::print(bool asJson) const
{
    if (asJson)
        std::cout << m_json.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
    else
        std::cout << toString();
    if (!std::cout.flush())
        return fail(ErrorCode::Io, "could not write the result", "standard output", "check where it is redirected to");
    return {};
}

} // namespace quantoscope::cli
