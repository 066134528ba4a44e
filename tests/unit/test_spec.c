/* model.json: what is read, what is refused and with which words, and that writing reads back. */
#include "unit.h"

#include <jansson.h>
#include <string.h>

#include "base/mem.h"
#include "model/spec.h"

static const char translation[] =
    "{\"format\":1,\"name\":\"en-fr\",\"task\":\"translation\",\"source\":\"en\","
    "\"target\":\"pt-BR\",\"tokenizer\":{\"kind\":\"bpe\",\"form\":\"nfc\",\"fold\":false},"
    "\"architecture\":{\"kind\":\"seq2seq\",\"vocabulary\":8260,\"embedding\":256,"
    "\"encoder\":{\"cell\":\"gru\",\"layers\":1,\"hidden\":128,\"residual\":false,"
    "\"norm\":\"none\",\"bidirectional\":true},"
    "\"decoder\":{\"kind\":\"conditional\",\"cell\":\"lstm\",\"layers\":2,\"hidden\":512,"
    "\"residual\":true,\"norm\":\"joint\"},\"attention\":\"general\",\"bridge\":\"mean\","
    "\"deep_output\":true,\"tying\":\"two-way\"},\"decoding\":{\"beam\":4,\"length_penalty\":0.6},"
    "\"card\":{\"data\":\"Tatoeba\",\"scores\":[40.5,1]},\"later\":{\"unknown\":null}}";
static const char recurrent[] =
    "{\"format\":1,\"name\":\"s.2_x\",\"task\":\"classification\","
    "\"labels\":[\"n\\u00e9gatif\",\"positif\",\"neutre\"],"
    "\"tokenizer\":{\"kind\":\"word\",\"form\":\"nfkc\",\"fold\":true},"
    "\"architecture\":{\"kind\":\"rnn\",\"vocabulary\":4,\"embedding\":1,"
    "\"encoder\":{\"cell\":\"gru\",\"layers\":1,\"hidden\":8192,\"residual\":false,"
    "\"norm\":\"none\",\"bidirectional\":false},"
    "\"pooling\":\"max\"}}";
static const char bag[] =
    "{\"format\":1,\"name\":\"0\",\"task\":\"classification\",\"labels\":[\"a\",\"b\"],"
    "\"tokenizer\":{\"kind\":\"word\",\"form\":\"nfc\",\"fold\":true},"
    "\"architecture\":{\"kind\":\"bag-of-words\",\"vocabulary\":2097152,"
    "\"word_ngrams\":5,\"weighting\":\"tf-idf\",\"normalise\":true,\"hidden\":0,"
    "\"buckets\":16777216},\"card\":{}}";
static const char exact_bag[] =
    "{\"format\":1,\"name\":\"0\",\"task\":\"classification\",\"labels\":[\"a\",\"b\"],"
    "\"tokenizer\":{\"kind\":\"word\",\"form\":\"nfc\",\"fold\":true},"
    "\"architecture\":{\"kind\":\"bag-of-words\",\"vocabulary\":4,\"word_ngrams\":0,"
    "\"character_ngrams\":{\"shortest\":2,\"longest\":10,\"across\":true},"
    "\"weighting\":\"counts\",\"normalise\":false,\"hidden\":12,\"features\":268435456,\"edges\":"
    "true,"
    "\"stop_words\":[\"der\",\"die\"]}}";

static const char generation[] =
    "{\"format\":1,\"name\":\"names-lm\",\"task\":\"generation\",\"stream\":false,"
    "\"labels\":[\"Czech\",\"Dutch\"],"
    "\"tokenizer\":{\"kind\":\"bpe\",\"form\":\"nfc\",\"fold\":false},"
    "\"architecture\":{\"kind\":\"rnn\",\"vocabulary\":60,\"embedding\":32,"
    "\"encoder\":{\"cell\":\"lstm\",\"layers\":2,\"hidden\":32,\"residual\":false,"
    "\"norm\":\"none\",\"bidirectional\":false},"
    "\"condition\":{\"at\":\"first\",\"size\":8},\"tied\":true},\"card\":{}}";
