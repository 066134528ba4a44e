/* The first sentences of the development data as the last evaluation translated them, with their
   attention, for the report. */
#ifndef DRAGOMAN_TRAIN_TRANSLATION_SAMPLE_H
#define DRAGOMAN_TRAIN_TRANSLATION_SAMPLE_H

#include "model/batch.h"
#include "text/corpus.h"
#include "text/token.h"
#include "train/trainer.h"

struct translation_sample;
struct translation_samples { /* zero before use */
    struct translation_sample *items;
    size_t count;
    bool rows; /* of numbers are the source: there are no tokens to show attention over */
};

int translation_samples_init(struct translation_samples *samples, size_t count, struct err *err);
void translation_samples_release(struct translation_samples *samples);
/* Before the sentences are translated: outputs[0..count) are to keep their attention. */
void translation_samples_ask(struct translation_samples *samples, struct batch_output *outputs);
/* Afterwards. Sentences that could not be translated have no output. */
int translation_samples_keep(struct translation_samples *samples, const struct corpus *dev,
                             const struct tokenizer *tokenizer, const struct batch_output *outputs,
                             struct err *err);
bool translation_samples_get(const struct translation_samples *samples, size_t i,
                             struct trainer_sample *sample);

#endif
