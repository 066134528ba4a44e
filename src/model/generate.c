/*
 * Generation. What a token adds to the text waits in `pending` until it is certain: a character may
 * be made of several byte tokens, and what looks like the beginning of a stop may become one.
 */
#include "model/generate.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/generate_parts.h"
#include "model/sample.h"
#include "nn/softmax.h"
#include "text/utf8.h"

#define PROMPT_STEP 8   /* tokens of the prompt that one step reads at most */
#define PROMPTS_STEP 64 /* of all prompts, beyond one of each */
#define STREAM_SAMPLE 1 /* of the seed's random numbers */

struct generation {
    struct model *model;
    struct rnn_walk *walk;
    int32_t *prompt; /* [prompt_count], of which prompt_read have been read */
    size_t prompt_count, prompt_read;
    int32_t drawn;
    const int32_t *next; /* [next_count]: what the walk reads at the end of this step */
    size_t next_count;
    const float *outputs; /* for the next token; belong to the walk */
    struct sample_settings settings;
    struct rng rng;
    float *logits;               /* [V]: outputs, without what is no text */
    double *probabilities;       /* [V] */
    struct sample_item *scratch; /* [V] */
    char *stops[GENERATE_MAX_STOPS];
    size_t stop_count, max_tokens;
    struct buf pending;
    bool drop_space; /* the first token's, which the tokenizer would have added */
    bool said;       /* a caption: all of the text is pending */
    bool done;
    enum generation_end end;
    size_t tokens;
    double log_probability;
};

static int check_options(const struct generate_options *options, struct err *err)
{
    if (options->max_tokens < 1 || options->max_tokens > GENERATE_MAX_TOKENS)
        return err_set(err, ERR_ARGUMENT, "the number of tokens must be 1 to %d",
                       GENERATE_MAX_TOKENS);
    if (!(options->temperature >= 0 && options->temperature <= GENERATE_MAX_TEMPERATURE))
        return err_set(err, ERR_ARGUMENT, "the temperature must be 0 to %g",
                       GENERATE_MAX_TEMPERATURE);
    if (!(options->top_p > 0 && options->top_p <= 1))
        return err_set(err, ERR_ARGUMENT, "top_p must be above 0 and at most 1");
    if (options->stop_count > GENERATE_MAX_STOPS)
        return err_set(err, ERR_ARGUMENT, "%zu stops, allowed are %d", options->stop_count,
                       GENERATE_MAX_STOPS);
    for (size_t i = 0; i < options->stop_count; i++) {
        const size_t len = strlen(options->stops[i]);
        if (len < 1 || len > GENERATE_MAX_STOP_BYTES)
            return err_set(err, ERR_ARGUMENT, "a stop has %zu bytes, allowed are 1 to %d", len,
                           GENERATE_MAX_STOP_BYTES);
        if (utf8_check(options->stops[i], len, err) < 0)
            return err_context(err, "a stop");
    }
    return 0;
}

static int keep_stops(struct generation *generation, const struct generate_options *options,
                      struct err *err)
{
    for (size_t i = 0; i < options->stop_count; i++) {
        generation->stops[i] = mem_copy_text(options->stops[i], strlen(options->stops[i]), err);
        if (generation->stops[i] == NULL)
            return ERR_MEMORY;
        generation->stop_count++;
    }
    return 0;
}

static int take_prompt(struct generation *generation, const char *prompt, size_t len,
                       struct err *err)
{
    struct encoded encoded = {.count = 0};
    size_t lead;
    int code = generate_ids(generation->model, prompt, len, &encoded, &generation->prompt,
                            &generation->prompt_count, &lead, err);
    encoded_release(&encoded);
    return code;
}

/* A few of the prompt's tokens, so that a long prompt holds up nobody else. */
static int read_prompt(struct generation *generation, size_t most)
{
    const size_t rest = generation->prompt_count - generation->prompt_read;
    generation->next = generation->prompt + generation->prompt_read;
    generation->next_count = rest < most ? rest : most;
    generation->prompt_read += generation->next_count;
    return 1;
}

