#!/bin/sh
# The data of the recipes that need none from outside, the same on every machine:
#
#   models/recipes/synthetic.sh TASK FOLDER
#
# writes train.tsv, dev.tsv and test.tsv into FOLDER. TASK is one of
#
#   parity        bits and, after each, whether the ones so far are odd or even: a tagging task.
#                 Trained on strings of 20 bits; test: 20 of each length from 1 to 100
#   parity-whole  strings of 1 to 20 bits and the parity of each: a classification task. Test as above
#   adding        50 rows "number,mark", two of them marked, and the sum of their numbers
#                 (Hochreiter and Schmidhuber 1997): a regression task
#   grid          4 by 4 cells, 1 to 3 of them with a shape of a colour, a row of features each, and
#                 a sentence that says what stands where: captions
#   grid-mean     the same pictures, each as one feature vector, the mean of the rows
set -eu

[ $# -eq 2 ] || {
    echo "usage: $0 parity|parity-whole|adding|grid|grid-mean FOLDER" >&2
    exit 2
}
task=$1 folder=$2

# The minimal standard generator of Park and Miller (1988), exact in an awk's doubles.
random='
function random() { state = state * 16807 % 2147483647; return state / 2147483647 }
function below(n) { return int(random() * n) }
BEGIN { state = seed * 7919 + 1; for (i = 0; i < 10; i++) random() }'

# generate SEED PROGRAM [VARIABLE=VALUE]...
generate() {
    seed=$1 program=$2
    shift 2
    for setting; do
        set -- "$@" -v "$setting"
        shift
    done
    awk -v seed="$seed" "$@" "$random $program"
}

# low to high bits, `count` strings of each length
bits='
function line(length_, bits, labels, i, bit, odd) {
    bits = labels = ""
    odd = 0
    for (i = 0; i < length_; i++) {
        bit = below(2)
        odd = (odd + bit) % 2
        bits = bits (i ? " " : "") bit
        labels = labels (i ? " " : "") (odd ? "odd" : "even")
    }
    print bits "\t" (whole ? (odd ? "odd" : "even") : labels)
}
BEGIN {
    for (n = 0; n < count; n++)
        for (long = low; long <= high; long++)
            line(long)
}'

adding='
BEGIN {
    for (n = 0; n < count; n++) {
        first = below(25)
        second = 25 + below(25)
        sum = 0
        for (i = 0; i < 50; i++) {
            value = sprintf("%.4f", random())
            mark = i == first || i == second
            if (mark)
                sum += value
            printf "%s%s,%d", i ? ";" : "", value, mark
        }
        printf "\t%.4f\n", sum
    }
}'

# A row: 4 shapes and 4 colours, one of each set, and the place, from -1 to 1; zeros in an empty cell.
grid='
function name(place) {
    return vertical[int(place / 4) + 1] " " horizontal[place % 4 + 1]
}
function number(x, text) {
    text = sprintf("%.4f", x)
    sub(/\.?0+$/, "", text)
    return text == "-0" ? "0" : text
}
function picture(cells, place, n, i, k, row, text, sum) {
    cells = 1 + below(3)
    split("", shape)
    for (i = 0; i < cells; i++) {
        do place = below(16); while (place in shape)
        shape[place] = below(4)
        colour[place] = below(4)
    }
    text = ""
    for (k = 0; k < 10; k++)
        sum[k] = 0
    for (place = 0; place < 16; place++) {
        for (k = 0; k < 8; k++)
            row[k] = (place in shape) && (k < 4 ? shape[place] == k : colour[place] == k - 4)
        row[8] = (place in shape) * (int(place / 4) * 2 / 3 - 1)
        row[9] = (place in shape) * (place % 4 * 2 / 3 - 1)
        if (place in shape)
            text = text (text == "" ? "" : " and ") "a " colours[colour[place] + 1] " " \
                shapes[shape[place] + 1] " at the " name(place)
        for (k = 0; k < 10; k++) {
            sum[k] += row[k] / 16
            if (!mean)
                printf "%s%s", k ? "," : place ? ";" : "", number(row[k])
        }
    }
    for (k = 0; mean && k < 10; k++)
        printf "%s%s", k ? "," : "", number(sum[k])
    print "\t" text
}
BEGIN {
    split("circle square triangle star", shapes)
    split("red green blue yellow", colours)
    split("top upper lower bottom", vertical)
    split("left centre-left centre-right right", horizontal)
    for (n = 0; n < count; n++)
        picture()
}'

mkdir -p "$folder"
case $task in
parity)
    generate 1 "$bits" count=5000 low=20 high=20 whole=0 >"$folder/train.tsv"
    generate 2 "$bits" count=500 low=20 high=20 whole=0 >"$folder/dev.tsv"
    generate 3 "$bits" count=20 low=1 high=100 whole=0 >"$folder/test.tsv"
    ;;
parity-whole)
    generate 1 "$bits" count=1000 low=1 high=20 whole=1 >"$folder/train.tsv"
    generate 2 "$bits" count=25 low=1 high=20 whole=1 >"$folder/dev.tsv"
    generate 3 "$bits" count=20 low=1 high=100 whole=1 >"$folder/test.tsv"
    ;;
adding)
    generate 1 "$adding" count=10000 >"$folder/train.tsv"
    generate 2 "$adding" count=500 >"$folder/dev.tsv"
    generate 3 "$adding" count=1000 >"$folder/test.tsv"
    ;;
grid | grid-mean)
    mean=0
    [ "$task" = grid ] || mean=1
    generate 1 "$grid" count=10000 mean=$mean >"$folder/train.tsv"
    generate 2 "$grid" count=500 mean=$mean >"$folder/dev.tsv"
    generate 3 "$grid" count=1000 mean=$mean >"$folder/test.tsv"
    ;;
*)
    echo "$0: no such task: $task" >&2
    exit 2
    ;;
esac
