#!/bin/sh
# The other shapes of task from outside, each trained from its recipe on data that a script makes:
# tagging, one class or one number of a sequence, in step or at its end.
. "${top_srcdir:-.}/tests/blackbox/dragoman.sh"

recipes=$top_srcdir/models/recipes

# train OUT RECIPE DATA ARGUMENT...
train() {
    out_folder=$1 recipe=$2 data=$3
    shift 3
    expect 0 "$dragoman" train --recipe "$recipes/$recipe.conf" --train "$data/train.tsv" \
        --dev "$data/dev.tsv" --out "$out_folder" --threads 2 "$@"
}

# evaluate MODEL FILE PATTERN
evaluate() {
    expect 0 "$dragoman" evaluate "$1" --test "$2"
    grep -q "$3" out || fail "$1 on $2: not '$3' but $(head -n 4 out | tr '\n' ' ')"
}

# Parity, in step: learned on strings of 20 bits, right on all lengths up to 100.
expect 0 "$recipes/synthetic.sh" parity parity
[ "$(awk '{ print NF }' parity/train.tsv | sort -u)" = 40 ] || fail "not all strings have 20 bits"
[ "$(awk '{ print NF / 2 }' parity/test.tsv | sort -nu | wc -l)" -eq 100 ] ||
    fail "not all lengths from 1 to 100 are tested"
for cell in lstm gru; do
    train "parity-$cell" parity parity --cell "$cell"
    evaluate "parity-$cell" parity/test.tsv '^exact *100.00 % of the texts$'
done

# What tag prints stands beside its lines.
printf '1 0 1 1\n\n1\n\376\n  0  1  \nx\n' >bits
expect 1 "$dragoman" tag parity-gru <bits
[ "$(head -n 5 out)" = "$(printf 'odd odd even odd\n\nodd\n\neven odd\n')" ] ||
    fail "tag prints $(head -n 5 out)"
[ "$(sed -n 6p out)" = odd ] || [ "$(sed -n 6p out)" = even ] || fail "an unknown word has no label"
complained_of '^dragoman: line 4: .*not UTF-8'
expect 0 "$dragoman" tag --words --probabilities parity-gru "1 0"
grep -qxE '1/odd/(1\.0000|0\.9[0-9]{3}) 0/odd/(1\.0000|0\.9[0-9]{3})' out ||
    fail "tag --words --probabilities prints $(cat out)"
expect 0 "$dragoman" evaluate parity-gru --test parity/dev.tsv --json --output labels
cut -f 2 parity/dev.tsv | cmp -s - labels || fail "the labels written are not those of the data"
grep -q '"task":"tagging".*"words":10000.*"accuracy":1.0.*"exact":1.0' out || fail "json: $(cat out)"

# A label that the model lacks is an error of the model's; as many labels as words there must be.
printf '1 1\todd even\n0 1\teven strange\n' >strange.tsv
expect 0 "$dragoman" evaluate parity-gru --test strange.tsv
grep -q '^accuracy *75.00 %' out || fail "an unknown label: $(cat out)"
grep -q 'strange .*0 of 1.*the model has no such label' out || fail "it is not shown: $(cat out)"
printf '1 1\todd even\n0 1\teven\n' >short.tsv
expect 1 "$dragoman" evaluate parity-gru --test short.tsv
complained_of 'short.tsv:2: 2 words, but 1 labels'
expect 2 "$dragoman" evaluate parity-gru --test parity/dev.tsv --labels odd=even
complained_of 'labels means nothing for tagging'
expect 1 "$dragoman" classify parity-gru "1 0"
complained_of 'is a model for tagging, not for classification'
expect 1 "$dragoman" regress parity-gru "1 0"
complained_of 'is a model for tagging, not for regression'

# Parity once more, said at the end.
expect 0 "$recipes/synthetic.sh" parity-whole whole
train whole-gru parity-whole whole --cell gru
evaluate whole-gru whole/test.tsv '^accuracy *100.00 %$'

# The sum of two marked numbers.
expect 0 "$recipes/synthetic.sh" adding adding
train adding-gru adding adding
expect 0 "$dragoman" evaluate adding-gru --test adding/test.tsv --json --output numbers
awk '{ if (match($0, /"mse":[^,]*/)) exit !(substr($0, RSTART + 6, RLENGTH - 6) + 0 < 0.001) }' out ||
    fail "adding: $(cat out)"
cut -f 2 adding/test.tsv | paste - numbers | awk '{ sum += ($1 - $2) ^ 2 }
    END { exit !(NR == 1000 && sum / NR < 0.001) }' || fail "the numbers written are others"
evaluate adding-gru adding/test.tsv '^explained *R2 0\.99\|^explained *R2 1\.00'

