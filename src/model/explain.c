/* The smallest explanation: by occlusion of white-space words. */
#include "model/explain.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

int model_explain(const struct model *model, const char *text, size_t len, size_t label,
                  struct explanation *out, struct err *err)
{
    float *p = mem_alloc(model->spec.label_count, sizeof *p, err);
    char *copy = mem_copy_text(text, len, err);
    int rc = p && copy ? model_classify(model, text, len, p, err) : ERR_MEMORY;
    out->method = model->spec.kind == SPEC_RNN ? "occlusion" : "linear";
    if (rc == 0)
        out->logit = (float)log((double)p[label]);
    for (size_t at = 0; rc == 0 && at < len;) {
        size_t end = at;
        while (end < len && !memchr(" \t\r\n", text[end], 4))
            end++;
        memset(copy + at, ' ', end - at);
        rc = model_classify(model, copy, len, p, err);
        memcpy(copy + at, text + at, end - at);
        struct explanation_part *parts =
            mem_resize(out->parts, out->count, out->count + 1, sizeof *parts, err);
        rc = rc < 0 ? rc : parts ? 0 : ERR_MEMORY;
        out->parts = parts ? parts : out->parts;
        if (rc == 0 && end > at)
            parts[out->count++] =
                (struct explanation_part){at, end, out->logit - (float)log((double)p[label])};
        at = end + 1;
    }
    mem_free(copy);
    mem_free(p);
    return rc;
}

void explanation_release(struct explanation *explanation)
{
    mem_free(explanation->parts);
    *explanation = (struct explanation){0};
}
