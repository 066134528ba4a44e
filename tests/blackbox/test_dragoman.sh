#!/bin/sh
# dragoman from outside, on tiny models whose answers are nonsense but always the same nonsense.
. "${top_srcdir:-.}/tests/blackbox/dragoman.sh"

make_models

# What every program must say about itself.
expect 0 "$dragoman" --version
grep -qx 'dragoman [0-9][0-9.]*' out || fail "--version prints: $(cat out)"
expect 0 "$dragoman" --help
for command in train evaluate translate classify tokenize inspect; do
    grep -q "^  $command " out || fail "--help does not name $command"
    expect 0 "$dragoman" "$command" --help
    grep -q '^usage: dragoman' out || fail "$command --help has no usage line"
    expect 0 "$dragoman" --help
done

# Wrong usage: exit code 2, a complaint on stderr, nothing on stdout.
for arguments in "" "nonsense" "translate" "translate --nonsense x" "translate --beam 0 x" \
    "translate --beam 17 x" "translate --threads many x" "inspect" "inspect a b" "evaluate x" \
    "evaluate --test" "classify --top 0 x" "train extra"; do
    # shellcheck disable=SC2086 # words are meant to be split
    expect 2 "$dragoman" $arguments
    quiet_but_complained "dragoman $arguments"
done

