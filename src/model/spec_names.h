/* The words that model.json uses, in the order of the enums they stand for, each list ended by
   NULL. Shared by reading and writing. */
#ifndef DRAGOMAN_MODEL_SPEC_NAMES_H
#define DRAGOMAN_MODEL_SPEC_NAMES_H

extern const char *const spec_task_names[];
extern const char *const spec_kind_names[];
extern const char *const spec_pooling_names[];
extern const char *const spec_condition_names[];
extern const char *const spec_weighting_names[]; /* in spec_bag.c */
extern const char *const spec_token_names[];
extern const char *const spec_form_names[];
extern const char *const spec_decoder_names[];
extern const char *const spec_bridge_names[];
extern const char *const spec_tying_names[];
extern const char *const spec_weights_names[];

#endif
