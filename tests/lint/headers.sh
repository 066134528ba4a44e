#!/bin/sh
# Every header is guarded by a name made from its path, and says at its top what it is for; so does
# every source file that has no header to say it.
. "$(dirname "$0")/common.sh"

sources src | grep '\.h$' | while read -r header; do
    # A template says so at its top.
    ! head -n 3 "$header" | grep -q 'includes it once for each' || continue
    guard=DRAGOMAN_$(echo "${header#src/}" | tr 'a-z/.-' 'A-Z___')
    grep -q "^#ifndef $guard\$" "$header" && grep -q "^#define $guard\$" "$header" ||
        echo "$header ($guard)"
done | report "include guard missing"

sources src include | while read -r file; do
    head -c 2 "$file" | grep -q '^/\*' && continue
    case $file in
    *.c) [ -f "${file%.c}.h" ] || echo "$file" ;;
    *) echo "$file" ;;
    esac
done | report "no comment at the top"

finish
