/*
 * What the files of the passage share: passage.c (sentences and cuts), passage_source.c (what the
 * decoder reads of a sentence), passage_place.c (where spans go in a translation) and
 * passage_write.c (putting together).
 */
#ifndef DRAGOMAN_MODEL_PASSAGE_PARTS_H
#define DRAGOMAN_MODEL_PASSAGE_PARTS_H

#include "base/mem.h"
#include "model/passage.h"

#define PASSAGE_NONE SIZE_MAX

struct stand_in { /* a word or number that stands for a span, or for itself */
    struct span span;
    const char *text;
    size_t len;
    size_t source;      /* where it stands in what is tokenised */
    size_t first, last; /* its tokens, last excluded */
};

struct mark { /* a span that was taken out */
    struct span span;
    size_t source;  /* where it stood */
    size_t token;   /* the first token after it */
    size_t partner; /* of a tag: the mark that opens or closes it, or PASSAGE_NONE */
    bool opens;     /* goes with what follows it */
    bool space_before, space_after;
};

struct unit {
    struct passage_unit unit;   /* first: what the caller sees */
    size_t begin, end;          /* bytes of the text */
    size_t pause;               /* where the clause mark behind it ends, that it is cut at; or 0 */
    struct span_range *origins; /* [count]: where each token came from in the text */
    struct stand_in *stand_ins;
    struct mark *marks;
    size_t stand_in_count, mark_count;
};

struct piece { /* of the text: together they are the whole of it */
    size_t begin, end;
    size_t first_span, span_count; /* within it, where it is copied */
    struct unit *unit;             /* NULL: copied */
};

struct passage {
    const struct tokenizer *tokenizer;
    struct passage_options options;
    const char *text;
    size_t len;
    struct arena arena;
    struct piece *pieces;
    size_t piece_count, piece_capacity;
    struct unit **units;
    size_t unit_count, unit_capacity;
    struct span *spans; /* of the whole text */
    size_t span_count, span_capacity;
    struct span_range *cuts;
    size_t cut_count, cut_capacity;
};

/* A part of the source as it is tokenised. */
struct segment {
    size_t source;     /* where it begins */
    size_t begin, end; /* the part of the text that it stands for */
    bool exact;        /* it is that part */
};

struct source { /* scratch; zero before; release with source_release */
    struct buf text;
    struct segment *segments;
    size_t segment_count, segment_capacity;
    struct encoded encoded;
    const struct span_range *unknown; /* of the sentence at hand, as spans are found with */
    size_t unknown_count;
};

/* Makes the unit of [begin, end), which has the spans given, all inside, and whose tokens stand in
   source->encoded after. Where stand-ins run out, *excess is the span that finds none; else
   PASSAGE_NONE. */
int source_build(struct passage *passage, struct source *source, struct unit *unit,
                 const struct span *spans, size_t count, size_t *excess, struct err *err);
/* Copies the tokens into the unit. */
int source_keep(struct passage *passage, struct source *source, struct unit *unit, struct err *err);
/* The place in the text where a token of source->encoded begins. */
size_t source_origin(const struct source *source, size_t token);
void source_release(struct source *source);

struct edit { /* of a decoded translation, to hold a span instead of [begin, end) */
    size_t begin, end;
    const struct span *span; /* NULL: the bytes are left out */
    int rank;                /* among edits at one place, then by `order` */
    size_t order;
    bool space_before, space_after;
};
struct placement {   /* zero before; release with placement_release; reusable */
    struct buf text; /* of the hypothesis */
    size_t *ends;    /* [count]: where each token ends in it */
    size_t capacity;
    struct edit *edits; /* in order, apart */
    size_t edit_count, edit_capacity;
    bool complete; /* every stand-in was there as often as it should be */
};
/* Decodes the hypothesis and finds the edits. `ends` are found where asked for or needed. */
int placement_find(struct placement *placement, const struct tokenizer *tokenizer,
                   const struct unit *unit, const struct hypothesis *hypothesis, bool ends,
                   struct err *err);
void placement_release(struct placement *placement);

#endif