/* The first tokens of a hypothesis, as many as are wanted, become the pending text. A search that
   may only say so much would prefer what ends early, so the whole is said and then cut. */
static int keep_caption(struct generation *generation, const struct hypothesis *best,
                        struct err *err)
{
    const size_t most = generation->max_tokens, whole = best->count + (best->truncated ? 0 : 1);
    const size_t kept = best->count < most ? best->count : most;
    struct buf *pending = &generation->pending;
    if (tokenizer_decode(generation->model->tokenizer, best->ids, kept, pending, err) < 0 ||
        buf_char(pending, '\0', err) < 0) /* stops are sought in it */
        return err->code;
    pending->len--;
    generation->said = true;
    generation->tokens = whole < most ? whole : most;
    generation->log_probability = (double)best->log_probability;
    generation->end = whole > most || best->truncated ? GENERATION_LENGTH : GENERATION_END;
    return 0;
}

/* The whole text of a model of rows of numbers. */
static int say_caption(struct generation *generation, const struct generate_condition *condition,
                       size_t prompt, struct err *err)
{
    const struct model *model = generation->model;
    const struct spec *spec = &model->spec;
    const struct decode_options options = {
        .beam = spec->beam, .nbest = 1, .length_penalty = spec->length_penalty};
    struct decode_result *result;
    if (condition == NULL || condition->values == NULL || condition->label != NULL)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" needs rows of %zu numbers", spec->name,
                       spec->row);
    if (prompt > 0)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" takes no prompt", spec->name);
    if (model_decode_rows(model, condition->values, condition->rows, condition->width, &options,
                          &result, err) < 0)
        return err->code;
    const int code = keep_caption(generation, &result->hypotheses[0], err);
    decode_result_free(result);
    return code;
}

/* The state after the prompt; a caption is said at once. */
static int begin(struct generation *generation, const struct generate_condition *condition,
                 const char *prompt, size_t len, struct err *err)
{
    if (generation->model->seq2seq != NULL && generation->model->spec.task == SPEC_GENERATION)
        return say_caption(generation, condition, len, err);
    const int code = generate_walk(generation->model, condition, &generation->walk, err);
    return code < 0 ? code : take_prompt(generation, prompt, len, err);
}

int generation_new(struct generation **generation, struct model *model,
                   const struct generate_condition *condition, const char *prompt, size_t len,
                   const struct generate_options *options, struct err *err)
{
    if (check_options(options, err) < 0)
        return err->code;
    struct generation *made = mem_alloc(1, sizeof *made, err);
    if (made == NULL)
        return ERR_MEMORY;
    made->model = model_retain(model);
    made->settings = (struct sample_settings){options->temperature, options->top_k, options->top_p};
    made->max_tokens = options->max_tokens;
    made->drop_space = len == 0 && !model->spec.stream && tokenizer_adds_space(model->tokenizer);
    rng_seed(&made->rng, options->seed, STREAM_SAMPLE);
    const size_t vocabulary = model->spec.vocabulary;
    made->logits = mem_alloc(vocabulary, sizeof *made->logits, err);
    made->probabilities = mem_alloc(vocabulary, sizeof *made->probabilities, err);
    made->scratch = mem_alloc(vocabulary, sizeof *made->scratch, err);
    int code = ERR_MEMORY;
    if (made->logits != NULL && made->probabilities != NULL && made->scratch != NULL)
        code = keep_stops(made, options, err);
    if (code == 0)
        code = begin(made, condition, prompt, len, err);
    if (code < 0) {
        generation_free(made);
        return code;
    }
    *generation = made;
    return 0;
}

void generation_free(struct generation *generation)
{
    if (generation == NULL)
        return;
    buf_release(&generation->pending);
    for (size_t i = 0; i < generation->stop_count; i++)
        mem_free(generation->stops[i]);
    mem_free(generation->scratch);
    mem_free(generation->probabilities);
    mem_free(generation->logits);
    mem_free(generation->prompt);
    rnn_walk_free(generation->walk);
    model_release(generation->model);
    mem_free(generation);
}