static const char regression[] =
    "{\"format\":1,\"name\":\"sum\",\"task\":\"regression\","
    "\"output\":{\"mean\":-1.5,\"deviation\":0.25},"
    "\"tokenizer\":{\"kind\":\"word\",\"form\":\"nfc\",\"fold\":false},"
    "\"architecture\":{\"kind\":\"rnn\",\"vocabulary\":4,\"embedding\":32,\"row\":2,"
    "\"encoder\":{\"cell\":\"gru\",\"layers\":1,\"hidden\":64,\"residual\":false,"
    "\"norm\":\"none\",\"bidirectional\":true},\"pooling\":\"attention\"},\"card\":{}}";

static const char captions[] =
    "{\"format\":1,\"name\":\"grid\",\"task\":\"generation\",\"stream\":false,"
    "\"tokenizer\":{\"kind\":\"word\",\"form\":\"nfc\",\"fold\":false},"
    "\"architecture\":{\"kind\":\"seq2seq\",\"vocabulary\":26,\"row\":10,\"embedding\":48,"
    "\"encoder\":{\"cell\":\"gru\",\"layers\":0,\"hidden\":64,\"residual\":false,"
    "\"norm\":\"none\",\"bidirectional\":true},"
    "\"decoder\":{\"kind\":\"plain\",\"cell\":\"gru\",\"layers\":1,\"hidden\":48,"
    "\"residual\":false,\"norm\":\"none\"},\"attention\":\"dot\",\"bridge\":\"mean\","
    "\"deep_output\":true,\"tying\":\"two-way\"},\"card\":{}}";

static void parse(struct spec *spec, const char *text)
{
    struct err err = ERR_INIT;
    assert_fine(spec_parse(spec, text, strlen(text), &err), err);
}

static void reads_translation(void **state)
{
    struct spec spec;
    (void)state;
    parse(&spec, translation);
    assert_string_equal(spec.name, "en-fr");
    assert_int_equal(spec.task, SPEC_TRANSLATION);
    assert_string_equal(spec.source, "en");
    assert_string_equal(spec.target, "pt-BR");
    assert_int_equal(spec.label_count, 0);
    assert_int_equal(spec.tokenizer.kind, TOKEN_BPE);
    assert_int_equal(spec.tokenizer.form, NORM_NFC);
    assert_false(spec.tokenizer.fold);
    assert_int_equal(spec.kind, SPEC_SEQ2SEQ);
    assert_int_equal(spec.vocabulary, 8260);
    assert_int_equal(spec.embedding, 256);
    assert_int_equal(spec.encoder.cell, CELL_GRU);
    assert_int_equal(spec.encoder.layers, 1);
    assert_int_equal(spec.encoder.hidden, 128);
    assert_int_equal(spec.encoder.norm, CELL_NORM_NONE);
    assert_false(spec.encoder.residual);
    assert_true(spec.encoder.bidirectional);
    assert_int_equal(spec.decoder_kind, SPEC_DECODER_CONDITIONAL);
    assert_int_equal(spec.decoder.cell, CELL_LSTM);
    assert_int_equal(spec.decoder.layers, 2);
    assert_int_equal(spec.decoder.hidden, 512);
    assert_int_equal(spec.decoder.norm, CELL_NORM_JOINT);
    assert_true(spec.decoder.residual);
    assert_int_equal(spec.attention, ATTENTION_GENERAL);
    assert_int_equal(spec.bridge, SPEC_BRIDGE_MEAN);
    assert_true(spec.deep_output);
    assert_int_equal(spec.tying, SPEC_TYING_TWO_WAY);
    assert_int_equal(spec.beam, 4);
    assert_true(spec.length_penalty > 0.5999 && spec.length_penalty < 0.6001);
    assert_string_equal(spec.card, "{\"data\":\"Tatoeba\",\"scores\":[40.5,1]}");
    spec_release(&spec);
}

