#!/bin/sh
# What must come through a translation unharmed: of 60 English and 40 French sentences with URLs,
# numbers, placeholders, tags, emoji and words of other scripts, how many hold each of their spans
# in the translation as often as in the source.
#
# usage: bench/spans.sh DRAGOMAN [MODELS]     prints the share; with -v also every translation
set -eu
here=$(dirname "$0")
verbose=
if [ "${1-}" = -v ]; then
    verbose=yes
    shift
fi
dragoman=$1
models=${2-$here/../models}

# Reads the sentence, its spans and last its translation; prints what is lost.
count() {
    awk -F '\t' -v verbose="$verbose" '
    function times(text, part,    n, at) {
        for (n = 0; (at = index(text, part)) > 0; n++)
            text = substr(text, at + length(part))
        return n
    }
    {
        fine = 1
        for (i = 2; i < NF; i++)
            if (times($NF, $i) != times($1, $i)) {
                print "not once: " $i " in: " $NF
                fine = 0
            }
        kept += fine
        if (verbose)
            print $1 "\n    " $NF
    }
    END { print kept + 0 " of " NR " kept all" }'
}

for language in en fr; do
    case $language in
    en) model=$models/en-fr ;;
    fr) model=$models/fr-en ;;
    esac
    echo "$language: $model"
    cut -f 1 "$here/spans.$language.tsv" | "$dragoman" translate "$model" |
        paste "$here/spans.$language.tsv" - | count
done
