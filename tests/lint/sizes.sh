#!/bin/sh
# Functions: median at most 15 lines, nine in ten under 50, none over 100. Files: median under 300
# lines, none over 800. Medians are of src and include; the limits hold for tests as well.
. "$(dirname "$0")/common.sh"

# Prints "LINES FILE:LINE" for each function, counted from its signature to its closing brace.
# The format test makes sure that both braces of a function stand in the first column.
functions() {
    awk '
    FNR == 1 { inside = 0; start = 0 }
    inside && /^}/ { print FNR - start + 1, FILENAME ":" start; inside = 0; start = 0; next }
    inside { next }
    /^[A-Za-z_]/ && !start { start = FNR }
    /^{/ { inside = 1; if (!start) start = FNR; next }
    /;[ \t]*(\/\*.*)?$/ || /^#/ || /^}/ || /^$/ { start = 0 }' "$@"
}

# $1: percentile, of the sorted numbers on standard input
percentile() {
    awk -v p="$1" '{ n[NR] = $1 } END { i = int((NR * p + 99) / 100); print n[i < 1 ? 1 : i] }'
}

# $1: what was measured, $2: its value, $3: the largest that is allowed
at_most() {
    echo "$1: $2 (at most $3)"
    [ "$2" -le "$3" ] || echo "$2 is more than $3" | report "$1"
}

# shellcheck disable=SC2046
sizes=$(functions $(sources src include) | sort -n)
count=$(echo "$sizes" | wc -l)
[ "$count" -gt 50 ] || echo "only $count functions were found" | report "this test is broken"
at_most "median function" "$(echo "$sizes" | percentile 50)" 15
at_most "90th percentile of functions" "$(echo "$sizes" | percentile 90)" 49
# shellcheck disable=SC2046
functions $(sources src include tests bench) | awk '$1 > 100' | report "function over 100 lines"

lines=$(sources src include | xargs wc -l | grep -v ' total$' | sort -n)
at_most "median file" "$(echo "$lines" | percentile 50)" 299
sources src include tests bench | xargs wc -l | grep -v ' total$' | awk '$1 > 800' |
    report "file over 800 lines"

finish