static void reads_classifiers(void **state)
{
    struct spec spec;
    (void)state;
    parse(&spec, recurrent);
    assert_int_equal(spec.task, SPEC_CLASSIFICATION);
    assert_int_equal(spec.kind, SPEC_RNN);
    assert_int_equal(spec.pooling, SPEC_POOL_MAX);
    assert_int_equal(spec.label_count, 3);
    assert_string_equal(spec.labels[0], "négatif");
    assert_string_equal(spec.labels[2], "neutre");
    assert_int_equal(spec.tokenizer.kind, TOKEN_WORD);
    assert_int_equal(spec.tokenizer.form, NORM_NFKC);
    assert_true(spec.tokenizer.fold);
    assert_false(spec.encoder.bidirectional);
    assert_string_equal(spec.source, "");
    assert_string_equal(spec.card, "{}");
    spec_release(&spec);
    parse(&spec, bag);
    assert_int_equal(spec.kind, SPEC_BAG_OF_WORDS);
    assert_int_equal(spec.bag.words, 5);
    assert_int_equal(spec.bag.longest, 0);
    assert_int_equal(spec.bag.weighting, SPEC_TF_IDF);
    assert_int_equal(spec.bag.buckets, 16777216);
    assert_int_equal(spec.bag.features, 0);
    spec_release(&spec);
    parse(&spec, exact_bag);
    assert_int_equal(spec.bag.words, 0);
    assert_int_equal(spec.bag.shortest, 2);
    assert_int_equal(spec.bag.longest, 10);
    assert_true(spec.bag.across && spec.bag.edges);
    assert_false(spec.bag.normalise);
    assert_int_equal(spec.bag.weighting, SPEC_COUNTS);
    assert_int_equal(spec.bag.hidden, 12);
    assert_int_equal(spec.bag.features, 268435456);
    assert_int_equal(spec.bag.stop_count, 2);
    assert_string_equal(spec.bag.stop_words[1], "die");
    spec_release(&spec);
}

static void reads_other_shapes(void **state)
{
    struct spec spec;
    (void)state;
    parse(&spec, captions);
    assert_int_equal(spec.task, SPEC_GENERATION);
    assert_int_equal(spec.kind, SPEC_SEQ2SEQ);
    assert_int_equal(spec.row, 10);
    assert_int_equal(spec.encoder.layers, 0);
    spec_release(&spec);
    parse(&spec, generation);
    assert_int_equal(spec.task, SPEC_GENERATION);
    assert_int_equal(spec.kind, SPEC_RNN);
    assert_int_equal(spec.condition, SPEC_CONDITION_FIRST);
    assert_int_equal(spec.feature, 8);
    assert_int_equal(spec.row, 0);
    assert_true(spec.tied);
    assert_false(spec.stream);
    spec_release(&spec);
    parse(&spec, regression);
    assert_int_equal(spec.task, SPEC_REGRESSION);
    assert_int_equal(spec.row, 2);
    assert_int_equal(spec.pooling, SPEC_POOL_ATTENTION);
    assert_true(spec.output_mean == -1.5 && spec.deviation == 0.25);
    spec_release(&spec);
}

static void decoding_has_defaults(void **state)
{
    struct spec spec;
    (void)state;
    json_t *json = json_loads(translation, 0, NULL);
    json_object_del(json, "decoding");
    char *text = json_dumps(json, 0);
    parse(&spec, text);
    assert_int_equal(spec.beam, 5);
    assert_true(spec.length_penalty == 1.0);
    spec_release(&spec);
    free(text);
    json_decref(json);
}

/* One key set to another value, or deleted. */
struct change {
    const char *base, *key, *value; /* value: JSON, NULL to delete */
    enum err_code code;
    const char *words; /* that the message must hold */
};

