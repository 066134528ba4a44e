/* The tools that judge the protocol's messages: what they must refuse, they refuse. */
#include <string.h>

#include "../blackbox/json_match.h"
#include "../blackbox/json_schema.h"
#include "unit.h"

static json_t *parse(const char *text)
{
    json_error_t where;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &where);
    if (!value)
        fail_msg("%s: %s", text, where.text);
    return value;
}

static bool obeys(const char *schema_text, const char *value_text)
{
    char why[512];
    json_t *schema = parse(schema_text), *value = parse(value_text);
    bool good = schema_check(schema, value, why, sizeof why);
    if (!good)
        assert_true(strlen(why) > 0);
    json_decref(schema);
    json_decref(value);
    return good;
}

static void every_keyword_can_fail(void **state)
{
    static const struct {
        const char *schema, *good, *bad;
    } cases[] = {
        {"{\"type\":\"object\"}", "{}", "[]"},
        {"{\"type\":\"array\"}", "[]", "{}"},
        {"{\"type\":\"string\"}", "\"\"", "1"},
        {"{\"type\":\"number\"}", "1.5", "\"1\""},
        {"{\"type\":\"integer\"}", "1", "1.5"},
        {"{\"type\":\"integer\"}", "1.0", "null"},
        {"{\"type\":\"boolean\"}", "true", "0"},
        {"{\"type\":\"null\"}", "null", "false"},
        {"{\"type\":[\"string\",\"null\"]}", "null", "1"},
        {"{\"const\":\"2.0\"}", "\"2.0\"", "2.0"},
        {"{\"enum\":[1,\"a\"]}", "\"a\"", "\"b\""},
        {"{\"required\":[\"a\"]}", "{\"a\":1}", "{\"b\":1}"},
        {"{\"properties\":{\"a\":{\"type\":\"null\"}}}", "{\"a\":null,\"b\":1}", "{\"a\":1}"},
        {"{\"properties\":{\"a\":{}},\"additionalProperties\":false}", "{\"a\":1}", "{\"b\":1}"},
        {"{\"additionalProperties\":{\"type\":\"number\"}}", "{\"a\":1}", "{\"a\":\"1\"}"},
        {"{\"items\":{\"type\":\"number\"}}", "[1,2]", "[1,\"2\"]"},
        {"{\"minItems\":1}", "[1]", "[]"},
        {"{\"maxItems\":1}", "[1]", "[1,2]"},
        {"{\"minimum\":1}", "1", "0"},
        {"{\"maximum\":1}", "1", "1.1"},
        {"{\"oneOf\":[{\"type\":\"null\"},{\"minimum\":1}]}", "1", "0"},
        {"{\"oneOf\":[{\"minimum\":0},{\"minimum\":1}]}", "0", "1"},
        {"{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"const\":1}}}", "1", "2"},
        {"{\"$schema\":\"x\",\"title\":\"y\",\"type\":\"null\"}", "null", "1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (!obeys(cases[i].schema, cases[i].good))
            fail_msg("%s refuses %s", cases[i].schema, cases[i].good);
        if (obeys(cases[i].schema, cases[i].bad))
            fail_msg("%s accepts %s", cases[i].schema, cases[i].bad);
    }
}

static void unknown_rules_are_refused(void **state)
{
    (void)state;
    assert_false(obeys("{\"pattern\":\"a\"}", "\"a\""));
    assert_false(obeys("{\"$ref\":\"#/$defs/none\"}", "1"));
    assert_false(obeys("{\"properties\":{\"a\":{\"format\":\"x\"}}}", "{\"a\":1}"));
    assert_false(obeys("true", "1"));
}

static void says_where(void **state)
{
    char why[512];
    json_t *schema = parse("{\"properties\":{\"a\":{\"items\":{\"type\":\"number\"}}}}");
    json_t *value = parse("{\"a\":[0,null]}");
    (void)state;
    assert_false(schema_check(schema, value, why, sizeof why));
    assert_string_equal(why, "/a/1: type is not \"number\"");
    json_decref(schema);
    json_decref(value);
}

static bool matches(const char *pattern_text, const char *value_text, json_t *names)
{
    char why[512];
    json_t *pattern = parse(pattern_text), *value = parse(value_text);
    json_t *fresh = json_object();
    bool good = json_match(pattern, value, names ? names : fresh, why, sizeof why);
    json_decref(fresh);
    json_decref(pattern);
    json_decref(value);
    return good;
}

static void patterns_match_what_they_say(void **state)
{
    static const struct {
        const char *pattern, *good, *bad;
    } cases[] = {
        {"1", "1", "2"},
        {"1", "1", "1.0"},
        {"null", "null", "false"},
        {"\"a\"", "\"a\"", "\"b\""},
        {"1.0", "1.0009", "1.01"},
        {"\"$any\"", "null", "0 "},
        {"\"$string\"", "\"x\"", "1"},
        {"\"$number\"", "1.5", "\"1\""},
        {"\"$integer\"", "1", "1.5"},
        {"\"$boolean\"", "false", "null"},
        {"\"$array\"", "[]", "{}"},
        {"\"$object\"", "{}", "[]"},
        {"\"$nothing-of-the-kind\"", NULL, "\"x\""},
        {"[1,2]", "[1,2]", "[2,1]"},
        {"[1]", "[1]", "[1,1]"},
        {"[1]", "[1]", "[]"},
        {"{\"a\":1}", "{\"a\":1}", "{\"a\":2}"},
        {"{\"a\":1}", "{\"a\":1}", "{\"a\":1,\"b\":2}"},
        {"{\"a\":1,\"$more\":true}", "{\"a\":1,\"b\":2}", "{\"b\":2}"},
        {"{\"a\":{\"b\":[\"$any\"]}}", "{\"a\":{\"b\":[7]}}", "{\"a\":{\"b\":[]}}"},
        {"[\"$=x\",\"$=x\"]", "[{\"a\":1},{\"a\":1}]", "[{\"a\":1},{\"a\":2}]"},
        {"[\"$=x\",\"$=y\"]", "[1,2]", "[1,2,3]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (cases[i].good && !matches(cases[i].pattern, cases[i].good, NULL))
            fail_msg("%s refuses %s", cases[i].pattern, cases[i].good);
        if (strcmp(cases[i].pattern, "\"$any\"") != 0 &&
            matches(cases[i].pattern, cases[i].bad, NULL))
            fail_msg("%s accepts %s", cases[i].pattern, cases[i].bad);
    }
}

static void names_are_remembered(void **state)
{
    json_t *names = json_object();
    (void)state;
    assert_true(matches("\"$=x\"", "\"first\"", names));
    assert_true(matches("{\"a\":\"$=x\"}", "{\"a\":\"first\"}", names));
    assert_false(matches("{\"a\":\"$=x\"}", "{\"a\":\"second\"}", names));
    json_decref(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_keyword_can_fail),
        cmocka_unit_test(unknown_rules_are_refused),
        cmocka_unit_test(says_where),
        cmocka_unit_test(patterns_match_what_they_say),
        cmocka_unit_test(names_are_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
