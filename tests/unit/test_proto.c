/* The protocol's parser: what each malformed line is told, in which order the checks run, and what
   a good line becomes. */
#include <string.h>

#include "../fault/fault.h"
#include "serve/proto.h"
#include "serve/proto_answer.h"
#include "unit.h"

#define HEAD "{\"jsonrpc\":\"2.0\",\"id\":1,"
#define GENERATE HEAD "\"method\":\"generate\",\"params\":"
#define REGRESS HEAD "\"method\":\"regress\",\"params\":"
#define TRANSLATE HEAD "\"method\":\"translate\",\"params\":"

static const struct proto_context usual = {
    .max_text = 20, .max_texts = 3, .max_batch = 4, .max_tokens = 50, .max_rows = 2, .local = true};

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

static void check_all_bad(const struct bad_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct proto_message *message = parse_text(lines[i].line);
        check_bad(message, &lines[i]);
        proto_message_release(message);
    }
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
    check_all_bad(lines, sizeof lines / sizeof lines[0]);
}

static const struct bad_line bad_parameters[] = {
    {GENERATE "{\"text\":\"x\"}}", "1", -32602, "\"reason\":\"unknown\",\"path\":\"text\""},
    {GENERATE "{\"prompt\":[\"x\"]}}", "1", -32602,
     "\"reason\":\"type\",\"path\":\"prompt\",\"expected\":\"string\""},
    {GENERATE "{\"prompt\":\"123456789012345678901\"}}", "1", -32002,
     "\"reason\":\"text_too_long\",\"path\":\"prompt\",\"limit\":20,\"actual\":21"},
    {GENERATE "{\"prompt\":\"a\\u0000\"}}", "1", -32602,
     "\"reason\":\"control_character\",\"path\":\"prompt\",\"offset\":1"},
    {GENERATE "{\"max_tokens\":51}}", "1", -32602,
     "\"reason\":\"range\",\"path\":\"max_tokens\",\"min\":1,\"max\":50"},
    {GENERATE "{\"max_tokens\":0}}", "1", -32602,
     "\"reason\":\"range\",\"path\":\"max_tokens\",\"min\":1,\"max\":50"},
    {GENERATE "{\"max_tokens\":1.0}}", "1", -32602,
     "\"reason\":\"type\",\"path\":\"max_tokens\",\"expected\":\"integer\""},
    {GENERATE "{\"temperature\":100.1}}", "1", -32602,
     "\"reason\":\"range\",\"path\":\"temperature\",\"min\":0,\"max\":100"},
    {GENERATE "{\"temperature\":-1}}", "1", -32602,
     "\"reason\":\"range\",\"path\":\"temperature\",\"min\":0,\"max\":100"},
    {GENERATE "{\"temperature\":null}}", "1", -32602,
     "\"reason\":\"type\",\"path\":\"temperature\",\"expected\":\"number\""},
    {GENERATE "{\"top_p\":2}}", "1", -32602,
     "\"reason\":\"range\",\"path\":\"top_p\",\"min\":0,\"max\":1"},
    {GENERATE "{\"top_k\":0}}", "1", -32602,
     "\"reason\":\"range\",\"path\":\"top_k\",\"min\":1,\"max\":1000000"},
    {GENERATE "{\"seed\":-1}}", "1", -32602,
     "\"reason\":\"range\",\"path\":\"seed\",\"min\":0,\"max\":9223372036854775807"},
    {GENERATE "{\"stream\":1}}", "1", -32602,
     "\"reason\":\"type\",\"path\":\"stream\",\"expected\":\"boolean\""},
    {GENERATE "{\"stop\":\"\"}}", "1", -32602, "\"reason\":\"empty\",\"path\":\"stop\""},
    {GENERATE "{\"stop\":[\"a\",\"b\\u0000c\"]}}", "1", -32602,
     "\"reason\":\"control_character\",\"path\":\"stop[1]\",\"offset\":1"},
    {GENERATE "{\"stop\":{}}}", "1", -32602,
     "\"reason\":\"type\",\"path\":\"stop\",\"expected\":\"string or array of strings\""},
    {GENERATE "{\"label\":7}}", "1", -32602,
     "\"reason\":\"type\",\"path\":\"label\",\"expected\":\"string\""},
    {GENERATE "{\"features\":1}}", "1", -32602,
     "\"reason\":\"type\",\"path\":\"features\",\"expected\":\"array of numbers or of arrays "
     "of numbers\""},
    {GENERATE "{\"features\":[1,null]}}", "1", -32602,
     "\"reason\":\"type\",\"path\":\"features[1]\",\"expected\":\"number\""},
    {GENERATE "{\"features\":[1,[2]]}}", "1", -32602,
     "\"reason\":\"type\",\"path\":\"features[1]\",\"expected\":\"number\""},
    {GENERATE "{\"features\":[[1],2]}}", "1", -32602,
     "\"reason\":\"type\",\"path\":\"features[1]\",\"expected\":\"array of numbers\""},
    {GENERATE "{\"features\":[[1,2],[1]]}}", "1", -32602,
     "\"reason\":\"wrong_length\",\"path\":\"features[1]\",\"wanted\":2,\"actual\":1"},
    {GENERATE "{\"features\":[]}}", "1", -32602, "\"reason\":\"empty\",\"path\":\"features\""},
    {GENERATE "{\"features\":[0,-1.1e9]}}", "1", -32602,
     "\"reason\":\"range\",\"path\":\"features[1]\",\"min\":-1000000000,\"max\":1000000000"},
    {GENERATE "{\"features\":[[1],[2],[3]]}}", "1", -32002,
     "\"reason\":\"too_many_rows\",\"path\":\"features\",\"limit\":2,\"actual\":3"},
    {REGRESS "{}}", "1", -32602, "\"reason\":\"missing\",\"path\":\"text\""},
    {HEAD "\"method\":\"regress\"}", "1", -32602, "\"reason\":\"missing\",\"path\":\"text\""},
    {REGRESS "{\"text\":\"a\",\"rows\":[[1]]}}", "1", -32602,
     "\"reason\":\"conflict\",\"path\":\"rows\""},
    {REGRESS "{\"rows\":[1]}}", "1", -32602,
     "\"reason\":\"type\",\"path\":\"rows[0]\",\"expected\":\"array of numbers\""},
    {REGRESS "{\"rows\":[[\"1\"]]}}", "1", -32602,
     "\"reason\":\"type\",\"path\":\"rows[0][0]\",\"expected\":\"number\""},
    {HEAD "\"method\":\"tag\",\"params\":{\"text\":\"a\",\"top\":1}}", "1", -32602,
     "\"reason\":\"unknown\",\"path\":\"top\""},
    {HEAD "\"method\":\"classify\",\"params\":{\"text\":\"a\",\"explain\":\"linear\"}}", "1",
     -32602, "\"reason\":\"type\",\"path\":\"explain\",\"expected\":\"boolean\""},
};

