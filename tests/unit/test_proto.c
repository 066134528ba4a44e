/* The protocol's parser: what each malformed line is told, in which order the checks run, and what
   a good line becomes. */
#include <string.h>

#include "../fault/fault.h"
#include "serve/proto.h"
#include "serve/proto_answer.h"
#include "unit.h"

#define HEAD "{\"jsonrpc\":\"2.0\",\"id\":1,"
#define TRANSLATE HEAD "\"method\":\"translate\",\"params\":"

static const struct proto_context usual = {
    .max_text = 20, .max_texts = 3, .max_batch = 4, .local = true};

static struct proto_message *parse(const char *line, size_t len)
{
    struct proto_message *message = NULL;
    struct err err = ERR_INIT;
    assert_fine(proto_parse(&message, line, len, &usual, &err), err);
    return message;
}

static struct proto_message *parse_text(const char *line)
{
    struct proto_message *message = parse(line, strlen(line));
    assert_non_null(message);
    return message;
}

struct bad_line {
    const char *line, *id; /* the id of the answer; NULL: a notification */
    int code;
    const char *data;
};

static void check_bad(const struct proto_message *message, const struct bad_line *bad)
{
    assert_int_equal(message->count, 1);
    const struct proto_call *call = &message->calls[0];
    if (call->error.code != (enum proto_code)bad->code || !call->error.data.data ||
        strcmp(call->error.data.data, bad->data) != 0)
        fail_msg("%s: got %d {%s}", bad->line, (int)call->error.code,
                 call->error.data.data ? call->error.data.data : "");
    assert_true(call->error.message[0] != '\0');
    if (bad->id)
        assert_string_equal(call->id, bad->id);
    else
        assert_null(call->id);
}

