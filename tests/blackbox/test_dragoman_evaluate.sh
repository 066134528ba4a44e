#!/bin/sh
# dragoman evaluate: the figures against others got in another way.
. "${top_srcdir:-.}/tests/blackbox/dragoman.sh"

make_models

# The number that stands under a key of one line of JSON.
number() {
    sed "s/.*\"$1\":\\(-*[0-9.e+-]*\\).*/\\1/" "$2"
}

# What the model itself says is right: a perfect score.
corpus 60 >sources
expect 0 "$dragoman" translate "$models/tiny-en-fr" <sources
cp out translations
paste sources translations >perfect.tsv
expect 0 "$dragoman" evaluate --json --output written --test perfect.tsv "$models/tiny-en-fr"
[ "$(number bleu out)" = 100.0 ] || fail "BLEU of the model's own translations: $(cat out)"
[ "$(number chrf out)" = 100.0 ] || fail "chrF of the model's own translations: $(cat out)"
[ "$(number sentences out)" = 60 ] || fail "sentences: $(cat out)"
cmp -s written translations || fail "--output is not what translate prints"

# References of which only the last is right, and a target that is wrong.
sed 's/$/	wrong words here/' sources >wrong.tsv
awk -F '\t' '{ print $1 "\tnot this\tnor that\t" $2 }' perfect.tsv | sort -r >references.tsv
expect 0 "$dragoman" evaluate --json --references references.tsv --test wrong.tsv \
    "$models/tiny-en-fr"
grep -q '"bleu":0.0,' out || fail "BLEU against wrong words: $(cat out)"
grep -q '"all_references":{"bleu":100.0,' out || fail "BLEU with all references: $(cat out)"
expect 0 "$dragoman" evaluate --references references.tsv --test wrong.tsv "$models/tiny-en-fr"
grep -q '^BLEU  *100.00 .*nrefs:3|case:mixed|eff:no|tok:13a|smooth:exp$' out ||
    fail "as text: $(cat out)"
head -n 3 references.tsv >few.tsv
expect 1 "$dragoman" evaluate --references few.tsv --test wrong.tsv "$models/tiny-en-fr"
complained_of 'few.tsv: nothing for'
echo 'no tab' >few.tsv
expect 1 "$dragoman" evaluate --references few.tsv --test wrong.tsv "$models/tiny-en-fr"
complained_of 'few.tsv: line 1'

# Columns the other way round.
awk -F '\t' '{ print $2 "\t" $1 }' perfect.tsv >reversed.tsv
expect 0 "$dragoman" evaluate --json --reverse --test reversed.tsv "$models/tiny-en-fr"
[ "$(number bleu out)" = 100.0 ] || fail "--reverse: $(cat out)"

# A sentence that is too long is said to be, and counts as nothing translated.
{
    head -n 1 perfect.tsv
    yes a | head -n 2000 | tr '\n' ' '
    printf '\tsomething\n'
} >long.tsv
expect 1 "$dragoman" evaluate --json --test long.tsv "$models/tiny-en-fr"
complained_of 'long.tsv: sentence 2: '
[ "$(number failed out)" = 1 ] || fail "failed: $(cat out)"

# Perplexity: one figure for any number of threads; the model finds what it says itself more
# probable than something else.
for threads in 1 2 3; do
    expect 0 "$dragoman" evaluate --json --perplexity -t $threads --test perfect.tsv \
        "$models/tiny-en-fr"
    number perplexity out >>perplexities
done
[ "$(sort -u perplexities | wc -l)" = 1 ] || fail "perplexities: $(cat perplexities)"
expect 0 "$dragoman" evaluate --json --perplexity --test wrong.tsv "$models/tiny-en-fr"
number perplexity out >>perplexities
sort -g -c perplexities 2>sorted || fail "perplexities: $(cat perplexities sorted)"
[ "$(number perplexity_skipped out)" = 0 ] || fail "skipped: $(cat out)"
tokens=$("$dragoman" tokenize "$models/tiny-en-fr" 'wrong words here' | wc -w)
[ "$(number perplexity_tokens out)" = $((60 * (tokens + 1))) ] || fail "tokens: $(cat out)"
expect 0 "$dragoman" evaluate --perplexity --test wrong.tsv "$models/tiny-en-fr"
grep -q '^perplexity [0-9.e+]*  of the model' out || fail "as text: $(cat out)"
expect 1 "$dragoman" evaluate --perplexity --json --test long.tsv "$models/tiny-en-fr"
[ "$(number perplexity_skipped out)" = 1 ] || fail "skipped: $(cat out)"

