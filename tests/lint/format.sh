#!/bin/sh
# The sources are as clang-format leaves them. Versions differ in taste; the one of Debian 12 rules.
. "$(dirname "$0")/common.sh"

for tool in clang-format-14 clang-format; do
    if $tool --version 2>/dev/null | grep -q 'version 14\.'; then
        sources src include tests bench | xargs "$tool" --dry-run --Werror 2>&1 |
            grep -E '^[^ ]+: (error|warning)' | report "format"
        finish
    fi
done
echo "clang-format 14 is not installed"
exit 77
