/* The model card: free entries of model.json, kept as JSON text. */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/spec.h"

/* Takes over `value`, which may be NULL from a failed allocation. */
static int set_entry(struct spec *spec, const char *key, json_t *value, struct err *err)
{
    int status = ERR_MEMORY;
    char *text = NULL;
    json_t *card = json_loads(spec->card ? spec->card : "{}", JSON_REJECT_DUPLICATES, NULL);
    if (json_object_set_new(card, key, value) == 0)
        text = json_dumps(card, JSON_COMPACT | JSON_REAL_PRECISION(6));
    if (text) {
        char *copy = mem_copy_text(text, strlen(text), err);
        if (copy) {
            mem_free(spec->card);
            spec->card = copy;
            status = 0;
        }
    }
    free(text);
    json_decref(card);
    return status ? err_set(err, ERR_MEMORY, "model card: no memory, or '%s' is not UTF-8", key)
                  : 0;
}

int spec_card_text(struct spec *spec, const char *key, const char *value, struct err *err)
{
    return set_entry(spec, key, json_string(value), err);
}

int spec_card_number(struct spec *spec, const char *key, double value, struct err *err)
{
    const bool whole = value == floor(value) && fabs(value) < 1e15;
    return set_entry(spec, key, whole ? json_integer((json_int_t)value) : json_real(value), err);
}
