#!/bin/sh
# The kernels' test for AArch64: compiled by a cross compiler, run under qemu once on a processor
# without the dot products of bytes and once on one that has everything. The last line, a checksum of
# what must be the same bytes on every processor, is compared with this processor's.
top=${top_srcdir:-$(dirname "$0")/../..}
build=${top_builddir:-.}

compiler=aarch64-linux-gnu-gcc
emulator=
for name in qemu-aarch64 qemu-aarch64-static; do
    command -v "$name" >/dev/null && emulator=$name
done
if ! command -v "$compiler" >/dev/null || [ -z "$emulator" ]; then
    echo "skipped: needs aarch64-linux-gnu-gcc and qemu-aarch64 (Debian: gcc-aarch64-linux-gnu, qemu-user)"
    exit 77
fi
if ! echo 'int main(void) { return 0; }' | "$compiler" -static -x c -o /dev/null - 2>/dev/null; then
    echo "skipped: the C library for AArch64 is missing (Debian: libc6-dev-arm64-cross)"
    exit 77
fi

work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
flags="-std=gnu11 -O3 -Wall -Wextra -Wshadow -Wconversion -Werror -D_GNU_SOURCE -I$top/src"
flags="$flags -fno-math-errno -fno-trapping-math"
objects=
# $1: source; the rest: flags of its own
compile() {
    source=$1
    shift
    object=$work/$(basename "$source" .c).o
    # shellcheck disable=SC2086 # the flags are words
    "$compiler" $flags "$@" -c -o "$object" "$top/$source" || exit 1
    objects="$objects $object"
}
for name in int8 int8_pack int8_rows pointwise; do
    compile "src/nn/$name.c" -ffp-contract=off
done
for source in src/nn/cpu.c src/nn/mat_rows.c src/nn/mat_packed.c src/base/err.c src/base/mem.c \
    src/base/rng.c tests/unit/test_kernels.c; do
    compile "$source"
done
# shellcheck disable=SC2086
"$compiler" -static -o "$work/test_kernels" $objects -lm -lpthread || exit 1

# $1: qemu's name of a processor, $2: what must be tested there
run() {
    echo "== $1"
    "$emulator" -cpu "$1" "$work/test_kernels" >"$work/output" || failed=yes
    cat "$work/output"
    grep -qx "tested: $2" "$work/output" || failed=yes
    tail -n 1 "$work/output" >>"$work/checksums"
}
failed=
run cortex-a53 neon
run max neon-dot
echo "== this processor"
"$build/tests/unit/test_kernels" | tail -n 1 | tee -a "$work/checksums"
if [ "$(sort -u "$work/checksums" | wc -l)" -ne 1 ]; then
    echo "the checksums differ"
    failed=yes
fi
[ -z "$failed" ]
