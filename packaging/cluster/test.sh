#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A study on a real Slurm, one machine, against the same study in one process: the table must be the same, bit for bit. Exit status
# 77, with the reason, where there can be no Slurm. Usage: packaging/cluster/test.sh QUANTOSCOPE_CLI
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
cli=$(realpath "${1:-$root/build/release/app/quantoscope-cli}")
fashion=/usr/share/datasets/fashion-mnist

skip() {
    echo "SKIPPED: $1"
    exit 77
}
[ "$(id -u)" -eq 0 ] || skip "slurmd needs root"
for program in slurmctld slurmd munged sbatch; do
    command -v "$program" >/dev/null || [ -x "/usr/sbin/$program" ] || skip "$program is absent: install slurm-wlm and munge"
done
[ -d "$fashion" ] || skip "$fashion is absent: install dataset-fashion-mnist"
export PATH=$PATH:/usr/sbin QUANTOSCOPE_CLI=$cli QUANTOSCOPE_NO_CACHE=1

work=$(mktemp -d)
finish() {
    "$here/slurm.sh" stop "$work/slurm" || true
    rm -rf "$work"
}
trap finish EXIT
"$here/slurm.sh" start "$work/slurm" || skip "Slurm does not start here"
export SLURM_CONF=$work/slurm/slurm.conf
cd "$work"

# What a clock decides is no part of the table.
figures() { grep -v -E '^ *"(seconds|images_per_second)":' "$1"; }

# compare NAME PARTS COMMAND OPTION...: in one process, and on the cluster.
compare() {
    local name=$1 parts=$2 command=$3 part
    shift 3
    local study=("$command" "$root/resources/samples/fashion_resnet20.onnx" --data "$fashion/t10k-images-idx3-ubyte.gz" --limit 60
        --calib "$fashion/train-images-idx3-ubyte.gz" --calib-count 16 --json "$@")
    "$cli" "${study[@]}" --csv "$work/$name.csv" >"$name-one.json"
    mv "$name.csv" "$name-one.csv"
    timeout 500 "$here/sharded.sh" --wait "$name.qscope" "$parts" "${study[@]}" --csv "$work/$name.csv" || {
        cat "$name.qscope".*log >&2
        echo "error: $name: the jobs failed" >&2
        exit 1
    }
    diff "$name-one.csv" "$name.csv"
    diff <(figures "$name-one.json") <(figures "$name.qscope.out")
    for ((part = 1; part <= parts; ++part)); do
        grep -q " 0 results found, [1-9][0-9]* computed" "$name.qscope.part-$part.log" || {
            cat "$name.qscope.part-$part.log" >&2
            echo "error: $name: part $part did not do its share" >&2
            exit 1
        }
    done
    grep -q " results found, 0 computed" "$name.qscope.log" || {
        cat "$name.qscope.log" >&2
        echo "error: $name: the merged project did not have everything" >&2
        exit 1
    }
    echo "$name: $parts parts on $(sinfo --noheader --format='%D node, %c CPUs'): the same table, $(wc -l <"$name.csv") lines"
}

compare sweep 3 sweep --weight-bits 2..5 --activation-bits 4,6,float --bias-correction
compare sensitivity 2 sensitivity --bits 3,8
