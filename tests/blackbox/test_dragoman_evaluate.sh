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
grep -q '^BLEU  *100.00 .*all references' out || fail "as text: $(cat out)"
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
expect 0 "$dragoman" evaluate --test labelled.tsv "$models/tiny-bag"
[ "$(grep -cE '^(accuracy|macro-F1) ' out)" = 2 ] || fail "as text: $(cat out)"
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
