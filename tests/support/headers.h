// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

// Precompiled for every test: what nearly all of them include and none of ours that often changes.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <QtTest>
#include <nlohmann/json.hpp>
