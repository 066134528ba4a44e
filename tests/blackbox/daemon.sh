# shellcheck shell=sh
# Sourced after dragoman.sh by tests that need a running daemon. Whatever is still running at the
# end is killed.
# shellcheck disable=SC2034,SC2154 # for the tests; from dragoman.sh
ctl=$top_builddir/dragomanctl
daemon=$top_builddir/dragomand
[ -x "$ctl" ] && [ -x "$daemon" ] || exit 77
unset DRAGOMAN_CONNECT
daemon_pid=

clean_up() {
    [ -z "$daemon_pid" ] || kill -KILL "$daemon_pid" 2>/dev/null
    rm -rf "$work"
}
trap clean_up EXIT

# start_daemon MODELS ARGUMENT...: waits until it listens; its address is in $address and, for
# dragomanctl, in $DRAGOMAN_CONNECT.
start_daemon() {
    folder=$1
    shift
    rm -f started
    mkfifo started
    "$daemon" --foreground --listen 127.0.0.1:0 --models "$folder" --state "$work/state" "$@" \
        >started 2>>log &
    daemon_pid=$!
    address=
    while [ -z "$address" ] && read -r line; do
        case $line in *"listening on 127.0.0.1:"*) address=${line##*listening on } ;; esac
    done <started
    [ -n "$address" ] || {
        cat log >&2
        exit 99
    }
    DRAGOMAN_CONNECT=$address
    export DRAGOMAN_CONNECT
}

stop_daemon() {
    kill -TERM "$daemon_pid"
    wait "$daemon_pid" || fail "the daemon's exit code is $?"
    daemon_pid=
}

kill_daemon() {
    kill -KILL "$daemon_pid"
    wait "$daemon_pid" 2>/dev/null
    daemon_pid=
}

# wait_for COMMAND...: until it succeeds, for a minute.
wait_for() {
    tries=600
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || {
            fail "in vain: $*"
            return
        }
        sleep 0.1
    done
}
