/*
 * Vocabularies: what is learned and written; and that every kind of damage to the database is
 * refused with a message that names the file and the fault.
 */
#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "text/utf8.h"
#include "vocab_fixture.h"

static const struct vocab_settings bpe = {
    .tokenizer = {TOKEN_BPE, NORM_NFC, false}, .merges = 120, .min_count = 1};
static const struct vocab_settings word = {
    .tokenizer = {TOKEN_WORD, NORM_NFC, false}, .max_words = 50, .min_count = 1};

/* The rows of a query, "|" between columns and a newline after each row. */
static void query(const char *path, const char *sql, struct buf *out)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    buf_clear(out);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), SQLITE_OK);
    while (sqlite3_step(rows) == SQLITE_ROW)
        for (int i = 0; i < sqlite3_column_count(rows); i++)
            buf_printf(out, NULL, "%s%s", (const char *)sqlite3_column_text(rows, i),
                       i + 1 < sqlite3_column_count(rows) ? "|" : "\n");
    sqlite3_finalize(rows);
    sqlite3_close(db);
}

static void assert_query(const char *path, const char *sql, const char *expected)
{
    struct buf rows = BUF_INIT;
    query(path, sql, &rows);
    assert_string_equal(rows.data ? rows.data : "", expected);
    buf_release(&rows);
}

