/* One request and one answer, what they are made of, and how dragomanctl speaks of failures. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "cmd/ctl.h"
#include "text/rows.h"

/* What the client waits longer than the server, so that the server's own word comes first. */
#define GRACE_MS 500

void ctl_complain(const char *format, ...)
{
    va_list list;
    fflush(stdout);
    fputs("dragomanctl: ", stderr);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

int ctl_client_failed(const struct ctl *ctl, int code)
{
    ctl_complain("%s", dragoman_client_message(ctl->client));
    switch ((enum dragoman_client_code)code) {
    case DRAGOMAN_CLIENT_ADDRESS_BAD:
        return CTL_USAGE;
    case DRAGOMAN_CLIENT_CONNECT:
    case DRAGOMAN_CLIENT_LOST:
        return CTL_CONNECTION;
    case DRAGOMAN_CLIENT_TIMEOUT:
        return CTL_TIMEOUT;
    case DRAGOMAN_CLIENT_OK:
    case DRAGOMAN_CLIENT_MEMORY:
    case DRAGOMAN_CLIENT_LIMIT:
        break;
    }
    return CTL_FAILED;
}

void ctl_refused(const char *what, const json_t *error)
{
    const char *message = json_string_value(json_object_get(error, "message"));
    const char *reason =
        json_string_value(json_object_get(json_object_get(error, "data"), "reason"));
    json_int_t code = json_integer_value(json_object_get(error, "code"));
    ctl_complain("%s: %s (%" JSON_INTEGER_FORMAT ", %s)", what, message ? message : "error", code,
                 reason ? reason : "no reason given");
}

int ctl_timeout_ms(const struct ctl *ctl)
{
    return (int)ceil(ctl->settings.timeout * 1000);
}

int ctl_send(struct ctl *ctl, const char *method, json_t *params)
{
    json_t *request = json_pack("{s:s, s:i, s:s, s:o*}", "jsonrpc", "2.0", "id", 1, "method",
                                method, "params", params);
    char *line = request ? json_dumps(request, CTL_DUMP) : NULL;
    int code = line ? dragoman_client_send(ctl->client, line, strlen(line)) : 0;
    free(line);
    json_decref(request);
    if (!line) {
        ctl_complain("out of memory");
        return CTL_FAILED;
    }
    return code < 0 ? ctl_client_failed(ctl, code) : CTL_FINE;
}

int ctl_open(const char *method, const char *line, size_t len, json_t **result)
{
    json_error_t where;
    json_t *answer = json_loadb(line, len, JSON_ALLOW_NUL, &where);
    json_t *error = json_object_get(answer, "error");
    int status = CTL_FINE;
    *result = json_incref(json_object_get(answer, "result"));
    if (error) {
        ctl_refused(method, error);
        status = CTL_REFUSED;
    } else if (!json_is_object(*result)) {
        ctl_complain("%s: the answer is not JSON-RPC: %s", method,
                     answer ? "no result" : where.text);
        status = CTL_REFUSED;
    }
    if (status != CTL_FINE) {
        json_decref(*result);
        *result = NULL;
    }
    json_decref(answer);
    return status;
}

int ctl_receive(struct ctl *ctl, const char **line, size_t *len)
{
    int code = dragoman_client_receive(ctl->client, line, len, ctl_timeout_ms(ctl) + GRACE_MS);
    return code < 0 ? ctl_client_failed(ctl, code) : CTL_FINE;
}

int ctl_ask(struct ctl *ctl, const char *method, json_t *params, json_t **result)
{
    const char *line;
    size_t len;
    int status = ctl_send(ctl, method, params);
    if (status != CTL_FINE)
        return status;
    status = ctl_receive(ctl, &line, &len);
    return status != CTL_FINE ? status : ctl_open(method, line, len, result);
}

void ctl_put_text(json_t *params, const char *name, const char *value)
{
    if (value)
        json_object_set_new(params, name, json_string(value));
}

void ctl_put_number(json_t *params, const char *name, int64_t value)
{
    if (value)
        json_object_set_new(params, name, json_integer(value));
}

json_t *ctl_rows(const char *text, size_t len, struct err *err)
{
    struct rows rows;
    if (rows_parse(&rows, text, len, err) < 0)
        return NULL;
    json_t *grid = json_array();
    for (size_t i = 0; i < rows.count; i++) {
        json_t *row = json_array();
        for (size_t j = 0; j < rows.width; j++)
            json_array_append_new(row, json_real((double)rows.values[i * rows.width + j]));
        json_array_append_new(grid, row);
    }
    rows_release(&rows);
    if (!grid)
        err_set(err, ERR_MEMORY, "out of memory");
    return grid;
}
