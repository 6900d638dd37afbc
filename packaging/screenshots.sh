#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes pictures of every page, light and dark, on the bundled sample and on a network of 200 layers, under Xvfb.
# Usage: packaging/screenshots.sh [BUILD_FOLDER [PICTURE_FOLDER [WIDTHxHEIGHT]]]
# Without the others: build/release, resources/screenshots, 1280x800.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$source/build/release}
pictures=${2:-$source/resources/screenshots}
size=${3:-1280x800}
for tool in xvfb-run ninja; do
    command -v "$tool" >/dev/null || { echo "error: $tool is missing: install xvfb and ninja-build" >&2; exit 1; }
done
case $size in
[1-9]*x[1-9]*) ;;
*) echo "error: '$size' is no size: give WIDTHxHEIGHT, as 2560x1440" >&2; exit 1 ;;
esac
ninja -C "$build" tst_screenshots
# A little larger than the window, so that nothing is squeezed.
screen=$((${size%x*} + 120))x$((${size#*x} + 100))x24
QUANTOSCOPE_SCREENSHOTS="$pictures" QUANTOSCOPE_WINDOW="$size" QT_QPA_PLATFORM=xcb QT_SCALE_FACTOR=1 QTEST_FUNCTION_TIMEOUT=1800000 \
    xvfb-run -a -s "-screen 0 $screen" "$(find "$build" -name tst_screenshots -type f | head -n 1)"
echo "pictures are in $pictures"
