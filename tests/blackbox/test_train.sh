#!/bin/sh
# dragoman train from outside: a network learns to spell numbers out, a killed run goes on to the
# same bytes as an unbroken one, and what is wrong with data or settings is said.
. "${top_srcdir:-.}/tests/blackbox/dragoman.sh"

# numbers FROM STEP: lines "4 7 1<TAB>quatre sept un", every STEPth of a thousand.
numbers() {
    awk -v from="$1" -v step="$2" 'BEGIN {
        split("un deux trois quatre cinq six sept huit neuf", word)
        for (n = from; n < 1000; n += step) {
            source = target = ""
            for (rest = n * 7919 % 99991; rest > 0; rest = int(rest / 10))
                if (rest % 10 > 0) {
                    source = source " " rest % 10
                    target = target " " word[rest % 10]
                }
            if (source != "")
                print substr(source, 2) "\t" substr(target, 2)
        }
    }'
}

# records FOLDER LINE...: train.jsonl and report.html there are sound and count as the lines say.
records() {
    folder=$1
    shift
    "$top_builddir/tests/support/check_records" "$folder" >records.out 2>records.err ||
        fail "$folder: $(head -n 3 records.err)"
    for line in "$@"; do
        grep -qx "$line" records.out || fail "$folder: not '$line' but $(tr '\n' ',' <records.out)"
    done
}

# train OUT ARGUMENT...: small and quick. A program, so that a signal to it reaches dragoman.
cat >train <<END
#!/bin/sh
out=\$1
shift
exec "$dragoman" train --source x-digits --target fr --tokenizer word --min-count 1 \\
    --embedding 24 --encoder-hidden 24 --decoder-hidden 32 --dropout-embedding 0 \\
    --dropout-output 0 --batch-tokens 200 --rate 0.01 --threads 2 --seed 3 --train train.tsv \\
    --dev dev.tsv --out "\$out" "\$@"
END
chmod +x train

numbers 1 5 >dev.tsv
{
    numbers 2 5
    numbers 3 5
    numbers 4 5
    numbers 5 5
} >train.tsv

# It learns what it is taught, and says how it is getting on.
expect 0 ./train learned --epochs 12
grep -q 'tokens/s.*left' err || fail "no progress is shown: $(head -n 3 err)"
grep -q 'dev BLEU.*best, saved' err || fail "no score is shown: $(tail -n 3 err)"
expect 0 "$dragoman" translate learned "4 7 1 1 9"
[ "$(cat out)" = "quatre sept un un neuf" ] || fail "4 7 1 1 9 becomes $(cat out)"
expect 0 "$dragoman" inspect learned
grep -q 'dragoman train .*--epochs 12' out || fail "the card does not have the command"

# Its records are whole: curves of loss, score, rate, norm and speed at least, and what it looked at.
records learned.training "start 1" "evaluation 12" "samples 12" "end 1" "heats 3" "reason finished"
[ "$(sed -n 's/^curves //p' records.out)" -ge 5 ] || fail "only some curves: $(cat records.out)"
grep -q 'sept' learned.training/report.html || fail "the page shows no sentence"
[ "$(find learned | wc -l)" -eq 4 ] || fail "the bundle holds more than a bundle: $(ls learned)"

# wait_until COMMAND...: as long as the trainer runs, for a minute.
wait_until() {
    tries=600
    until "$@"; do
        kill -0 "$trainer" 2>/dev/null && [ "$tries" -gt 0 ] || break
        tries=$((tries - 1))
        sleep 0.1
    done
}

checkpoint_changed() {
    [ -f "$checkpoint" ] && [ "$(cksum <"$checkpoint")" != "$before" ]
}