# Models that are not there, and models for something else.
expect 1 "$dragoman" translate missing text
complained_of missing
expect 1 "$dragoman" translate "$models/tiny-bag" text
complained_of 'classification, not for translation'
expect 1 "$dragoman" classify "$models/tiny-en-fr" text
complained_of 'translation, not for classification'
expect 2 "$dragoman" translate --beam 2 --nbest 3 "$models/tiny-en-fr" text
complained_of 'no 3 best'
mkdir broken
cp "$models/tiny-en-fr"/* broken
head -c 1000 "$models/tiny-en-fr/weights.safetensors" >broken/weights.safetensors
expect 1 "$dragoman" inspect broken
complained_of weights.safetensors

# A line out for each line in, in order, whatever the threads; texts as arguments do the same.
corpus 300 >in
expect 0 "$dragoman" translate --threads 1 "$models/tiny-en-fr" <in
[ "$(wc -l <out)" -eq 300 ] || fail "300 lines in, $(wc -l <out) out"
mv out one
expect 0 "$dragoman" translate --threads 3 "$models/tiny-en-fr" <in
cmp -s one out || fail "three threads translate otherwise than one"
expect 0 "$dragoman" translate --beam 1 "$models/tiny-en-fr" <in
cmp -s one out && fail "--beam changes nothing"
sed -n 7p in >line
expect 0 "$dragoman" translate "$models/tiny-en-fr" "$(cat line)"
sed -n 7p one >want
cmp -s want out || fail "a sentence is translated otherwise alone than among others"

# Line ends and empty lines. The last line needs no end.
printf 'I see.\r\n\nI see.' >in
expect 0 "$dragoman" translate "$models/tiny-en-fr" <in
[ "$(wc -l <out)" -eq 3 ] || fail "three lines in, $(wc -l <out) out"
[ "$(sed -n 1p out)" = "$(sed -n 3p out)" ] || fail "a carriage return is part of the text"
[ -z "$(sed -n 2p out)" ] || fail "an empty line is translated as: $(sed -n 2p out)"
expect 0 "$dragoman" translate "$models/tiny-en-fr" </dev/null
[ ! -s out ] || fail "no line in, but lines out"

# Bad lines: named, empty in the output, and the rest goes on.
{
    printf 'I see.\nbroken \377 byte\nI see.\n'
    yes a | head -n 2000 | tr '\n' ' '
    printf '\n'
    head -c 1500000 /dev/zero | tr '\0' x
    printf '\nI see.\n'
} >in
for command in "translate $models/tiny-en-fr" "classify $models/tiny-bag" \
    "tokenize $models/tiny-bag"; do
    # shellcheck disable=SC2086
    expect 1 "$dragoman" $command <in
    [ "$(wc -l <out)" -eq 6 ] || fail "$command: six lines in, $(wc -l <out) out"
    complained_of '^dragoman: line 2: .*UTF-8'
    complained_of '^dragoman: line 5: '
    [ -z "$(sed -n 2p out)$(sed -n 5p out)" ] || fail "$command: a bad line is answered"
    [ -n "$(sed -n 6p out)" ] || fail "$command: nothing for the line after the bad ones"
    [ "$(sed -n 1p out)" = "$(sed -n 6p out)" ] || fail "$command: lines are mixed up"
done
expect 1 "$dragoman" translate "$models/tiny-en-fr" <in
complained_of '^dragoman: line 4: .*tokens'

# Several translations of each text.
expect 0 "$dragoman" translate --nbest 2 "$models/tiny-en-fr" "I see." "the cat"
awk -F '\t' 'NF != 3 || $1 != int((NR + 1) / 2) || $2 !~ /^-[0-9]+\.[0-9]+$/ { exit 1 }
             NR % 2 == 0 && $2 > last { exit 1 }
             { last = $2 } END { if (NR != 4) exit 1 }' out || fail "--nbest prints: $(cat out)"
expect 0 "$dragoman" translate --scores "$models/tiny-en-fr" "I see."
awk -F '\t' 'NF != 2 || $1 !~ /^-[0-9]/ { exit 1 }' out || fail "--scores prints: $(cat out)"

# Several models at a time: one with itself is that one, another one makes a difference.
corpus 40 >in
cp -r "$models/tiny-en-fr" other
cp "$models/tiny-fr-en/weights.safetensors" other
expect 0 "$dragoman" translate "$models/tiny-en-fr" <in
mv out one
expect 0 "$dragoman" translate --ensemble "$models/tiny-en-fr" "$models/tiny-en-fr" <in
cmp -s one out || fail "a model with itself translates otherwise: $(diff one out | head -n 4)"
expect 0 "$dragoman" translate -e other "$models/tiny-en-fr" <in
mv out both
cmp -s one both && fail "--ensemble changes nothing"
expect 0 "$dragoman" translate -e "$models/tiny-en-fr" -t 3 other <in
cmp -s both out || fail "the order of models matters: $(diff both out | head -n 4)"
expect 0 "$dragoman" translate -e other -e other -e "$models/tiny-en-fr" "$models/tiny-en-fr" <in
cmp -s both out || fail "each model twice is not the same: $(diff both out | head -n 4)"
expect 1 "$dragoman" translate -e other -e "$models/tiny-fr-en" "$models/tiny-en-fr" text
complained_of 'tiny-fr-en translates from fr to en, but .*tiny-en-fr from en to fr'
expect 1 "$dragoman" translate -e other -e "$models/tiny-bag" "$models/tiny-en-fr" text
complained_of 'tiny-bag is a model for classification'
expect 1 "$dragoman" translate -e missing "$models/tiny-en-fr" text
complained_of missing

# With --split a text is what its sentences are, alone and one after the other.
corpus 60 | sed 's/^/The /; s/\.$/ house./' >in
expect 0 "$dragoman" translate "$models/tiny-en-fr" <in
mv out each
join_threes() {
    awk 'NR % 3 { printf "%s%s", $0, NR % 3 == 1 ? "  " : " "; next } { print }' "$1"
}
join_threes in >threes
join_threes each >want
expect 0 "$dragoman" translate --split "$models/tiny-en-fr" <threes
cmp -s want out || fail "sentences put together give: $(diff want out | head -n 4)"
expect 0 "$dragoman" translate --split --threads 3 "$models/tiny-en-fr" <threes
cmp -s want out || fail "--split depends on threads"
expect 0 "$dragoman" translate "$models/tiny-en-fr" <threes
cmp -s want out && fail "without --split texts are cut too"
expect 0 "$dragoman" translate --split "$models/tiny-en-fr" <in
cmp -s each out || fail "--split changes single sentences"
for text in "I see." "The cat."; do
    expect 0 "$dragoman" translate --scores "$models/tiny-en-fr" "$text"
    cat out >>scores
done
expect 0 "$dragoman" translate --scores --split "$models/tiny-en-fr" "I see. The cat."
awk -F '\t' 'NR < 3 { mean += $1 / 2; next } $1 - mean > 2e-4 || mean - $1 > 2e-4 { exit 1 }' \
    scores out || fail "the score is not the mean: $(cat scores out)"
expect 0 "$dragoman" translate --nbest 3 --split "$models/tiny-en-fr" "I see. The cat."
[ "$(sort -u out | wc -l)" -eq "$(wc -l <out)" ] || fail "alternatives repeat: $(cat out)"
printf '\n  \t \nI see.  \n' >in
expect 0 "$dragoman" translate --split "$models/tiny-en-fr" <in
[ "$(wc -l <out)" -eq 3 ] || fail "blank lines with --split: $(cat out)"
[ -z "$(sed -n 1p out)$(sed -n 2p out)" ] || fail "a blank line is translated: $(cat out)"
{
    printf 'I see. The cat \377. The dog.\n'
    printf 'I see. The '
    yes a | head -n 2000 | tr '\n' ' '
    printf '\nI see.\n'
} >in
expect 1 "$dragoman" translate --split "$models/tiny-en-fr" <in
complained_of '^dragoman: line 1: .*UTF-8: byte 0xFF at offset 15'
complained_of '^dragoman: line 2: sentence 2: .*tokens'
[ "$(wc -l <out)" -eq 3 ] || fail "three lines in, $(wc -l <out) out"
[ -n "$(sed -n 3p out)" ] || fail "nothing for the line after the bad ones"

# An answer comes as soon as its line is there, without waiting for the end of the input.
mkfifo to from
timeout 120 "$dragoman" translate "$models/tiny-en-fr" <to >from &
child=$!
exec 3>to 4<from
for text in "I see." "the cat" "the dog"; do
    echo "$text" >&3
    read -r answer <&4 || fail "no answer to: $text"
    expect 0 "$dragoman" translate "$models/tiny-en-fr" "$text"
    [ "$answer" = "$(cat out)" ] || fail "in a conversation '$text' became '$answer'"
done
exec 3>&-
wait $child || fail "translate ends a conversation with $?"
exec 4<&-

# Labels and probabilities, which sum to 1.
for model in tiny-bag tiny-rnn; do
    expect 0 "$dragoman" classify "$models/$model" "a fine film" "" "nonsense"
    grep -cxE '(negative|positive)	(0\.[0-9]{4}|1\.0000)' out | grep -qx 3 ||
        fail "$model classifies as: $(cat out)"
    cut -f 1-2 out >first
    expect 0 "$dragoman" classify --top 2 "$models/$model" "a fine film" "" "nonsense"
    awk -F '\t' 'NF != 4 || $2 < $4 || $1 == $3 || ($2 + $4 - 1) ^ 2 > 1e-7 { exit 1 }' out ||
        fail "--top 2 prints: $(cat out)"
    cut -f 1-2 out | cmp -s - first || fail "--top 2 begins otherwise than --top 1"
done

# Tokens: put together they are the text.
expect 0 "$dragoman" tokenize "$models/tiny-en-fr" "I see the cat."
[ "$(tr -d ' ' <out | sed 's/^▁//; s/▁/ /g')" = "I see the cat." ] || fail "tokens: $(cat out)"
tokens=$(wc -w <out)
expect 0 "$dragoman" tokenize --ids "$models/tiny-en-fr" "I see the cat."
grep -qxE '[0-9]+( [0-9]+)*' out || fail "--ids prints: $(cat out)"
[ "$(wc -w <out)" -eq "$tokens" ] || fail "--ids prints another number of tokens"

# What is in a model.
for model in tiny-en-fr tiny-bag tiny-rnn; do
    expect 0 "$dragoman" inspect "$models/$model"
    grep -qE "^name +$model\$" out || fail "inspect does not name $model"
    sum=$(awk '/^tensors/ { want = $3; on = 1; next }
               on && $2 ~ /^[0-9]+$/ { n = $2; if ($3 == "x") n *= $4; got += n }
               END { print want == got ? "equal" : want " and " got }' out)
    [ "$sum" = equal ] || fail "$model: parameters said and tensors' sizes differ: $sum"
    expect 0 "$dragoman" inspect --json "$models/$model"
    grep -q '"parameters":[0-9]' out || fail "inspect --json prints: $(cat out)"
done

# Output that cannot be written is an error.
if [ -c /dev/full ]; then
    "$dragoman" tokenize "$models/tiny-bag" text >/dev/full 2>err
    [ $? -eq 1 ] || fail "a full disk goes unnoticed"
fi

# The manual knows every option that the program has.
for command in train evaluate translate classify tokenize inspect; do
    expect 0 "$dragoman" "$command" --help
    grep -oE '^ +(-., )?--[a-z0-9-]+' out | sed 's/.*--//' | while read -r option; do
        grep -q "Fl -$option" "$top_srcdir/man/dragoman.1" || echo "$command --$option"
    done >unknown
    [ ! -s unknown ] || fail "not in the manual: $(cat unknown)"
done

done_testing
