#!/bin/sh
# Takes the figures of linear classifiers in bench/results.md:
#
#     bench/classify.sh [BUILD]       BUILD: the build folder, default build
#
# Has bench/classify-splits.sh make the splits from the data sets in the folder $DRAGOMAN_DATA
# (default ../shared/data), trains by the recipes in models/recipes, which name the sources of the
# data, and prints the best score of the held-out part by epoch; of MR the mean over ten folds of
# the last epoch's. What has no data is left out, with a word about it.
set -u
LC_ALL=C
export LC_ALL
source=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${1:-$source/build}" && pwd) || exit 2
data=${DRAGOMAN_DATA:-$source/../shared/data}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
"$source/bench/classify-splits.sh" "$data" "$work/splits" || exit 1

# train NAME RECIPE TRAIN DEV: leaves the scores of all epochs in NAME.scores.
train() {
    rm -rf "$work/$1.model" "$work/$1.model.training"
    "$build/dragoman" train --recipe "$source/models/recipes/$2" --train "$3" --dev "$4" \
        --out "$work/$1.model" --threads 1 2>"$work/$1.log" || cat "$work/$1.log"
    sed -n 's/.*"type": *"evaluation".*"score": *\([0-9.]*\).*/\1/p' \
        "$work/$1.model.training/train.jsonl" >"$work/$1.scores"
}

# figure NAME RECIPE TRAIN DEV
figure() {
    train "$@"
    seconds=$(tail -n 1 "$work/$1.log" | sed -n 's/.*updates, \([0-9:]*\);.*/\1/p')
    printf '%-6s best of %d epochs %.2f %%, last %.2f %%, trained in %s\n' "$1" \
        "$(wc -l <"$work/$1.scores")" "$(sort -n "$work/$1.scores" | tail -n 1)" \
        "$(tail -n 1 "$work/$1.scores")" "$seconds"
}

for recipe in sst2-bag sst5-bag imdb-bag trec-bag names; do
    name=${recipe%-bag}
    at=$work/splits/$name
    [ -d "$at" ] && figure "$name" $recipe.conf "$at/train.tsv" "$at/dev.tsv"
done
if [ -d "$work/splits/mr" ]; then
    for fold in 0 1 2 3 4 5 6 7 8 9; do
        train mr mr-bag.conf "$work/splits/mr/train.$fold.tsv" "$work/splits/mr/dev.$fold.tsv"
        tail -n 1 "$work/mr.scores"
    done >"$work/mr.folds"
    awk '{ sum += $1 } END { printf "mr     mean of %d folds %.2f %%\n", NR, sum / NR }' \
        "$work/mr.folds"
fi
if [ -d "$work/splits/sentences" ]; then
    for model in sentiment-en sentiment-en-rnn; do
        for set in "sentences:$work/splits/sentences/dev.tsv" "sst2:$data/sst2/dev.tsv"; do
            printf '%s on %s: ' $model "${set%%:*}"
            "$build/dragoman" evaluate "$source/models/$model" --test "${set#*:}" | grep '^accuracy'
        done
    done
fi
title="speed of bags of words on one core"
if [ -s "$work/splits/imdb/train.tsv" ]; then
    echo "$title, imdb:"
    "$build/bench/bag" "$work/splits/imdb/train.tsv" "$work/splits/imdb/dev.tsv"
fi
exit 0