static const struct change changes[] = {
    {translation, "format", NULL, ERR_FORMAT, "\"format\" is missing"},
    {translation, "format", "2", ERR_LIMIT, "\"format\" is 2"},
    {translation, "format", "\"1\"", ERR_FORMAT, "\"format\" must be an integer"},
    {translation, "format", "1.0", ERR_FORMAT, "\"format\" must be an integer"},
    {translation, "name", NULL, ERR_FORMAT, "\"name\" is missing"},
    {translation, "name", "\"\"", ERR_FORMAT, "\"name\" must be"},
    {translation, "name", "\"-x\"", ERR_FORMAT, "\"name\" must be"},
    {translation, "name", "\"../x\"", ERR_FORMAT, "\"name\" must be"},
    {translation, "name", "\"Up\"", ERR_FORMAT, "\"name\" must be"},
    {translation, "name", "\"a b\"", ERR_FORMAT, "\"name\" must be"},
    {translation, "name", "\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggg\"",
     ERR_FORMAT, "\"name\" must be"},
    {translation, "task", "\"summary\"", ERR_FORMAT, "known are \"translation\""},
    {translation, "task", "1", ERR_FORMAT, "\"task\" must be a text"},
    {translation, "task", "\"classification\"", ERR_FORMAT, "\"labels\" is missing"},
    {translation, "source", NULL, ERR_FORMAT, "\"source\" is missing"},
    {translation, "source", "\"e_n\"", ERR_FORMAT, "\"source\" must be a language tag"},
    {translation, "target", "\"\"", ERR_FORMAT, "\"target\" must be a language tag"},
    {translation, "target", "\"abcdefghi\"", ERR_FORMAT, "\"target\" must be"},
    {translation, "target", "\"a-\"", ERR_FORMAT, "\"target\" must be"},
    {translation, "target", "\"aa-aaaaaaaa-aaaaaaaa-aaaaaaaa-aaaaaaaa\"", ERR_FORMAT, "\"target\""},
    {translation, "tokenizer", NULL, ERR_FORMAT, "\"tokenizer\" is missing"},
    {translation, "tokenizer", "[]", ERR_FORMAT, "\"tokenizer\" must be an object"},
    {translation, "tokenizer.kind", "\"letter\"", ERR_FORMAT, "\"tokenizer.kind\" has an unknown"},
    {translation, "tokenizer.form", "\"nfd\"", ERR_FORMAT, "\"tokenizer.form\" has an unknown"},
    {translation, "tokenizer.fold", "1", ERR_FORMAT, "\"tokenizer.fold\" must be true or false"},
    {translation, "architecture", "null", ERR_FORMAT, "\"architecture\" must be an object"},
    {translation, "architecture.kind", "\"bag-of-words\"", ERR_FORMAT, "does not do the task"},
    {translation, "architecture.kind", "\"transformer\"", ERR_FORMAT, "\"architecture.kind\""},
    {translation, "architecture.vocabulary", "3", ERR_LIMIT, "allowed are 4 to 2097152"},
    {translation, "architecture.vocabulary", "2097153", ERR_LIMIT, "allowed are 4 to 2097152"},
    {translation, "architecture.vocabulary", "-1", ERR_LIMIT, "is -1"},
    {translation, "architecture.vocabulary", "9223372036854775807", ERR_LIMIT, "vocabulary"},
    {translation, "architecture.vocabulary", "1e3", ERR_FORMAT, "must be an integer"},
    {translation, "architecture.embedding", "0", ERR_LIMIT, "\"architecture.embedding\" is 0"},
    {translation, "architecture.embedding", "8193", ERR_LIMIT, "allowed are 1 to 8192"},
    {translation, "architecture.encoder", "\"gru\"", ERR_FORMAT, "must be an object"},
    {translation, "architecture.encoder.cell", "\"lsmt\"", ERR_FORMAT,
     "\"architecture.encoder.cell\" has an unknown value, known are \"rnn-tanh\""},
    {translation, "architecture.encoder.layers", "9", ERR_LIMIT, "encoder.layers\" is 9"},
    {translation, "architecture.encoder.hidden", "0", ERR_LIMIT, "encoder.hidden\" is 0"},
    {translation, "architecture.encoder.bidirectional", NULL, ERR_FORMAT, "bidirectional\" is"},
    {translation, "architecture.decoder", NULL, ERR_FORMAT, "architecture.decoder\" is missing"},
    {translation, "architecture.decoder.hidden", "true", ERR_FORMAT, "must be an integer"},
    {translation, "architecture.tying", "\"yes\"", ERR_FORMAT, "architecture.tying"},
    {translation, "architecture.decoder.kind", "\"deep\"", ERR_FORMAT, "decoder.kind"},
    {translation, "architecture.attention", "\"none\"", ERR_FORMAT, "needs one"},
    {translation, "architecture.attention", "\"dot\"", ERR_FORMAT, "size 256"},
    {translation, "decoding", "5", ERR_FORMAT, "\"decoding\" must be an object"},
    {translation, "decoding.beam", "0", ERR_LIMIT, "\"decoding.beam\" is 0"},
    {translation, "decoding.beam", "17", ERR_LIMIT, "allowed are 1 to 16"},
    {translation, "decoding.length_penalty", "-0.1", ERR_LIMIT, "decoding.length_penalty"},
    {translation, "decoding.length_penalty", "1e300", ERR_LIMIT, "decoding.length_penalty"},
    {translation, "decoding.length_penalty", "\"1\"", ERR_FORMAT, "must be a number"},
    {translation, "card", "\"text\"", ERR_FORMAT, "\"card\" must be an object"},
    {recurrent, "labels", "{}", ERR_FORMAT, "\"labels\" must be an array"},
    {recurrent, "labels", "[\"a\"]", ERR_LIMIT, "\"labels\" has 1 entries"},
    {recurrent, "labels", "[\"a\",1]", ERR_FORMAT, "\"labels\", entry 1"},
    {recurrent, "labels", "[\"a\",\"\"]", ERR_FORMAT, "\"labels\", entry 1"},
    {recurrent, "labels", "[\"a\",\"b\\tc\"]", ERR_FORMAT, "\"labels\", entry 1"},
    {recurrent, "labels", "[\"a\",\"b\",\"a\"]", ERR_FORMAT, "entry 2 is the same as entry 0"},
    {recurrent, "architecture.pooling", "\"sum\"", ERR_FORMAT, "known are \"last\", \"mean\""},
    {recurrent, "architecture.kind", "\"seq2seq\"", ERR_FORMAT, "does not do the task"},
    {generation, "stream", NULL, ERR_FORMAT, "\"stream\" is missing"},
    {generation, "architecture.condition", NULL, ERR_FORMAT, "condition\" is missing"},
    {generation, "architecture.condition.at", "\"last\"", ERR_FORMAT, "known are \"none\""},
    {generation, "architecture.condition.at", "\"none\"", ERR_FORMAT, "there are \"labels\""},
    {generation, "architecture.condition.size", "0", ERR_LIMIT, "condition.size\" is 0"},
    {generation, "architecture.embedding", "16", ERR_FORMAT, "hidden size, 32, not 16"},
    {generation, "architecture.encoder.bidirectional", "true", ERR_FORMAT, "one direction"},
    {regression, "output", NULL, ERR_FORMAT, "\"output\" is missing"},
    {regression, "output.deviation", "0", ERR_LIMIT, "output.deviation\" is 0"},
    {regression, "architecture.row", "8193", ERR_LIMIT, "allowed are 0 to 8192"},
    {regression, "architecture.kind", "\"bag-of-words\"", ERR_FORMAT, "does not do the task"},
    {regression, "task", "\"translation\"", ERR_FORMAT, "\"source\" is missing"},
    {captions, "architecture.tying", "\"three-way\"", ERR_FORMAT, "rows have no embedding"},
    {captions, "architecture.bridge", "\"last\"", ERR_FORMAT, "the encoder has no layers"},
    {captions, "architecture.embedding", "47", ERR_FORMAT, "size 47 and the decoder's 48"},
    {captions, "architecture.row", "0", ERR_FORMAT, "does not do the task"},
    {captions, "architecture.decoder.layers", "0", ERR_LIMIT, "decoder.layers\" is 0"},
    {recurrent, "architecture.encoder.layers", "0", ERR_LIMIT, "encoder.layers\" is 0"},
    {bag, "architecture.word_ngrams", "6", ERR_LIMIT, "allowed are 0 to 5"},
    {bag, "architecture.word_ngrams", "0", ERR_FORMAT, "\"architecture.word_ngrams\" above 0"},
    {bag, "architecture.weighting", "\"bm25\"", ERR_FORMAT, "known are \"binary\""},
    {bag, "architecture.hidden", "8193", ERR_LIMIT, "allowed are 0 to 8192"},
    {bag, "architecture.buckets", "16777217", ERR_LIMIT, "architecture.buckets"},
    {bag, "architecture.buckets", NULL, ERR_FORMAT, "one of \"architecture.features\""},
    {exact_bag, "architecture.features", "0", ERR_LIMIT, "architecture.features"},
    {exact_bag, "architecture.character_ngrams.longest", "11", ERR_LIMIT, "allowed are 1 to 10"},
    {exact_bag, "architecture.character_ngrams.shortest", "11", ERR_LIMIT, "allowed are 1 to 10"},
    {exact_bag, "architecture.character_ngrams.across", "1", ERR_FORMAT, "true or false"},
    {exact_bag, "architecture.character_ngrams", "[]", ERR_FORMAT, "must be an object"},
    {exact_bag, "architecture.stop_words", "{}", ERR_FORMAT, "must be an array"},
    {exact_bag, "architecture.stop_words", "[\"a\", \"\"]", ERR_FORMAT, "entry 1"},
};

