#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Installs what is missing, builds the release and starts Quantoscope on the bundled sample. Without a display it sweeps the
# sample's word-lengths on the command line instead and writes the charts. Arguments go to the window.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

install_missing build
build release -DQUANTOSCOPE_TESTS=OFF -DQUANTOSCOPE_BENCHMARKS=OFF
programs="$root/build/release/app"

if [ $# -gt 0 ]; then
    exec "$programs/quantoscope" "$@"
elif [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec "$programs/quantoscope" --sample
fi

out="$root/out/sample-sweep"
fashion=/usr/share/datasets/fashion-mnist
mkdir -p "$out"
echo "No display: sweeping the word-lengths of the bundled sample on 2,000 test images."
"$programs/quantoscope-cli" sweep "$root/resources/samples/fashion_resnet20.onnx" \
    --data "$fashion/t10k-images-idx3-ubyte.gz" --limit 2000 \
    --calib "$fashion/train-images-idx3-ubyte.gz" --calib-count 256 \
    --weight-bits 2..8 --activation-bits 2..8 \
    --chart "$out/accuracy.png" --chart "$out/accuracy.svg" --csv "$out/accuracy.csv"
echo "Charts and table: $out/accuracy.png, accuracy.svg and accuracy.csv"
