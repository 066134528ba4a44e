#!/bin/sh
# Library code neither prints nor ends the process, and all memory comes through base/mem.
. "$(dirname "$0")/common.sh"

# Comments and string contents are blanked first, so that prose may say "free" or "exit".
code() {
    awk '
    FNR == 1 { comment = 0 }
    {
        line = $0
        gsub(/\\./, "", line)
        gsub(/"[^"]*"/, "\"\"", line)
        out = ""
        while (line != "") {
            if (comment) {
                at = index(line, "*/")
                if (!at) break
                line = substr(line, at + 2)
                comment = 0
            } else {
                at = index(line, "/*")
                if (!at) { out = out line; break }
                out = out substr(line, 1, at - 1) " "
                line = substr(line, at + 2)
                comment = 1
            }
        }
        print FILENAME ":" FNR ": " out
    }' "$@"
}

# $1: what the rule says, $2: functions, $3: files that are exempt, then the folders
forbid() {
    rule=$1 functions=$2 exempt=$3
    shift 3
    # shellcheck disable=SC2046 # no source file has a space in its name
    code $(sources "$@") | grep -E "(^|[^A-Za-z0-9_])($functions) *\(" | grep -vE "^($exempt):" |
        report "$rule"
}

libraries='src/base src/text src/nn src/model src/train src/serve'
# shellcheck disable=SC2086
forbid "library code does not end the process" 'exit|_exit|abort|assert|quick_exit' 'none' $libraries
# shellcheck disable=SC2086
forbid "library code does not print" 'printf|vprintf|puts|putchar|perror' 'none' $libraries
forbid "memory comes through base/mem.h" \
    'malloc|calloc|realloc|aligned_alloc|posix_memalign|strdup|strndup|asprintf|vasprintf' \
    'src/base/mem\.c' src
forbid "not safe between threads" 'strtok|localtime|gmtime|ctime|asctime|rand|srand|setlocale' \
    'none' src include
forbid "no bounds" 'gets|strcpy|strcat|sprintf|vsprintf' 'none' src include

finish
