/* What workers have done, counted as they go. */
#ifndef DRAGOMAN_SERVE_WORK_H
#define DRAGOMAN_SERVE_WORK_H

#include <stdint.h>

struct work {
    uint64_t steps, sentences; /* decoding steps, and sentences in them: their ratio is the fill */
    uint64_t encoded, encodings; /* sentences encoded, and how often some were together */
    uint64_t tokens;             /* generated */
};

#endif