static void bad_lines_are_told_why(void **state)
{
    (void)state;
    static const struct bad_line lines[] = {
        /* JSON */
        {"nonsense", "null", -32700, "\"reason\":\"syntax\",\"offset\":8"},
        {"{", "null", -32700, "\"reason\":\"syntax\",\"offset\":1"},
        {"[1,2", "null", -32700, "\"reason\":\"syntax\",\"offset\":4"},
        {"{}{}", "null", -32700, "\"reason\":\"syntax\",\"offset\":3"},
        {"{\"a\":1,}", "null", -32700, "\"reason\":\"syntax\",\"offset\":8"},
        {"{\"a\":\"\x01\"}", "null", -32700, "\"reason\":\"syntax\",\"offset\":6"},
        {"{\"a\":\"tab\there\"}", "null", -32700, "\"reason\":\"syntax\",\"offset\":9"},
        {"{\"a\":\"\\ud800\"}", "null", -32700, "\"reason\":\"syntax\",\"offset\":13"},
        {"{\"a\":\"\\udc00\"}", "null", -32700, "\"reason\":\"syntax\",\"offset\":13"},
        {"{\"a\":\"\\x\"}", "null", -32700, "\"reason\":\"syntax\",\"offset\":8"},
        {"{\"a\\u0000b\":1}", "null", -32700, "\"reason\":\"syntax\",\"offset\":11"},
        {"{\"a\":1,\"a\":2}", "null", -32700, "\"reason\":\"duplicate_name\",\"offset\":10"},
        {"{\"a\":NaN}", "null", -32700, "\"reason\":\"syntax\",\"offset\":8"},
        {"{\"a\":01}", "null", -32700, "\"reason\":\"syntax\",\"offset\":6"},
        {"{\"a\":9223372036854775808}", "null", -32700,
         "\"reason\":\"number_range\",\"offset\":24"},
        {"{\"a\":-9223372036854775809}", "null", -32700,
         "\"reason\":\"number_range\",\"offset\":25"},
        {"{\"a\":1e999}", "null", -32700, "\"reason\":\"number_range\",\"offset\":10"},
        {"{\"a\":\"\xff\"}", "null", -32700, "\"reason\":\"invalid_utf8\",\"offset\":6"},
        {"\"caf\xc3\"", "null", -32700, "\"reason\":\"invalid_utf8\",\"offset\":4"},
        {"\"\xed\xa0\x80\"", "null", -32700, "\"reason\":\"invalid_utf8\",\"offset\":1"},
        {"\"\xc0\x80\"", "null", -32700, "\"reason\":\"invalid_utf8\",\"offset\":1"},
        {"\"\xf4\x90\x80\x80\"", "null", -32700, "\"reason\":\"invalid_utf8\",\"offset\":1"},
        {"\xef\xbb\xbf{}", "null", -32700, "\"reason\":\"syntax\",\"offset\":3"},
        /* the request itself */
        {"42", "null", -32600, "\"reason\":\"not_object\""},
        {"null", "null", -32600, "\"reason\":\"not_object\""},
        {"\"text\"", "null", -32600, "\"reason\":\"not_object\""},
        {"[]", "null", -32600, "\"reason\":\"empty_batch\""},
        {"{}", "null", -32600, "\"reason\":\"jsonrpc\""},
        {"{\"id\":7}", "7", -32600, "\"reason\":\"jsonrpc\""},
        {"{\"jsonrpc\":2.0,\"id\":7,\"method\":\"health\"}", "7", -32600, "\"reason\":\"jsonrpc\""},
        {"{\"jsonrpc\":\"2.0\\u0000\",\"id\":7,\"method\":\"health\"}", "7", -32600,
         "\"reason\":\"jsonrpc\""},
        {"{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"health\"}", "null", -32600,
         "\"reason\":\"id\""},
        {"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"health\"}", "null", -32600,
         "\"reason\":\"id\""},
        {HEAD "\"method\":7}", "1", -32600, "\"reason\":\"method\""},
        {"{\"jsonrpc\":\"2.0\",\"method\":7}", "null", -32600, "\"reason\":\"method\""},
        {HEAD "\"method\":\"health\",\"params\":7}", "1", -32600, "\"reason\":\"params\""},
        {HEAD "\"method\":\"health\",\"params\":null}", "1", -32600, "\"reason\":\"params\""},
        {HEAD "\"method\":\"health\",\"params\":[]}", "1", -32602, "\"reason\":\"by_position\""},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"health\",\"params\":[]}", NULL, -32602,
         "\"reason\":\"by_position\""},
        /* parameters */
        {HEAD "\"method\":\"translate\"}", "1", -32602, "\"reason\":\"missing\",\"path\":\"text\""},
        {TRANSLATE "{}}", "1", -32602, "\"reason\":\"missing\",\"path\":\"text\""},
        {TRANSLATE "{\"text\":\"x\",\"baem\":5}}", "1", -32602,
         "\"reason\":\"unknown\",\"path\":\"baem\""},
        {HEAD "\"method\":\"health\",\"params\":{\"x\":1}}", "1", -32602,
         "\"reason\":\"unknown\",\"path\":\"x\""},
        {TRANSLATE "{\"text\":7}}", "1", -32602,
         "\"reason\":\"type\",\"path\":\"text\",\"expected\":\"string or array of strings\""},
        {TRANSLATE "{\"text\":[\"a\",null]}}", "1", -32602,
         "\"reason\":\"type\",\"path\":\"text[1]\",\"expected\":\"string\""},
        {TRANSLATE "{\"text\":\"x\",\"model\":null}}", "1", -32602,
         "\"reason\":\"type\",\"path\":\"model\",\"expected\":\"string\""},
        {TRANSLATE "{\"text\":\"x\",\"beam\":5.0}}", "1", -32602,
         "\"reason\":\"type\",\"path\":\"beam\",\"expected\":\"integer\""},
        {TRANSLATE "{\"text\":\"x\",\"alignment\":1}}", "1", -32602,
         "\"reason\":\"type\",\"path\":\"alignment\",\"expected\":\"boolean\""},
        {TRANSLATE "{\"text\":\"x\",\"source\":\"en\"}}", "1", -32602,
         "\"reason\":\"missing\",\"path\":\"target\""},
        {TRANSLATE "{\"text\":\"x\",\"target\":\"en\"}}", "1", -32602,
         "\"reason\":\"missing\",\"path\":\"source\""},
        {TRANSLATE "{\"text\":\"x\",\"beam\":0}}", "1", -32602,
         "\"reason\":\"range\",\"path\":\"beam\",\"min\":1,\"max\":16"},
        {TRANSLATE "{\"text\":\"x\",\"beam\":-9223372036854775808}}", "1", -32602,
         "\"reason\":\"range\",\"path\":\"beam\",\"min\":1,\"max\":16"},
        {TRANSLATE "{\"text\":\"x\",\"beam\":3,\"nbest\":4}}", "1", -32602,
         "\"reason\":\"range\",\"path\":\"nbest\",\"min\":1,\"max\":3"},
        {TRANSLATE "{\"text\":\"x\",\"timeout_ms\":600001}}", "1", -32602,
         "\"reason\":\"range\",\"path\":\"timeout_ms\",\"min\":1,\"max\":600000"},
        {TRANSLATE "{\"text\":\"x\",\"model\":\"a\\u0000b\"}}", "1", -32602,
         "\"reason\":\"control_character\",\"path\":\"model\",\"offset\":1"},
        {TRANSLATE "{\"text\":\"a\\u0000b\"}}", "1", -32602,
         "\"reason\":\"control_character\",\"path\":\"text\",\"offset\":1"},
        {TRANSLATE "{\"text\":[\"ab\\u001b\"]}}", "1", -32602,
         "\"reason\":\"control_character\",\"path\":\"text[0]\",\"offset\":2"},
        {TRANSLATE "{\"text\":\"\\u007f\"}}", "1", -32602,
         "\"reason\":\"control_character\",\"path\":\"text\",\"offset\":0"},
        {TRANSLATE "{\"text\":\"123456789012345678901\"}}", "1", -32002,
         "\"reason\":\"text_too_long\",\"path\":\"text\",\"limit\":20,\"actual\":21"},
        {TRANSLATE "{\"text\":[\"\",\"\",\"\",\"\"]}}", "1", -32002,
         "\"reason\":\"too_many_texts\",\"path\":\"text\",\"limit\":3,\"actual\":4"},
        {"[1,2,3,4,5]", "null", -32002, "\"reason\":\"batch_too_long\",\"limit\":4"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct proto_message *message = parse_text(lines[i].line);
        check_bad(message, &lines[i]);
        proto_message_release(message);
    }
}

