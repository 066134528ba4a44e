#!/bin/sh
# How the daemon ends, starts and reloads: SIGTERM under load, SIGKILL under load, as a daemon, with
# nothing to serve, with a state folder that cannot be used.
. "${top_srcdir:-.}/tests/blackbox/dragoman.sh"
. "$top_srcdir/tests/blackbox/daemon.sh"

hostile=$top_builddir/tests/blackbox/hostile
make_models

# SIGTERM: everything is answered and the exit status is 0.
start_daemon "$models" --drain-timeout 600
expect 0 "$hostile" stop "$address" "$daemon_pid"
wait "$daemon_pid" || fail "the daemon's exit code is $?"

# SIGKILL: the log is whole, holds what it was said to hold, and goes on.
rm -rf state
start_daemon "$models"
expect 0 "$hostile" kill "$address" "$daemon_pid"
wait "$daemon_pid" 2>/dev/null
said=$(sed -n 's/^rows //p' out)
start_daemon "$models"
kept=$("$top_builddir/tests/blackbox/count_rows" state/dragoman.db) || fail "the log is damaged"
[ "${kept:-0}" -ge "${said:-1}" ] || fail "$said rows were written, but only $kept are there"
expect 0 "$ctl" translate -m tiny-en-fr "I see the cat."
stop_daemon
more=$("$top_builddir/tests/blackbox/count_rows" state/dragoman.db) || fail "the log is damaged"
[ "$more" -eq $((kept + 1)) ] || fail "$more rows after $kept and one request"

# SIGHUP: new bundles are served, lost ones are not, spoilt ones stay as they were.
start_daemon "$models"
cp -r "$models/tiny-bag" "$work/new-bag"
sed 's/"tiny-bag"/"new-bag"/' "$models/tiny-bag/model.json" >"$work/new-bag/model.json"
mv "$work/new-bag" "$models/new-bag"
mv "$models/tiny-rnn" "$work/tiny-rnn"
echo nonsense >"$models/tiny-fr-en/model.json"
kill -HUP "$daemon_pid"
served() { "$ctl" models >out 2>&1 && grep -q "$1" out; }
wait_for served new-bag
served tiny-rnn && fail "tiny-rnn is served still"
expect 0 "$ctl" classify -m new-bag "a fine film"
expect 0 "$ctl" translate -m tiny-fr-en "un film"
expect 0 "$ctl" status
grep -q degraded out || fail "a spoilt bundle does not show: $(cat out)"
stop_daemon

# As a daemon: the command ends when it serves, and says where.
expect 0 "$daemon" --listen 127.0.0.1:0 --models "$models" --state "$work/state" \
    --pid-file "$work/pid"
daemon_pid=$(cat pid)
address=$(sed -n 's/^listening on //p' out)
grep -qx "pid $daemon_pid" out || fail "the daemon's number is not printed: $(cat out)"
expect 0 "$ctl" ping -c "$address"
mv state/dragomand.log state/dragomand.log.1 # as those do who rotate logs
kill -HUP "$daemon_pid"
wait_for test -s state/dragomand.log
kill -TERM "$daemon_pid"
wait_for sh -c "! kill -0 $daemon_pid 2>/dev/null"
daemon_pid=
[ ! -e pid ] || fail "the pid file is left"
grep -q 'stopped$' state/dragomand.log || fail "the log file does not say that it stopped"

# What cannot work is said and ends with status 1, in the foreground and not.
start_daemon "$models"
expect 1 "$daemon" --foreground --listen "$address" --models "$models" --state "$work/state"
complained_of 'cannot listen on .*: Address already in use'
expect 1 "$daemon" --listen "$address" --models "$models" --state "$work/state"
complained_of 'cannot listen on .*: Address already in use'
stop_daemon
expect 1 "$daemon" --foreground --listen 127.0.0.1:0 --models "$work/nothing" --state "$work/state"
complained_of 'nothing'
expect 1 "$daemon" --foreground --listen 127.0.0.1:0 --models "$models" --state "$work/out/state"
complained_of 'out/state'
expect 2 "$daemon" --workers many
expect 0 "$daemon" --help
expect 0 "$daemon" --sample-config
cmp -s out "$top_srcdir/etc/dragomand.conf" || fail "etc/dragomand.conf is out of date"

# With nothing to serve it starts, and says that it is degraded.
mkdir empty
start_daemon "$work/empty"
expect 0 "$ctl" status
grep -q degraded out || fail "no models, but: $(cat out)"
stop_daemon

# A Unix socket, which is removed at the end and replaced when a killed process left it.
for signal in KILL TERM; do
    start_daemon "$models" --listen "unix:$work/socket"
    expect 0 "$ctl" classify -c "unix:$work/socket" -m tiny-bag "a fine film"
    case $signal in
    KILL) kill_daemon ;;
    TERM) stop_daemon ;;
    esac
done
[ ! -e socket ] || fail "the socket is left"

done_testing
