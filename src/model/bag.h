/*
 * The bag of words: a text is the n-grams that occur in it, no matter where (text/feature.h).
 *
 *   values    v_f of each distinct feature f of the text that the model knows, c_f its count there:
 *               binary  1      counts  c_f      tf  c_f / sum c      tf-idf  (1 + log c_f) idf_f
 *             with idf_f = 1 + log((1 + N) / (1 + N_f)), N_f of N training texts having f; and
 *             divided by their length as a vector where the model normalises
 *   linear    logits = sum_f v_f W_f + b              logistic regression
 *   hidden    logits = V tanh(sum_f v_f W_f + a) + b  a perceptron of one hidden layer
 *
 * Features are rows of W: by a table of all hashes that the model knows, in ascending order, or,
 * hashed into buckets, by the hash's remainder (Weinberger et al. 2009). A text of no known feature
 * has the logits of none: b, or V tanh(a) + b.
 */
#ifndef DRAGOMAN_MODEL_BAG_H
#define DRAGOMAN_MODEL_BAG_H

#include "base/rng.h"
#include "model/parameter.h"
#include "model/spec.h"
#include "text/feature.h"

#define BAG_MAX_PARAMETERS 5
#define BAG_FEATURES "features" /* the table's tensor */

struct bag_table {         /* the table of hashes, and where in it to look */
    const int64_t *hashes; /* [count], ascending as unsigned numbers */
    uint32_t *starts;      /* [2^bits + 1]: the first hash of each of its highest `bits` bits */
    size_t count;
    unsigned bits;
};

struct bag {
    struct feature_settings features;
    struct stop_words *stop; /* owned, or NULL */
    enum spec_weighting weighting;
    bool normalise;
    size_t labels, hidden;  /* L; H, 0 without a hidden layer */
    size_t rows, width;     /* F; what a row is: L or H */
    struct bag_table table; /* empty where there are buckets */
    real *idf;              /* [F]: tf-idf, else NULL */
    real *weight, *bias;    /* [F, width], [width]: W and b, or W and a */
    const uint16_t *halves; /* of a quantised bundle: W as 16-bit floats; `weight` is NULL then */
    real *output_weight;    /* [L, H]: V, or NULL */
    real *output_bias;      /* [L] */
};

/* The sizes and settings from the spec; neither weights nor the table are bound yet. */
int bag_size(struct bag *bag, const struct spec *spec, struct err *err);
void bag_unsize(struct bag *bag); /* frees what bag_size and bag_index made */
/* Fills the table of the parameters; returns its length. */
size_t bag_parameters(struct bag *bag, struct parameter list[BAG_MAX_PARAMETERS]);
/* Takes the table of hashes, which must be ascending and outlive the bag. */
int bag_index(struct bag *bag, const int64_t *hashes, size_t count, struct err *err);

/* A model that reads its weights from an open bundle file, which must outlive it. */
int bag_open(struct bag **bag, const struct spec *spec, const struct safetensors *file,
             struct err *err);
void bag_free(struct bag *bag);

#define BAG_UNKNOWN UINT32_MAX
/* The row of a feature, or BAG_UNKNOWN. */
uint32_t bag_row(const struct bag *bag, uint64_t hash);

struct bag_vector { /* zero-initialise; release with bag_vector_release; reusable */
    uint32_t *rows; /* distinct, in the order in which they occur first */
    real *values;
    size_t count, capacity;
    struct bag_slot {
        uint32_t row, place; /* place in the vector, plus 1; 0: free */
    } * slots;
    size_t slot_count; /* a power of two */
};
/* The vector of a text whose features have these hashes. */
int bag_vector_fill(struct bag_vector *vector, const struct bag *bag, const uint64_t *hashes,
                    size_t count, struct err *err);
/* The place of a row in it, which must be there. */
size_t bag_vector_place(const struct bag_vector *vector, uint32_t row);
void bag_vector_release(struct bag_vector *vector);

/* logits [L] of a text; any thread; the result depends on nothing but model and text. Logits that
   are not finite are an error, ERR_FORMAT. */
int bag_logits(const struct bag *bag, const struct encoded *text, float *logits, struct err *err);
/* What the text's tokens contribute to the label's logit, before the temperature; weights [text
   count], in the order of the tokens, are added to. They, *bias and nothing else are *logit. */
int bag_explain(const struct bag *bag, const struct encoded *text, size_t label, double *weights,
                double *bias, double *logit, struct err *err);

/* The network alone, for use and training: bag_network.c --------------------------------------- */

struct bag_input {
    size_t count;
    const uint32_t *rows; /* [count] */
    const real *values;   /* [count] */
};

/* logits [L]; hidden [H] receives the hidden layer, NULL where there is none. */
void bag_forward(const struct bag *bag, const struct bag_input *input, real *hidden, real *logits);
/* Writes d_sum [width], the gradient by s = sum_f v_f W_f + a (or + b): that by W_f is v_f d_sum,
   that by the bias d_sum. */
void bag_backward_sum(const struct bag *bag, const real *hidden, const real *d_logits, real *d_sum);
/* Of a network with a hidden layer: adds the gradients by V and b to those of `gradients`. */
void bag_backward_output(const struct bag *bag, const real *hidden, const real *d_logits,
                         const struct bag *gradients);

#endif
