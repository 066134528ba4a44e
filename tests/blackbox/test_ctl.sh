#!/bin/sh
# dragomanctl against a running daemon with tiny models: output, order, exit codes, a server that
# refuses, hangs or dies.
. "${top_srcdir:-.}/tests/blackbox/dragoman.sh"
. "$top_srcdir/tests/blackbox/daemon.sh"

make_models

# What every program must say about itself.
expect 0 "$ctl" --version
grep -qx 'dragomanctl [0-9][0-9.]*' out || fail "--version prints: $(cat out)"
expect 0 "$ctl" --help
for command in translate classify generate tag regress status models log ping; do
    grep -q "^  $command " out || fail "--help does not name $command"
done
for command in translate classify generate tag regress status models log ping; do
    expect 0 "$ctl" "$command" --help
    grep -q "^usage: dragomanctl $command" out || fail "$command --help has no usage line"
done
expect 0 "$ctl" translate --help
grep -q -e --top out && fail "translate --help lists an option of classify"

# Wrong usage: exit code 2, a complaint, nothing on stdout, no connection.
for arguments in "" "nonsense" "status extra" "ping --top 3" "translate --nonsense x" \
    "translate --beam 0 x" "translate --beam 17 x" "classify --top many x" "log --limit 0" \
    "ping --timeout 0" "ping --timeout 601" "translate --in-flight 0 x" "ping --connect nowhere" \
    "ping --connect unix:"; do
    # shellcheck disable=SC2086 # words are meant to be split
    expect 2 "$ctl" $arguments
    [ ! -s out ] || fail "$arguments: prints $(head -n 1 out)"
    grep -q '^dragomanctl: ' err || fail "$arguments: no complaint"
done

# Nobody there.
expect 3 "$ctl" ping --connect "unix:$work/nobody"
complained_of 'cannot connect to unix:.*nobody: No such file'
expect 3 "$ctl" translate --connect 127.0.0.1:1 text
complained_of 'cannot connect to 127.0.0.1:1: Connection refused'

start_daemon "$models" --listen "unix:$work/socket"

# Questions.
expect 0 "$ctl" ping
grep -qE '^ok, answered in [0-9.]+ ms$' out || fail "ping prints: $(cat out)"
expect 0 "$ctl" ping -n 3 --json
[ "$(grep -c '^{"status":"ok","rtt_ms":[0-9.]*}$' out)" -eq 3 ] || fail "ping --json: $(cat out)"
expect 0 "$ctl" ping --connect "unix:$work/socket"
expect 0 "$ctl" status
grep -qE '^dragomand [0-9.]+: ok, up ' out || fail "status prints: $(cat out)"
grep -qE '^models +10 loaded, 0 refused$' out || fail "status prints: $(cat out)"
expect 0 "$ctl" status --json
grep -q '^{"version":{.*"health":{"status":"ok".*"stats":{.*}}$' out || fail "status --json"
expect 0 "$ctl" models
for model in tiny-bag tiny-en-fr tiny-fr-en tiny-rnn; do
    grep -q "^$model " out || fail "models does not list $model"
done
grep -qE '^tiny-en-fr .*translation .*en > fr$' out || fail "models prints: $(cat out)"
grep -qE '^tiny-bag .*classification .*negative, positive$' out || fail "models prints: $(cat out)"
grep -qE '^tiny-rows .*regression .*rows of 2 numbers$' out || fail "models prints: $(cat out)"
grep -qE '^tiny-scene .*generation .*from 3 features$' out || fail "models prints: $(cat out)"
expect 0 "$ctl" models --json
[ "$(grep -c '^{"name":"tiny-.*}$' out)" -eq 10 ] || fail "models --json prints: $(cat out)"

# Texts as arguments, and what the workbench says to them on its own.
expect 0 "$dragoman" translate "$models/tiny-en-fr" 'I see the cat.' 'I see the dog.'
mv out want
expect 0 "$ctl" translate -s en -t fr 'I see the cat.' 'I see the dog.'
cmp -s want out || fail "daemon and workbench disagree: $(cat want out)"
expect 0 "$ctl" translate -m tiny-en-fr --json 'I see the cat.'
grep -q '^{"model":"tiny-en-fr","text":".*","score":-[0-9.]*.*}$' out ||
    fail "translate --json prints: $(cat out)"
expect 0 "$ctl" translate -m tiny-en-fr --json --alignment 'I see the cat.'
grep -q '"alignment":\[\[[0-9]*,[0-9]*,0,' out || fail "no alignment: $(cat out)"
expect 0 "$ctl" translate -m tiny-en-fr -b 4 -n 3 'I see the cat.' 'I see the dog.'
grep -qE "^1$(printf '\t')-?[0-9.]+$(printf '\t')" out || fail "--nbest prints: $(cat out)"
grep -qE "^2$(printf '\t')" out || fail "--nbest prints: $(cat out)"
expect 0 "$ctl" classify 'Great fun.' -- '-a dull mess-'
[ "$(grep -cE "^(negative|positive)$(printf '\t')[01]\.[0-9]+$" out)" -eq 2 ] ||
    fail "classify prints: $(cat out)"
