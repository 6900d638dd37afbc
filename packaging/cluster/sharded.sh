#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Runs a study on a Slurm cluster: a job array computes its parts, one project each, and a last job merges them and shows the whole,
# which is the same, bit for bit, as one process would have computed.
#
#   packaging/cluster/sharded.sh [--wait] PROJECT.qscope PARTS COMMAND MODEL [OPTION...]
#   packaging/cluster/sharded.sh sweep.qscope 16 sweep model.onnx --data images --calib more --weight-bits 2..8 --csv grid.csv
#
# COMMAND is sweep, sensitivity, options or search. The whole's output is in PROJECT.qscope.out, what the parts said in
# PROJECT.qscope.part-I.log. Parts that were killed go on where they stopped when the same line is run again, or Slurm requeues them.
# Model, data and project must be where every node sees them. sbatch's own variables (SBATCH_PARTITION, SBATCH_TIMELIMIT, ...) say
# where to run; QUANTOSCOPE_CPUS how many cores a part gets (default 1); QUANTOSCOPE_CLI names the program.
set -euo pipefail

# Every core that Slurm gave, unless the study says how many.
threads_of() {
    case " $* " in
        *" --threads "*) ;;
        *) echo "--threads ${SLURM_CPUS_PER_TASK:-1}" ;;
    esac
}

# Of a study's options those that say what to write when all is done, which a part must not.
options_of_a_part() {
    part_options=()
    while [ $# -gt 0 ]; do
        case $1 in
            --csv | --chart | --chart-axis | --map | --contours | --near-float | --markdown | --save-plan) shift ;;
            --csv=* | --chart=* | --chart-axis=* | --map=* | --contours=* | --near-float=* | --markdown=* | --save-plan=*) ;;
            *) part_options+=("$1") ;;
        esac
        shift
    done
}

compute_part() {
    local project=$1 part=$SLURM_ARRAY_TASK_ID part_options
    shift 2
    options_of_a_part "$@"
    # shellcheck disable=SC2046 # two words or none
    exec "$QUANTOSCOPE_CLI" "${part_options[@]}" $(threads_of "$@") --project "$project.part-$part" --shard "$part/$QUANTOSCOPE_PARTS"
}

merge_parts() {
    local project=$1 parts=() i
    shift 2
    for ((i = 1; i <= QUANTOSCOPE_PARTS; ++i)); do
        parts+=("$project.part-$i")
    done
    "$QUANTOSCOPE_CLI" merge "$project" "${parts[@]}" >&2
    # shellcheck disable=SC2046
    "$QUANTOSCOPE_CLI" "$@" $(threads_of "$@") --project "$project"
    rm -f "${parts[@]}"
}

submit() {
    local wait=()
    if [ "${1:-}" = --wait ]; then
        wait=(--wait)
        shift
    fi
    if [ $# -lt 4 ] || ! [[ $2 =~ ^[1-9][0-9]*$ ]]; then
        echo "error: PROJECT.qscope PARTS COMMAND MODEL [OPTION...] expected: see the head of $0" >&2
        exit 2
    fi
    local project parts=$2 array
    project=$(realpath -m "$1")
    QUANTOSCOPE_CLI=$(command -v "${QUANTOSCOPE_CLI:-quantoscope-cli}") || {
        echo "error: quantoscope-cli is not found: install it, or name it in QUANTOSCOPE_CLI" >&2
        exit 1
    }
    QUANTOSCOPE_CLI=$(realpath "$QUANTOSCOPE_CLI")
    export QUANTOSCOPE_CLI QUANTOSCOPE_PARTS=$parts
    local common=(--parsable --export=ALL --cpus-per-task="${QUANTOSCOPE_CPUS:-1}")
    array=$(QUANTOSCOPE_STEP=part sbatch "${common[@]}" --job-name=quantoscope --array="1-$parts" --requeue \
        --output="$project.part-%a.log" "$0" "$project" "${@:2}")
    echo "Job ${array%%;*}: $parts parts" >&2
    QUANTOSCOPE_STEP=merge sbatch "${common[@]}" "${wait[@]}" --job-name=quantoscope-merge --kill-on-invalid-dep=yes \
        --dependency="afterok:${array%%;*}" --output="$project.out" --error="$project.log" "$0" "$project" "${@:2}" >/dev/null
    echo "The whole comes to $project.out" >&2
}

# A job is this very script with the absolute project in front of the line it was called with: PROJECT, then PARTS, then the study.
case ${QUANTOSCOPE_STEP:-} in
    part) compute_part "$@" ;;
    merge) merge_parts "$@" ;;
    *) submit "$@" ;;
esac
