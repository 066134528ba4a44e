#!/bin/sh
# Clients that behave badly harm nobody but themselves; see hostile.c for what each scenario does.
. "${top_srcdir:-.}/tests/blackbox/dragoman.sh"
. "$top_srcdir/tests/blackbox/daemon.sh"

hostile=$top_builddir/tests/blackbox/hostile
make_models
start_daemon "$models"
for scenario in long-line garbage half-line idle deaf gone; do
    expect 0 "$hostile" "$scenario" "$address"
done
expect 0 "$ctl" translate -m tiny-en-fr "I see the cat."
stop_daemon

start_daemon "$models"
for scenario in deaf-stream streams writers; do
    expect 0 "$hostile" "$scenario" "$address"
done
stop_daemon

# One thread is enough for all of that.
start_daemon "$models" --workers 1
for scenario in streams writers; do
    expect 0 "$hostile" "$scenario" "$address"
done
stop_daemon

start_daemon "$models" --workers 1 --max-queue 4 --max-texts 4 --max-memory 1M
expect 0 "$hostile" flood "$address"
expect 0 "$hostile" hoard "$address"
stop_daemon
done_testing