# killed NAME ARGUMENT...: killed while $program trains, again and again, a run goes on to the same
# bytes as one that was not.
program=./train
killed() {
    name=$1
    shift
    expect 0 "$program" "$name-whole" --epochs 2 "$@"
    checkpoint=$name.training/checkpoint.safetensors
    resume=
    for _ in 1 2 3 4; do
        before=$(cksum 2>/dev/null <"$checkpoint")
        # shellcheck disable=SC2086 # nothing, or a flag
        "$program" "$name" --epochs 2 "$@" --checkpoint-minutes 0 $resume 2>killed.log &
        trainer=$!
        wait_until checkpoint_changed
        kill -KILL "$trainer" 2>/dev/null
        wait "$trainer" 2>/dev/null
        [ -f "$checkpoint" ] || fail "no checkpoint: $(cat killed.log)"
        resume=--resume
    done
    expect 0 "$program" "$name" --epochs 2 "$@" --resume
    cmp "$name-whole/weights.safetensors" "$name/weights.safetensors" ||
        fail "killed and resumed, a run gives other weights: $*"
    cmp "$name-whole/vocab.sqlite" "$name/vocab.sqlite" || fail "another vocabulary: $*"
}

killed adam-1 --threads 1 --dropout-embedding 0.2 --dropout-output 0.2
killed adam-2 --threads 2 --dropout-embedding 0.2 --dropout-output 0.2
averages="--optimiser rmsprop --rate 0.003 --schedule plateau --ema 0.9 --average 3 --accumulate 2
    --evaluate-every 5 --clip-value 0.1"
# shellcheck disable=SC2086 # words
killed averages-1 --threads 1 $averages
# shellcheck disable=SC2086
killed averages-2 --threads 2 $averages
killed sgd-2 --threads 2 --optimiser sgd --schedule step --decay-from 1 --dev-metric perplexity

# So does one that carries states from update to update, as a language model of a stream does.
cat >stream <<END
#!/bin/sh
out=\$1
shift
exec "$dragoman" train --task generation --stream --streams 6 --bptt-steps 8 --tokenizer char \\
    --embedding 8 --cell lstm --encoder-hidden 24 --encoder-layers 2 --rate 0.01 --seed 3 \\
    --train train.tsv --dev dev.tsv --out "\$out" "\$@"
END
chmod +x stream
program=./stream
killed stream-1 --threads 1 --dropout-layer 0.1
killed stream-2 --threads 2 --ema 0.9 --evaluate-every 40
grep -q '"nats_per_character":' stream-1.training/train.jsonl || fail "no nats in the record"
program=./train

# Its records have each part once, as those of the unbroken run.
records adam-1-whole.training "evaluation 2" "start 1" "reason finished"
updates=$(grep '^update ' records.out)
records adam-1.training "evaluation 2" "samples 2" "$updates" "reason finished"
for folder in adam-1-whole adam-1; do
    sed -n 's/^{"type":"update",\("update":[0-9]*\).*/\1/p' $folder.training/train.jsonl >$folder.lines
done
cmp adam-1-whole.lines adam-1.lines || fail "a run that was killed and resumed has other lines"

# Each metric chooses the best model, and the card says by which.
expect 0 ./train chrf --epochs 1 --dev-metric chrf
expect 0 "$dragoman" inspect chrf
grep -q 'dev_chrf' out || fail "the card does not have the metric: $(cat out)"
expect 0 "$dragoman" inspect sgd-2
grep -q 'dev_perplexity' out || fail "the card does not have the metric: $(cat out)"

# A run goes on as what it was, and says so where data or settings are others. When to stop may
# change, and the number of epochs where nothing else depends on it.
./train constant --epochs 2 --schedule constant --warmup 0 2>err || fail "constant: $(cat err)"
cp -r constant constant.kept
head -n 300 train.tsv >other.tsv
for change in "--train other.tsv" "--dev other.tsv" "--source y-digits" "--seed 4" \
    "--batch-tokens 100" "--max-tokens 50" "--min-count 2" "--threads 1" "--rate 0.02" \
    "--optimiser adamw" "--dropout-output 0.1" "--schedule linear" "--ema 0.9" \
    "--evaluate-every 3" "--dev-beam 2"; do
    # shellcheck disable=SC2086 # two words
    expect 1 ./train constant --epochs 3 --schedule constant --warmup 0 --resume $change
    complained_of 'checkpoint.*changed'
