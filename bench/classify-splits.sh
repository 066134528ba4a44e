#!/bin/sh
# Makes the splits on which classifiers are tuned and measured, the same on every machine:
#
#     bench/classify-splits.sh DATA OUT       DATA: the folder with the data sets
#
# OUT/sst2, sst5: train.tsv and dev.tsv as the data has them. OUT/imdb, trec, names: train.tsv, and
# dev.tsv with every tenth line of the shuffled data. OUT/sentences: every fifth line. Lines that
# are there twice count once. OUT/mr: train.0.tsv, dev.0.tsv ... train.9.tsv, dev.9.tsv, the ten
# folds. A data set that DATA lacks is left out, with a word about it.
set -eu
data=$1
out=$2
mkdir -p "$out"
yes 42 | head -c 10000000 >"$out/random"

# Bytes alone decide the order, not the locale.
LC_ALL=C
export LC_ALL

# has NAME FILE: makes OUT/NAME where the data has the file
has() {
    if [ -f "$data/$1/$2" ]; then
        mkdir -p "$out/$1"
    else
        echo "left out: no $data/$1/$2" >&2
        return 1
    fi
}

shuffle() {
    sort -u | sort -R --random-source="$out/random"
}

# split NAME EVERY: standard input -> OUT/NAME/{train,dev}.tsv
split() {
    shuffle >"$out/$1/all.tsv"
    awk -v every="$2" 'NR % every == 0' "$out/$1/all.tsv" >"$out/$1/dev.tsv"
    awk -v every="$2" 'NR % every != 0' "$out/$1/all.tsv" >"$out/$1/train.tsv"
    rm "$out/$1/all.tsv"
}

for name in sst2 sst5; do
    if has $name train.tsv; then
        cp "$data/$name/train.tsv" "$data/$name/dev.tsv" "$out/$name"
    fi
done
if has imdb train.tsv.gz; then
    gzip -cd "$data/imdb/train.tsv.gz" | split imdb 10
fi
for name in trec names; do
    if has $name train.tsv; then
        split $name 10 <"$data/$name/train.tsv"
    fi
done
if has sentences yelp.train.tsv; then
    cat "$data"/sentences/*.train.tsv | split sentences 5
fi
if has mr all.tsv; then
    shuffle <"$data/mr/all.tsv" >"$out/mr/all.tsv"
    for fold in 0 1 2 3 4 5 6 7 8 9; do
        awk -v fold=$fold 'NR % 10 == fold' "$out/mr/all.tsv" >"$out/mr/dev.$fold.tsv"
        awk -v fold=$fold 'NR % 10 != fold' "$out/mr/all.tsv" >"$out/mr/train.$fold.tsv"
    done
    rm "$out/mr/all.tsv"
fi
rm "$out/random"
