#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what is missing, builds with warnings as errors and runs the tests. Arguments go to ctest (-L unit, -R name, -LE slow).
# Tests on the real models run where QUANTOSCOPE_SHARED names their folder, or where it lies beside the source as "shared".
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

install_missing build test
install_missing cluster || echo "Slurm is not to be had: its test will be skipped."
build ci
"$root/packaging/install-onnxruntime.sh" "$root/build/ci/onnxruntime" || echo "ONNX Runtime is not to be had: its tests will be skipped."
ctest --test-dir "$root/build/ci" --output-on-failure --no-tests=error "$@"
