#!/bin/sh
# How training speeds up with threads, in one run, on an otherwise idle machine:
#
#     bench/scaling.sh BUILD TRAIN DEV [MINUTES]
#
# Trains models/recipes/en-fr.conf on one thread, on two, on one and on two again, MINUTES each
# (default 0.5), and prints updates a second after the first ten, which are of the same size and order in
# each run.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
train=$2
dev=$3
minutes=${4:-0.5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# speed THREADS
speed() {
    rm -rf "$work/model.training"
    "$build/dragoman" train --recipe "$source/models/recipes/en-fr.conf" --train "$train" --dev "$dev" \
        --out "$work/model" --threads "$1" --max-minutes "$minutes" 2>"$work/log" || {
        cat "$work/log" >&2
        exit 1
    }
    sed -n 's/^{"type":"update","update":\([0-9]*\),.*"seconds":\([0-9.]*\).*/\1 \2/p' \
        "$work/model.training/train.jsonl" |
        awk '$1 == 10 { begin = $2 } $1 > 10 { n = $1 - 10; s = $2 - begin } END { printf "%.3f\n", n / s }'
}

for round in 1 2; do
    one=$(speed 1)
    two=$(speed 2)
    times=$(awk "BEGIN { printf \"%.2f\", $two / $one }")
    echo "round $round: $one updates/s on 1 thread, $two on 2: $times times"
done
