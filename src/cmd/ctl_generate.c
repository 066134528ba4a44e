/* generate: a text after each prompt, shown while it is written. With --json the whole results. */
#include <stdio.h>
#include <string.h>
#include "cmd/ctl.h"

/* Adds the features; a single row is a vector. */
static int put_features(json_t *params, const char *text)
{
    struct err err = ERR_INIT;
    json_t *rows = ctl_rows(text, strlen(text), &err);
    if (!rows) {
        ctl_complain("--features: %s", err.message);
        return CTL_USAGE;
    }
    if (json_array_size(rows) == 1)
        json_object_set(params, "features", json_array_get(rows, 0));
    else
        json_object_set(params, "features", rows);
    json_decref(rows);
    return CTL_FINE;
}

static void put_stops(json_t *params, const struct opt_list *stops)
{
    if (stops->count == 0)
        return;
    json_t *array = json_array();
    for (size_t i = 0; i < stops->count; i++)
        json_array_append_new(array, json_string(stops->items[i]));
    json_object_set_new(params, "stop", array);
}

/* Parameters of all texts but for prompt and seed. */
static int make_params(const struct ctl *ctl, json_t *params)
{
    const struct ctl_settings *settings = &ctl->settings;
    ctl_put_text(params, "model", settings->model);
    ctl_put_text(params, "label", settings->label);
    ctl_put_number(params, "max_tokens", settings->max_tokens);
    ctl_put_number(params, "top_k", settings->top_k);
    ctl_put_number(params, "timeout_ms", ctl_timeout_ms(ctl));
    json_object_set_new(params, "temperature", json_real(settings->temperature));
    json_object_set_new(params, "top_p", json_real(settings->top_p));
    put_stops(params, &settings->stop);
    if (!settings->json)
        json_object_set_new(params, "stream", json_true());
    return settings->features ? put_features(params, settings->features) : CTL_FINE;
}

/* Shows a piece of text. False: the line is the answer. */
static bool show_piece(const char *line, size_t len)
{
    json_t *message = json_loadb(line, len, JSON_ALLOW_NUL, NULL);
    bool piece = json_object_get(message, "method") != NULL;
    const json_t *text = json_object_get(json_object_get(message, "params"), "text");
    if (piece && json_is_string(text)) {
        fwrite(json_string_value(text), 1, json_string_length(text), stdout);
        fflush(stdout);
    }
    json_decref(message);
    return piece;
}

static int write_one(struct ctl *ctl, json_t *params)
{
    const char *line;
    size_t len;
    json_t *result = NULL;
    bool shown = false;
    int status = ctl_send(ctl, "generate", json_incref(params));
    if (status == CTL_FINE)
        status = ctl_receive(ctl, &line, &len);
    while (status == CTL_FINE && show_piece(line, len)) {
        shown = true;
        status = ctl_receive(ctl, &line, &len);
    }
    if (status == CTL_FINE)
        status = ctl_open("generate", line, len, &result);
    if (result && ctl->settings.json)
        json_dumpf(result, stdout, CTL_DUMP);
    if (result || shown)
        putchar('\n');
    fflush(stdout);
    json_decref(result);
    return status;
}

/* As many texts as wanted, each with the seed after the last one's. */
static int write_all(struct ctl *ctl, json_t *params, const char *prompt)
{
    int status = CTL_FINE;
    json_t *text = json_string(prompt);
    if (!text) {
        ctl_complain("the prompt is not UTF-8");
        return CTL_USAGE;
    }
    json_object_set_new(params, "prompt", text);
    for (int64_t i = 0; i < ctl->settings.count && status == CTL_FINE; i++) {
        if (ctl->settings.seed)
            ctl_put_number(params, "seed", ctl->settings.seed + i);
        status = write_one(ctl, params);
    }
    return status;
}

int ctl_generate(struct ctl *ctl)
{
    json_t *params = json_object();
    int status = make_params(ctl, params);
    if (status == CTL_FINE && ctl->text_count == 0)
        status = write_all(ctl, params, "");
    for (int i = 0; i < ctl->text_count && status == CTL_FINE; i++)
        status = write_all(ctl, params, ctl->texts[i]);
    json_decref(params);
    return status;
}