done
sed 'y/12/ab/' train.tsv >letters.tsv
sed 's/--train train.tsv/--train letters.tsv/' train >train-letters
chmod +x train-letters
expect 0 ./train-letters letters --epochs 1
cp constant.training/vocab.sqlite vocab.kept
cp letters.training/vocab.sqlite constant.training/vocab.sqlite
expect 1 ./train constant --epochs 3 --schedule constant --warmup 0 --resume
complained_of 'vocabulary.*changed'
cp vocab.kept constant.training/vocab.sqlite
cmp constant.kept/weights.safetensors constant/weights.safetensors || fail "the model was replaced"
expect 0 ./train constant --epochs 3 --schedule constant --warmup 0 --resume --patience 5
expect 0 ./train longer --epochs 3 --schedule constant --warmup 0
cmp longer/weights.safetensors constant/weights.safetensors ||
    fail "a run that was made longer is not the long run"
expect 1 ./train adam-2 --epochs 3 --threads 2 --dropout-embedding 0.2 --dropout-output 0.2 --resume
complained_of 'checkpoint.*changed'

# What is not finite ends a run; the best model and the checkpoint are from before.
expect 1 ./train wild --epochs 3 --optimiser sgd --rate 100 --weight-decay 1 --schedule constant
complained_of 'update [0-9]*: .*not finite'

# First weights from another bundle: at a rate of 0 they are what is saved, vocabulary and all.
expect 0 ./train again --epochs 1 --rate 0 --start-from learned
cmp learned/weights.safetensors again/weights.safetensors || fail "the weights are not the bundle's"
expect 0 "$dragoman" translate again "4 7 1 1 9"
[ "$(cat out)" = "quatre sept un un neuf" ] || fail "4 7 1 1 9 becomes $(cat out)"
expect 0 "$dragoman" inspect again
grep -q 'start_from *learned' out || fail "the card does not name the bundle: $(cat out)"
expect 0 ./train wider --epochs 1 --rate 0 --start-from learned --encoder-hidden 32
expect 1 ./train strange --epochs 1 --start-from learned --embedding 8 --encoder-hidden 8 \
    --decoder-hidden 9 --decoder-layers 2 --tying none --attention none --fold
grep -q 'learned: its tokenizer is not that of the recipe' err || fail "other tokenizer: $(cat err)"
expect 1 ./train strange --epochs 1 --start-from nothing
grep -q 'nothing/model.json' err || fail "no such bundle: $(cat err)"

# First embeddings from a file of word vectors: at a rate of 0 they are what is saved, where the file
# has them. What is said of them is in the card.
vector() {
    printf '%s' "$1"
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24; do
        printf ' %s' "$2"
    done
    echo
}
{
    echo 4 24
    vector 4 0.8125
    vector quatre -0.1875
    vector zebra 7
    vector 4 3
} >vectors.txt
# rows BUNDLE VALUE: how many rows of 24 there are of nothing but this value.
rows() {
    od -An -v -tf4 -w4 "$1/weights.safetensors" | awk -v value="$2" '
        $1 == value { if (++run % 24 == 0) rows++; next } { run = 0 } END { print rows + 0 }'
}
expect 0 ./train first --epochs 1 --rate 0 --tying three-way --embeddings vectors.txt
[ "$(rows first 0.8125)" = 1 ] || fail "the row of 4 is there $(rows first 0.8125) times"
[ "$(rows first -0.1875)" = 1 ] || fail "that of quatre is there $(rows first -0.1875) times"
[ "$(rows first 7)$(rows first 3)" = 00 ] || fail "rows of other words are there"
expect 0 "$dragoman" inspect first
grep -q 'embeddings.*vectors.txt' out || fail "the card does not name the vectors: $(cat out)"
grep -qE 'embeddings_found[": ]*2$' out || fail "the card does not count the vectors: $(cat out)"
vector 4 0.75 >other.txt
expect 1 ./train first --epochs 2 --resume --embeddings other.txt
complained_of 'checkpoint.*changed'
expect 1 ./train x --embedding 25 --embeddings vectors.txt
complained_of 'vectors.txt:1: vectors of 24 values, but the embeddings have 25'
expect 1 ./train x --embeddings missing.txt
complained_of 'missing.txt'
vector zebra nan >bad.txt
expect 1 ./train x --embeddings bad.txt
complained_of 'bad.txt:1: value 1 is not finite'

# The same for a classifier; a bag of words has no embeddings.
awk 'BEGIN { for (n = 0; n < 60; n++) print n % 7 " " n % 5 "\t" (n % 7 > 3) }' >texts.tsv
cat >classify <<END
#!/bin/sh
out=\$1
shift
exec "$dragoman" train --task classification --tokenizer word --min-count 1 --embedding 24 \\
    --encoder-hidden 8 --threads 1 --epochs 1 --rate 0 --train texts.tsv --dev texts.tsv \\
    --embeddings vectors.txt --out "\$out" "\$@"
