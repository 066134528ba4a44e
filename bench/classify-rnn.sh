#!/bin/sh
# Trains the recurrent classifiers of models/recipes/*-rnn.conf and takes their figures:
#
#     bench/classify-rnn.sh BUILD OUT [TASK]...
#
# BUILD: the build folder. OUT: a folder for splits and models, which are not made anew where they
# are. TASK: sst2 sst5 imdb mr trec names sentences; all where none is given. The data sets are
# looked for in $DRAGOMAN_DATA (default ../shared/data). On one thread; sst2 three times, with seeds
# 1, 2 and 3, mr ten times, once a fold. sst5 begins with the model of sst2.
set -eu
source=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
shift 2
data=${DRAGOMAN_DATA:-$source/../shared/data}
[ $# -gt 0 ] || set -- sst2 sst5 imdb mr trec names sentences
OPENBLAS_NUM_THREADS=1
export OPENBLAS_NUM_THREADS

[ -d "$out/splits" ] || "$source/bench/classify-splits.sh" "$data" "$out/splits"

# figure NAME RECIPE TRAIN DEV ARGUMENT...: trains OUT/NAME; its accuracy on DEV and the time
figure() {
    name=$1 recipe=$2 train=$3 dev=$4
    shift 4
    if [ ! -f "$train" ]; then
        echo "$name: left out, no $train"
        return
    fi
    begin=$(date +%s)
    [ -d "$out/$name" ] ||
        "$build/dragoman" train --recipe "$source/models/recipes/$recipe" --train "$train" \
            --dev "$dev" --out "$out/$name" --threads 1 "$@" >"$out/$name.log" 2>&1
    end=$(date +%s)
    "$build/dragoman" evaluate "$out/$name" --test "$dev" |
        awk -v name="$name" -v seconds=$((end - begin)) '
            $1 == "accuracy" || $1 == "ECE" { line = line ", " $1 " " $2 }
            END { print name ": " substr(line, 3) ", " seconds " s" }' | tee -a "$out/figures"
}

# spread NAME: mean and standard deviation of the figures NAME.*
spread() {
    awk -v name="$1" '
        index($1, name ".") == 1 { x = $3 + 0; n++; sum += x; squares += x * x }
        END { if (n > 1) printf "%s: mean %.2f, standard deviation %.2f of %d\n", name, sum / n,
              sqrt((squares - sum * sum / n) / (n - 1)), n }' "$out/figures"
}

# sentences TRAIN DEV: the three steps of sentiment-en-rnn.conf, which says what each is for
sentences() {
    films=$out/splits/sst2/train.tsv
    figure step-1 sentiment-en-rnn.conf "$out/splits/imdb/train.tsv" "$out/splits/imdb/dev.tsv" \
        --min-count 3 --max-words 40000 --batch-tokens 8000 --epochs 5 --label-smoothing 0.05 \
        --ema 0.998 --evaluate-every 400
    figure step-2 sentiment-en-rnn.conf "$films" "$2" --train "$1" --train "$1" --train "$1" \
        --train "$1" --start-from "$out/step-1" --embedding-bayes 0 --batch-tokens 2000 --epochs 8
    figure sentences sentiment-en-rnn.conf "$films" "$2" --train "$1" --start-from "$out/step-2"
}

for task; do
    at=$out/splits/$task
    case $task in
    sst2)
        for seed in 1 2 3; do
            figure $task.$seed $task-rnn.conf "$at/train.tsv" "$at/dev.tsv" --seed $seed
        done
        spread $task
        ;;
    mr)
        for fold in 0 1 2 3 4 5 6 7 8 9; do
            figure $task.$fold $task-rnn.conf "$at/train.$fold.tsv" "$at/dev.$fold.tsv"
        done
        spread $task
        ;;
    sst5) figure $task $task-rnn.conf "$at/train.tsv" "$at/dev.tsv" --start-from "$out/sst2.1" ;;
    sentences) sentences "$at/train.tsv" "$at/dev.tsv" ;;
    *) figure $task $task-rnn.conf "$at/train.tsv" "$at/dev.tsv" ;;
    esac
done