static void apply(json_t *object, const char *key, const char *value)
{
    char part[64];
    const char *dot;
    while ((dot = strchr(key, '.')) != NULL) {
        snprintf(part, sizeof part, "%.*s", (int)(dot - key), key);
        object = json_object_get(object, part);
        key = dot + 1;
    }
    assert_non_null(json_object_get(object, key));
    if (value == NULL)
        json_object_del(object, key);
    else
        json_object_set_new(object, key, json_loads(value, JSON_DECODE_ANY, NULL));
}

static void refuses_wrong_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        struct err err = ERR_INIT;
        struct spec spec;
        json_t *json = json_loads(changes[i].base, 0, NULL);
        apply(json, changes[i].key, changes[i].value);
        char *text = json_dumps(json, 0);
        if (spec_parse(&spec, text, strlen(text), &err) != changes[i].code)
            fail_msg("%s = %s: \"%s\"", changes[i].key, changes[i].value, err.message);
        assert_int_equal(err.code, changes[i].code);
        if (strstr(err.message, changes[i].words) == NULL)
            fail_msg("%s = %s: \"%s\" lacks \"%s\"", changes[i].key, changes[i].value, err.message,
                     changes[i].words);
        free(text);
        json_decref(json);
    }
}

static void refuses_many_labels(void **state)
{
    struct err err = ERR_INIT;
    struct spec spec;
    char label[16];
    (void)state;
    json_t *json = json_loads(bag, 0, NULL), *labels = json_array();
    for (int i = 0; i < SPEC_MAX_LABELS; i++) {
        snprintf(label, sizeof label, "%d", i);
        json_array_append_new(labels, json_string(label));
    }
    json_object_set(json, "labels", labels);
    char *text = json_dumps(json, 0);
    assert_fine(spec_parse(&spec, text, strlen(text), &err), err);
    assert_int_equal(spec.label_count, SPEC_MAX_LABELS);
    spec_release(&spec);
    free(text);
    json_array_append_new(labels, json_string("one more"));
    text = json_dumps(json, 0);
    assert_int_equal(spec_parse(&spec, text, strlen(text), &err), ERR_LIMIT);
    free(text);
    json_decref(labels);
    json_decref(json);
}

