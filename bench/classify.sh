#!/bin/sh
# Takes the figures of linear classifiers in bench/results.md:
#
#     bench/classify.sh [BUILD]       BUILD: the build folder, default build
#
# Makes the splits from the data sets in the folder $DRAGOMAN_DATA (default ../shared/data), trains
# by the recipes in models/recipes, which name the sources of the data, and prints the best score of
# the held-out part by epoch; of MR the mean over ten folds of the last epoch's. What has no data is
# left out, with a word about it.
set -u
LC_ALL=C
export LC_ALL
source=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${1:-$source/build}" && pwd) || exit 2
data=${DRAGOMAN_DATA:-$source/../shared/data}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
yes 42 | head -c 1000000 >"$work/random"

# split FILE N NAME: shuffles the file's different lines; each N-th goes to NAME.dev.
split() {
    sort -u "$1" | sort -R --random-source="$work/random" >"$work/$3.all"
    awk -v n="$2" 'NR % n == 0' "$work/$3.all" >"$work/$3.dev"
    awk -v n="$2" 'NR % n != 0' "$work/$3.all" >"$work/$3.train"
}

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

for name in sst2 sst5; do
    if [ -f "$data/$name/train.tsv" ]; then
        figure $name $name-bag.conf "$data/$name/train.tsv" "$data/$name/dev.tsv"
    else
        echo "left out: no $data/$name"
    fi
done
if [ -f "$data/imdb/train.tsv.gz" ]; then
    gzip -dc "$data/imdb/train.tsv.gz" >"$work/imdb.tsv"
    split "$work/imdb.tsv" 10 imdb
    figure imdb imdb-bag.conf "$work/imdb.train" "$work/imdb.dev"
else
    echo "left out: no $data/imdb"
fi
for name in trec names; do
    if [ -f "$data/$name/train.tsv" ]; then
        split "$data/$name/train.tsv" 10 $name
        figure $name $name-bag.conf "$work/$name.train" "$work/$name.dev"
    else
        echo "left out: no $data/$name"
    fi
done
if [ -f "$data/mr/all.tsv" ]; then
    sort -R --random-source="$work/random" "$data/mr/all.tsv" >"$work/mr.all"
    for fold in 0 1 2 3 4 5 6 7 8 9; do
        awk -v f=$fold 'NR % 10 == f' "$work/mr.all" >"$work/mr.dev"
        awk -v f=$fold 'NR % 10 != f' "$work/mr.all" >"$work/mr.train"
        train mr mr-bag.conf "$work/mr.train" "$work/mr.dev"
        tail -n 1 "$work/mr.scores"
    done >"$work/mr.folds"
    awk '{ sum += $1 } END { printf "mr     mean of %d folds %.2f %%\n", NR, sum / NR }' \
        "$work/mr.folds"
else
    echo "left out: no $data/mr"
fi
if [ -d "$data/sentences" ]; then
    cat "$data"/sentences/*.tsv >"$work/sentences.tsv"
    split "$work/sentences.tsv" 5 sentences
    for model in sentiment-en sentiment-en-rnn; do
        for set in "sentences:$work/sentences.dev" "sst2:$data/sst2/dev.tsv"; do
            printf '%s on %s: ' $model "${set%%:*}"
            "$build/dragoman" evaluate "$source/models/$model" --test "${set#*:}" | grep '^accuracy'
        done
    done
else
    echo "left out: no $data/sentences"
fi
title="speed of bags of words on one core"
if [ -s "$work/imdb.train" ]; then
    echo "$title, imdb:"
    "$build/bench/bag" "$work/imdb.train" "$work/imdb.dev"
fi
exit 0
