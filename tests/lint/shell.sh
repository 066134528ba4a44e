#!/bin/sh
# The scripts parse, and shellcheck has no warning where it is installed.
. "$(dirname "$0")/common.sh"

scripts() {
    echo quickstart
    find tests bench models/recipes -name '*.sh'
}

scripts | while read -r script; do
    sh -n "$script" 2>&1 | report "$script"
done
if command -v shellcheck >/dev/null; then
    scripts | xargs shellcheck -x -S warning -e SC1091 -f gcc | report "shellcheck"
fi

finish