static void refuses_every_prefix(void **state)
{
    (void)state;
    for (size_t len = 0; len < strlen(translation); len++) {
        struct err err = ERR_INIT;
        struct spec spec;
        assert_int_equal(spec_parse(&spec, translation, len, &err), ERR_FORMAT);
        assert_non_null(strstr(err.message, "not valid JSON at line 1"));
    }
}

static void expect(const char *text, size_t len, enum err_code code, const char *words)
{
    struct err err = ERR_INIT;
    struct spec spec;
    assert_int_equal(spec_parse(&spec, text, len, &err), code);
    if (strstr(err.message, words) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err.message, words);
    for (const char *c = err.message; *c != '\0'; c++)
        assert_true(*c >= 0x20 && *c < 0x7f);
}

static void refuses_what_is_not_json(void **state)
{
    static const char twice[] = "{\"format\":1,\"format\":1}";
    static const char bytes[] = "{\"format\":1,\"name\":\"\xff\xfe\"}";
    static const char nul[] = "{\"format\":1,\"name\":\"a\\u0000b\"}";
    static const char huge[] = "{\"format\":123456789012345678901234567890}";
    (void)state;
    expect("[]", 2, ERR_FORMAT, "not a JSON object");
    expect("{}", 2, ERR_FORMAT, "\"format\" is missing");
    expect(twice, strlen(twice), ERR_FORMAT, "duplicate");
    expect(bytes, strlen(bytes), ERR_FORMAT, "unable to decode byte 0xff");
    expect(nul, strlen(nul), ERR_FORMAT, "not valid JSON");
    expect(huge, strlen(huge), ERR_FORMAT, "not valid JSON");
    expect("{}\0{}", 5, ERR_FORMAT, "not valid JSON");
    char *deep = malloc(SPEC_MAX_BYTES + 1);
    memset(deep, '[', SPEC_MAX_BYTES + 1);
    expect(deep, SPEC_MAX_BYTES, ERR_FORMAT, "not valid JSON");
    expect(deep, SPEC_MAX_BYTES + 1, ERR_LIMIT, "allowed are 1048576");
    free(deep);
}

