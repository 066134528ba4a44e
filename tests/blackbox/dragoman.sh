# shellcheck shell=sh
# Sourced by the tests of dragoman: a folder to work in, tiny models, expectations.
# Needs top_srcdir and top_builddir, which make check sets.
: "${top_srcdir:=.}" "${top_builddir:=.}"
top_srcdir=$(cd "$top_srcdir" && pwd)
top_builddir=$(cd "$top_builddir" && pwd)
# shellcheck disable=SC2034 # for the tests
dragoman=$top_builddir/dragoman
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
cd "$work" || exit 99
failures=0

fail() {
    failures=$((failures + 1))
    echo "FAIL: $*" >&2
}

done_testing() {
    [ "$failures" -eq 0 ] || exit 1
    exit 0
}

# expect STATUS COMMAND...: runs it; its output is in `out` and `err`.
expect() {
    want=$1
    shift
    "$@" >out 2>err
    got=$?
    [ "$got" -eq "$want" ] || fail "exit code $got instead of $want: $* ($(head -n 3 err))"
}

# The last command's complaint matches a pattern.
complained_of() {
    grep -qE -e "$1" err || fail "no complaint of '$1' but: $(head -c 300 err)"
}

quiet_but_complained() {
    [ ! -s out ] || fail "$1: prints $(head -n 1 out)"
    grep -q '^dragoman: ' err || fail "$1: no complaint"
}

make_models() {
    models=$work/models
    "$top_builddir/tests/support/make_tiny_bundle" "$models" || exit 99
}

# corpus N: sentences of many lengths, always the same.
corpus() {
    awk -v lines="$1" 'BEGIN {
        words = split("I see the cat dog a fine film house and it was not là où Noël 1 22", word)
        for (n = 1; n <= lines; n++) {
            length_ = n * 7 % 13 + 1
            line = word[n % words + 1]
            for (i = 1; i < length_; i++)
                line = line " " word[(n * i * 31 + i * i) % words + 1]
            print line "."
        }
    }'
}
