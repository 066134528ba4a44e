/*
 * Making a quantised bundle of an opened one: matrices become 8-bit integers with a scale for each
 * output (nn/int8.h), those of bags of words 16-bit floats (nn/half.h); vectors stay as they are.
 */
#ifndef DRAGOMAN_MODEL_QUANTIZE_H
#define DRAGOMAN_MODEL_QUANTIZE_H

#include "base/mem.h"
#include "model/parameter.h"

struct model;

/* A matrix that has a form, as 8-bit integers in the arena. */
int quantize_matrix(const struct parameter *parameter, struct arena *arena, struct dense_form *form,
                    struct err *err);

/* Saves the model as a quantised bundle in `folder` (bundle_save). ERR_ARGUMENT where it is
   quantised already, or has weights that do not fit 16 bits. */
int quantize_save(const struct model *model, const char *folder, struct err *err);

#endif
