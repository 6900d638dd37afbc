// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <grp.h>
#include <unistd.h>

// Tests often run as root, whom no permission stops.
namespace quantoscope::test {

constexpr uid_t ordinaryUser = 65534; ///< "nobody"

inline bool isRoot() { return ::geteuid() == 0; }

/// While it lives, files are opened, made and removed as an ordinary user. Nothing changes for one who is not root.
class AsOrdinaryUser {
public:
    AsOrdinaryUser()
        : m_changed(isRoot() && ::seteuid(ordinaryUser) == 0)
    {
    }
    AsOrdinaryUser(const AsOrdinaryUser&) = delete;
    AsOrdinaryUser& operator=(const AsOrdinaryUser&) = delete;
    ~AsOrdinaryUser() { done(); }

    void done()
    {
        if (m_changed)
            m_changed = ::seteuid(0) != 0;
    }

private:
    bool m_changed;
};

/// For a process of one's own, for good: safe between fork and exec.
inline void becomeOrdinaryUser()
{
    if (!isRoot())
        return;
    if (::setgroups(0, nullptr) != 0 || ::setgid(ordinaryUser) != 0 || ::setuid(ordinaryUser) != 0)
        ::_exit(126);
}

} // namespace quantoscope::test
