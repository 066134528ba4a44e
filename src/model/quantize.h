/*
 * Making a quantised bundle of an opened one: matrices become 8-bit integers with a scale for each
 * output (nn/int8.h), those of bags of words 16-bit floats (nn/half.h); vectors stay as they are.
 */
#ifndef DRAGOMAN_MODEL_QUANTIZE_H
#define DRAGOMAN_MODEL_QUANTIZE_H

#include "base/err.h"

struct model;

/* Saves the model as a quantised bundle in `folder` (bundle_save). ERR_ARGUMENT where it is
   quantised already, or has weights that do not fit 16 bits. */
int quantize_save(const struct model *model, const char *folder, struct err *err);

#endif
