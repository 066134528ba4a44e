/*
 * Pages that open anywhere: one file that loads nothing, light and dark as the reader's system has
 * it; a script only where a page cannot do without. The text is HTML and well-formed XML at once,
 * so that any parser can check it.
 *
 * As in text/json.h the only error is memory, the first one wins, and a caller may write on and
 * look at `err` once at the end.
 */
#ifndef DRAGOMAN_TRAIN_HTML_H
#define DRAGOMAN_TRAIN_HTML_H

#include "base/buf.h"

/* From the doctype to <main>. The style sheet knows, besides plain elements: .cards (a grid of
   .card, each a <b> and a <span>), .charts (a grid of figures), .heats (a row of
   figures as wide as they are), what chart.h draws, .wide (scrolls
   by itself), .muted, .right (numbers) and .hit (a row to be pointed out). */
int html_begin(struct buf *out, const char *title, struct err *err);
/* The same with more rules after those of the style sheet. */
int html_begin_styled(struct buf *out, const char *title, const char *more, struct err *err);
int html_end(struct buf *out, struct err *err);
/* Between the two stands a script, which must not contain "]]>" or "</". */
int html_script_begin(struct buf *out, struct err *err);
int html_script_end(struct buf *out, struct err *err);
/* Begins a figure with its caption; the caption has the id ID-name. note: smaller, or NULL. */
int html_figure(struct buf *out, const char *id, const char *title, const char *note,
                struct err *err);
/* Any bytes as text or as a quoted attribute's value: markup is escaped, what is not UTF-8 or not
   allowed in a page becomes U+FFFD. */
int html_bytes(struct buf *out, const char *text, size_t len, struct err *err);
int html_text(struct buf *out, const char *text, struct err *err);

#endif
