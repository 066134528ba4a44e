#!/bin/sh
# The manual pages are clean mdoc, and every page is there.
. "$(dirname "$0")/common.sh"

command -v mandoc >/dev/null || {
    echo "mandoc is not installed"
    exit 77
}
for page in man/dragomand.8 man/dragomanctl.1 man/dragoman.1; do
    if [ -f "$page" ]; then
        # Pages refer to each other before they are installed.
        mandoc -T lint -W style "$page" | grep -v 'referenced manual not found' | report "$page"
    else
        echo "$page" | report "manual page missing"
    fi
done

finish
