#!/bin/sh
# Takes the figures of bench/results.md, on an otherwise idle machine:
#
#     bench/figures.sh [BUILD]        BUILD: the build folder, default build
#
# Scores need the data sets in the folder $DRAGOMAN_DATA (default ../shared/data); a figure whose
# data or peer is missing is left out, with a word about it.
set -u
source=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${1:-$source/build}" && pwd) || exit 2
data=${DRAGOMAN_DATA:-$source/../shared/data}
models=$source/models
work=$(mktemp -d) || exit 1
daemon=
trap '[ -z "$daemon" ] || kill "$daemon"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

title() {
    printf '\n== %s\n' "$*"
}

# evaluate MODEL TEST ARGUMENT...
evaluate() {
    if [ -f "$2" ]; then
        model=$1
        test=$2
        shift 2
        "$build/dragoman" evaluate "$models/$model" --test "$test" "$@" |
            grep -E '^(BLEU|chrF2|accuracy|macro|perplexity|characters|speed)'
    else
        echo "left out: no $2"
    fi
}

for pair in en-fr: fr-en:--reverse; do
    model=${pair%%:*}
    title "$model on the Tatoeba test set, beam 5 and 1"
    for beam in 5 1; do
        # shellcheck disable=SC2086 # nothing, or a flag
        evaluate "$model" "$data/tatoeba-en-fr/test.tsv" --beam "$beam" ${pair#*:}
    done
done

"$source/bench/classify-splits.sh" "$data" "$work/splits"
for model in sentiment-en sentiment-en-rnn; do
    title "$model on sst2 dev"
    evaluate "$model" "$data/sst2/dev.tsv"
    title "$model on the held out fifth of Sentiment Labelled Sentences"
    evaluate "$model" "$work/splits/sentences/dev.tsv"
done

# Every tenth surname, with all its languages.
if [ -f "$data/names/train.tsv" ]; then
    LC_ALL=C sort -u "$data/names/train.tsv" |
        awk -F '\t' '$1 != last { n++; last = $1 } n % 10 == 0 { print $2 "\t" $1 }' >"$work/names.tsv"
fi
# The last tenth of the plays.
if [ -f "$data/tinyshakespeare/input.txt" ]; then
    tail -c +1003855 "$data/tinyshakespeare/input.txt" >"$work/plays.txt"
fi
title "names-lm on the surnames held out"
evaluate names-lm "$work/names.tsv"
title "shakespeare on the last tenth of the plays"
[ ! -d "$models/shakespeare" ] || evaluate shakespeare "$work/plays.txt"

title "Start of the daemon to the first answer, and memory"
"$build/bench/startup" "$models"

title "200 connections with 10 requests each"
cut -f 1 "$data/tatoeba-en-fr/test.tsv" 2>/dev/null | head -n 200 >"$work/sentences"
[ -s "$work/sentences" ] || echo "I want to know why." >"$work/sentences"
"$build/dragomand" --foreground --listen 127.0.0.1:0 --models "$models" --state "$work/state" \
    >"$work/listening" 2>"$work/log" &
daemon=$!
address=
while [ -z "$address" ] && kill -0 "$daemon" 2>/dev/null; do
    address=$(sed -n 's/.*listening on \([0-9.]*:[0-9]*\).*/\1/p' "$work/listening")
    sleep 0.1
done
"$build/bench/load" --connect "$address" --connections 200 --requests 10 --source en --target fr \
    "$work/sentences"
"$build/bench/load" --connect "$address" --connections 200 --requests 100 --method classify \
    --model sentiment-en "$work/sentences"
kill "$daemon"
wait "$daemon"
daemon=

title "Learning 8,000 merges on both sides of the Tatoeba pairs"
make -s -C "$build" tests/unit/test_tatoeba && {
    DRAGOMAN_DATA=$data top_srcdir=$source "$build/tests/unit/test_tatoeba" 2>&1 | grep -iE 'merge|ms|skip'
}

title "Training beside PyTorch, one core"
python=$(command -v /usr/bin/python3 || command -v python3) &&
    "$python" "$source/bench/torch_twin.py" speed "$build/bench/seq2seq"

title "Textbook diagnostics: tasks, clipping, gradients; all curves in $PWD/diagnostics.html"
"$build/bench/diagnostics" diagnostics.html
exit 0
