#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The whole study of a model in one go: the grid of word-lengths, the sensitivity of each layer, the front of mixed word-lengths, and
# a report. What was finished is kept in a project and never computed twice, so an interrupted study goes on where it stopped.
# Usage: packaging/study.sh [FOLDER [MODEL... -- OPTION...]]; without a model the bundled sample on 2,000 test images. Several models
# are compared, and the first of them gets sensitivity and front. Options take the place of those that stand below. QUANTOSCOPE_CLI names the program.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
fashion=/usr/share/datasets/fashion-mnist
cli=${QUANTOSCOPE_CLI:-$root/build/release/app/quantoscope-cli}
[ -x "$cli" ] || cli=$(command -v quantoscope-cli) || {
    echo "error: quantoscope-cli is missing: run packaging/run.sh once, or name it in QUANTOSCOPE_CLI" >&2
    exit 1
}
out=${1:-$root/out/study}
[ $# -eq 0 ] || shift
models=() options=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    models+=("$1")
    shift
done
[ $# -eq 0 ] || shift
# default NAME VALUE: an option that was not given.
given=" $* "
default() { [[ $given == *" $1 "* || $given == *" $1="* ]] || options+=("$1" "$2"); }
if [ ${#models[@]} -eq 0 ]; then
    models=("$root/resources/samples/fashion_resnet20.onnx")
    default --data "$fashion/t10k-images-idx3-ubyte.gz"
    default --limit 2000
    default --calib "$fashion/train-images-idx3-ubyte.gz"
    default --calib-count 256
fi
default --weight-range mse
default --activation-range mse
options+=("$@")
mkdir -p "$out"
project=$out/study.qscope

# step NAME COMMAND...: its text goes to a file, its last lines are shown.
step() {
    local name=$1
    shift
    echo "== $name"
    "$cli" "$@" --project "$project" >"$out/$name.txt"
    grep -E '^(trend|chosen|float) |points in|measured in|comes closest|uniform word-lengths a mixed' "$out/$name.txt" || true
}

step grid sweep "${models[@]}" "${options[@]}" --weight-bits 2..8 --activation-bits 2..8 \
    --csv "$out/grid.csv" --chart "$out/grid.svg" --map "$out/map.svg" --contours energy
step sensitivity sensitivity "${models[0]}" "${options[@]}" --bits 2..8 \
    --csv "$out/sensitivity.csv" --chart "$out/sensitivity.svg"
step front search "${models[0]}" "${options[@]}" --budget size=W4A8 --weight-bits 2..8 --activation-bits 2..8 \
    --csv "$out/front.csv" --chart "$out/front.svg" --save-plan "$out/chosen.json"
"$cli" report --project "$project" --out "$out/report.html" --title "$(basename "${models[0]}" .onnx)"
