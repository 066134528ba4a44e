#!/bin/sh
# Bad data, bad recipes and full disks: dragoman train says what is wrong and where, leaves nothing
# behind, and touches neither the model nor the checkpoint that were there before.
. "${top_srcdir:-.}/tests/blackbox/dragoman.sh"

# train OUT ARGUMENT...: small and quick; the arguments name task and data.
cat >train <<END
#!/bin/sh
out=\$1
shift
exec "$dragoman" train --min-count 1 --merges 20 --embedding 8 --encoder-hidden 8 \\
    --decoder-hidden 8 --ngrams 1 --buckets 0 --batch-tokens 100 --threads 1 --epochs 1 \\
    --out "\$out" "\$@"
END
cat >translate <<END
#!/bin/sh
out=\$1
shift
exec ./train "\$out" --source en --target fr "\$@"
END
cat >classify <<END
#!/bin/sh
out=\$1
shift
exec ./train "\$out" --task classification "\$@"
END
chmod +x train translate classify

mkdir data
corpus 30 | awk '{ print $0 "\t" $0 }' >data/pairs.tsv
corpus 30 | awk '{ print $0 "\t" (NR % 2 ? "odd" : "even") }' >data/labels.tsv
head -n 5 data/pairs.tsv >data/dev.tsv
head -n 5 data/labels.tsv >data/dev-labels.tsv

expect 0 ./translate old-translate --train data/pairs.tsv --dev data/dev.tsv
expect 0 ./classify old-classify --train data/labels.tsv --dev data/dev-labels.tsv
[ "$failures" -eq 0 ] || done_testing

snapshot() {
    find "old-$1" "old-$1.training" -type f -exec cksum {} + | sort
}

# refused STATUS PATTERN PROGRAM ARGUMENT...: on a new model and on the old one.
refused() {
    status=$1 pattern=$2 program=$3
    shift 3
    before=$(snapshot "$program")
    for out_folder in new/model "old-$program"; do
        expect "$status" "./$program" "$out_folder" "$@"
        complained_of "$pattern"
        grep -q 'update 1 ' err && fail "it trains before it refuses: $*"
        [ ! -e new/model ] && [ ! -e new/model.training ] || fail "it leaves something behind: $*"
        [ "$(snapshot "$program")" = "$before" ] || fail "it changes the model before: $*"
        rm -rf new
    done
}

# bad_line PATTERN FORMAT: the third line of a translation file, and of its development file.
bad_line() {
    {
        head -n 2 data/pairs.tsv
        # shellcheck disable=SC2059 # the format is the line
        printf "$2"
    } >data/bad.tsv
    refused 1 "data/bad.tsv:3: $1" translate --train data/bad.tsv --dev data/dev.tsv
    refused 1 "data/bad.tsv:3: $1" translate --train data/pairs.tsv --dev data/bad.tsv
    refused 1 "data/bad.tsv:3: $1" translate --train data/pairs.tsv --train data/bad.tsv \
        --dev data/dev.tsv
}

bad_line 'the line has no tab' 'no tab here\n'
bad_line 'the line has no tab' 'no tab and no end'
bad_line 'not UTF-8: byte 0xE9 at offset 3' 'caf\351\tx\n'
bad_line 'not UTF-8: byte 0xC3 at offset 2' 'a\t\303\n'
bad_line 'a NUL byte at offset 1' 'a\000b\tx\n'
bad_line 'the first field is empty' '\tx\n'
bad_line 'the first field is empty' '   \tx\n'
bad_line 'the second field is empty' 'x\t\n'
bad_line 'the second field is empty' 'x\t\r\n'
bad_line 'the line has more than two fields' 'x\ty\tz\n'

# Files that are none.
: >data/empty.tsv
printf '\n\r\n\n' >data/blank.tsv
printf '\357\273\277' >data/mark.tsv
for name in empty blank mark; do
    refused 1 "training data is empty: data/$name.tsv" \
        translate --train data/$name.tsv --dev data/dev.tsv
    refused 1 "development data is empty: data/$name.tsv" \
        translate --train data/pairs.tsv --dev data/$name.tsv
    refused 1 "training data is empty: data/$name.tsv" \
        classify --train data/$name.tsv --dev data/dev-labels.tsv
done
refused 1 'data/none.tsv: No such file' translate --train data/none.tsv --dev data/dev.tsv
refused 1 'data/none.tsv: No such file' translate --train data/pairs.tsv --dev data/none.tsv
refused 1 'data: Is a directory' translate --train data --dev data/dev.tsv
if [ "$(id -u)" -ne 0 ]; then
    cp data/pairs.tsv data/secret.tsv
    chmod 0 data/secret.tsv
    refused 1 'data/secret.tsv: Permission denied' \
        translate --train data/secret.tsv --dev data/dev.tsv