static void assert_same_bag(const struct spec_bag *again, const struct spec_bag *copy)
{
    assert_int_equal(again->words, copy->words);
    assert_int_equal(again->shortest, copy->shortest);
    assert_int_equal(again->longest, copy->longest);
    assert_int_equal(again->across, copy->across);
    assert_int_equal(again->edges, copy->edges);
    assert_int_equal(again->weighting, copy->weighting);
    assert_int_equal(again->normalise, copy->normalise);
    assert_int_equal(again->hidden, copy->hidden);
    assert_int_equal(again->features, copy->features);
    assert_int_equal(again->buckets, copy->buckets);
    assert_int_equal(again->stop_count, copy->stop_count);
    for (size_t i = 0; i < copy->stop_count; i++)
        assert_string_equal(again->stop_words[i], copy->stop_words[i]);
}

static void writes_what_it_reads(void **state)
{
    static const char *const texts[] = {translation, recurrent,  bag,     exact_bag,
                                        generation,  regression, captions};
    struct err err = ERR_INIT;
    char *path = file_join(*state, "model.json", &err);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct spec spec, copy, again;
        parse(&spec, texts[i]);
        assert_fine(spec_copy(&copy, &spec, &err), err);
        spec_release(&spec);
        assert_fine(spec_write(&copy, path, &err), err);
        assert_fine(spec_read(&again, path, &err), err);
        assert_string_equal(again.name, copy.name);
        assert_int_equal(again.task, copy.task);
        assert_int_equal(again.kind, copy.kind);
        assert_string_equal(again.source, copy.source);
        assert_string_equal(again.target, copy.target);
        assert_int_equal(again.label_count, copy.label_count);
        for (size_t l = 0; l < copy.label_count; l++)
            assert_string_equal(again.labels[l], copy.labels[l]);
        assert_memory_equal(&again.tokenizer, &copy.tokenizer, sizeof copy.tokenizer);
        assert_int_equal(again.vocabulary, copy.vocabulary);
        assert_int_equal(again.embedding, copy.embedding);
        assert_memory_equal(&again.encoder, &copy.encoder, sizeof copy.encoder);
        assert_memory_equal(&again.decoder, &copy.decoder, sizeof copy.decoder);
        assert_int_equal(again.decoder_kind, copy.decoder_kind);
        assert_int_equal(again.attention, copy.attention);
        assert_int_equal(again.bridge, copy.bridge);
        assert_int_equal(again.deep_output, copy.deep_output);
        assert_int_equal(again.tying, copy.tying);
        assert_int_equal(again.pooling, copy.pooling);
        assert_int_equal(again.row, copy.row);
        assert_int_equal(again.condition, copy.condition);
        assert_int_equal(again.feature, copy.feature);
        assert_int_equal(again.tied, copy.tied);
        assert_int_equal(again.stream, copy.stream);
        assert_true(again.temperature == copy.temperature);
        assert_true(again.output_mean == copy.output_mean && again.deviation == copy.deviation);
        assert_same_bag(&again.bag, &copy.bag);
        assert_int_equal(again.beam, copy.beam);
        assert_true(again.length_penalty == copy.length_penalty);
        assert_string_equal(again.card, copy.card);
        spec_release(&again);
        spec_release(&copy);
    }
    mem_free(path);
}

