#!/bin/sh
# 200 connections with 10 requests each: every answer is what the same text gets when sent alone, to
# the last digit. For both tasks, and with more clients than the queue has room for.
. "${top_srcdir:-.}/tests/blackbox/dragoman.sh"
. "$top_srcdir/tests/blackbox/daemon.sh"

load=$top_builddir/bench/load
make_models
corpus 300 >in
start_daemon "$models"

for arguments in "-s en -t fr" "-m tiny-fr-en --beam 1" "--method classify -m tiny-rnn" \
    "--method classify -m tiny-bag"; do
    # shellcheck disable=SC2086 # words are meant to be split
    expect 0 "$load" --connect "$address" --connections 200 --requests 10 $arguments in
    grep -q '^answers  *2000 ' out || fail "not 2000 answers: $(cat out)"
    grep -q '^different  *0 ' out || fail "answers differ: $(cat out)"
done
expect 0 "$ctl" status
grep -qE '^requests +[0-9]+ received, [0-9]+ succeeded, 0 failed; 0 in flight, 0 queued$' out ||
    fail "after the load: $(cat out)"
stop_daemon

# The generator notices what is wrong.
expect 1 "$load" --connect "$address" in
complained_of 'load: connecting: cannot connect'
start_daemon "$models" --max-connections 20
expect 1 "$load" --connect "$address" -s en -t fr in
complained_of 'load: '
wait_for "$ctl" ping >out # as soon as the daemon has seen those clients go
stop_daemon

done_testing