static void raw_nul_is_refused(void **state)
{
    (void)state;
    static const char line[] = "{\"a\":\0 1}";
    struct proto_message *message = parse(line, sizeof line - 1);
    assert_int_equal(message->calls[0].error.code, PROTO_PARSE_ERROR);
    proto_message_release(message);
}

static void unknown_method_lists_methods(void **state)
{
    (void)state;
    struct proto_message *message = parse_text(HEAD "\"method\":\"health\\u0000\"}");
    assert_int_equal(message->calls[0].error.code, PROTO_UNKNOWN_METHOD);
    assert_string_equal(message->calls[0].error.data.data,
                        "\"reason\":\"unknown_method\",\"methods\":[\"admin.log\","
                        "\"admin.reload\",\"classify\",\"health\",\"models\",\"stats\","
                        "\"translate\",\"version\"]");
    proto_message_release(message);
}

static void client_text_in_errors_is_cut_at_a_character(void **state)
{
    (void)state;
    char line[400], name[200];
    size_t len = 0;
    name[len++] = 'x'; /* so that byte 64 is inside a character */
    for (int i = 0; i < 60; i++) {
        memcpy(name + len, "\xc3\xa9", 2);
        len += 2;
    }
    name[len] = '\0';
    snprintf(line, sizeof line, HEAD "\"method\":\"health\",\"params\":{\"%s\":1}}", name);
    struct proto_message *message = parse_text(line);
    char expected[256];
    snprintf(expected, sizeof expected, "\"reason\":\"unknown\",\"path\":\"%.63s\"", name);
    assert_string_equal(message->calls[0].error.data.data, expected);
    proto_message_release(message);
}

static void nest(char *line, size_t levels)
{
    memset(line, '[', levels);
    memset(line + levels, ']', levels);
    line[2 * levels] = '\0';
}

