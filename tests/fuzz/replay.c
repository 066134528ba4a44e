/*
 * The main function of a fuzz target in ordinary builds: gives it each file of its corpus, then
 * damaged forms of that file: cut short, bytes changed, pieces doubled. The damage is drawn from a
 * fixed seed, so that a failure comes back. With file names as arguments, it gives it just those.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"

#define DAMAGED_FORMS 300
#define FILE_LIMIT ((size_t)16 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void give_up(const char *what)
{
    fprintf(stderr, "replay: %s\n", what);
    exit(99);
}

/* The target gets memory of exactly `size` bytes, so that sanitizers see the first one too many. */
static void give(const char *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        give_up("out of memory");
    if (size)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void give_damaged(const struct buf *whole, struct rng *rng)
{
    char *copy = malloc(whole->len * 2 + 1);
    if (!copy)
        give_up("out of memory");
    memcpy(copy, whole->data, whole->len);
    size_t len = whole->len;
    if (len > 0 && rng_below(rng, 4) == 0) { /* double a piece */
        size_t from = rng_below(rng, len), piece = rng_below(rng, len - from) + 1;
        memmove(copy + from + piece, copy + from, len - from);
        len += piece;
    }
    if (len > 0 && rng_below(rng, 4) == 0)
        len = rng_below(rng, len);
    for (uint64_t changes = len ? rng_below(rng, 5) : 0; changes > 0; changes--)
        copy[rng_below(rng, len)] = (char)rng_below(rng, 256);
    give(copy, len);
    free(copy);
}

static void replay(const char *path, struct rng *rng)
{
    struct buf whole = BUF_INIT;
    struct err err = ERR_INIT;
    if (file_read(path, FILE_LIMIT, &whole, &err))
        give_up(err.message);
    fprintf(stderr, "%s\n", path);
    give(whole.data, whole.len);
    for (int i = 0; rng && i < DAMAGED_FORMS; i++)
        give_damaged(&whole, rng);
    buf_release(&whole);
}

/* "…/fuzz_opt" has its corpus in tests/fuzz/corpus/opt. */
static char *corpus_folder(const char *program)
{
    const char *top = getenv("top_srcdir"), *name = strrchr(program, '/');
    name = strstr(name ? name : program, "fuzz_");
    if (!name)
        give_up("the program's name has no fuzz_ in it");
    struct buf path = BUF_INIT;
    if (buf_printf(&path, NULL, "%s/tests/fuzz/corpus/%s", top ? top : ".", name + 5))
        give_up("out of memory");
    return path.data;
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int replay_corpus(const char *program)
{
    struct dirent **entries;
    struct rng rng;
    char *folder = corpus_folder(program);
    int count = scandir(folder, &entries, is_input, alphasort);
    if (count <= 0)
        give_up("no corpus");
    rng_seed(&rng, 1, 0);
    for (int i = 0; i < count; i++) {
        char *path = file_join(folder, entries[i]->d_name, NULL);
        if (!path)
            give_up("out of memory");
        replay(path, &rng);
        mem_free(path);
        free(entries[i]);
    }
    free(entries);
    mem_free(folder);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return replay_corpus(argv[0]);
    for (int i = 1; i < argc; i++)
        replay(argv[i], NULL);
    return 0;
}