static void bad_parameters_of_the_other_methods_are_told_why(void **state)
{
    (void)state;
    check_all_bad(bad_parameters, sizeof bad_parameters / sizeof bad_parameters[0]);
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
                        "\"admin.reload\",\"classify\",\"generate\",\"health\",\"models\","
                        "\"regress\",\"stats\",\"tag\",\"translate\",\"version\"]");
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

static void a_generate_has_its_parameters(void **state)
{
    (void)state;
    struct proto_message *message = parse_text(
        GENERATE "{\"prompt\":\"a\\n\",\"label\":\"l\",\"features\":[[1,-2.5],[1e9,0]],"
                 "\"max_tokens\":50,\"temperature\":0,\"top_k\":7,\"top_p\":0.5,\"seed\":0,"
                 "\"stop\":[\"x\",\"\xc3\xa9\"],\"stream\":true}}");
    const struct proto_params *params = &message->calls[0].params;
    assert_int_equal(message->calls[0].error.code, PROTO_OK);
    assert_int_equal(params->text_count, 1);
    assert_int_equal(params->texts[0].len, 2);
    assert_string_equal(params->label, "l");
    assert_true(params->has_rows && params->rows.count == 2 && params->rows.width == 2);
    assert_true(params->rows.values[1] == -2.5f && params->rows.values[2] == 1e9f);
    assert_int_equal(params->max_tokens, 50);
    assert_true(params->temperature == 0 && params->top_p == 0.5);
    assert_int_equal(params->top_k, 7);
    assert_int_equal(params->seed, 0);
    assert_int_equal(params->stop_count, 2);
    assert_string_equal(params->stops[1], "\xc3\xa9");
    assert_true(params->stream);
    proto_message_release(message);
}

static void a_generate_needs_no_parameters(void **state)
{
    (void)state;
    struct proto_message *message = parse_text(HEAD "\"method\":\"generate\"}");
    const struct proto_params *params = &message->calls[0].params;
    assert_int_equal(message->calls[0].error.code, PROTO_OK);
    assert_int_equal(params->text_count, 1);
    assert_int_equal(params->texts[0].len, 0);
    assert_int_equal(params->max_tokens, 50); /* the default is more than the server allows */
    assert_true(params->temperature == 1 && params->top_p == 1 && params->top_k == 0);
    assert_int_equal(params->seed, -1);
    assert_true(params->stop_count == 0 && !params->has_rows && !params->stream);
    proto_message_release(message);
}

static void rows_take_the_place_of_a_text(void **state)
{
    (void)state;
    struct proto_message *message = parse_text(REGRESS "{\"rows\":[[1,2,3]]}}");
    const struct proto_params *params = &message->calls[0].params;
    assert_int_equal(message->calls[0].error.code, PROTO_OK);
    assert_int_equal(params->text_count, 1);
    assert_true(params->has_rows && params->rows.count == 1 && params->rows.width == 3);
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
                         "\"health\"},{\"jsonrpc\":\"2.0\",\"method\":\"generate\",\"params\":{"
                         "\"stop\":\"a\",\"features\":[1,2]}}]";
    fault_loop(parse_once, line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_lines_are_told_why),
        cmocka_unit_test(bad_parameters_of_the_other_methods_are_told_why),
        cmocka_unit_test(raw_nul_is_refused),
        cmocka_unit_test(unknown_method_lists_methods),
        cmocka_unit_test(client_text_in_errors_is_cut_at_a_character),
        cmocka_unit_test(depth_and_values_are_bounded),
        cmocka_unit_test(brackets_in_strings_do_not_nest),
        cmocka_unit_test(blank_lines_are_nothing),
        cmocka_unit_test(ids_come_back),
        cmocka_unit_test(long_ids_are_refused),
        cmocka_unit_test(a_good_call_has_its_parameters),
        cmocka_unit_test(a_generate_has_its_parameters),
        cmocka_unit_test(a_generate_needs_no_parameters),
        cmocka_unit_test(rows_take_the_place_of_a_text),
        cmocka_unit_test(batches_hold_good_and_bad),
        cmocka_unit_test(permission_and_draining_come_before_parameters),
        cmocka_unit_test(answers_are_json_whatever_the_message),
        cmocka_unit_test(lack_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
