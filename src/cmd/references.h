/* Files that know several translations of a sentence: source<TAB>translation<TAB>translation... */
#ifndef DRAGOMAN_CMD_REFERENCES_H
#define DRAGOMAN_CMD_REFERENCES_H

#include "base/buf.h"
#include "train/metric.h"

struct references_entry {
    struct metric_text source;
    const struct metric_text *texts;
    size_t count;
};
struct references { /* zero before references_read */
    struct buf block;
    struct metric_text *texts;
    struct references_entry *entries; /* sorted by source */
    size_t count;
};

/* Every line needs a source and a translation; the error names file and line. Release it in any
   case. */
int references_read(struct references *references, const char *path, struct err *err);
void references_release(struct references *references);
/* NULL where the source is not known. */
const struct references_entry *references_find(const struct references *references,
                                               struct metric_text source);

#endif