expect 0 "$ctl" classify --top 2 -m tiny-rnn 'Great fun.'
[ "$(awk '{ print NF }' out)" -eq 4 ] || fail "--top 2 prints: $(cat out)"
expect 0 "$ctl" classify --json 'Great fun.'
grep -q '^{"model":"tiny-bag","label":".*","scores":{".*,".*}}$' out ||
    fail "classify --json prints: $(cat out)"

expect 0 "$ctl" classify --explain 'Great fun.'
grep -qE "^[a-z]+$(printf '\t')0\.[0-9]+$(printf '\t')Great:[+-][0-9.]+" out ||
    fail "classify --explain prints: $(cat out)"

# Texts that are written: the same with the same seed, shown in pieces or as a whole.
expect 0 "$ctl" generate --seed 3 --max-tokens 30 'I see'
mv out want
expect 0 "$ctl" generate --seed 3 --max-tokens 30 --json 'I see'
grep -q '^{"model":"tiny-lm","text":".*","tokens":30,.*"finish":"length","seed":3}$' out ||
    fail "generate --json prints: $(cat out)"
grep -qF "\"text\":\"$(cat want)\"" out || fail "generate: in pieces $(cat want), whole $(cat out)"
expect 0 "$ctl" generate --seed 1 -n 3 --max-tokens 30 'I see'
[ "$(sed -n 3p out)" = "$(cat want)" ] || fail "the third seed after 1 is not 3: $(cat out)"
expect 0 "$ctl" generate --temperature 0 --max-tokens 9 a
mv out want
expect 0 "$ctl" generate --top-k 1 --max-tokens 9 a
cmp -s want out || fail "--top-k 1 is not --temperature 0: $(cat want out)"
expect 0 "$ctl" generate --json -m tiny-names -l positive --stop ' ' --stop e --max-tokens 4096
grep -q '"finish":"stop"' out || fail "--stop does not stop: $(cat out)"
expect 0 "$ctl" generate -m tiny-scene -f 1,-2.5,3 --json
grep -q '^{"model":"tiny-scene","text":' out || fail "--features prints: $(cat out)"
expect 2 "$ctl" generate -m tiny-scene -f 1,x
complained_of '--features: row 1, column 2'
expect 1 "$ctl" generate -m tiny-scene -f 1,2
complained_of '\(-32602, wrong_length\)$'
expect 1 "$ctl" generate -m tiny-names -l nobody
complained_of '\(-32602, unknown_label\)$'
expect 2 "$ctl" generate --temperature 101

# Labels of words, numbers.
expect 0 "$ctl" tag 'I see the cat.' '' 'the'
[ "$(awk '{ printf "%d ", NF }' out)" = "4 0 1 " ] || fail "tag prints: $(cat out)"
expect 0 "$ctl" tag --json 'I see'
grep -q '^{"model":"tiny-tags","words":\[{"begin":0,"end":1,"text":"I",.*}\]}$' out ||
    fail "tag --json prints: $(cat out)"
expect 0 "$ctl" regress 'I see the cat.' 'I see the dog.'
[ "$(grep -cE '^-?[0-9.]+$' out)" -eq 2 ] || fail "regress prints: $(cat out)"
printf '1,2\n0.5,-1;2e-3,4\n1;x\n' >in
expect 1 "$ctl" regress -m tiny-rows --rows <in
[ "$(grep -cE '^-?[0-9.]+$' out)" -eq 2 ] || fail "regress --rows prints: $(cat out)"
complained_of '^dragomanctl: text 3 is no rows of numbers'

# Many lines: a line out for each line in, in order, however many are in flight.
corpus 1000 >in
expect 0 "$ctl" translate -m tiny-en-fr --timeout 600 --in-flight 1 <in
[ "$(wc -l <out)" -eq 1000 ] || fail "1000 lines in, $(wc -l <out) out"
mv out one
for many in 2 64 1000; do
    expect 0 "$ctl" translate -m tiny-en-fr --timeout 600 --in-flight $many <in
    cmp -s one out || fail "--in-flight $many prints something else"
done
expect 0 "$dragoman" translate "$models/tiny-en-fr" <in
cmp -s one out || fail "daemon and workbench disagree over 1000 lines"
expect 0 "$ctl" translate -m tiny-en-fr --timeout 600 --json <in
[ "$(grep -c '^{"model":"tiny-en-fr",.*}$' out)" -eq 1000 ] || fail "--json is not a line a text"

# Line ends, empty lines, no lines.
printf 'I see.\r\n\nI see.' >in
expect 0 "$ctl" translate -m tiny-en-fr <in
[ "$(sed -n 1p out)" = "$(sed -n 3p out)" ] || fail "a carriage return is part of the text"
[ -z "$(sed -n 2p out)" ] || fail "an empty line is translated: $(cat out)"
expect 0 "$ctl" translate -m tiny-en-fr </dev/null
[ ! -s out ] || fail "nothing in, something out: $(cat out)"

