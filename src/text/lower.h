/* Lower case as Unicode's default conversion has it (section 3.13), in no language's own way. */
#ifndef DRAGOMAN_TEXT_LOWER_H
#define DRAGOMAN_TEXT_LOWER_H

#include <stddef.h>
#include "base/buf.h"

/* Appends the text in lower case. Bytes that are not UTF-8 stay as they are. */
int lower_text(const char *text, size_t len, struct buf *out, struct err *err);

#endif