static void does_not_write_what_it_would_refuse(void **state)
{
    struct err err = ERR_INIT;
    struct spec spec;
    char *path = file_join(*state, "refused.json", &err);
    parse(&spec, translation);
    spec.embedding = 0;
    assert_int_equal(spec_write(&spec, path, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "architecture.embedding"));
    assert_non_null(strstr(err.message, path));
    err_clear(&err);
    spec.embedding = 1;
    strcpy(spec.name, "\xff");
    assert_int_not_equal(spec_write(&spec, path, &err), 0);
    assert_false(file_exists(path));
    spec_release(&spec);
    mem_free(path);
}

static void card_entries_are_set(void **state)
{
    struct err err = ERR_INIT;
    struct spec spec;
    (void)state;
    parse(&spec, recurrent);
    assert_fine(spec_card_text(&spec, "data", "old", &err), err);
    assert_fine(spec_card_number(&spec, "score", 80.5, &err), err);
    assert_fine(spec_card_text(&spec, "data", "Tatoeba \"x\" é", &err), err);
    json_t *card = json_loads(spec.card, 0, NULL);
    assert_non_null(card);
    assert_int_equal(json_object_size(card), 2);
    assert_string_equal(json_string_value(json_object_get(card, "data")), "Tatoeba \"x\" é");
    assert_true(json_number_value(json_object_get(card, "score")) == 80.5);
    json_decref(card);
    spec_release(&spec);
}

static void errors_name_the_file(void **state)
{
    struct err err = ERR_INIT;
    struct spec spec;
    char *path = file_join(*state, "none.json", &err);
    assert_int_equal(spec_read(&spec, path, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, path));
    err_clear(&err);
    FILE *stream = fopen(path, "w");
    fputs("{\"format\":7}", stream);
    fclose(stream);
    assert_int_equal(spec_read(&spec, path, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "format"));
    err_clear(&err);
    stream = fopen(path, "w");
    fclose(stream);
    assert_int_equal(spec_read(&spec, path, &err), ERR_FORMAT);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_translation),
        cmocka_unit_test(reads_classifiers),
        cmocka_unit_test(reads_other_shapes),
        cmocka_unit_test(decoding_has_defaults),
        cmocka_unit_test(refuses_wrong_values),
        cmocka_unit_test(refuses_many_labels),
        cmocka_unit_test(refuses_every_prefix),
        cmocka_unit_test(refuses_what_is_not_json),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(does_not_write_what_it_would_refuse),
        cmocka_unit_test(card_entries_are_set),
        cmocka_unit_test(errors_name_the_file),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
