/*
 * A network's parameters as a table: name (PyTorch's), shape and the place where the network keeps
 * its pointer. The one table lays out the trainer's flat vectors (weights, gradients, moments),
 * binds a network to an opened bundle and writes the bundle.
 */
#ifndef DRAGOMAN_MODEL_PARAMETER_H
#define DRAGOMAN_MODEL_PARAMETER_H

#include "model/safetensors.h"
#include "nn/recurrent.h"

#define PARAMETER_MAX_NAME 48
struct parameter {
    char name[PARAMETER_MAX_NAME];
    size_t rows, columns; /* columns 0: a vector of `rows` entries */
    real **slot;
};

/* The number of values in one flat vector that holds all parameters. */
size_t parameters_total(const struct parameter *list, size_t count);
/* The parameter that holds the entry *offset of the flat vector, of which there must be one;
 *offset becomes the place in it. */
const struct parameter *parameters_at(const struct parameter *list, size_t *offset);
/* Points every slot into `flat`, in the order of the table. */
void parameters_bind(const struct parameter *list, size_t count, real *flat);
/* Points every slot into the file. Missing, misshapen and superfluous tensors are errors. The
   slots must then only be read: threads share them. */
int parameters_open(const struct parameter *list, size_t count, const struct safetensors *file,
                    struct err *err);
/* Describes the bound parameters for safetensors_write. tensors [count] */
void parameters_tensors(const struct parameter *list, size_t count, struct tensor *tensors);

/* A list that is being made. */
struct parameter_list {
    struct parameter *list;
    size_t count;
};
/* Appends `prefix``name``suffix`. */
void parameters_add(struct parameter_list *list, const char *prefix, const char *name,
                    const char *suffix, size_t rows, size_t columns, real **slot);
/* Appends the tensors of a stack: "encoder." "weight_ih" "_l0_reverse", as PyTorch names them. At
   most PARAMETER_MAX_STACK. */
#define PARAMETER_MAX_STACK (RECURRENT_MAX_LAYERS * 2 * CELL_MAX_TENSORS)
void parameters_add_cell(struct parameter_list *list, const char *prefix, const char *suffix,
                         struct cell_layer *layer);
void parameters_add_stack(struct parameter_list *list, const char *prefix, struct recurrent *net);

#endif
