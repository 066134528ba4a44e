#!/bin/sh
# The shipped models: they say where they are from, and do what they are for. Where the data sets
# are at hand (DRAGOMAN_DATA), their scores on a part of them are held against a floor.
. "${top_srcdir:-.}/tests/blackbox/dragoman.sh"

shipped=$top_srcdir/models
data=${DRAGOMAN_DATA:-$top_srcdir/../shared/data}
found=0

# The number that stands under a key of one line of JSON.
number() {
    sed "s/.*\"$1\":\\(-*[0-9.e+-]*\\).*/\\1/" out
}

# at_least KEY FLOOR WHAT: the number under the key in `out`.
at_least() {
    echo "$3: $1 $(number "$1")"
    awk -v value="$(number "$1")" -v floor="$2" 'BEGIN { exit !(value + 0 >= floor) }' ||
        fail "$3: $1 is $(number "$1"), less than $2"
}

# translates MODEL TEXT PATTERN: into something that matches.
translates() {
    expect 0 "$dragoman" translate "$shipped/$1" "$2"
    grep -qiE -e "$3" out || fail "$1 translates '$2' as '$(cat out)'"
}

# feels MODEL TEXT LABEL
feels() {
    expect 0 "$dragoman" classify "$shipped/$1" "$2"
    [ "$(cut -f 1 out)" = "$3" ] || fail "$1 takes '$2' for: $(cat out)"
}

for model in en-fr fr-en sentiment-en sentiment-en-rnn names names-lm shakespeare; do
    [ -f "$shipped/$model/model.json" ] || continue
    found=1
    expect 0 "$dragoman" inspect "$shipped/$model"
    grep -q "^name  *$model\$" out || fail "$model has another name"
    for entry in data licence command; do
        grep -q "^  $entry  *[^ ]" out || fail "the card of $model has no $entry"
    done
    size=$(wc -c <"$shipped/$model/weights.safetensors")
    [ "$size" -le 26214400 ] || fail "the weights of $model have $size bytes"
done
[ $found = 1 ] || {
    echo "no models are here"
    exit 77
}

if [ -d "$shipped/en-fr" ]; then
    translates en-fr "I want to know why." "^je (veux|voudrais|souhaite|désire) savoir pourquoi\.$"
    translates en-fr "Where is the station?" "où .*(gare|station)"
    translates en-fr "" "^$"
fi
if [ -d "$shipped/fr-en" ]; then
    translates fr-en "Je veux savoir pourquoi." "^i (want|wish|would like|'d like) to know why\.$"
    translates fr-en "Où est la gare ?" "^where( is|'s) the .*station"
fi
for model in sentiment-en sentiment-en-rnn; do
    [ -d "$shipped/$model" ] || continue
    feels $model "A wonderful film, I loved every minute of it." positive
    feels $model "A dull mess, a complete waste of time." negative
done

if [ -d "$shipped/names" ]; then
    for pair in Italian:Moretti Japanese:Yamamoto Polish:Kowalski Russian:Ivanov Irish:"O'Donnell"; do
        expect 0 "$dragoman" classify --top 3 "$shipped/names" "${pair#*:}"
        grep -q "${pair%%:*}" out || fail "names takes ${pair#*:} for: $(cat out)"
    done
fi

# weighs LABEL SURNAME: the log probability of a surname under a language.
weighs() {
    expect 0 "$dragoman" generate "$shipped/names-lm" --label "$1" --score "$2"
    cut -f 1 out
}

if [ -d "$shipped/names-lm" ]; then
    for pair in Italian:Moretti Japanese:Yamamoto Polish:Kowalski Russian:Ivanov Irish:"O'Donnell"; do
        right=$(weighs "${pair%%:*}" "${pair#*:}") wrong=$(weighs Vietnamese "${pair#*:}")
        awk -v right="$right" -v wrong="$wrong" 'BEGIN { exit !(right > wrong + 3) }' ||
            fail "names-lm: $pair weighs $right, as a Vietnamese name $wrong"
    done
    expect 0 "$dragoman" generate "$shipped/names-lm" --label Russian --count 10 --temperature 0.5
    [ "$(grep -cE '(ov|ev|in|sky|ich|ko|ny|uk)$' out)" -ge 5 ] ||
        fail "names-lm: Russian names are $(tr '\n' ' ' <out)"
fi
if [ -d "$shipped/shakespeare" ]; then
    expect 0 "$dragoman" generate "$shipped/shakespeare" --prompt "ROMEO:" --temperature 0.5 \
        --max-tokens 400
    [ "$(tr -cs 'A-Za-z' '\n' <out | grep -cwiE 'the|and|to|of|my|you|i|that|is|in|me')" -ge 12 ] ||
        fail "shakespeare writes $(cat out)"
fi

# score MODEL LINES FILE [OPTION]...
score() {
    model=$1 lines=$2 file=$3
    shift 3
    [ -d "$shipped/$model" ] && [ -f "$data/$file" ] || return 1
    head -n "$lines" "$data/$file" >test.tsv
    expect 0 "$dragoman" evaluate --json "$@" --test test.tsv "$shipped/$model"
}

score en-fr 200 tatoeba-en-fr/test.tsv && at_least bleu 35 en-fr
score fr-en 200 tatoeba-en-fr/test.tsv --reverse && at_least bleu 40 fr-en
labels=--labels=0=negative,1=positive
score sentiment-en 2000 sst2/dev.tsv $labels && at_least accuracy 0.8 sentiment-en
score sentiment-en-rnn 2000 sst2/dev.tsv $labels && at_least accuracy 0.8 sentiment-en-rnn

# at_most KEY CEILING WHAT
at_most() {
    echo "$3: $1 $(number "$1")"
    awk -v value="$(number "$1")" -v ceiling="$2" 'BEGIN { exit !(value + 0 <= ceiling) }' ||
        fail "$3: $1 is $(number "$1"), more than $2"
}

# From the last tenth of the plays, which was not trained on.
plays=$data/tinyshakespeare/input.txt
if [ -d "$shipped/shakespeare" ] && [ -f "$plays" ]; then
    tail -c +1003855 "$plays" | head -n 200 >test.txt
    expect 0 "$dragoman" evaluate --json --test test.txt "$shipped/shakespeare"
    at_most nats_per_character 1.6 shakespeare
fi

done_testing
