/*
 * Tiny bundles with random weights, valid in every respect, for tests of whatever stands on models:
 * a few kilobytes each, made in milliseconds, the same bytes for the same seed. What they answer is
 * nonsense, but always the same nonsense.
 */
#ifndef DRAGOMAN_TESTS_SUPPORT_TINY_BUNDLE_H
#define DRAGOMAN_TESTS_SUPPORT_TINY_BUNDLE_H

#include <stdint.h>

#include "base/err.h"
#include "model/spec.h"

struct tiny_bundle {
    const char *name;
    enum spec_kind kind;
    const char *source, *target; /* languages, SPEC_SEQ2SEQ only; NULL: "en", "fr" */
    uint64_t seed;
    bool without_attention; /* SPEC_SEQ2SEQ only */
    /* SPEC_RNN only: */
    enum spec_task task; /* SPEC_TRANSLATION, which it cannot do, stands for classification */
    size_t row;          /* numbers in a row of input; 0: it reads text */
    bool labelled;       /* generation: from a label */
    size_t feature;      /* generation: from a vector of so many numbers */
    bool attentive;      /* it pools by attention, not by the mean */
};

/* Writes the bundle as `folder`, replacing one that is there. Where there are labels they are
   "negative" and "positive". */
int tiny_bundle_write(const char *folder, const struct tiny_bundle *bundle, struct err *err);

/* Writes one of everything below `folder`, which is made: tiny-en-fr, tiny-fr-en; tiny-bag,
   tiny-rnn; tiny-tags; tiny-length (of a text) and tiny-rows (of rows of two numbers); tiny-lm
   (which never ends by itself), tiny-names (of a label) and tiny-scene (of a vector of three
   numbers). */
#define TINY_BUNDLES 10 /* how many those are */
int tiny_bundle_write_all(const char *folder, struct err *err);

#endif