enum generation_end generation_end(const struct generation *generation)
{
    return generation->end;
}

size_t generation_tokens(const struct generation *generation)
{
    return generation->tokens;
}

double generation_log_probability(const struct generation *generation)
{
    return generation->log_probability;
}

/*
 * A step
 */

/* The next id. Those that are no text are never drawn; an end only where texts have one. */
static int32_t draw(struct generation *generation)
{
    const size_t count = generation->model->spec.vocabulary;
    memcpy(generation->logits, generation->outputs, count * sizeof *generation->logits);
    generation->logits[TOKEN_PAD] = generation->logits[TOKEN_BOS] = -INFINITY;
    generation->logits[TOKEN_UNK] = -INFINITY;
    if (generation->model->spec.stream)
        generation->logits[TOKEN_EOS] = -INFINITY;
    sample_distribution(&generation->settings, count, generation->logits, generation->probabilities,
                        generation->scratch);
    return (int32_t)sample_draw(count, generation->probabilities, &generation->rng);
}

/* Where the first stop in the text begins; false where there is none. */
static bool find_stop(const struct generation *generation, size_t *at)
{
    const char *found = NULL;
    for (size_t i = 0; i < generation->stop_count && generation->pending.len > 0; i++) {
        const char *here = strstr(generation->pending.data, generation->stops[i]);
        if (here != NULL && (found == NULL || here < found))
            found = here;
    }
    if (found != NULL)
        *at = (size_t)(found - generation->pending.data);
    return found != NULL;
}

/* Whether the text from `at` on is the beginning of a stop. */
static bool may_become_stop(const struct generation *generation, size_t at)
{
    const size_t len = generation->pending.len - at;
    for (size_t i = 0; i < generation->stop_count; i++)
        if (strncmp(generation->stops[i], generation->pending.data + at, len) == 0)
            return true;
    return false;
}

/* How much of the pending text is certain. */
static size_t certain(const struct generation *generation)
{
    const struct buf *pending = &generation->pending;
    size_t at = pending->len > GENERATE_MAX_STOP_BYTES ? pending->len - GENERATE_MAX_STOP_BYTES : 0;
    while (at < pending->len && !may_become_stop(generation, at))
        at++;
    /* A character that is not whole has at most three bytes so far, its first one 11xxxxxx. */
    for (size_t back = 1; back <= 3 && back <= at; back++) {
        const unsigned char byte = (unsigned char)pending->data[at - back];
        if ((byte & 0xC0) == 0x80)
            continue;
        const size_t whole = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
        return whole > back ? at - back : at;
    }
    return at;
}

/* Hands out `len` bytes of the pending text. */
static int hand_out(struct generation *generation, size_t len, struct buf *out, struct err *err)
{
    struct buf *pending = &generation->pending;
    if (len == 0)
        return 0;
    const int code = utf8_repair(pending->data, len, out, err);
    if (code == 0) {
        memmove(pending->data, pending->data + len, pending->len - len + 1); /* with the NUL */
        pending->len -= len;
    }
    return code;
}

/* Adds the token's text. NUL, which a byte token may be, is no text. */
static int add_text(struct generation *generation, int32_t id, struct err *err)
{
    struct buf *pending = &generation->pending;
    const size_t begin = pending->len;
    if (tokenizer_append(generation->model->tokenizer, id, pending, err) < 0)
        return err->code;
    const size_t added = pending->len - begin;
    if (added > 0 && generation->drop_space && pending->data[begin] == ' ') {
        memmove(pending->data + begin, pending->data + begin + 1, added); /* with the NUL */
        pending->len--;
    }
    generation->drop_space = generation->drop_space && added == 0;
    if (pending->len > begin && memchr(pending->data + begin, '\0', pending->len - begin) != NULL)
        pending->len = begin;
    if (pending->data != NULL)
        pending->data[pending->len] = '\0';
    return 0;
}

static int finish(struct generation *generation, enum generation_end end, size_t len,
                  struct buf *out, struct err *err)
{
    generation->done = true;
    generation->end = end;
    return hand_out(generation, len, out, err);
}