END
chmod +x classify
expect 0 ./classify classifier --kind rnn
[ "$(rows classifier 0.8125)" = 1 ] || fail "the classifier lacks the row of 4"
expect 2 ./classify x --kind bag-of-words
complained_of 'embeddings'

# SIGTERM stops with a checkpoint and exit code 0.
./train stopped --epochs 100000 2>stop.log &
trainer=$!
wait_until grep -q 'update 1 ' stop.log
kill -TERM "$trainer"
wait "$trainer" || fail "stopped by SIGTERM it exits with $?: $(cat stop.log)"
grep -q 'stopped with a checkpoint' stop.log || fail "it does not say that it stopped"
[ -f stopped.training/checkpoint.safetensors ] || fail "it leaves no checkpoint"
records stopped.training "reason stopped"

# Records that cannot be written end the run with a message, and the checkpoint stays.
if [ -w /dev/full ]; then
    rm constant.training/train.jsonl
    before=$(cksum <"$checkpoint")
    ln -s /dev/full constant.training/train.jsonl
    expect 1 ./train constant --schedule constant --warmup 0 --epochs 4
    complained_of 'train.jsonl: cannot write: No space'
    [ "$(cksum <"$checkpoint")" = "$before" ] || fail "the checkpoint was replaced"
    rm constant.training/train.jsonl
    mkdir constant.training/train.jsonl
    expect 1 ./train constant --schedule constant --warmup 0 --epochs 4 --resume
    complained_of 'train.jsonl'
    rmdir constant.training/train.jsonl
    rm constant.training/report.html
    mkdir constant.training/report.html
    expect 1 ./train constant --schedule constant --warmup 0 --epochs 4 --resume
    complained_of 'report.html'
    rmdir constant.training/report.html
fi

# A model that classifies has records too, and no attention.
awk '{ print $1 " " $2 "\t" ($1 > 4 ? "high" : "low") }' train.tsv | sort -u >labels.tsv
expect 0 "$dragoman" train --task classification --kind rnn --tokenizer word \
    --min-count 1 --embedding 8 --encoder-hidden 8 --epochs 3 --threads 1 --samples 7 \
    --train labels.tsv --dev labels.tsv --out classes
records classes.training "evaluation 3" "heats 0" "reason finished"
grep -q '"output":"low"\|"output":"high"' classes.training/train.jsonl || fail "no label is shown"

# Wrong usage and wrong data.
expect 2 "$dragoman" train --train train.tsv --dev dev.tsv
complained_of 'out is missing'
expect 2 "$dragoman" train --source a --target b --out x
complained_of 'train and --dev'
expect 2 "$dragoman" train --train train.tsv --dev dev.tsv --out x
complained_of 'source and --target'
expect 2 ./train x --epochs none
complained_of 'epochs'
expect 1 ./train x --dev missing.tsv
complained_of 'missing.tsv'
echo 'bogus = 1' >bad.conf
expect 2 ./train x --recipe bad.conf
complained_of "bad.conf:1: unknown option 'bogus'"
expect 2 ./train x --bogus
complained_of "unknown option '--bogus'"
expect 2 ./train x --labels word
complained_of 'LABEL=NAME'
: >empty.tsv
cp train train-empty
sed -i 's/--dev dev.tsv/--dev empty.tsv/' train-empty
expect 1 ./train-empty x
complained_of 'development data is empty'
grep -q 'update 1 ' err && fail "it trains before it finds that it cannot score"
printf 'no tab here\n' >bad.tsv
expect 1 ./train x --train bad.tsv
complained_of 'bad.tsv.*1'
printf 'caf\351\tx\n' >bad.tsv
expect 1 ./train x --train bad.tsv
complained_of 'UTF-8'
expect 1 ./train never --resume
complained_of 'never.training'
mkdir full
echo precious >full/file
expect 1 ./train full --epochs 1
complained_of full
[ "$(cat full/file)" = precious ] || fail "a folder that is no bundle was touched"
done_testing