# Several models at a time: what they translate together is scored.
cp -r "$models/tiny-en-fr" other
cp "$models/tiny-fr-en/weights.safetensors" other
expect 0 "$dragoman" translate -e other "$models/tiny-en-fr" <sources
paste sources out >together.tsv
expect 0 "$dragoman" evaluate --json --ensemble other --test together.tsv "$models/tiny-en-fr"
[ "$(number bleu out)" = 100.0 ] || fail "BLEU of an ensemble: $(cat out)"
grep -q '"ensemble":\["tiny-en-fr","tiny-en-fr"\]' out || fail "names of an ensemble: $(cat out)"
expect 0 "$dragoman" evaluate --ensemble other --test together.tsv "$models/tiny-en-fr"
grep -q '^model  *tiny-en-fr + tiny-en-fr$' out || fail "as text: $(cat out)"
expect 2 "$dragoman" evaluate --perplexity -e other --test together.tsv "$models/tiny-en-fr"
complained_of 'perplexity'
expect 2 "$dragoman" evaluate -e other --test together.tsv "$models/tiny-bag"
complained_of 'ensemble means nothing for classification'

# Translations from a file: sacrebleu prints these figures for the example of its README.
cat >system <<'END'
The dog bit the man.
It wasn't surprising.
The man had just bitten him.
END
cat >first <<'END'
The dog bit the man.
It was not unexpected.
The man bit him first.
END
cat >second <<'END'
The dog had bit the man.
No one was surprised.
The man had bitten the dog.
END
expect 0 "$dragoman" evaluate --hypotheses system first second
grep -q '^BLEU  *48.53  82.4/50.0/45.5/37.5, brevity penalty 0.943, lengths 17 and 18; nrefs:2|' out ||
    fail "BLEU of the example: $(cat out)"
grep -q '^chrF2  *59.73  nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no$' out ||
    fail "chrF2 of the example: $(cat out)"
expect 0 "$dragoman" evaluate --hypotheses system --tokenised first second
grep -q '^BLEU  *49.19 .*|tok:none|' out || fail "BLEU of the example as tokens: $(cat out)"

# The same by way of a test set, alone and with all references; case; smoothing.
paste first first >test.tsv
paste first first second >both.tsv
expect 0 "$dragoman" evaluate --json --hypotheses system --test test.tsv --references both.tsv
grep -q '"all_references":{"bleu":48.530827,' out || fail "with all references: $(cat out)"
tr '[:lower:]' '[:upper:]' <first >capitals
expect 0 "$dragoman" evaluate --lowercase --hypotheses capitals --test test.tsv
[ "$(grep -c '  100.00  .*case:lc' out)" = 3 ] || fail "--lowercase: $(cat out)"
expect 0 "$dragoman" evaluate --hypotheses capitals first
grep -q '^BLEU  *[1-9]' out || fail "exponential smoothing: $(cat out)"
expect 0 "$dragoman" evaluate --smoothing none --hypotheses capitals first
grep -q '^BLEU  *0.00 .*smooth:none$' out || fail "no smoothing: $(cat out)"

# Files that are alike, empty translations, other ends of lines.
cp first again
expect 0 "$dragoman" evaluate --hypotheses again first
[ "$(grep -c '  100.00  ' out)" = 3 ] || fail "a file against itself: $(cat out)"
printf '\n\n\n' >nothing
expect 0 "$dragoman" evaluate --hypotheses nothing first
[ "$(grep -c '  0.00  ' out)" = 3 ] || fail "empty translations: $(cat out)"
awk '{ printf "%s\r\n", $0 }' first >returns
expect 0 "$dragoman" evaluate --hypotheses returns first
[ "$(grep -c '  100.00  ' out)" = 3 ] || fail "carriage returns: $(cat out)"
yes 'a b c' | head -n 100000 | tr '\n' ' ' >huge
expect 0 "$dragoman" evaluate --hypotheses huge huge
[ "$(grep -c '  100.00  ' out)" = 3 ] || fail "a huge line: $(cat out)"

