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

# Killed while it trains, again and again, it goes on to the same bytes.
expect 0 ./train unbroken --epochs 2
checkpoint=broken.training/checkpoint.safetensors
resume=
for _ in 1 2 3; do
    before=$(cksum 2>/dev/null <"$checkpoint")
    # shellcheck disable=SC2086 # nothing, or a flag
    ./train broken --epochs 2 --checkpoint-minutes 0 $resume 2>killed.log &
    trainer=$!
    wait_until checkpoint_changed
    kill -KILL "$trainer" 2>/dev/null
    wait "$trainer" 2>/dev/null
    [ -f "$checkpoint" ] || fail "no checkpoint: $(cat killed.log)"
    resume=--resume
done
expect 0 ./train broken --epochs 2 --resume
cmp unbroken/weights.safetensors broken/weights.safetensors ||
    fail "a run that was killed and resumed gives other weights"
cmp unbroken/vocab.sqlite broken/vocab.sqlite || fail "it gives another vocabulary"

# Its records have each part once, as those of the unbroken run.
records unbroken.training "evaluation 2" "start 1" "reason finished"
updates=$(grep '^update ' records.out)
records broken.training "evaluation 2" "samples 2" "$updates" "reason finished"
for folder in unbroken broken; do
    sed -n 's/^{"type":"update",\("update":[0-9]*\).*/\1/p' $folder.training/train.jsonl >$folder.lines
done
cmp unbroken.lines broken.lines || fail "a run that was killed and resumed has other lines"

# A run goes on with what it began with, and says so where data or settings are others. How long and
# how fast to train may change.
cp -r broken broken.kept
head -n 300 train.tsv >other.tsv
for change in "--train other.tsv" "--dev other.tsv" "--source y-digits" "--seed 4" \
    "--batch-tokens 100" "--max-tokens 50" "--min-count 2"; do
    # shellcheck disable=SC2086 # two words
    expect 1 ./train broken --epochs 3 --resume $change
    complained_of 'checkpoint.*changed'
done
cmp broken.kept/weights.safetensors broken/weights.safetensors || fail "the model was replaced"
expect 0 ./train broken --epochs 3 --resume --rate 0.005 --threads 1

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
    rm broken.training/train.jsonl
    before=$(cksum <"$checkpoint")
    ln -s /dev/full broken.training/train.jsonl
    expect 1 ./train broken --epochs 4
    complained_of 'train.jsonl: cannot write: No space'
    [ "$(cksum <"$checkpoint")" = "$before" ] || fail "the checkpoint was replaced"
    rm broken.training/train.jsonl
    mkdir broken.training/train.jsonl
    expect 1 ./train broken --epochs 4 --resume
    complained_of 'train.jsonl'
    rmdir broken.training/train.jsonl
    rm broken.training/report.html
    mkdir broken.training/report.html
    expect 1 ./train broken --epochs 4 --resume
    complained_of 'report.html'
    rmdir broken.training/report.html
fi

# A model that classifies has records too, and no attention.
awk '{ print $1 " " $2 "\t" ($1 > 4 ? "high" : "low") }' train.tsv | sort -u >labels.tsv
expect 0 "$dragoman" train --task classification --kind rnn-classifier --tokenizer word \
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