/* After a token: 1 while it goes on. */
static int go_on(struct generation *generation, int32_t id, struct buf *out, struct err *err)
{
    size_t stop;
    if (id == TOKEN_EOS)
        return finish(generation, GENERATION_END, generation->pending.len, out, err);
    if (add_text(generation, id, err) < 0)
        return err->code;
    if (find_stop(generation, &stop))
        return finish(generation, GENERATION_STOP, stop, out, err);
    if (generation->tokens == generation->max_tokens)
        return finish(generation, GENERATION_LENGTH, generation->pending.len, out, err);
    if (hand_out(generation, certain(generation), out, err) < 0)
        return err->code;
    generation->drawn = id;
    generation->next = &generation->drawn;
    generation->next_count = 1;
    return 1;
}

/* All of a step but what the walk then reads, `most` tokens of the prompt: 1 where there is some.
 */
static int decide(struct generation *generation, size_t most, struct buf *out, struct err *err)
{
    const size_t vocabulary = generation->model->spec.vocabulary;
    size_t stop;
    if (generation->done)
        return 0;
    if (generation->said)
        return find_stop(generation, &stop)
                   ? finish(generation, GENERATION_STOP, stop, out, err)
                   : finish(generation, generation->end, generation->pending.len, out, err);
    if (generation->prompt_read < generation->prompt_count)
        return read_prompt(generation, most);
    const int32_t id = draw(generation);
    generation->tokens++;
    generation->log_probability +=
        (double)generation->outputs[id] - (double)softmax_log_sum(vocabulary, generation->outputs);
    return go_on(generation, id, out, err);
}

int generation_step(struct generation *generation, struct buf *out, struct err *err)
{
    int code = decide(generation, PROMPT_STEP, out, err);
    for (size_t i = 0; code > 0 && i < generation->next_count; i++)
        if (rnn_walk_step(generation->walk, generation->next[i], &generation->outputs, err) < 0)
            code = err->code;
    return code;
}

/*
 * Many texts
 */

struct generation_company {
    struct rnn_reader *reader;
    struct rnn_reading *readings; /* [most] */
};

int generation_company_new(struct generation_company **company, const struct model *model,
                           size_t most, struct err *err)
{
    if (model->rnn == NULL || model->spec.task != SPEC_GENERATION)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" does not generate", model->spec.name);
    struct generation_company *made = mem_alloc(1, sizeof *made, err);
    if (made == NULL)
        return ERR_MEMORY;
    made->readings = mem_alloc(most, sizeof *made->readings, err);
    int code = made->readings == NULL ? ERR_MEMORY : 0;
    if (code == 0)
        code = rnn_reader_new(&made->reader, model->rnn, most, most + PROMPTS_STEP, err);
    if (code < 0) {
        generation_company_free(made);
        return code;
    }
    *company = made;
    return 0;
}

void generation_company_free(struct generation_company *company)
{
    if (company == NULL)
        return;
    rnn_reader_free(company->reader);
    mem_free(company->readings);
    mem_free(company);
}

void generation_company_step(struct generation_company *company, struct generation_turn *turns,
                             size_t count)
{
    size_t reading = 0, spare = PROMPTS_STEP;
    for (size_t i = 0; i < count; i++) {
        const struct generation *generation = turns[i].generation;
        const size_t most = spare < PROMPT_STEP ? 1 + spare : PROMPT_STEP;
        turns[i].code = decide(turns[i].generation, most, turns[i].out, &turns[i].err);
        if (turns[i].code <= 0)
            continue;
        company->readings[reading++] = (struct rnn_reading){
            .walk = generation->walk, .ids = generation->next, .count = generation->next_count};
        spare -= generation->next_count - 1;
    }
    rnn_read(company->reader, company->readings, reading);
    for (size_t i = 0, at = 0; i < count; i++) {
        if (turns[i].code <= 0)
            continue;
        const struct rnn_reading *read = &company->readings[at++];
        turns[i].generation->outputs = read->outputs;
        if (read->overflows)
            turns[i].code = rnn_overflow(&turns[i].err);
    }
}
