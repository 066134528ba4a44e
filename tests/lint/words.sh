#!/bin/sh
# What must not be left behind: paths of somebody's machine, notes of unfinished work, tabs and
# trailing spaces in C. (Brackets keep the patterns from finding this file.)
. "$(dirname "$0")/common.sh"

files() {
    find src include proto tests man etc bench models/recipes .ci README.md quickstart \
        configure.ac Makefile.am -type f 2>/dev/null
}

files | xargs grep -HInE '/[w]ork/|/[h]ome/[a-z]{3}|/[r]oot/' | report "path of one machine"
files | xargs grep -HInwE 'TOD[O]|FIXM[E]|XX[X]|HAC[K]' | report "unfinished"
sources src include tests bench | xargs grep -HnE "$(printf '\t')| +\$" |
    report "tab or trailing space"

finish
