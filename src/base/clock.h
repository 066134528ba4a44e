/* Time: a monotonic clock for durations and deadlines, the wall clock for logs. */
#ifndef DRAGOMAN_BASE_CLOCK_H
#define DRAGOMAN_BASE_CLOCK_H

#include <stdint.h>

int64_t clock_ns(void);      /* monotonic, nanoseconds */
int64_t clock_wall_ms(void); /* since 1970-01-01 UTC, milliseconds */

#endif
