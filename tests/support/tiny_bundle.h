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
};

/* Writes the bundle as `folder`, replacing one that is there. Classifiers have the labels
   "negative" and "positive". */
int tiny_bundle_write(const char *folder, const struct tiny_bundle *bundle, struct err *err);

/* Writes tiny-en-fr, tiny-fr-en, tiny-bag and tiny-rnn below `folder`, which is made. */
int tiny_bundle_write_all(const char *folder, struct err *err);

#endif