static void depth_and_values_are_bounded(void **state)
{
    (void)state;
    static char line[2 * PROTO_MAX_VALUES + 16];
    nest(line, PROTO_MAX_DEPTH);
    struct proto_message *message = parse_text(line);
    assert_int_equal(message->calls[0].error.code, PROTO_INVALID_REQUEST);
    proto_message_release(message);
    nest(line, PROTO_MAX_DEPTH + 1);
    message = parse_text(line);
    assert_string_equal(message->calls[0].error.data.data, "\"reason\":\"too_deep\",\"offset\":32");
    proto_message_release(message);
    nest(line, PROTO_MAX_VALUES);
    message = parse_text(line);
    assert_int_equal(message->calls[0].error.code, PROTO_PARSE_ERROR);
    proto_message_release(message);
    size_t len = 0;
    line[len++] = '[';
    for (size_t i = 0; i < PROTO_MAX_VALUES; i++) {
        line[len++] = '1';
        line[len++] = ',';
    }
    line[len - 1] = ']';
    line[len] = '\0';
    message = parse_text(line);
    assert_memory_equal(message->calls[0].error.data.data, "\"reason\":\"too_many_values\"", 26);
    proto_message_release(message);
}

static void brackets_in_strings_do_not_nest(void **state)
{
    (void)state;
    struct proto_message *message = parse_text("{\"jsonrpc\":\"2.0\",\"id\":\"[[[[[[[[[[[[[[[[[[[[["
                                               "[[[[[[[[[[[[[[[[[[[[\\\"[[\",\"method\":"
                                               "\"health\"}");
    assert_int_equal(message->calls[0].error.code, PROTO_OK);
    proto_message_release(message);
}

static void blank_lines_are_nothing(void **state)
{
    (void)state;
    assert_null(parse("", 0));
    assert_null(parse(" \t \r", 4));
    struct proto_message *message = parse("\0", 1);
    assert_non_null(message);
    proto_message_release(message);
}

static void ids_come_back(void **state)
{
    (void)state;
    static const char *const ids[][2] = {
        {"1", "1"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"9223372036854775807", "9223372036854775807"},
        {"0.1", "0.1"},
        {"1e300", "1e+300"},
        {"-0.5", "-0.5"},
        {"3.141592653589793", "3.141592653589793"},
        {"0.30000000000000004", "0.30000000000000004"},
        {"null", "null"},
        {"\"\"", "\"\""},
        {"\"a\\u00e9\\n\\\"\\\\\\/\"", "\"a\xc3\xa9\\n\\\"\\\\/\""},
        {"\"\\u0000\"", "\"\\u0000\""},
        {"\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
    };
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        char line[200];
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"health\"}",
                 ids[i][0]);
        struct proto_message *message = parse_text(line);
        assert_int_equal(message->calls[0].error.code, PROTO_OK);
        assert_string_equal(message->calls[0].id, ids[i][1]);
        proto_message_release(message);
    }
}

static void long_ids_are_refused(void **state)
{
    (void)state;
    for (size_t len = PROTO_MAX_ID; len <= PROTO_MAX_ID + 1; len++) {
        char line[400];
        snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":\"%0*d\",\"method\":\"health\"}",
                 (int)len, 0);
        struct proto_message *message = parse_text(line);
        assert_int_equal(message->calls[0].error.code,
                         len > PROTO_MAX_ID ? PROTO_INVALID_REQUEST : PROTO_OK);
        proto_message_release(message);
    }
}

static void a_good_call_has_its_parameters(void **state)
{
    (void)state;
    struct proto_message *message = parse_text(
        " " TRANSLATE
        "{\"text\":[\"\",\"a\\tb\\n\",\"\xc3\xa9\"],\"model\":\"m\",\"source\":\"en\","
        "\"target\":\"fr\",\"beam\":16,\"nbest\":16,\"alignment\":true,\"timeout_ms\":1},"
        "\"more\":[{}]}\r");
    const struct proto_call *call = &message->calls[0];
    const struct proto_params *params = &call->params;
    assert_int_equal(call->error.code, PROTO_OK);
    assert_true(call->has_method && call->method == PROTO_TRANSLATE && !message->batch);
    assert_int_equal(params->text_count, 3);
    assert_true(params->is_list && params->alignment);
    assert_int_equal(params->texts[0].len, 0);
    assert_memory_equal(params->texts[1].data, "a\tb\n", 4);
    assert_int_equal(params->texts[2].len, 2);
    assert_string_equal(params->model, "m");
    assert_string_equal(params->source, "en");
    assert_string_equal(params->target, "fr");
    assert_int_equal(params->beam, 16);
    assert_int_equal(params->nbest, 16);
    assert_int_equal(params->timeout_ms, 1);
    proto_message_release(message);
}

