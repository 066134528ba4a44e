#!/bin/sh
# Language models from outside: trained on a text that can be learned by heart and on names with
# their languages; what they write, how they weigh a text, what is refused.
. "${top_srcdir:-.}/tests/blackbox/dragoman.sh"

awk 'BEGIN { for (i = 0; i < 200; i++) printf "do re mi,\nfa so la;\n" }' >song.txt
head -n 40 song.txt >song-dev.txt
expect 0 "$dragoman" train --task generation --stream --streams 4 --bptt-steps 12 --tokenizer char \
    --embedding 8 --cell lstm --encoder-hidden 24 --dropout-embedding 0 --dropout-output 0 \
    --label-smoothing 0 --rate 0.02 --epochs 8 --threads 2 --train song.txt --dev song-dev.txt \
    --out song
grep -q 'dev perplexity 1\.' err || fail "it does not learn the song: $(tail -n 2 err)"

# names FROM: lines language<TAB>name; the languages have endings of their own.
names() {
    awk -v from="$1" 'BEGIN {
        split("a e i o u", vowel)
        split("b d k l m n r t", consonant)
        for (n = from; n < 1200; n += 4) {
            name = ""
            for (rest = n * 7919 % 99991; rest > 20; rest = int(rest / 40))
                name = name consonant[rest % 8 + 1] vowel[int(rest / 8) % 5 + 1]
            if (name != "")
                print (n % 3 ? "Greek\t" name "s" : "Polish\t" name "wski")
        }
    }'
}
names 1 >names-dev.tsv
{
    names 0
    names 2
    names 3
} >names.tsv
expect 0 "$dragoman" train --task generation --condition every --condition-size 4 \
    --tokenizer char --embedding 8 --encoder-hidden 24 --dropout-embedding 0 --dropout-output 0 \
    --label-smoothing 0 --rate 0.02 --batch-tokens 300 --epochs 15 --threads 2 \
    --train names.tsv --dev names-dev.tsv --out names
[ "$failures" -eq 0 ] || done_testing

# It goes on as it was taught; the same seed gives the same text, another one another.
expect 0 "$dragoman" generate song --prompt 'do re' --temperature 0 --max-tokens 23
printf 'do re mi,\nfa so la;\ndo re mi\n' >expected
cmp out expected || fail "not the song: $(cat out)"
expect 0 "$dragoman" generate song --temperature 8 --count 2 --max-tokens 50 --seed 5
cp out first
expect 0 "$dragoman" generate song --temperature 8 --count 2 --max-tokens 50 --seed 5
cmp out first || fail "the same seed gives another text"
expect 0 "$dragoman" generate song --temperature 8 --count 2 --max-tokens 50 --seed 9
! cmp -s out first || fail "another seed gives the same text"
expect 0 "$dragoman" generate song --prompt 'do re' --prompt 'fa so' --temperature 0 --stop ' la' --stop ,
printf 'do re mi\n\nfa so\n' >expected
cmp out expected || fail "stops and prompts: $(cat out)"
expect 0 "$dragoman" generate song --prompt 'do re' --temperature 0 --max-tokens 3 --json
grep -qx '{"prompt":"do re","text":" mi","end":"length","tokens":3,"log_probability":-[0-9.e-]*,"seed":1}' out ||
    fail "JSON: $(cat out)"

# Names of a language end as its names do, and weigh more under it.
expect 0 "$dragoman" generate names --label Polish --count 20 --temperature 0.7
[ "$(grep -c 'wski$' out)" -ge 18 ] || fail "Polish names: $(tr '\n' ' ' <out)"
[ "$(wc -l <out)" -eq 20 ] || fail "not a name a line: $(cat out)"
expect 0 "$dragoman" generate names --label Greek --prompt kal --json
grep -q '"end":"end"' out || fail "a name does not end: $(cat out)"
expect 0 "$dragoman" generate names --label Polish --score kalowski kalos
awk -F '\t' 'NF != 3 || $2 != (NR == 1 ? 9 : 6) || $1 > 0 { exit 1 }
    NR == 1 { first = $1 } NR == 2 { exit !(first > $1) }' out || fail "scores: $(cat out)"

# evaluate finds for all lines what --score finds for each; and for a stream a perplexity near 1.
cut -f 2 names-dev.tsv | head -n 30 >lines
for language in Greek Polish; do
    expect 0 "$dragoman" generate names --label "$language" --score <lines
    awk -F '\t' '{ sum += $1; tokens += $2 } END { printf "%.2f %d\n", sum, tokens }' out >expected
    awk -v language="$language" '{ print language "\t" $0 }' lines >test.tsv
    expect 0 "$dragoman" evaluate names --test test.tsv --json
    sed 's/.*"log_probability": *\([-0-9.]*\).*"tokens": *\([0-9]*\).*/\1 \2/' out |
        awk '{ printf "%.2f %d\n", $1, $2 }' >found
    cmp expected found || fail "evaluate finds $(cat found), --score $(cat expected)"
done
expect 0 "$dragoman" evaluate song --test song-dev.txt
grep -q '^perplexity  1\.' out || fail "the song is not known: $(cat out)"
grep -q '^characters  0\.[0-9]* nats each, 0\.[0-9]* bits' out || fail "no characters: $(cat out)"
grep -q '400 characters, 400 tokens, 0 of them unknown' out || fail "not all is read: $(cat out)"

# What makes no sense is said.
expect 1 "$dragoman" generate names
complained_of 'needs a label: one of Greek, Polish'
expect 1 "$dragoman" generate names --label Klingon
complained_of 'no label "Klingon", only Greek, Polish'
expect 1 "$dragoman" generate names --label Greek --features 1,2
complained_of 'takes no vector'
expect 1 "$dragoman" generate song --features 1,,2
complained_of 'features.*column 2'
expect 1 "$dragoman" generate song --features 1,nan
complained_of 'features'
printf 'a\377b' >bad
expect 1 "$dragoman" generate song --prompt "$(cat bad)"
complained_of 'UTF-8'
expect 1 "$dragoman" evaluate song --test bad
complained_of 'bad:1: not UTF-8'
: >empty
expect 1 "$dragoman" evaluate song --test empty
complained_of 'empty: nothing to evaluate on'
printf 'Klingon\tkos\n' >klingon.tsv
expect 1 "$dragoman" evaluate names --test klingon.tsv
complained_of 'klingon.tsv:1: the model has no label "Klingon"'
expect 1 "$dragoman" evaluate names --test lines
complained_of 'lines:1: the line has no tab'
expect 1 "$dragoman" classify song text
complained_of 'is a model for generation'
for wrong in "song text" "song --score --prompt a" "song --temperature -1" "song --top-p 2" \
    "song --max-tokens 0" "song --score --count 2"; do
    # shellcheck disable=SC2086 # words
    expect 2 "$dragoman" generate $wrong
    quiet_but_complained "$wrong"
done
for wrong in "--beam 3" "--labels a=b" "--output file" "--perplexity"; do
    # shellcheck disable=SC2086 # words
    expect 2 "$dragoman" evaluate song --test song-dev.txt $wrong
    complained_of 'means nothing for generation'
done
done_testing
