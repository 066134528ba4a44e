/* Fuzz target: lines of the protocol. Each call that comes out can be carried out or names its
   error; its texts are UTF-8 and within the limits of the server. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "serve/proto.h"
#include "text/utf8.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_call(const struct proto_call *call, const struct proto_context *context)
{
    const struct proto_params *params = &call->params;
    if (call->error.code != PROTO_OK) {
        require(call->error.message[0] != '\0');
        return;
    }
    require(call->has_method && call->method < PROTO_METHODS);
    require(params->text_count <= context->max_texts);
    for (size_t i = 0; i < params->text_count; i++) {
        const struct proto_text *text = &params->texts[i];
        require(text->len <= context->max_text);
        require(utf8_valid_length(text->data, text->len) == text->len);
    }
    require(params->stop_count <= PROTO_MAX_STOPS && params->rows.count <= context->max_rows);
    for (size_t i = 0; i < params->stop_count; i++)
        require(params->stops[i][0] != '\0' && strlen(params->stops[i]) <= PROTO_MAX_STOP);
    for (size_t i = 0; i < params->rows.count * params->rows.width; i++)
        require(fabsf(params->rows.values[i]) <= PROTO_MAX_NUMBER);
    require(params->max_tokens >= 1 && (size_t)params->max_tokens <= context->max_tokens);
    require(params->temperature >= 0 && params->top_p >= 0 && params->top_p <= 1);
}

static void check_line(const uint8_t *data, size_t size, const struct proto_context *context)
{
    struct proto_message *message = NULL;
    struct err err = ERR_INIT;
    require(proto_parse(&message, (const char *)data, size, context, &err) == 0);
    if (!message)
        return;
    require(message->count >= 1 && message->count <= context->max_batch);
    for (size_t i = 0; i < message->count; i++)
        check_call(&message->calls[i], context);
    proto_message_release(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct proto_context open = {.max_text = 65536,
                                       .max_texts = 256,
                                       .max_batch = 256,
                                       .max_tokens = 4096,
                                       .max_rows = 4096,
                                       .local = true};
    const struct proto_context strict = {
        .max_text = 10, .max_texts = 2, .max_batch = 3, .max_tokens = 1, .max_rows = 1};
    const struct proto_context stopping = {
        .max_text = 10, .max_texts = 2, .max_batch = 3, .draining = true};
    check_line(data, size, &open);
    check_line(data, size, &strict);
    check_line(data, size, &stopping);
    return 0;
}
