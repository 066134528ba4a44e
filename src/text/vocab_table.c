/* A vocabulary in memory: filling it and taking it apart. */
#include "text/vocab_table.h"

#include <stdio.h>
#include <string.h>
#include "base/mem.h"

const char *vocab_kind_name(enum token_kind kind)
{
    switch (kind) {
    case TOKEN_WORD:
        return "word";
    case TOKEN_BPE:
        return "bpe";
    case TOKEN_CHAR:
        return "char";
    }
    return "unknown";
}

const char *vocab_form_name(enum norm_form form)
{
    switch (form) {
    case NORM_NFC:
        return "nfc";
    case NORM_NFKC:
        return "nfkc";
    }
    return "unknown";
}

void vocab_reserved_text(int32_t id, char text[8])
{
    static const char *const special[TOKEN_FIRST] = {"<pad>", "<s>", "</s>", "<unk>"};

    if (id < TOKEN_FIRST)
        snprintf(text, 8, "%s", special[id]);
    else
        snprintf(text, 8, "<0x%02X>", (unsigned)(id - VOCAB_FIRST_BYTE) & 0xFFu);
}

int vocab_table_begin(struct vocab_table *table, const struct tokenizer_spec *spec, struct err *err)
{
    int32_t last = spec->kind == TOKEN_BPE ? VOCAB_FIRST_CHARACTER : TOKEN_FIRST;
    int rc = 0;

    table->spec = *spec;
    for (int32_t id = 0; id < last && rc == 0; id++) {
        char text[8];
        bool added;
        int32_t got;

        vocab_reserved_text(id, text);
        rc = vocab_table_add(table, text, strlen(text), 0, &got, &added, err);
    }
    return rc;
}

int vocab_table_add(struct vocab_table *table, const char *text, size_t len, int64_t count,
                    int32_t *id, bool *added, struct err *err)
{
    int rc;

    if (table->tokens.count >= VOCAB_MAX_TOKENS)
        return err_set(err, ERR_LIMIT, "a vocabulary of more than %zu tokens", VOCAB_MAX_TOKENS);
    if (table->tokens.count == table->capacity) {
        size_t capacity = table->capacity == 0 ? 1024 : 2 * table->capacity;
        int64_t *counts =
            mem_resize(table->counts, table->capacity, capacity, sizeof(*counts), err);

        if (counts == NULL)
            return ERR_MEMORY;
        table->counts = counts;
        table->capacity = capacity;
    }
    rc = intern_add(&table->tokens, text, len, id, added, err);
    if (rc == 0 && *added)
        table->counts[*id] = count;
    return rc;
}

void vocab_table_release(struct vocab_table *table)
{
    intern_release(&table->tokens);
    mem_free(table->counts);
    mem_free(table->merges);
    *table = (struct vocab_table){.merge_count = 0};
}