# Intervals and comparisons: the same for the same seed; the score lies within; a system does not
# differ from itself.
expect 0 "$dragoman" evaluate --json --confidence --hypotheses system first second
cp out confidence
sed 's/.*"confidence":{"bleu":\[\([^]]*\)\].*/\1/' out |
    awk -F , '$1 < 48.530827 && 48.530827 < $2 && $2 <= 100 { good = 1 } END { exit !good }' ||
    fail "--confidence: $(cat out)"
expect 0 "$dragoman" evaluate --json --confidence --hypotheses system first second
cmp -s confidence out || fail "the same seed, another interval"
expect 0 "$dragoman" evaluate --hypotheses system --baseline system first second
[ "$(grep -c 'baseline .*, difference +0.00, p = 1.0000; ' out)" = 3 ] || fail "--baseline: $(cat out)"
for _ in 1 2 3 4 5 6 7 8 9 10; do cat first; done >many
for _ in 1 2 3 4 5 6 7 8 9 10; do cat second; done >others
expect 0 "$dragoman" evaluate --hypotheses many --baseline others many
grep -q 'difference +[0-9.]*, p = 0.0010; 1000 draws, seed 1$' out || fail "--baseline: $(cat out)"
expect 0 "$dragoman" evaluate --confidence --baseline translations --test perfect.tsv \
    "$models/tiny-en-fr"
[ "$(grep -c '100.00 to 100.00, 95 %' out)" = 3 ] || fail "a model's interval: $(cat out)"
[ "$(grep -c 'difference +0.00' out)" = 3 ] || fail "a model against itself: $(cat out)"

# Files that do not fit.
head -n 2 first >short
expect 1 "$dragoman" evaluate --hypotheses system short
complained_of 'system has 3 lines, but short has 2'
expect 1 "$dragoman" evaluate --hypotheses system first short
complained_of 'short has 2 lines, but first has 3'
expect 1 "$dragoman" evaluate --hypotheses short --test test.tsv
complained_of 'short has 2 lines, but test.tsv has 3'
expect 1 "$dragoman" evaluate --hypotheses system --baseline short first
complained_of 'short has 2 lines, but there are 3 sentences'
printf 'x\ny\377\nz\n' >broken
expect 1 "$dragoman" evaluate --hypotheses broken first
complained_of 'broken:2: not UTF-8'
expect 1 "$dragoman" evaluate --hypotheses system broken
complained_of 'broken:2: not UTF-8'
printf 'x\n\nz\n' >gap
expect 1 "$dragoman" evaluate --hypotheses system gap
complained_of 'gap:2: an empty reference'
expect 0 "$dragoman" evaluate --json --hypotheses system gap first
grep -q '"bleu_signature":"nrefs:var|' out || fail "a reference that is missing: $(cat out)"
: >none
expect 1 "$dragoman" evaluate --hypotheses system none
complained_of 'none: no lines'
expect 1 "$dragoman" evaluate --hypotheses missing first
complained_of 'missing: No such file'
for bad in '--hypotheses system' '--hypotheses system --test test.tsv first' \
    '--hypotheses system --beam 2 first' '--hypotheses system --perplexity first' \
    '--hypotheses system --references both.tsv first' '--hypotheses system --reverse first' \
    '--hypotheses system --output file first' '--hypotheses system --threads 2 first' \
    '--hypotheses system --labels a=b first' '--smoothing some --hypotheses system first'; do
    # shellcheck disable=SC2086
    expect 2 "$dragoman" evaluate $bad
    [ ! -s out ] || fail "evaluate $bad prints $(cat out)"
done

