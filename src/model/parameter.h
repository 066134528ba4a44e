/*
 * A network's parameters as a table: name (PyTorch's), shape and the place where the network keeps
 * its pointer. The one table lays out the trainer's flat vectors (weights, gradients, moments),
 * binds a network to an opened bundle and writes the bundle.
 */
#ifndef DRAGOMAN_MODEL_PARAMETER_H
#define DRAGOMAN_MODEL_PARAMETER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/safetensors.h"
#include "nn/recurrent.h"

#define PARAMETER_MAX_NAME 48
struct parameter {
    char name[PARAMETER_MAX_NAME];
    size_t rows, columns; /* columns 0: a vector of `rows` entries */
    real **slot;
    /* Of a matrix whose products inference makes with other forms of it as well, or NULL: */
    struct dense_form *form;
    size_t part;             /* as in struct dense */
    bool transposed;         /* the form is that of the transposed matrix */
    const uint16_t **halves; /* of a matrix that may be 16-bit floats, or NULL */
};

/* The number of values in one flat vector that holds all parameters. */
size_t parameters_total(const struct parameter *list, size_t count);
/* The parameter that holds the entry *offset of the flat vector, of which there must be one;
 *offset becomes the place in it. */
const struct parameter *parameters_at(const struct parameter *list, size_t *offset);
/* Points every slot into `flat`, in the order of the table. */
void parameters_bind(const struct parameter *list, size_t count, real *flat);
/* Points every slot into the file. Missing, misshapen and superfluous tensors are errors. The
   slots must then only be read: threads share them. Where the file is quantised, matrices that have
   a form are 8-bit integers, NAME and NAME.scales, and those that have halves are 16-bit floats:
   their slots are NULL then. */
int parameters_open(const struct parameter *list, size_t count, bool quantized,
                    const struct safetensors *file, struct err *err);
/* What the parameter's tensor is like in a file: all but name and data. */
void parameter_describe(const struct parameter *parameter, bool quantized, struct tensor *tensor);
#define PARAMETER_SCALES ".scales"
/* The matrix as inference has it. */
struct dense parameter_dense(const struct parameter *parameter);
/* The floats of all parameters of an opened recurrent network, quantised or not, into `flat`. */
int parameters_expand(const struct parameter *list, size_t count, real *flat, struct err *err);
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
/* The same for a matrix that has other forms. */
void parameters_add_matrix(struct parameter_list *list, const char *prefix, size_t rows,
                           size_t columns, real **slot, struct dense_form *form);
/* Appends the tensors of a stack: "encoder." "weight_ih" "_l0_reverse", as PyTorch names them. At
   most PARAMETER_MAX_STACK. */
#define PARAMETER_MAX_STACK (RECURRENT_MAX_LAYERS * 2 * CELL_MAX_TENSORS)
void parameters_add_cell(struct parameter_list *list, const char *prefix, const char *suffix,
                         struct cell_layer *layer);
void parameters_add_stack(struct parameter_list *list, const char *prefix, struct recurrent *net);

#endif