static void batches_hold_good_and_bad(void **state)
{
    (void)state;
    struct proto_message *message =
        parse_text("[{\"jsonrpc\":\"2.0\",\"method\":\"health\"}," HEAD
                   "\"method\":\"classify\",\"params\":{\"text\":\"x\",\"top\":2}},[],"
                   "{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}]");
    assert_true(message->batch);
    assert_int_equal(message->count, 4);
    assert_null(message->calls[0].id);
    assert_int_equal(message->calls[0].error.code, PROTO_OK);
    assert_int_equal(message->calls[1].params.top, 2);
    assert_int_equal(message->calls[2].error.code, PROTO_INVALID_REQUEST);
    assert_string_equal(message->calls[2].id, "null");
    assert_int_equal(message->calls[3].error.code, PROTO_UNKNOWN_METHOD);
    assert_null(message->calls[3].id);
    proto_message_release(message);
}

static void permission_and_draining_come_before_parameters(void **state)
{
    (void)state;
    struct proto_context context = usual;
    struct proto_message *message;
    static const char log[] = HEAD "\"method\":\"admin.log\",\"params\":{\"x\":1}}";
    static const char translate[] = TRANSLATE "{\"x\":1}}";
    context.local = false;
    assert_int_equal(proto_parse(&message, log, sizeof log - 1, &context, NULL), 0);
    assert_int_equal(message->calls[0].error.code, PROTO_UNAUTHORIZED);
    proto_message_release(message);
    context.draining = true;
    assert_int_equal(proto_parse(&message, translate, sizeof translate - 1, &context, NULL), 0);
    assert_int_equal(message->calls[0].error.code, PROTO_DRAINING);
    proto_message_release(message);
}

static void answers_are_json_whatever_the_message(void **state)
{
    (void)state;
    struct proto_error error = {0};
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    proto_error_set(&error, PROTO_INTERNAL, "bug", "cut\xc3 \"quoted\"\n");
    proto_error_set(&error, PROTO_DRAINING, "draining", "later errors change nothing");
    proto_error_text(&error, "text", "a\0b", 3);
    proto_answer_error(&out, "\"id\"", &error, &err);
    assert_fine((int)err.code, err);
    assert_string_equal(out.data, "{\"jsonrpc\":\"2.0\",\"id\":\"id\",\"error\":{\"code\":-32007,"
                                  "\"message\":\"cut\xef\xbf\xbd \\\"quoted\\\"\\n\","
                                  "\"data\":{\"reason\":\"bug\",\"text\":\"a\\u0000b\"}}}");
    buf_release(&out);
    proto_error_release(&error);
}

static int parse_once(void *context, struct err *err)
{
    struct proto_message *message = NULL;
    int rc = proto_parse(&message, context, strlen(context), &usual, err);
    proto_message_release(message);
    return rc;
}

static void lack_of_memory_is_an_error(void **state)
{
    (void)state;
    /* Only a good line: after a failure a bad one may lack a part of its error's data instead. */
    static char line[] = "[{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"translate\",\"params\":"
                         "{\"text\":[\"x\"]}},{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":"
                         "\"health\"}]";
    fault_loop(parse_once, line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_lines_are_told_why),
        cmocka_unit_test(raw_nul_is_refused),
        cmocka_unit_test(unknown_method_lists_methods),
        cmocka_unit_test(client_text_in_errors_is_cut_at_a_character),
        cmocka_unit_test(depth_and_values_are_bounded),
        cmocka_unit_test(brackets_in_strings_do_not_nest),
        cmocka_unit_test(blank_lines_are_nothing),
        cmocka_unit_test(ids_come_back),
        cmocka_unit_test(long_ids_are_refused),
        cmocka_unit_test(a_good_call_has_its_parameters),
        cmocka_unit_test(batches_hold_good_and_bad),
        cmocka_unit_test(permission_and_draining_come_before_parameters),
        cmocka_unit_test(answers_are_json_whatever_the_message),
        cmocka_unit_test(lack_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
