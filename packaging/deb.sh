#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what is missing, builds the release and packs it as a Debian package, whose path is the last line printed.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

install_missing build package
build release -DQUANTOSCOPE_TESTS=OFF -DQUANTOSCOPE_BENCHMARKS=OFF
desktop="$root/packaging/desktop/org.quantoscope.Quantoscope"
desktop-file-validate "$desktop.desktop"
appstreamcli validate --no-net "$desktop.metainfo.xml"
(cd "$root/build/release" && cpack -G DEB -B "$root/out")
rm -rf "$root/out/_CPack_Packages"
ls "$root"/out/quantoscope_*.deb