# Classification: accuracy and F1 from what classify prints, counted here once more.
corpus 100 >texts
expect 0 "$dragoman" classify "$models/tiny-bag" <texts
cp out predicted
awk '{ print NR % 3 ? "positive" : "negative" }' predicted >actual
paste texts actual >labelled.tsv
expect 0 "$dragoman" evaluate --json --output written --test labelled.tsv "$models/tiny-bag"
cmp -s written predicted || fail "--output is not what classify prints"
paste actual predicted | awk -F '\t' '
    { actual[$1]++; given[$2]++; if ($1 == $2) { right[$1]++; all++ } }
    END {
        for (label in actual) sum += 2 * right[label] / (actual[label] + given[label])
        printf "%.6f %.6f\n", all / NR, sum / 2
    }' >want
printf '%.6f %.6f\n' "$(number accuracy out)" "$(number macro_f1 out)" >got
cmp -s want got || fail "accuracy and macro-F1: $(cat got) instead of $(cat want)"

# The expected calibration error, from the probabilities that were written: 15 bins.
paste actual predicted | awk -F '\t' '
    { bin = int($3 * 15); if (bin > 14) bin = 14; gap[bin] += $3 - ($1 == $2) }
    END {
        for (bin in gap) sum += gap[bin] < 0 ? -gap[bin] : gap[bin]
        printf "%.3f\n", sum / NR
    }' >want
printf '%.3f\n' "$(number calibration_error out)" >got
cmp -s want got || fail "calibration error: $(cat got) instead of $(cat want)"

expect 0 "$dragoman" evaluate --test labelled.tsv "$models/tiny-bag"
[ "$(grep -cE '^(accuracy|macro-F1|ECE) ' out)" = 3 ] || fail "as text: $(cat out)"
mv out named

# Labels by other names, in one list or several; then unknown ones.
sed 's/	positive$/	1/; s/	negative$/	0/' labelled.tsv >numbers.tsv
expect 1 "$dragoman" evaluate --test numbers.tsv "$models/tiny-bag"
complained_of "no label '1'"
for labels in '--labels 0=negative,1=positive' '--labels 0=negative --labels 1=positive'; do
    # shellcheck disable=SC2086
    expect 0 "$dragoman" evaluate $labels --test numbers.tsv "$models/tiny-bag"
    [ "$(grep -E '^(acc|macro|  )' out)" = "$(grep -E '^(acc|macro|  )' named)" ] ||
        fail "$labels: $(cat out)"
done
expect 1 "$dragoman" evaluate --labels 0=bad --test numbers.tsv "$models/tiny-bag"
complained_of "no label 'bad'"

# The model card may know what the training data called them.
cp -r "$models/tiny-bag" carded
sed 's/"card": *{}/"card": {"labels": "0=negative,1=positive"}/' "$models/tiny-bag/model.json" \
    >carded/model.json
expect 0 "$dragoman" evaluate --test numbers.tsv carded
[ "$(grep '^accuracy' out)" = "$(grep '^accuracy' named)" ] || fail "labels of the card: $(cat out)"

# What makes no sense is refused.
expect 2 "$dragoman" evaluate --beam 3 --test labelled.tsv "$models/tiny-bag"
for option in --reverse --tokenised --lowercase --perplexity --confidence '--smoothing none' \
    '--baseline x' '--references x'; do
    # shellcheck disable=SC2086
    expect 2 "$dragoman" evaluate $option --test labelled.tsv "$models/tiny-bag"
    complained_of 'means nothing for classification'
done
expect 2 "$dragoman" evaluate --test labelled.tsv "$models/tiny-bag" more
complained_of "unexpected argument 'more'"
expect 2 "$dragoman" evaluate --labels a=b --test perfect.tsv "$models/tiny-en-fr"
expect 2 "$dragoman" evaluate "$models/tiny-en-fr"
expect 1 "$dragoman" evaluate --test missing.tsv "$models/tiny-en-fr"
complained_of missing.tsv
: >empty.tsv
expect 1 "$dragoman" evaluate --test empty.tsv "$models/tiny-en-fr"
complained_of empty.tsv
expect 1 "$dragoman" evaluate --output missing/file --test perfect.tsv "$models/tiny-en-fr"
complained_of missing/file

done_testing
