#!/bin/sh
# Sentences without capitals and punctuation, and what each word had, as the recipe marks-en.conf
# wants them:
#
#   models/recipes/marks.sh <FILE >OUT
#
# FILE has lines sentence<TAB>anything. A label is "low", "Cap" or "UP" and the mark after the word, if
# there is one: "low,", "Cap?". Sentences with other characters than letters and the marks . , ? ! ' -
# are left out, and so is one that has come before.
exec awk -F '\t' '
function label(word, mark, letters) {
    mark = word ~ /[.,?!]$/ ? substr(word, length(word)) : ""
    letters = word
    gsub(/[^A-Za-z]/, "", letters)
    if (letters !~ /^[A-Z]/)
        return "low" mark
    return (length(letters) > 1 && letters !~ /[a-z]/ ? "UP" : "Cap") mark
}
{
    count = split($1, word, " ")
    bare = labels = ""
    for (i = 1; i <= count; i++) {
        if (word[i] !~ /^[A-Za-z]+([-\047][A-Za-z]+)*[.,?!]?$/)
            next
        labels = labels (i > 1 ? " " : "") label(word[i])
        text = tolower(word[i])
        sub(/[.,?!]$/, "", text)
        bare = bare (i > 1 ? " " : "") text
    }
    if (count > 0 && !(bare in seen)) {
        seen[bare] = 1
        print bare "\t" labels
    }
}'