# What the server or the client refuses leaves its line empty; the others are answered.
{
    echo 'I see.'
    printf 'a\001b\n'
    printf 'caf\351\n'
    awk 'BEGIN { for (i = 0; i < 20001; i++) printf "x"; print "" }'
    awk 'BEGIN { for (i = 0; i < 1100000; i++) printf "x"; print "" }'
    echo 'I see.'
} >in
expect 1 "$ctl" translate -m tiny-en-fr <in
[ "$(wc -l <out)" -eq 6 ] || fail "6 lines in, $(wc -l <out) out"
[ "$(grep -c . out)" -eq 2 ] || fail "not two translations: $(cat out)"
complained_of '^dragomanctl: text 2: .*\(-32602, control_character\)$'
complained_of '^dragomanctl: text 3 is not UTF-8'
complained_of '^dragomanctl: text 4: .*\(-32002, text_too_long\)$'
complained_of '^dragomanctl: text 5 is too long'
expect 1 "$ctl" translate -m tiny-en-fr --json <in
[ "$(grep -c '^{"error":{' out)" -eq 4 ] || fail "not four errors: $(cut -c 1-80 out)"
expect 1 "$ctl" translate -m nobody text
complained_of '\(-32003, unknown_model\)$'
expect 1 "$ctl" translate text
complained_of '\(-32602, missing\)$'
# shellcheck disable=SC2016 # the inner shell expands it
expect 5 sh -c '"$1" models >/dev/full' sh "$ctl"
complained_of 'cannot write'

# The request log. A row appears a moment after its answer.
expect 0 "$ctl" translate -m tiny-fr-en 'Où est la gare ?'
# shellcheck disable=SC2317 # wait_for calls it
has_row() {
    "$ctl" log --json --limit 1 | grep -q '"model":"tiny-fr-en"'
}
wait_for has_row
expect 0 "$ctl" log -n 5
[ "$(wc -l <out)" -eq 6 ] || fail "log -n 5 prints $(wc -l <out) lines"
tail -n 1 out | grep -qE '^20[0-9-]+ [0-9:.]+ translate +tiny-fr-en ' || fail "log: $(cat out)"
expect 0 "$ctl" log --since 3600 --json
[ "$(wc -l <out)" -eq 20 ] || fail "log --since prints $(wc -l <out) lines"

# A server that does not answer.
kill -STOP "$daemon_pid"
expect 4 "$ctl" ping --timeout 0.1
complained_of "timed out waiting for $address"
expect 4 "$ctl" translate --timeout 0.1 -m tiny-en-fr a b c
complained_of 'of 3 texts sent, 0 were answered'
kill -CONT "$daemon_pid"

# A server that dies in the middle: what was answered is printed, the rest is counted.
mkfifo lines
"$ctl" translate -m tiny-en-fr <lines >out 2>err &
ctl_pid=$!
exec 4>lines
echo 'I see the cat.' >&4
# shellcheck disable=SC2317
answered() {
    [ "$(wc -l <out)" -eq 1 ]
}
wait_for answered
kill_daemon
wait "$ctl_pid"
got=$?
exec 4>&-
[ "$got" -eq 3 ] || fail "exit code $got when the server dies"
complained_of 'lost the connection'
answered || fail "what was answered is lost"

# With one model that translates, nothing need be said.
start_daemon "$models/tiny-fr-en"
expect 0 "$ctl" translate 'Où est la gare ?'
expect 1 "$ctl" classify 'Great fun.'
complained_of '\(-32003, no_model\)$'
stop_daemon

# A server whose queue is full: what it turns away is sent again until it is taken, unless there is
# no time for that.
start_daemon "$models" --max-queue 1 --max-texts 1 --workers 1
corpus 20 >in
expect 0 "$dragoman" translate "$models/tiny-en-fr" <in
mv out want
expect 0 "$ctl" translate -m tiny-en-fr --timeout 600 --in-flight 10 <in
cmp -s want out || fail "a full queue changes what is printed"
expect 0 "$ctl" status --json
grep -q '"-32000":[1-9]' out || fail "the queue was never full: $(cat out)"
stop_daemon

# A bundle that was refused is named.
mkdir some
cp -R "$models/tiny-bag" "$models/tiny-rnn" some
head -c 100 "$models/tiny-rnn/weights.safetensors" >some/tiny-rnn/weights.safetensors
start_daemon "$work/some"
expect 0 "$ctl" models
grep -qE '^refused: .*tiny-rnn: .*weights.safetensors' out || fail "models prints: $(cat out)"
expect 0 "$ctl" status
grep -q ': degraded, up ' out || fail "status prints: $(cat out)"
stop_daemon

done_testing
