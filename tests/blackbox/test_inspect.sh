#!/bin/sh
# The pages of dragoman inspect: well-formed, loading nothing, showing what they should; and what
# makes no sense is refused.
. "${top_srcdir:-.}/tests/blackbox/dragoman.sh"

make_models
check_page=$top_builddir/tests/support/check_page

# page NAME [--script]: `out` is a page, which is kept as NAME.html.
page() {
    mv out "$1.html"
    "$check_page" $2 "$1.html" || fail "$1 is no page"
}

# count TEXT FILE: how often the text occurs.
count() {
    grep -oF -e "$1" "$2" | wc -l
}

corpus 40 >text
printf 'He said "no" & <went>.\n"Then go!" she (the cook) said.\n' >>text

# The cells of each kind of model that has some.
for model in tiny-en-fr tiny-rnn; do
    expect 0 "$dragoman" inspect --cells "$models/$model" text
    page "$model" --script
    grep -q "<h1>Cells of $model</h1>" "$model.html" || fail "$model: no title"
    grep -q 'reading text<' "$model.html" || fail "$model: the page does not name the text"
    grep -q 'data-unit="0"' "$model.html" || fail "$model: no unit is ranked"
    [ "$(count 'class="points"' "$model.html")" -eq 4 ] || fail "$model: gates are not drawn"
done
expect 0 "$dragoman" inspect --cells "$models/tiny-rnn" <text
page stdin --script
grep -q 'reading standard input<' stdin.html || fail "standard input is not named"
expect 0 "$dragoman" inspect --cells --output page.html "$models/tiny-rnn" text
[ ! -s out ] || fail "--output prints as well"
cmp -s page.html tiny-rnn.html || fail "--output writes another page"
expect 0 "$dragoman" inspect --cells --tokens 30 --passage 20 --units 3 "$models/tiny-rnn" text
page few --script
[ "$(count '<i>' few.html)" -eq 21 ] || fail "--passage 20 shows $(count '<i>' few.html) tokens"

# Attention, a heat map a line; a model without shows its translations.
head -n 3 text >three
printf '\n\n' >>three
expect 0 "$dragoman" inspect --attention "$models/tiny-en-fr" three
page attention
[ "$(count '<figure>' attention.html)" -eq 3 ] || fail "three lines, other figures"
[ "$(count '<svg class="heat"' attention.html)" -eq 3 ] || fail "three lines, other heat maps"

# Explanations, a coloured text a line.
for model in tiny-bag tiny-rnn; do
    expect 0 "$dragoman" inspect --explain "$models/$model" three
    page "explain-$model"
    [ "$(count '<p class="told"' "explain-$model.html")" -eq 3 ] || fail "$model: other texts"
    grep -q '<i title="[+-][0-9.]*" style=' "explain-$model.html" || fail "$model: no colours"
done
grep -q ' linear ' explain-tiny-bag.html || fail "the method of a bag is not named"
grep -q ' occlusion ' explain-tiny-rnn.html || fail "the method of an rnn is not named"

for model in tiny-bag tiny-rnn; do
    expect 0 "$dragoman" classify --explain "$models/$model" "Great  fun" "" "Great"
    sed -n 1p out | grep -qE "^(posi|nega)tive	[01]\.[0-9]{4}	Great	[+-][0-9.]+	fun	[+-][0-9.]+\$" ||
        fail "$model: classify --explain prints: $(cat out)"
    sed -n 2p out | grep -qE "^(posi|nega)tive	[01]\.[0-9]{4}\$" || fail "$model: an empty text has parts"
    [ "$(sed -n 3p out | awk -F '\t' '{ print NF }')" -eq 4 ] || fail "$model: one word, other parts"
done

# What cannot be done.
expect 1 "$dragoman" inspect --cells "$models/tiny-bag" text
complained_of 'no cells'
expect 1 "$dragoman" inspect --cells --label x "$models/tiny-rnn" text
complained_of 'takes no label'
expect 1 "$dragoman" inspect --attention "$models/tiny-rnn" text
complained_of 'classification, not for translation'
expect 1 "$dragoman" inspect --explain "$models/tiny-en-fr" text
complained_of 'translation, not for classification'
expect 1 "$dragoman" inspect --cells "$models/tiny-rnn" missing
complained_of missing
: >empty
expect 1 "$dragoman" inspect --cells "$models/tiny-rnn" empty
complained_of 'empty: the text has no token'
expect 1 "$dragoman" inspect --attention "$models/tiny-en-fr" empty
complained_of 'empty has no line'
printf 'good\n\377\n' >bytes
expect 1 "$dragoman" inspect --cells "$models/tiny-rnn" bytes
complained_of 'bytes: .*UTF-8'
expect 1 "$dragoman" inspect --cells --output missing/page.html "$models/tiny-rnn" text
complained_of missing/page.html
for arguments in "--cells --json" "--cells --attention" "--explain --cells" "--output x" "--label x" "--attention --label x" \
    "--cells --units 0" "--cells --tokens -1"; do
    # shellcheck disable=SC2086 # words are meant to be split
    expect 2 "$dragoman" inspect $arguments "$models/tiny-rnn"
    quiet_but_complained "dragoman inspect $arguments"
done
if [ -c /dev/full ]; then
    "$dragoman" inspect --cells "$models/tiny-rnn" text >/dev/full 2>err
    [ $? -eq 1 ] || fail "a full disk goes unnoticed"
fi

done_testing