static int count_files(const char *folder)
{
    DIR *listing = opendir(folder);
    int count = 0;
    assert_non_null(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += entry->d_name[0] != '.' || strlen(entry->d_name) > 2;
    closedir(listing);
    return count;
}

/* A folder of its own for each test, below the scratch folder. */
static char *fresh_folder(void **state, const char *name)
{
    char *folder = file_join(*state, name, NULL);
    assert_non_null(folder);
    assert_int_equal(file_make_folders(folder, NULL), 0);
    return folder;
}

static char *learn(const char *folder, const struct vocab_settings *settings,
                   const char *const *lines, size_t count)
{
    struct err err = ERR_INIT;
    struct vocab_learner *learner = vocab_learner_new(settings, &err);
    char *path = file_join(folder, "vocab.sqlite", &err);
    for (size_t i = 0; i < count; i++)
        assert_fine(vocab_learner_add(learner, lines[i], strlen(lines[i]), &err), err);
    assert_fine(vocab_learner_save(learner, path, &err), err);
    vocab_learner_free(learner);
    return path;
}

static void learns_the_merges_of_the_paper(void **state)
{
    /* Sennrich et al. 2016, figure 1, with a space in front instead of an end mark: low x5,
       lower x2, newest x6, widest x3. "es" 9 times, then "est", then "lo" 7, "low". */
    static const char *const lines[] = {"low low low low low", "lower lower",
                                        "newest newest newest newest newest newest",
                                        "widest widest widest"};
    struct vocab_settings settings = bpe;
    char *folder = fresh_folder(state, "paper"), *path;
    settings.merges = 5;
    path = learn(folder, &settings, lines, 4);
    assert_query(path,
                 "SELECT l.text, r.text, t.count FROM merge m JOIN token l ON l.id = m.\"left\""
                 " JOIN token r ON r.id = m.\"right\" JOIN token t ON t.text = l.text || r.text"
                 " ORDER BY m.rank",
                 "e|s|9\nes|t|9\n |l|7\n l|o|7\n lo|w|7\n");
    assert_query(path, "SELECT id, text, count FROM token WHERE id IN (0, 3, 4, 259, 260, 261)",
                 "0|<pad>|0\n3|<unk>|0\n4|<0x00>|0\n259|<0xFF>|0\n260|e|17\n261| |16\n");
    assert_query(path, "SELECT * FROM meta ORDER BY key",
                 "fold|false\nform|nfc\nkind|bpe\nversion|1\n");
    assert_int_equal(count_files(folder), 1); /* no journal beside it */
    mem_free(path);
    mem_free(folder);
}

static void keeps_the_most_frequent_words(void **state)
{
    static const char *const lines[] = {"b a c", "b a d", "b "};
    struct vocab_settings settings = word;
    char *folder = fresh_folder(state, "words"), *path;
    path = learn(folder, &settings, lines, 3);
    assert_query(path, "SELECT id, text, count FROM token WHERE id > 3",
                 "4| b|3\n5| a|2\n6| |1\n7| c|1\n8| d|1\n");
    mem_free(path);
    settings.max_words = 1;
    path = learn(folder, &settings, lines, 3);
    assert_query(path, "SELECT id, text FROM token WHERE id > 3", "4| b\n");
    mem_free(path);
    settings.max_words = 0;
    settings.min_count = 2;
    path = learn(folder, &settings, lines, 3);
    assert_query(path, "SELECT id, text FROM token WHERE id > 3", "4| b\n5| a\n");
    mem_free(path);
    mem_free(folder);
}

static void saves_again_over_the_first(void **state)
{
    char *folder = fresh_folder(state, "again"), *path = file_join(folder, "vocab.sqlite", NULL);
    struct buf first = BUF_INIT, second = BUF_INIT;
    struct err err = ERR_INIT;
    struct vocab_learner *learner = vocab_learner_new(&bpe, &err);
    assert_fine(vocab_learner_add(learner, "a cat, a hat", 12, &err), err);
    assert_fine(vocab_learner_save(learner, path, &err), err);
    query(path, "SELECT * FROM token", &first);
    assert_fine(vocab_learner_save(learner, path, &err), err);
    query(path, "SELECT * FROM token", &second);
    assert_string_equal(first.data, second.data);
    assert_fine(vocab_learner_add(learner, "a dog", 5, &err), err);
    assert_fine(vocab_learner_save(learner, path, &err), err);
    query(path, "SELECT * FROM token", &second);
    assert_non_null(strstr(second.data, "|d|1"));
    assert_int_equal(count_files(folder), 1);
    vocab_learner_free(learner);
    buf_release(&first);
    buf_release(&second);
    mem_free(path);
    mem_free(folder);
}

static void nul_is_never_a_token(void **state)
{
    const struct vocab_settings *both[] = {&bpe, &word};
    char *folder = fresh_folder(state, "nul"), *path = file_join(folder, "vocab.sqlite", NULL);
    for (size_t i = 0; i < 2; i++) {
        struct err err = ERR_INIT;
        struct vocab_learner *learner = vocab_learner_new(both[i], &err);
        struct tokenizer *tokenizer = NULL;
        assert_fine(vocab_learner_add(learner, "a\0 \0a \0", 7, &err), err);
        assert_fine(vocab_learner_save(learner, path, &err), err);
        assert_query(path, "SELECT count(*) FROM token WHERE instr(CAST(text AS BLOB), x'00')",
                     "0\n");
        assert_fine(tokenizer_open(&tokenizer, &both[i]->tokenizer, path, &err), err);
        tokenizer_free(tokenizer);
        vocab_learner_free(learner);
    }
    mem_free(path);
    mem_free(folder);
}

static void rare_characters_stay_bytes(void **state)
{
    static const char *const lines[] = {"aaaa", "aaaa\u0416"};
    struct vocab_settings settings = bpe;
    char *folder = fresh_folder(state, "rare"), *path;
    settings.min_count = 2;
    settings.merges = 100;
    path = learn(folder, &settings, lines, 2);
    assert_query(path, "SELECT text FROM token WHERE id >= 260 ORDER BY id",
                 "a\n \naa\n aa\n aaaa\n");
    mem_free(path);
    mem_free(folder);
}

static void the_order_of_lines_does_not_matter(void **state)
{
    static const struct vocab_settings settings[] = {
        {.tokenizer = {TOKEN_BPE, NORM_NFC, false}, .merges = 120, .min_count = 1},
        {.tokenizer = {TOKEN_WORD, NORM_NFKC, true}, .max_words = 50, .min_count = 1},
    };
    const char *reversed[FIXTURE_LINES];
    char *folder = fresh_folder(state, "order");
    for (size_t i = 0; i < FIXTURE_LINES; i++)
        reversed[i] = fixture_lines[FIXTURE_LINES - 1 - i];
    for (size_t i = 0; i < 2; i++) {
        struct buf rows[4] = {BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT};
        for (size_t way = 0; way < 2; way++) {
            char *path = learn(folder, &settings[i], way ? reversed : fixture_lines, FIXTURE_LINES);
            query(path, "SELECT * FROM token ORDER BY id", &rows[way]);
            query(path, "SELECT * FROM merge ORDER BY rank", &rows[2 + way]);
            mem_free(path);
        }
        assert_string_equal(rows[0].data, rows[1].data);
        assert_int_equal(rows[2].len, rows[3].len);
        if (rows[2].len > 0)
            assert_string_equal(rows[2].data, rows[3].data);
        for (size_t k = 0; k < 4; k++)
            buf_release(&rows[k]);
    }
    mem_free(folder);
}

/* The learner's definition in its plainest form: count all pairs afresh for every merge. Pieces
   are words of a..d here, so a symbol is a string and nothing needs decoding. */
enum { PLAIN_WORDS = 40, PLAIN_LENGTH = 16 };
struct plain_word {
    char symbols[PLAIN_LENGTH][PLAIN_LENGTH + 1];
    size_t count;
};

static int64_t plain_count(const struct plain_word *words, const char *left, const char *right)
{
    int64_t count = 0;
    for (size_t w = 0; w < PLAIN_WORDS; w++)
        for (size_t i = 0; i + 1 < words[w].count; i++)
            count += strcmp(words[w].symbols[i], left) == 0 &&
                     strcmp(words[w].symbols[i + 1], right) == 0;
    return count;
}

static bool plain_best(const struct plain_word *words, char *left, char *right)
{
    int64_t best = 1;
    for (size_t w = 0; w < PLAIN_WORDS; w++)
        for (size_t i = 0; i + 1 < words[w].count; i++) {
            const char *l = words[w].symbols[i], *r = words[w].symbols[i + 1];
            int64_t count = plain_count(words, l, r);
            int order = strcmp(l, left) != 0 ? strcmp(l, left) : strcmp(r, right);
            if (count > best || (count == best && best > 1 && order < 0)) {
                best = count;
                memmove(left, l, strlen(l) + 1);
                memmove(right, r, strlen(r) + 1);
            }
        }
    return best > 1;
}

static void plain_merge(struct plain_word *words, const char *left, const char *right)
{
    for (size_t w = 0; w < PLAIN_WORDS; w++)
        for (size_t i = 0; i + 1 < words[w].count; i++)
            if (strcmp(words[w].symbols[i], left) == 0 &&
                strcmp(words[w].symbols[i + 1], right) == 0) {
                strcat(words[w].symbols[i], right);
                words[w].count--;
                memmove(words[w].symbols[i + 1], words[w].symbols[i + 2],
                        (words[w].count - i - 1) * sizeof words[w].symbols[0]);
            }
}

static void agrees_with_the_plain_algorithm(void **state)
{
    char *folder = fresh_folder(state, "plain");
    for (uint64_t seed = 0; seed < 8; seed++) {
        static struct plain_word words[PLAIN_WORDS];
        char line[PLAIN_WORDS * (PLAIN_LENGTH + 1) + 1] = "", left[PLAIN_LENGTH + 1] = "",
                                                     right[PLAIN_LENGTH + 1] = "";
        const char *lines[] = {line};
        struct buf expected = BUF_INIT;
        struct vocab_settings settings = bpe;
        struct rng rng;
        char *path;

        rng_seed(&rng, 26, seed);
        for (size_t w = 0; w < PLAIN_WORDS; w++) {
            size_t len = 2 + (size_t)rng_below(&rng, PLAIN_LENGTH - 3);
            words[w].count = len;
            for (size_t i = 0; i < len; i++) {
                char c = i == 0 ? ' ' : (char)('a' + rng_below(&rng, 2 + seed % 3));
                snprintf(words[w].symbols[i], 2, "%c", c);
                if (i > 0 || w > 0)
                    strcat(line, words[w].symbols[i]);
            }
        }
        settings.merges = 1000;
        path = learn(folder, &settings, lines, 1);
        while (plain_best(words, left, right)) {
            buf_printf(&expected, NULL, "%s|%s\n", left, right);
            plain_merge(words, left, right);
            left[0] = right[0] = '\0';
        }
        assert_query(path,
                     "SELECT l.text, r.text FROM merge m JOIN token l ON l.id = m.\"left\""
                     " JOIN token r ON r.id = m.\"right\" ORDER BY m.rank",
                     expected.data);
        buf_release(&expected);
        mem_free(path);
    }
    mem_free(folder);
}

static void writes_into_no_folder(void **state)
{
    struct err err = ERR_INIT;
    struct vocab_learner *learner = vocab_learner_new(&bpe, &err);
    (void)state;
    assert_int_equal(vocab_learner_add(learner, "a\xFF", 2, &err), ERR_UTF8);
    err_clear(&err);
    assert_int_equal(vocab_learner_save(learner, "/nonexistent/vocab.sqlite", &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nonexistent/"));
    vocab_learner_free(learner);
}

/* An empty learner gives a vocabulary that can be opened. */
static void nothing_learned_is_still_a_vocabulary(void **state)
{
    const struct vocab_settings *both[] = {&bpe, &word};
    char *folder = fresh_folder(state, "nothing");
    for (size_t i = 0; i < 2; i++) {
        struct err err = ERR_INIT;
        struct tokenizer *tokenizer = NULL;
        char *path = learn(folder, both[i], NULL, 0);
        assert_fine(tokenizer_open(&tokenizer, &both[i]->tokenizer, path, &err), err);
        assert_int_equal(tokenizer_size(tokenizer), i == 0 ? 260 : 4);
        tokenizer_free(tokenizer);
        mem_free(path);
    }
    mem_free(folder);
}

/* Opening must fail with this code and a message that holds the path and `fault`. */
static void assert_refused(const char *path, const struct tokenizer_spec *spec, int code,
                           const char *fault)
{
    struct err err = ERR_INIT;
    struct tokenizer *tokenizer = NULL;
    int rc = tokenizer_open(&tokenizer, spec, path, &err);
    if (rc != code || strstr(err.message, fault) == NULL || strstr(err.message, path) == NULL)
        fail_msg("expected %d '%s', got %d '%s'", code, fault, rc, err.message);
    assert_null(tokenizer);
}

static void execute(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
    sqlite3_exec(db, sql, NULL, NULL, &message);
    if (message != NULL)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

/* Over the old content, not truncated first: some file systems flush such files on closing. */
static void write_file(const char *path, const void *data, size_t len)
{
    int fd = open(path, O_WRONLY);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, len, 0), len);
    assert_int_equal(ftruncate(fd, (off_t)len), 0);
    close(fd);
}

static void each_damage_is_refused_by_name(void **state)
{
    static const struct {
        const char *sql, *fault;
    } cases[] = {
        {"DROP TABLE token", "no table 'token'"},
        {"DROP TABLE merge", "no table 'merge'"},
        {"DROP TABLE meta", "no table 'meta'"},
        {"ALTER TABLE token RENAME TO t; CREATE VIEW token AS SELECT * FROM t", "no table 'token'"},
        {"ALTER TABLE token RENAME COLUMN text TO word", "no such column: text"},
        {"ALTER TABLE merge RENAME COLUMN \"left\" TO l", "no such column: left"},
        {"DELETE FROM meta WHERE key = 'form'", "meta lacks 'form'"},
        {"UPDATE meta SET value = '2' WHERE key = 'version'", "version '2' where '1'"},
        {"UPDATE meta SET value = 'word' WHERE key = 'kind'", "kind 'word' where 'bpe'"},
        {"UPDATE meta SET value = 'nfkc' WHERE key = 'form'", "form 'nfkc' where 'nfc'"},
        {"UPDATE meta SET value = 'true' WHERE key = 'fold'", "fold 'true' where 'false'"},
        {"DELETE FROM token", "0 tokens; the first 260 are obligatory"},
        {"DELETE FROM token WHERE id = 0", "there is no id 0"},
        {"DELETE FROM token WHERE id = 100", "there is no id 100"},
        {"DELETE FROM token WHERE id = 300", "there is no id 300"},
        {"DELETE FROM token WHERE id > 200", "201 tokens; the first 260 are obligatory"},
        {"UPDATE token SET id = -1 WHERE id = 7", "there is no id 0"},
        {"UPDATE token SET text = '<PAD>' WHERE id = 0", "token 0 is '<PAD>'; it must be '<pad>'"},
        {"UPDATE token SET text = '<0xfe>' WHERE id = 258", "it must be '<0xFE>'"},
        {"UPDATE token SET text = '' WHERE id = 270", "token 270: 0 bytes"},
        {"UPDATE token SET text = printf('%.*c', 1025, 'x') WHERE id = 270",
         "token 270: 1025 bytes"},
        {"UPDATE token SET text = printf('%.*c', 3000000, 'x') WHERE id = 270", "too big"},
        {"UPDATE token SET text = CAST(x'61FF' AS TEXT) WHERE id = 270",
         "token 270: the text is not UTF-8"},
        {"UPDATE token SET text = CAST(x'610062' AS TEXT) WHERE id = 270",
         "token 270: the text is not UTF-8 without NUL"},
        {"UPDATE token SET text = x'61' WHERE id = 270", "token 270: text or count"},
        {"UPDATE token SET count = 'many' WHERE id = 270", "token 270: text or count"},
        {"UPDATE token SET count = -1 WHERE id = 270", "token 270: negative count"},
        {"UPDATE token SET text = (SELECT text FROM token WHERE id = 265) WHERE id = 280",
         "tokens 265 and 280 have the same text"},
        {"DELETE FROM merge WHERE rank = 3", "there is no rank 3"},
        {"UPDATE merge SET \"left\" = 'x' WHERE rank = 5", "merge 5: a value is not an integer"},
        {"UPDATE merge SET \"left\" = 259 WHERE rank = 5", "merge 5: there is no text token 259"},
        {"UPDATE merge SET \"right\" = 100000 WHERE rank = 5", "no text token 100000"},
        {"UPDATE merge SET \"right\" = -4 WHERE rank = 5", "no text token -4"},
        {"UPDATE merge SET \"left\" = 1 << 40 WHERE rank = 5", "no text token 1099511627776"},
        {"UPDATE token SET text = 'unheard of' WHERE id = (SELECT max(id) FROM token)",
         "no token has the text of"},
        {"UPDATE merge SET \"left\" = (SELECT \"left\" FROM merge WHERE rank = 2),"
         " \"right\" = (SELECT \"right\" FROM merge WHERE rank = 2) WHERE rank = 9",
         "merges 2 and 9 are of the same tokens"},
        {"PRAGMA journal_mode = WAL", "WAL mode"},
    };
    char *path = fixture_vocab(state, "damaged.sqlite", &bpe);
    struct buf good = BUF_INIT;
    struct err err = ERR_INIT;
    assert_fine(file_read(path, 1 << 24, &good, &err), err);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_file(path, good.data, good.len);
        execute(path, cases[i].sql);
        assert_refused(path, &bpe.tokenizer, ERR_FORMAT, cases[i].fault);
    }
    buf_release(&good);
    mem_free(path);
}

static void words_have_no_merges(void **state)
{
    char *path = fixture_vocab(state, "words.sqlite", &word);
    execute(path, "INSERT INTO merge VALUES(0, 5, 6)");
    assert_refused(path, &word.tokenizer, ERR_FORMAT, "merge 0");
    mem_free(path);
}

static void damaged_files_are_refused(void **state)
{
    char *path = fixture_vocab(state, "bytes.sqlite", &bpe);
    struct buf good = BUF_INIT, bad = BUF_INIT;
    struct err err = ERR_INIT;

    assert_fine(file_read(path, 1 << 24, &good, &err), err);
    write_file(path, "", 0);
    assert_refused(path, &bpe.tokenizer, ERR_FORMAT, "the file is empty");
    write_file(path, "{\"model\": {}}", 13);
    assert_refused(path, &bpe.tokenizer, ERR_FORMAT, "not an SQLite database");
    write_file(path, good.data, 100);
    assert_refused(path, &bpe.tokenizer, ERR_FORMAT, "truncated");
    buf_append(&bad, good.data, good.len, NULL);
    for (int size = 0; size < 4; size++) { /* the page size, a 16-bit number at offset 16 */
        bad.data[16] = (char)size;
        bad.data[17] = size == 0 ? 0 : 3;
        write_file(path, bad.data, bad.len);
        assert_refused(path, &bpe.tokenizer, ERR_FORMAT, "page size");
    }
    for (size_t len = 101; len < good.len; len += 997) {
        write_file(path, good.data, len);
        assert_refused(path, &bpe.tokenizer, ERR_FORMAT, "truncated");
    }
    for (size_t page = 0; page < good.len; page += 4096) {
        buf_clear(&bad);
        buf_append(&bad, good.data, good.len, NULL);
        memset(bad.data + page + (page == 0 ? 100 : 0), 0, page == 0 ? 3996 : 4096);
        write_file(path, bad.data, bad.len);
        assert_refused(path, &bpe.tokenizer, ERR_FORMAT, page == 0 ? "" : "cannot read");
    }
    buf_release(&bad);
    buf_release(&good);
    mem_free(path);
}

/* A flipped byte is refused or gives a tokenizer that works; nothing in between. */
static void flipped_bytes_do_no_harm(void **state)
{
    char *path = fixture_vocab(state, "flipped.sqlite", &bpe);
    struct buf good = BUF_INIT;
    struct err err = ERR_INIT;
    struct rng rng;
    size_t refused = 0;

    assert_fine(file_read(path, 1 << 24, &good, &err), err);
    rng_seed(&rng, 27, 0);
    for (int round = 0; round < 1500; round++) {
        size_t at = (size_t)rng_below(&rng, round < 500 ? 600 : good.len);
        char old = good.data[at];
        struct tokenizer *tokenizer = NULL;
        good.data[at] = (char)(old ^ (1 << rng_below(&rng, 8)));
        write_file(path, good.data, good.len);
        err_clear(&err);
        if (tokenizer_open(&tokenizer, &bpe.tokenizer, path, &err) == 0) {
            struct encoded out = {.count = 0};
            assert_int_equal(tokenizer_encode(tokenizer, "the cat", 7, &out, NULL), 0);
            encoded_release(&out);
        } else {
            refused++;
            assert_non_null(strstr(err.message, path));
        }
        tokenizer_free(tokenizer);
        good.data[at] = old;
    }
    assert_true(refused > 100);
    buf_release(&good);
    mem_free(path);
}

static void a_locked_database_is_busy(void **state)
{
    char *path = fixture_vocab(state, "locked.sqlite", &bpe);
    struct tokenizer *tokenizer = NULL;
    struct err err = ERR_INIT;
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    assert_refused(path, &bpe.tokenizer, ERR_BUSY, "locked");
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    assert_fine(tokenizer_open(&tokenizer, &bpe.tokenizer, path, &err), err);
    tokenizer_free(tokenizer);
    sqlite3_close(db);
    mem_free(path);
}

static void reading_leaves_nothing_behind(void **state)
{
    char *folder = fresh_folder(state, "read-only");
    char *path = learn(folder, &bpe, fixture_lines, FIXTURE_LINES);
    struct tokenizer *tokenizer = NULL;
    struct err err = ERR_INIT;
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    assert_fine(tokenizer_open(&tokenizer, &bpe.tokenizer, path, &err), err);
    assert_int_equal(count_files(folder), 1);
    tokenizer_free(tokenizer);
    assert_int_equal(chmod(folder, 0755), 0);
    mem_free(path);
    mem_free(folder);
}

static void what_is_no_file_is_refused(void **state)
{
    assert_refused("/nonexistent/vocab.sqlite", &bpe.tokenizer, ERR_NOT_FOUND, "No such file");
    struct err err = ERR_INIT;
    struct tokenizer *tokenizer = NULL;
    assert_true(tokenizer_open(&tokenizer, &bpe.tokenizer, *state, &err) < 0);
    assert_non_null(strstr(err.message, *state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_the_merges_of_the_paper),
        cmocka_unit_test(keeps_the_most_frequent_words),
        cmocka_unit_test(saves_again_over_the_first),
        cmocka_unit_test(nul_is_never_a_token),
        cmocka_unit_test(rare_characters_stay_bytes),
        cmocka_unit_test(the_order_of_lines_does_not_matter),
        cmocka_unit_test(agrees_with_the_plain_algorithm),
        cmocka_unit_test(writes_into_no_folder),
        cmocka_unit_test(nothing_learned_is_still_a_vocabulary),
        cmocka_unit_test(each_damage_is_refused_by_name),
        cmocka_unit_test(words_have_no_merges),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(flipped_bytes_do_no_harm),
        cmocka_unit_test(a_locked_database_is_busy),
        cmocka_unit_test(reading_leaves_nothing_behind),
        cmocka_unit_test(what_is_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
