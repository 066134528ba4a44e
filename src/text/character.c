/* Classes of characters, by their general category. */
#include "text/character.h"

#include <utf8proc.h>

#include "text/utf8.h"

uint32_t character_at(const char *text, size_t len, size_t offset, size_t *size)
{
    uint32_t code = 0;
    *size = offset < len ? utf8_decode(text + offset, len - offset, &code) : 0;
    if (offset < len && *size == 0)
        *size = 1;
    return code;
}

uint32_t character_before(const char *text, size_t begin, size_t offset, size_t *size)
{
    size_t start = offset - 1;
    while (start > begin && offset - start < 4 && ((unsigned char)text[start] & 0xC0) == 0x80)
        start--;
    uint32_t code = 0;
    *size = utf8_decode(text + start, offset - start, &code);
    if (*size == offset - start)
        return code;
    *size = 1;
    return 0;
}

static utf8proc_category_t category_of(uint32_t code)
{
    return utf8proc_category((utf8proc_int32_t)code);
}

bool character_is_line_break(uint32_t code)
{
    return code == '\n' || code == '\r' || code == 0x85 || code == 0x2028 || code == 0x2029;
}

bool character_is_space(uint32_t code)
{
    return code == ' ' || code == '\t' || character_is_line_break(code) ||
           (code > 127 && category_of(code) == UTF8PROC_CATEGORY_ZS);
}

bool character_is_letter(uint32_t code)
{
    utf8proc_category_t category = category_of(code);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

bool character_is_lower(uint32_t code)
{
    return category_of(code) == UTF8PROC_CATEGORY_LL;
}

bool character_is_upper(uint32_t code)
{
    utf8proc_category_t category = category_of(code);
    return category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT;
}

bool character_is_digit(uint32_t code)
{
    return category_of(code) == UTF8PROC_CATEGORY_ND;
}

bool character_is_mark(uint32_t code)
{
    utf8proc_category_t category = category_of(code);
    return (category >= UTF8PROC_CATEGORY_MN && category <= UTF8PROC_CATEGORY_ME) ||
           code == 0x200C || code == 0x200D;
}

bool character_is_open(uint32_t code)
{
    utf8proc_category_t category = category_of(code);
    return category == UTF8PROC_CATEGORY_PS || category == UTF8PROC_CATEGORY_PI || code == '"' ||
           code == '\'';
}

/* German closes with what others open with: U+201C. */
bool character_is_close(uint32_t code)
{
    utf8proc_category_t category = category_of(code);
    return category == UTF8PROC_CATEGORY_PE || category == UTF8PROC_CATEGORY_PF || code == '"' ||
           code == '\'' || code == 0x201C;
}

size_t character_skip_spaces(const char *text, size_t len, size_t offset)
{
    size_t size;
    while (offset < len && character_is_space(character_at(text, len, offset, &size)))
        offset += size;
    return offset;
}