fi

# Too long: left out and counted, unless nothing is left; texts to be classified are cut.
long=$(awk 'BEGIN { for (i = 0; i < 100000; i++) printf "word%d ", i % 10 }')
{
    printf '%s\tshort\n' "$long"
    cat data/pairs.tsv
    printf 'short\t%s\n' "$long"
} >data/long.tsv
expect 0 ./translate long --train data/long.tsv --dev data/dev.tsv
grep -q '^30 examples, 2 left out: longer than 100 tokens' err ||
    fail "it does not say what it left out: $(head -n 2 err)"
expect 0 ./translate long --train data/pairs.tsv --dev data/long.tsv
grep -q '^2 examples of the development data left out: longer than 512 tokens' err ||
    fail "it does not say what it left out: $(head -n 2 err)"
expect 0 "$dragoman" inspect long
grep -q 'training_examples.*30' out || fail "the card counts other examples"
{
    head -n 1 data/long.tsv
    tail -n 1 data/long.tsv
} >data/only-long.tsv
refused 1 'no example is left: all 2 of the training data are longer than 100 tokens' \
    translate --train data/only-long.tsv --dev data/dev.tsv
refused 1 'all 2 examples of the development data are longer than 512 tokens' \
    translate --train data/pairs.tsv --dev data/only-long.tsv
{
    printf '%s\todd\n' "$long"
    cat data/labels.tsv
} >data/long-labels.tsv
expect 0 ./classify long --kind rnn --train data/long-labels.tsv --dev data/long-labels.tsv
grep -q '^31 examples, 1 of them cut to 100 tokens' err ||
    fail "it does not say what it cut: $(head -n 2 err)"
rm -r long
expect 0 ./classify long --train data/long-labels.tsv --dev data/long-labels.tsv
grep -q '^31 examples, [0-9]* parameters$' err ||
    fail "a bag of words cuts texts: $(head -n 2 err)"
rm -r long
awk 'BEGIN { for (i = 0; i < 430000; i++) printf "0123456789"; print "\tx" }' >data/huge.tsv
refused 1 'data/huge.tsv:1: the line has 4300002 bytes, allowed are 4194304' \
    translate --train data/huge.tsv --dev data/dev.tsv

# Labels.
printf 'a text\todd\nanother\tblue\n' >data/blue.tsv
refused 1 'data/blue.tsv:2: the label "blue" is one that the training data lacks' \
    classify --train data/labels.tsv --dev data/blue.tsv
refused 1 "labels 'blue=sky': the training data has no such label" \
    classify --train data/labels.tsv --dev data/dev-labels.tsv --labels odd=o --labels blue=sky
refused 1 'two labels of the data are called "even"' \
    classify --train data/labels.tsv --dev data/dev-labels.tsv --labels odd=even
refused 2 'LABEL=NAME' classify --train data/labels.tsv --dev data/dev-labels.tsv --labels odd
grep 'odd$' data/labels.tsv >data/one-label.tsv
refused 1 'has 1 labels, allowed are 2 to' \
    classify --train data/one-label.tsv --dev data/one-label.tsv
awk 'BEGIN { printf "text\t"; for (i = 0; i < 300; i++) printf "x"; print "\ntext\ty" }' \
    >data/long-label.tsv
refused 1 'labels.*1 to 256 bytes' classify --train data/long-label.tsv --dev data/long-label.tsv

# What the model's description cannot hold is found before the training, not after.
refused 1 'key "name"' translate --train data/pairs.tsv --dev data/dev.tsv --name 'No Name'
refused 1 'key "source".*language' \
    translate --train data/pairs.tsv --dev data/dev.tsv --source 'not a language'
refused 1 'not UTF-8' translate --train data/pairs.tsv --dev data/dev.tsv \
    --licence "$(printf 'caf\351')"

