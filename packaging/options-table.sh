#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Makes resources/studies/*.md and *.csv: the quantization options compared on the bundled sample, with the Fashion-MNIST images of
# Debian's dataset-fashion-mnist. Usage: packaging/options-table.sh [QUANTOSCOPE_CLI] [IMAGES]
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cli=${1:-$root/build/release/app/quantoscope-cli}
images=${2:-1000}
fashion=/usr/share/datasets/fashion-mnist
out=$root/resources/studies
[ -x "$cli" ] || { echo "error: $cli is missing: build it, or name the program" >&2; exit 1; }
[ -d "$fashion" ] || { echo "error: $fashion is missing: install dataset-fashion-mnist" >&2; exit 1; }
mkdir -p "$out"
cd "$root" # paths in the tables stay the same everywhere

# study NAME TITLE OPTIONS...
study() {
    local name=$1 title=$2
    shift 2
    "$cli" options resources/samples/fashion_resnet20.onnx --data "$fashion/t10k-images-idx3-ubyte.gz" --limit "$images" \
        --calib "$fashion/train-images-idx3-ubyte.gz" --calib-count 256 \
        --csv "$out/$name.csv" --markdown "$out/$name.md" "$@" > /dev/null
    { printf '# %s\n\nMade by `packaging/options-table.sh`.\n\n' "$title"; cat "$out/$name.md"; } > "$out/$name.tmp"
    mv "$out/$name.tmp" "$out/$name.md"
    echo "$out/$name.md"
}

full=compensate+gain-correction+bias-correction
study weights "Options for weights, activations float" --weight-bits 8,6,4,3,2 --activation-bits float \
    --weight-granularities tensor,channel --weight-ranges "min-max;mse" --correction-sets "none,$full"
study corrections "Corrections on top, weights symmetric per channel, activations float" --weight-bits 4,3 --activation-bits float \
    --weight-ranges "min-max;mse" \
    --correction-sets "none,bias-correction,gain-correction+bias-correction,compensate,compensate+gain-correction,$full"
study activations "Options for activations, weights float" --weight-bits float --activation-bits 8,6,5,4,3 \
    --activation-schemes asymmetric,symmetric --activation-ranges "min-max;mse;percentile:99.9;aciq;entropy"
study both "Weights and activations together" --weight-bits 8,4 --activation-bits 8,4 \
    --weight-ranges "min-max;mse" --activation-ranges "min-max;mse" --correction-sets "none,$full"
