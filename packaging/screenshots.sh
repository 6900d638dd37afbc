#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes resources/screenshots/*.png: every page on the bundled sample, light and dark, 1280x800, under Xvfb.
# Usage: packaging/screenshots.sh [BUILD_FOLDER]
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$source/build/release}
for tool in xvfb-run ninja; do
    command -v "$tool" >/dev/null || { echo "error: $tool is missing: install xvfb and ninja-build" >&2; exit 1; }
done
ninja -C "$build" tst_screenshots
QUANTOSCOPE_SCREENSHOTS="$source/resources/screenshots" QT_QPA_PLATFORM=xcb QT_SCALE_FACTOR=1 \
    xvfb-run -a -s "-screen 0 1400x900x24" "$(find "$build" -name tst_screenshots -type f | head -n 1)"
echo "pictures are in $source/resources/screenshots"
