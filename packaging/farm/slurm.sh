#!/bin/bash
# One render on a Slurm cluster: analyses the clip, renders it in an array of tasks, joins the pieces.
#
#   ./slurm.sh CLIP AUDIO RESULT FRAMES [PIECES]
#
# CLIP, AUDIO and RESULT (as of `render`) lie on a file system that all nodes share; FRAMES is the number of frames of
# the clip. Options for sbatch come from SBATCH_* variables, options for `render` from SLS_OPTIONS. Prints the id of the
# last job.
# A task that is killed leaves no piece, and the jobs after it wait: `scontrol requeue JOB` runs it again.
set -euo pipefail

# sbatch copies a script before it runs it, so that $0 does not tell where it lies.
stage=${SLS_STAGE:-submit}
program=${STYLELIPSYNC:-stylelipsync}

# What a stage needs is in variables, which sbatch hands on.
piece() {
    printf '%s/piece-%04d%s' "$SLS_WORK" "$1" "$SLS_SUFFIX"
}

case $stage in
submit)
    if (($# < 4 || $# > 5)); then
        sed -n 's/^# \{0,1\}//; 4p' "$0" >&2
        exit 2
    fi
    export SLS_CLIP=$1 SLS_AUDIO=$2 SLS_RESULT=$3 SLS_FRAMES=$4 SLS_PIECES=${5:-16}
    if ! [[ $SLS_FRAMES =~ ^[1-9][0-9]*$ && $SLS_PIECES =~ ^[1-9][0-9]*$ ]]; then
        echo "FRAMES and PIECES are whole numbers from 1" >&2
        exit 2
    fi
    if ((SLS_PIECES > SLS_FRAMES)); then SLS_PIECES=$SLS_FRAMES; fi
    name=${SLS_RESULT##*/}
    case $name in
    *.*) SLS_SUFFIX=.${name##*.} ;;
    *) SLS_SUFFIX= ;;
    esac
    export SLS_SUFFIX SLS_WORK=$SLS_RESULT.pieces
    mkdir -p "$SLS_WORK"
    submit() { sbatch --parsable --export=ALL "$@"; }
    analysis=$(SLS_STAGE=analyze submit --job-name=sls-analyze "$0")
    pieces=$(SLS_STAGE=render submit --job-name=sls-render --dependency="afterok:$analysis" \
        --array="0-$((SLS_PIECES - 1))" "$0")
    SLS_STAGE=join submit --job-name=sls-join --dependency="afterok:$pieces" "$0"
    ;;
analyze)
    exec "$program" analyze --video "$SLS_CLIP" --out "$SLS_WORK/clip.slsa"
    ;;
render)
    task=$SLURM_ARRAY_TASK_ID
    first=$((task * SLS_FRAMES / SLS_PIECES))
    last=$(((task + 1) * SLS_FRAMES / SLS_PIECES - 1))
    # Options without spaces inside them.
    # shellcheck disable=SC2086
    exec "$program" render --video "$SLS_CLIP" --audio "$SLS_AUDIO" --analysis "$SLS_WORK/clip.slsa" \
        --frames "$first-$last" --out "$(piece "$task")" ${SLS_OPTIONS:-}
    ;;
join)
    pieces=()
    for ((task = 0; task < SLS_PIECES; task++)); do pieces+=("$(piece "$task")"); done
    sound=()
    # Pieces of .mp4 have lossy audio, which cannot be joined.
    if [[ $SLS_SUFFIX == .mp4 ]]; then sound=(--audio "$SLS_AUDIO"); fi
    exec "$program" join "${pieces[@]}" --out "$SLS_RESULT" --count "$SLS_FRAMES" "${sound[@]}"
    ;;
*)
    echo "SLS_STAGE: $stage is not analyze, render or join" >&2
    exit 2
    ;;
esac
