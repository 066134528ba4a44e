/*
 * A bundle is a folder with model.json, weights.safetensors and vocab.sqlite. Saving writes a whole
 * new folder beside the old one, brings it to the disk and swaps the two, so that whoever opens the
 * bundle meanwhile or after a crash finds the old model or the new, never a mixture.
 */
#ifndef DRAGOMAN_MODEL_BUNDLE_H
#define DRAGOMAN_MODEL_BUNDLE_H

#include <stdbool.h>

#include "model/safetensors.h"
#include "model/spec.h"
#include "text/token.h"

#define BUNDLE_SPEC "model.json"
#define BUNDLE_WEIGHTS "weights.safetensors"
#define BUNDLE_VOCABULARY "vocab.sqlite"

/* The files of a bundle, read and checked each for itself and the vocabulary's size against the
   spec; whether the tensors fit the spec is for those to check who use them. */
struct bundle {
    struct spec spec;
    struct safetensors weights;
    struct tokenizer *tokenizer;
};

/* Errors name the file and the reason. On failure nothing is held. */
int bundle_open(struct bundle *bundle, const char *folder, struct err *err);
void bundle_release(struct bundle *bundle);

/* Saves a bundle as `folder`, which is made, parents included, or replaced. The vocabulary is
   copied from `vocab_path`, which may be the old bundle's own. One process at a time may save to
   one folder. */
int bundle_save(const char *folder, const struct spec *spec, const char *vocab_path,
                const struct tensor *tensors, size_t count, struct err *err);

/* Whether bundle_save may write there: ERR_ARGUMENT where `folder` exists and holds anything that
   is no part of a bundle, since replacing would delete it. bundle_save asks this itself; ask before
   a long training. */
int bundle_check_target(const char *folder, struct err *err);

/* Whether a folder entry of this name is what an interrupted bundle_save has left behind. */
bool bundle_is_leftover(const char *name);

#endif
