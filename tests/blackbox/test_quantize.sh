#!/bin/sh
# dragoman quantize: smaller bundles that are used as all others, and what they lose.
. "${top_srcdir:-.}/tests/blackbox/dragoman.sh"
make_models

bytes() {
    wc -c <"$1/weights.safetensors"
}

for name in tiny-en-fr tiny-fr-en tiny-bag tiny-rnn tiny-tags tiny-length tiny-rows tiny-lm \
    tiny-names tiny-scene; do
    before=$(bytes "$models/$name")
    expect 0 "$dragoman" quantize "$models/$name" --out "small/$name"
    after=$(bytes "small/$name")
    grep -q "^weights  *$after bytes, before $before\$" out || fail "$name: $(cat out)"
    # matrices of two columns are mostly what fills up their panels
    [ "$after" -lt "$before" ] || [ "$name" = tiny-rows ] ||
        fail "$name: $after bytes are not fewer than $before"
    expect 0 "$dragoman" inspect "$models/$name"
    parameters=$(sed -n 's/^tensors .* \([0-9]*\) parameters.*/\1/p' out)
    expect 0 "$dragoman" inspect "small/$name"
    [ -n "$parameters" ] || fail "$name: inspect counts no parameters"
    grep -q " $parameters parameters" out || fail "$name: other parameters: $(grep tensors out)"
    grep -qE '^weights  *(int8|f16)$' out || fail "$name: inspect does not say what the weights are"
    expect 0 "$dragoman" inspect --json "small/$name"
done

# They are used like others, and give the same answer in any company.
corpus 60 >lines
expect 0 "$dragoman" translate --threads 1 small/tiny-en-fr <lines
mv out together
while IFS= read -r line; do
    "$dragoman" translate small/tiny-en-fr "$line" || fail "cannot translate '$line'"
done <lines >alone
cmp -s alone together || fail "translations depend on their company: $(diff alone together | head -n 3)"
for task in classify:tiny-bag classify:tiny-rnn tag:tiny-tags regress:tiny-length; do
    expect 0 "$dragoman" "${task%:*}" "small/${task#*:}" "a good film"
    [ -s out ] || fail "$task says nothing"
done
expect 0 "$dragoman" generate --seed 3 --label positive small/tiny-names
expect 0 "$dragoman" generate --score small/tiny-lm "a good film"

# What is lost is measured.
paste lines together >pairs
expect 0 "$dragoman" quantize "$models/tiny-en-fr" --out again --dev pairs --beam 1 --threads 1
grep -qE '^BLEU  *[0-9.]+, before [0-9.]+: [+-][0-9.]+$' out || fail "no BLEU: $(cat out)"
expect 0 "$dragoman" quantize "$models/tiny-en-fr" --out again --dev pairs --json
grep -qE '"measure":"BLEU"' out || fail "no BLEU in JSON: $(cat out)"
printf 'good\tpositive\nbad\tnegative\n' >labelled
expect 0 "$dragoman" quantize "$models/tiny-rnn" --out again --dev labelled
grep -qE '^accuracy  *[0-9.]+, before' out || fail "no accuracy: $(cat out)"
expect 0 "$dragoman" quantize "$models/tiny-lm" --out again --dev lines
grep -qE '^perplexity ' out || fail "no perplexity: $(cat out)"
expect 0 "$dragoman" evaluate --test pairs --perplexity small/tiny-en-fr
grep -q '^perplexity' out || fail "a quantised model has no perplexity: $(cat out)"

# What cannot be done.
expect 2 "$dragoman" quantize "$models/tiny-rnn"
complained_of 'out DIR is missing'
expect 1 "$dragoman" quantize small/tiny-rnn --out twice
complained_of 'is quantised already'
[ ! -e twice ] || fail "a refused bundle was written"
expect 2 "$dragoman" quantize "$models/tiny-rnn" --out again --dev labelled --beam 2
complained_of 'means nothing'
expect 1 "$dragoman" quantize "$models/tiny-rnn" --out again --dev nowhere.tsv
mkdir other && : >other/file
expect 1 "$dragoman" quantize "$models/tiny-rnn" --out other
complained_of 'no part of a model'

# Damage is found when the bundle is opened.
cp -r small/tiny-en-fr damaged
size=$(bytes damaged)
dd if=small/tiny-en-fr/weights.safetensors of=damaged/weights.safetensors bs=1 \
    count=$((size - 4)) 2>/dev/null
dd if=/dev/zero of=damaged/weights.safetensors bs=1 count=0 seek=$((size - 4)) 2>/dev/null
expect 1 "$dragoman" translate damaged "a good film"
complained_of 'weights.safetensors'
sed 's/"int8"/"f16"/' small/tiny-en-fr/model.json >damaged/model.json
expect 1 "$dragoman" translate damaged "a good film"
complained_of '"weights"'
done_testing
