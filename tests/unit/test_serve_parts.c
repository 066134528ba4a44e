/* The small parts of the server: mailbox, statistics, choice of model, writer of JSON, listening
   addresses. */
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/admit.h"
#include "serve/listen.h"
#include "serve/mailbox.h"
#include "serve/stats.h"
#include "serve/stream.h"
#include "unit.h"

#define MAILS 1000
#define SENDERS 4

struct letter {
    struct mail mail; /* first */
    int sender, number;
};
static struct letter letters[SENDERS][MAILS];
static int delivered[SENDERS];

static void on_letter(struct mail *mail)
{
    const struct letter *letter = (const struct letter *)(const void *)mail;
    assert_int_equal(letter->number, delivered[letter->sender]); /* in order */
    delivered[letter->sender]++;
}

struct sender {
    struct mailbox *mailbox;
    int number;
};

static void *send_letters(void *argument)
{
    const struct sender *sender = argument;
    for (int i = 0; i < MAILS; i++) {
        letters[sender->number][i] =
            (struct letter){.mail.deliver = on_letter, .sender = sender->number, .number = i};
        mailbox_post(sender->mailbox, &letters[sender->number][i].mail);
    }
    return NULL;
}

static int total(void)
{
    int sum = 0;
    for (int i = 0; i < SENDERS; i++)
        sum += delivered[i];
    return sum;
}

static void every_mail_arrives_once_and_wakes(void **state)
{
    (void)state;
    struct mailbox *mailbox = mailbox_new(NULL);
    struct sender senders[SENDERS];
    pthread_t threads[SENDERS];
    struct pollfd item = {.fd = mailbox_fd(mailbox), .events = POLLIN};
    assert_int_equal(poll(&item, 1, 0), 0);
    for (int i = 0; i < SENDERS; i++) {
        senders[i] = (struct sender){.mailbox = mailbox, .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, send_letters, &senders[i]), 0);
    }
    while (total() < SENDERS * MAILS) {
        assert_int_equal(poll(&item, 1, 60000), 1);
        mailbox_deliver(mailbox);
    }
    for (int i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(poll(&item, 1, 0), 0);
    mailbox_free(mailbox);
}

static void percentiles_are_those_of_the_latest(void **state)
{
    (void)state;
    struct stats stats;
    stats_init(&stats, 0);
    struct stats_percentiles none = stats_percentiles(&stats);
    assert_true(none.p50 == 0 && none.max == 0);
    for (int i = 0; i < 5000; i++) /* forgotten in the end */
        stats_latency(&stats, 1000000000);
    for (int i = STATS_LATENCIES; i > 0; i--)
        stats_latency(&stats, i * 1000000);
    struct stats_percentiles some = stats_percentiles(&stats);
    assert_true(some.p50 == 512);
    assert_true(some.p90 == 922);
    assert_true(some.p99 == 1014);
    assert_true(some.max == 1024);
    stats_release(&stats);
    stats_init(&stats, 0);
    stats_latency(&stats, 7000000);
    some = stats_percentiles(&stats);
    assert_true(some.p50 == 7 && some.p99 == 7 && some.max == 7);
}

static void models_and_codes_are_counted(void **state)
{
    (void)state;
    struct stats stats;
    stats_init(&stats, 0);
    stats_model_used(&stats, "a", 2);
    stats_model_used(&stats, "b", 0);
    stats_model_used(&stats, "a", 3);
    assert_int_equal(stats.model_count, 2);
    assert_int_equal(stats.models[0].requests, 2);
    assert_int_equal(stats.models[0].texts, 5);
    stats_error(&stats, -32700);
    stats_error(&stats, -32700);
    assert_int_equal(stats.failed, 2);
    assert_int_equal(stats.errors[0], 2);
    assert_true(stats_resident_bytes() > 0);
    stats_release(&stats);
}

static struct model english = {.spec = {.name = "en-fr",
                                        .task = SPEC_TRANSLATION,
                                        .source = "en",
                                        .target = "fr",
                                        .beam = 5}},
                    french = {.spec = {.name = "fr-en",
                                       .task = SPEC_TRANSLATION,
                                       .source = "fr",
                                       .target = "en",
                                       .beam = 1}},
                    mood = {.spec = {.name = "mood", .task = SPEC_CLASSIFICATION}};

/* The model that is found, or NULL and the error's code and data as checked. */
static struct model *find(struct model **models, size_t count, enum proto_method method,
                          struct proto_params params, int code, const char *data)
{
    const struct registry registry = {.models = models, .count = count};
    struct proto_call call = {.method = method, .has_method = true, .params = params};
    struct model *model = admit_model(&registry, &call);
    assert_int_equal((int)call.error.code, code);
    if (code)
        assert_string_equal(call.error.data.data, data);
    assert_true((model == NULL) == (code != 0));
    proto_error_release(&call.error);
    return model;
}

