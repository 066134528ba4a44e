#!/bin/sh
# The translation network against its PyTorch twin, on a tiny bundle and on the shipped ones.
# Skipped where no Python with PyTorch is found.
: "${top_srcdir:=.}" "${top_builddir:=.}"
for python in "${PYTHON:-python3}" /usr/bin/python3 ''; do
    [ -n "$python" ] || { echo "no Python with PyTorch"; exit 77; }
    "$python" -c 'import torch, numpy' 2>/dev/null && break
done
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
"$top_builddir/tests/support/make_tiny_bundle" "$work" || exit 99

failures=0
for bundle in "$work/tiny-en-fr" "$top_srcdir/models/en-fr" "$top_srcdir/models/fr-en"; do
    [ -e "$bundle/model.json" ] || continue
    echo "${bundle##*/}:"
    "$python" "$top_srcdir/bench/torch_twin.py" compare "$top_builddir/bench/seq2seq" "$bundle" ||
        failures=$((failures + 1))
done
[ "$failures" -eq 0 ]
