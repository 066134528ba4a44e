#!/bin/sh
# Dependencies point one way: base <- {text, nn} <- model <- {train, serve} <- cmd. And each library
# from outside is known in one place only.
. "$(dirname "$0")/common.sh"

# $1: layer, $2: pattern of the folders whose headers it may include
layer() {
    [ -d "src/$1" ] || return 0
    sources "src/$1" | xargs grep -HnE '^ *# *include *"' |
        grep -vE ":[0-9]+: *# *include *\"($2)/[a-z0-9_]+\.h\"" |
        report "layer $1 may include only ($2)"
}

layer base 'base'
layer text 'base|text'
layer nn 'base|nn'
layer model 'base|text|nn|model'
layer train 'base|text|nn|model|train'
layer serve 'base|text|nn|model|serve'
layer cmd 'base|text|nn|model|train|serve|cmd|dragoman'

# $1: pattern of the header, $2: pattern of the files that may include it
library() {
    sources src include | xargs grep -HnE "^ *# *include *[<\"]($1)[>\"]" |
        grep -vE "^($2):" |
        report "<$1> belongs in ($2) only"
}

library 'utf8proc\.h' 'src/text/[a-z0-9_]+\.[ch]'
library '(openblas/)?(openblas_config|f77blas|cblas)\.h' 'src/nn/mat\.c'
library 'event2?/?.*\.h' 'src/serve/[a-z0-9_]+\.[ch]'
library 'jansson\.h' \
    'src/serve/proto[a-z0-9_]*\.[ch]|src/model/(spec|safetensors)[a-z0-9_]*\.[ch]|src/train/(history|report)[a-z0-9_]*\.[ch]|src/cmd/[a-z0-9_]+\.[ch]'
library 'sqlite3\.h' \
    'src/text/vocab[a-z0-9_]*\.[ch]|src/model/registry[a-z0-9_]*\.[ch]|src/serve/reqlog[a-z0-9_]*\.[ch]'
library 'ini\.h' 'src/base/opt[a-z0-9_]*\.c'
library 'cmocka\.h' 'none'

finish