# Captions, of a model that has hardly begun to learn: what is asked and what is answered.
expect 0 "$recipes/synthetic.sh" grid grid
head -n 300 grid/train.tsv >grid/few.tsv
expect 0 "$dragoman" train --recipe "$recipes/grid.conf" --train grid/few.tsv --dev grid/few.tsv \
    --out grid-model --threads 2 --epochs 1 --samples 0
cut -f 1 grid/test.tsv | head -n 3 >pictures
expect 0 "$dragoman" caption grid-model <pictures
[ "$(wc -l <out)" -eq 3 ] || fail "$(wc -l <out) captions of 3 pictures"
cp out captions
expect 0 "$dragoman" generate grid-model --features "$(head -n 1 pictures)"
[ "$(cat out)" = "$(head -n 1 captions)" ] || fail "generate says $(cat out), caption $(cat captions)"
expect 0 "$dragoman" caption --nbest 2 grid-model "$(head -n 1 pictures)"
[ "$(cut -f 3 out | head -n 1)" = "$(head -n 1 captions)" ] || fail "the best of two: $(cat out)"
expect 0 "$dragoman" evaluate grid-model --test grid/dev.tsv --beam 1 --perplexity
grep -q '^perplexity' out && grep -q '^BLEU' out || fail "captions are not measured: $(cat out)"
expect 0 "$dragoman" inspect grid-model
grep -q 'rows of 10 numbers, embedding 48, conditional decoder' out || fail "inspect: $(head -n 3 out)"
expect 1 "$dragoman" caption grid-model '0,1' 'a circle' ''
complained_of 'line 1: rows of 2 numbers, not of 10'
complained_of "line 2: row 1, column 1: 'a circle' is not a decimal number"
complained_of 'line 3: row 1, column 1: there is no value'
expect 2 "$dragoman" caption --split grid-model <pictures
complained_of 'split means nothing for rows'
expect 1 "$dragoman" caption parity-gru '0,1'
complained_of 'is a model for tagging, not for generation'
expect 1 "$dragoman" translate grid-model 'a circle'
complained_of 'is a model for generation, not for translation'

# Rows that cannot be read are said to be so, and the others are read.
printf '%s\n' '0.5,1;0.25,1' '0.5,1;0.25' '0.5;0.25' 'nan,1' '1e99,1' 'inf,0' '' 'two words' '0.5,1' \
    >rows
expect 1 "$dragoman" regress adding-gru <rows
[ "$(wc -l <out)" -eq 9 ] || fail "$(wc -l <out) lines for 9"
[ "$(grep -c . out)" -eq 2 ] || fail "not two numbers: $(cat out)"
complained_of 'line 2: row 2, column 2: missing'
complained_of 'line 3: model "adding-gru" reads rows of 2 numbers, not of 1'
complained_of "line 4: row 1, column 1: 'nan' is not a decimal number"
complained_of 'line 5: .*too large'
complained_of "line 6: .*'inf' is not a decimal number"
complained_of 'line 7: .*no value'
complained_of "line 8: .*'two words' is not a decimal number"
printf '0.5,1\tmany\n' >bad.tsv
expect 1 "$dragoman" evaluate adding-gru --test bad.tsv
complained_of "bad.tsv:1: 'many' is not one decimal number"
printf '0.5\t1\n' >bad.tsv
expect 1 "$dragoman" evaluate adding-gru --test bad.tsv
complained_of 'bad.tsv:1: model "adding-gru" reads rows of 2 numbers, not of 1'

# refused PATTERN LINE...: training data that ends the run before it begins.
refused() {
    pattern=$1
    shift
    printf '%b\n' "$@" >bad/train.tsv
    expect 1 "$dragoman" train --task regression --input rows --train bad/train.tsv \
        --dev adding/dev.tsv --out bad/model
    complained_of "$pattern"
    [ ! -e bad/model ] && [ ! -e bad/model.training ] || fail "it leaves something behind: $*"
}
mkdir bad
refused 'bad/train.tsv:1: row 1, column 2: .*not a decimal number' '0.5,x\t1'
refused 'bad/train.tsv:2: row 2, column 2: missing' '0.5,1\t1' '0.5,1;0.5\t1'
refused 'bad/train.tsv:2: rows of 3 values, not of 2 as in the training data' '0.5,1\t1' '1,2,3\t1'
refused "bad/train.tsv:2: 'x' is not one decimal number" '0.5,1\t1' '0.5,1\tx'
refused "bad/train.tsv:2: '1,2' is not one decimal number" '0.5,1\t1' '0.5,1\t1,2'
refused 'adding/dev.tsv:1: rows of 2 values, not of 1 as in the training data' '0.5\t1'

done_testing