static void calls_find_their_model(void **state)
{
    (void)state;
    struct model *all[] = {&english, &french, &mood};
    const enum proto_method translate = PROTO_TRANSLATE, classify = PROTO_CLASSIFY;
    assert_ptr_equal(find(all, 3, translate, (struct proto_params){.model = "fr-en"}, 0, NULL),
                     &french);
    assert_ptr_equal(
        find(all, 3, translate, (struct proto_params){.source = "en", .target = "fr"}, 0, NULL),
        &english);
    assert_ptr_equal(find(all, 1, translate, (struct proto_params){0}, 0, NULL), &english);
    assert_ptr_equal(find(all, 3, classify, (struct proto_params){0}, 0, NULL), &mood);
    find(all, 3, translate, (struct proto_params){0}, PROTO_INVALID_PARAMS,
         "\"reason\":\"missing\",\"path\":\"model\"");
    find(all, 0, translate, (struct proto_params){0}, PROTO_MODEL_NOT_FOUND,
         "\"reason\":\"no_model\",\"available\":[]");
    find(all, 2, classify, (struct proto_params){0}, PROTO_MODEL_NOT_FOUND,
         "\"reason\":\"no_model\",\"available\":[]");
    find(all, 3, translate, (struct proto_params){.model = "x"}, PROTO_MODEL_NOT_FOUND,
         "\"reason\":\"unknown_model\",\"model\":\"x\",\"available\":[\"en-fr\",\"fr-en\"]");
    find(all, 3, classify, (struct proto_params){.model = "en-fr"}, PROTO_MODEL_NOT_FOUND,
         "\"reason\":\"wrong_task\",\"model\":\"en-fr\",\"task\":\"translation\","
         "\"available\":[\"mood\"]");
    find(all, 3, translate, (struct proto_params){.source = "en", .target = "de"},
         PROTO_MODEL_NOT_FOUND,
         "\"reason\":\"unknown_pair\",\"source\":\"en\",\"target\":\"de\","
         "\"available\":[\"en-fr\",\"fr-en\"]");
    find(all, 3, translate, (struct proto_params){.model = "en-fr", .source = "en", .target = "de"},
         PROTO_INVALID_PARAMS, "\"reason\":\"conflict\",\"path\":\"target\"");
    find(all, 3, translate, (struct proto_params){.model = "fr-en", .nbest = 2},
         PROTO_INVALID_PARAMS, "\"reason\":\"range\",\"path\":\"nbest\",\"min\":1,\"max\":1");
    assert_ptr_equal(
        find(all, 3, translate, (struct proto_params){.model = "en-fr", .nbest = 5}, 0, NULL),
        &english);
}

static char *moods[] = {"good", "bad"};
static struct model lines = {.spec = {.name = "lines", .task = SPEC_GENERATION, .kind = SPEC_RNN}},
                    named = {.spec = {.name = "named",
                                      .task = SPEC_GENERATION,
                                      .kind = SPEC_RNN,
                                      .condition = SPEC_CONDITION_FIRST,
                                      .feature = 8,
                                      .labels = moods,
                                      .label_count = 2}},
                    scene = {.spec = {.name = "scene",
                                      .task = SPEC_GENERATION,
                                      .kind = SPEC_RNN,
                                      .condition = SPEC_CONDITION_EVERY,
                                      .feature = 3}},
                    image = {.spec = {.name = "image",
                                      .task = SPEC_GENERATION,
                                      .kind = SPEC_SEQ2SEQ,
                                      .row = 2}};

