#!/bin/sh
# The diagnostics with short sequences: the page is whole, every chart has its curves, and the same
# seed gives the same figures. What a GRU does here with any of many seeds holds for the figures:
# it learns to add two of twenty numbers (a constant answer is wrong by 0.167).
: "${top_builddir:=.}"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
failures=0
fail() {
    echo "FAILED: $*"
    failures=$((failures + 1))
}

# The columns but for the time.
figures() {
    awk '{ $8 = ""; print }' "$1"
}

"$top_builddir/bench/diagnostics" --quick "$work/page.html" >"$work/table" || fail "quick run"
cat "$work/table"
"$top_builddir/tests/support/check_page" "$work/page.html" \
    task-adding task-copy task-parity task-order gradient-radius gradient-gates \
    trained-adding trained-copy clipping-error clipping-before clipping-after || fail "page"

error=$(awk '$1 == "adding" && $2 == "gru" { print $NF }' "$work/table")
awk -v error="$error" 'BEGIN { exit !(error != "" && error < 0.05) }' ||
    fail "a GRU adds with an error of ${error:-nothing}"

for run in 1 2; do
    "$top_builddir/bench/diagnostics" --quick --task order --cell mut1 --seed 7 \
        "$work/$run.html" >"$work/$run" || fail "run $run"
done
[ "$(figures "$work/1")" = "$(figures "$work/2")" ] || fail "the same seed gave other figures"

"$top_builddir/bench/diagnostics" --quick --cell none "$work/none.html" 2>"$work/message" &&
    fail "an unknown cell was taken"
grep -q 'none: no such cell' "$work/message" || fail "message: $(cat "$work/message")"
[ ! -e "$work/none.html" ] || fail "a page without figures"
[ "$failures" -eq 0 ]
