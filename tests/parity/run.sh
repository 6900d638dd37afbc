#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# run.sh [--divide N] [--models GLOB] [--settings GLOB]: builds what it takes, exports every network in every configuration, runs the files
# here and in ONNX Runtime and prints the table in Markdown. Networks and images beside the bundled sample are taken from the folder
# that QUANTOSCOPE_SHARED names, or "shared" beside the source.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"

cmake -S "$root" --preset ci >&2
cmake --build "$root/build/ci" --target parity_table >&2
"$root/packaging/install-onnxruntime.sh" "$root/build/ci/onnxruntime" >&2
exec "$root/build/ci/tests/parity/parity_table" "$@"