# Recipes.
# bad_recipe PATTERN FORMAT
bad_recipe() {
    # shellcheck disable=SC2059 # the format is the recipe
    printf "$2" >bad.conf
    refused 2 "$1" translate --recipe bad.conf --train data/pairs.tsv --dev data/dev.tsv
}
bad_recipe "bad.conf:2: unknown option 'bogus'" '# a recipe\nbogus = 1\n'
bad_recipe "bad.conf:2: unknown option 'epochs' in \\[train\\]" '[train] \nepochs = 1\n'
bad_recipe "bad.conf:3: .*epochs" 'merges = 10\n\nepochs = none\n'
bad_recipe "bad.conf:1: .*epochs" 'epochs = 0\n'
bad_recipe "bad.conf:1: .*rate" 'rate = -1\n'
bad_recipe "bad.conf:1: .*rate" 'rate = nan\n'
bad_recipe "bad.conf:1: .*merges" 'merges = 99999999999999999999\n'
bad_recipe "bad.conf:1: .*tokenizer" 'tokenizer = syllable\n'
bad_recipe "bad.conf:1: .*fold" 'fold = maybe\n'
bad_recipe "bad.conf:1: expected 'name = value'" 'epochs\n'
bad_recipe "bad.conf:1: unknown option 'out'" 'out = elsewhere\n'
bad_recipe 'bad.conf:1: a NUL byte' 'epochs = 1\0002\n'
bad_recipe 'bad.conf:[0-9]*: ' '\211PNG\r\n\032\n\001\002\377'
bad_recipe "bad.conf, with the flags: .*dropout-bpe needs --tokenizer bpe" 'tokenizer = word\ndropout-bpe = 0.1\n'
bad_recipe 'bad.conf, with the flags: --kind bag-of-words does not do --task translation' 'kind = bag-of-words\n'
head -c 5000 "$dragoman" >bad.conf
refused 2 'bad.conf:[0-9]*: ' translate --recipe bad.conf
refused 2 'none.conf: No such file' translate --recipe none.conf
refused 2 'data: Is a directory' translate --recipe data

# Where the model cannot go.
echo a file >file
expect 1 ./translate file/model --train data/pairs.tsv --dev data/dev.tsv
complained_of 'file.*Not a directory'
expect 1 ./translate file --train data/pairs.tsv --dev data/dev.tsv
complained_of 'file.*Not a directory'
[ "$(cat file)" = 'a file' ] && [ ! -e file.training ] || fail "a file was touched"

# A full disk: no file may grow beyond a few blocks, first for the vocabulary, then for the weights.
# limited BLOCKS COMMAND...
limited() (
    trap '' XFSZ
    ulimit -f "$1"
    shift
    "$@"
)
before=$(snapshot translate)
for out_folder in new old-translate; do
    expect 1 limited 8 ./translate $out_folder --train data/pairs.tsv --dev data/dev.tsv
    complained_of "$out_folder.training/vocab.sqlite.*: cannot write: "
    [ "$(snapshot translate)" = "$before" ] || fail "a full disk spoils the old model"
    [ ! -e new ] && [ ! -e new.training ] || fail "a full disk: something is left behind"
done
expect 1 limited 100 ./translate new --train data/pairs.tsv --dev data/dev.tsv --embedding 200
complained_of "new.*weights.safetensors: cannot write: File too large"
[ ! -e new ] || fail "half a model is left behind"
find . -name '*tmp*' | grep . && fail "temporary files are left behind"
rm -rf new.training
expect 1 limited 100 ./translate old-translate --train data/pairs.tsv --dev data/dev.tsv \
    --embedding 200
complained_of "old-translate.*weights.safetensors: cannot write: File too large"
expect 0 "$dragoman" inspect old-translate
grep -q 'embedding.* 8' out || fail "the old model was replaced: $(cat out)"

# What is only odd is taken as it is meant.
sed 's/$/\r/' data/pairs.tsv >data/crlf.tsv
{
    printf '\357\273\277'
    head -n 29 data/pairs.tsv
    echo
    tail -n 1 data/pairs.tsv | tr -d '\n'
} >data/odd.tsv
for name in pairs crlf odd; do
    expect 0 ./translate $name --train data/$name.tsv --dev data/$name.tsv
    grep -q '^30 examples, [0-9]* parameters' err || fail "$name: $(head -n 1 err)"
    cmp pairs/weights.safetensors $name/weights.safetensors || fail "$name gives another model"
done
printf 'Go.\tVa !\n' >data/one.tsv
expect 0 ./translate one --train data/one.tsv --dev data/one.tsv
expect 0 ./translate one --train data/one.tsv --dev data/one.tsv --merges 0 --dropout-bpe 0.5
expect 0 ./translate one --train data/one.tsv --dev data/one.tsv --min-count 1000000
expect 0 ./translate one --train data/one.tsv --dev data/one.tsv --tokenizer word \
    --min-count 1000000
awk 'BEGIN { for (i = 0; i < 40; i++) print "en" i * 7919 "\tfr" i * 104729 }' >data/unique.tsv
for tokenizer in bpe word; do
    expect 0 ./translate unique --train data/unique.tsv --dev data/unique.tsv \
        --tokenizer $tokenizer --merges 200000
done
expect 0 "$dragoman" translate unique "en0 en7919"
done_testing
