#!/bin/sh
# The diagnostics with short sequences: the page is whole, every chart has its curves, and the same
# seed gives the same figures. A GRU learns to add two of twenty numbers, where a constant answer is
# wrong by 0.167 and it by some 0.003; a training explodes unless its gradients are clipped.
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
    awk '{ $(NF - 1) = ""; print }' "$1"
}

"$top_builddir/bench/diagnostics" --quick "$work/page.html" >"$work/table" || fail "quick run"
cat "$work/table"
"$top_builddir/tests/support/check_page" "$work/page.html" \
    task-adding task-copy task-parity task-order gradient-radius gradient-gates \
    trained-adding trained-copy clipping-error clipping-before clipping-after || fail "page"

error=$(awk '$1 == "adding" && $2 == "gru" { print $NF }' "$work/table")
awk -v error="$error" 'BEGIN { exit !(error != "" && error < 0.05) }' ||
    fail "a GRU adds with an error of ${error:-nothing}"

# clipped NAME: the error of the training with that clipping
clipped() {
    awk -v name="$1" 'index($0, name) { print $NF }' "$work/table"
}
[ "$(clipped 'no clipping')" = nan ] || fail "the training that should explode did not"
for how in 'norm at most 1' 'values within 0.1'; do
    awk -v error="$(clipped "$how")" 'BEGIN { exit !(error != "nan" && error > 0 && error < 2) }' ||
        fail "$how: an error of $(clipped "$how")"
done

# norm NAME: of the gradient 100 steps back
norm() {
    awk -v name="$1" 'index($0, name) { print $NF; exit }' "$work/table"
}
awk -v small="$(norm 'radius 0.5')" -v large="$(norm 'radius 2')" \
    'BEGIN { exit !(small > 0 && small < 1e-20 && large > 1e4) }' ||
    fail "gradients neither vanish nor explode"

for run in 1 2; do
    "$top_builddir/bench/diagnostics" --quick --task order --cell mut1 --seed 7 \
        "$work/$run.html" >"$work/$run" || fail "run $run"
done
[ "$(figures "$work/1")" = "$(figures "$work/2")" ] || fail "the same seed gave other figures"

"$top_builddir/bench/diagnostics" --quick --cell none "$work/none.html" 2>"$work/message" &&
    fail "an unknown cell was taken"
grep -q 'none: no such cell' "$work/message" || fail "message: $(cat "$work/message")"
[ ! -e "$work/none.html" ] || fail "a page without figures"
"$top_builddir/bench/diagnostics" --quick "$work/missing/page.html" >"$work/none" 2>"$work/message" &&
    fail "a page in a folder that is not there"
[ ! -s "$work/none" ] || fail "it worked before it found that it could not save"
[ "$failures" -eq 0 ]
