# Sourced by the lint tests, which run from any folder: goes to the top of the sources and gives
# report (counts a violation) and finish (the test's verdict).
# shellcheck shell=sh
cd "${top_srcdir:-$(dirname "$0")/../..}" || exit 99
violations=$(mktemp)
trap 'rm -f "$violations"' EXIT

# Reads violations, one a line, from standard input; $1 says what is wrong with them.
report() {
    while IFS= read -r violation; do
        printf '%s: %s\n' "$1" "$violation" | tee -a "$violations"
    done
}

finish() {
    [ ! -s "$violations" ] || exit 1
    echo "clean"
    exit 0
}

sources() {
    find "$@" -name '*.[ch]' | LC_ALL=C sort
}