static void conditions_are_what_the_model_takes(void **state)
{
    (void)state;
    struct model *all[] = {&image, &lines, &named, &scene};
    const enum proto_method generate = PROTO_GENERATE;
    const struct rows vector = {.count = 1, .width = 3}, grid = {.count = 2, .width = 2};
    const struct proto_params good[] = {
        {.model = "lines"},
        {.model = "named", .label = "bad"},
        {.model = "scene", .rows = vector, .has_rows = true},
        {.model = "image", .rows = grid, .has_rows = true},
        {.rows = grid, .has_rows = true},
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_non_null(find(all, 4, generate, good[i], 0, NULL));
    find(all, 4, generate, (struct proto_params){.model = "named"}, PROTO_INVALID_PARAMS,
         "\"reason\":\"missing\",\"path\":\"label\"");
    find(all, 4, generate, (struct proto_params){.model = "named", .label = "goo"},
         PROTO_INVALID_PARAMS,
         "\"reason\":\"unknown_label\",\"path\":\"label\",\"available\":[\"good\",\"bad\"]");
    find(all, 4, generate, (struct proto_params){.model = "lines", .label = "good"},
         PROTO_INVALID_PARAMS, "\"reason\":\"conflict\",\"path\":\"label\"");
    find(all, 4, generate, (struct proto_params){.model = "scene"}, PROTO_INVALID_PARAMS,
         "\"reason\":\"missing\",\"path\":\"features\"");
    find(all, 4, generate,
         (struct proto_params){.model = "named", .label = "bad", .rows = vector, .has_rows = true},
         PROTO_INVALID_PARAMS, "\"reason\":\"conflict\",\"path\":\"features\"");
    find(
        all, 4, generate,
        (struct proto_params){.model = "scene", .rows = {.count = 2, .width = 3}, .has_rows = true},
        PROTO_INVALID_PARAMS, "\"reason\":\"conflict\",\"path\":\"features\"");
    find(all, 4, generate,
         (struct proto_params){.model = "image", .rows = vector, .has_rows = true},
         PROTO_INVALID_PARAMS,
         "\"reason\":\"wrong_length\",\"path\":\"features\",\"wanted\":2,\"actual\":3");
}

struct reader { /* of a stream: what its mails brought */
    struct stream *stream;
    struct buf text;
    int mails;
};

static void read_along(struct mail *mail)
{
    struct reader *reader = stream_owner(mail);
    struct buf text;
    reader->mails++;
    stream_arrived(reader->stream);
    stream_take(reader->stream, &text);
    buf_append(&reader->text, text.data, text.len, NULL);
    buf_release(&text);
}

static void streams_wake_once_and_lose_nothing(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct reader reader = {.mails = 0};
    struct mailbox *mailbox = mailbox_new(&err);
    reader.stream = stream_new(&reader, read_along, &err);
    assert_non_null(mailbox);
    assert_non_null(reader.stream);
    assert_fine(stream_put(reader.stream, mailbox, "", 0, &err), err);
    mailbox_deliver(mailbox);
    assert_int_equal(reader.mails, 0);
    assert_fine(stream_put(reader.stream, mailbox, "one ", 4, &err), err);
    assert_fine(stream_put(reader.stream, mailbox, "two ", 4, &err), err);
    mailbox_deliver(mailbox);
    assert_int_equal(reader.mails, 1);
    assert_fine(stream_put(reader.stream, mailbox, "three", 5, &err), err);
    mailbox_deliver(mailbox);
    assert_int_equal(reader.mails, 2);
    assert_string_equal(reader.text.data, "one two three");
    buf_release(&reader.text);
    assert_fine(stream_put(reader.stream, mailbox, "never read", 10, &err), err);
    mailbox_deliver(mailbox);
    buf_release(&reader.text);
    stream_free(reader.stream);
    mailbox_free(mailbox);
}

static void addresses_are_understood(void **state)
{
    (void)state;
    static const char *const bad[] = {"",           "7740",      ":7740",
                                      "127.0.0.1:", "127.0.0.1", "127.0.0.1:http",
                                      "unix:",      "[]:1",      "127.0.0.1:99999"};
    char name[LISTEN_NAME_SIZE];
    int fd;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err = ERR_INIT;
        assert_true(listen_open(bad[i], &fd, name, &err) < 0);
        assert_true(err.message[0] != '\0');
    }
    struct err err = ERR_INIT;
    assert_fine(listen_open("127.0.0.1:0", &fd, name, &err), err);
    assert_memory_equal(name, "127.0.0.1:", 10);
    assert_string_not_equal(name, "127.0.0.1:0");
    assert_null(listen_path(name));
    int second;
    char taken[LISTEN_NAME_SIZE];
    assert_true(listen_open(name, &second, taken, &err) < 0);
    close(fd);
}

static void stale_sockets_are_replaced_and_files_are_not(void **state)
{
    char address[4400], path[4300], name[LISTEN_NAME_SIZE];
    struct err err = ERR_INIT;
    struct stat status;
    int first, second;
    snprintf(address, sizeof address, "unix:%s/s", (const char *)*state);
    assert_fine(listen_open(address, &first, name, &err), err);
    assert_string_equal(listen_path(name), address + 5);
    assert_true(listen_open(address, &second, name, &err) < 0); /* somebody listens */
    close(first);
    err_clear(&err);
    assert_fine(listen_open(address, &second, name, &err), err);
    close(second);
    snprintf(path, sizeof path, "%s/file", (const char *)*state);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    snprintf(address, sizeof address, "unix:%s", path);
    assert_true(listen_open(address, &second, name, &err) < 0);
    assert_int_equal(stat(path, &status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mail_arrives_once_and_wakes),
        cmocka_unit_test(percentiles_are_those_of_the_latest),
        cmocka_unit_test(models_and_codes_are_counted),
        cmocka_unit_test(calls_find_their_model),
        cmocka_unit_test(conditions_are_what_the_model_takes),
        cmocka_unit_test(streams_wake_once_and_lose_nothing),
        cmocka_unit_test(addresses_are_understood),
        cmocka_unit_test(stale_sockets_are_replaced_and_files_are_not),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
