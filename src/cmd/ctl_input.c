/* See ctl_input.h. A line that is too long is dropped while it is read, so memory stays bounded. */
#include "cmd/ctl_input.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE 65536

void input_init(struct input *input, char **texts, int text_count, int fd)
{
    *input = (struct input){.texts = texts, .text_count = text_count, .fd = fd, .bytes = BUF_INIT};
    if (text_count > 0) {
        input->fd = -1;
        input->ended = true;
    }
}

void input_release(struct input *input)
{
    buf_release(&input->bytes);
}

static enum input_state next_argument(struct input *input, struct input_text *text)
{
    text->data = *input->texts++;
    text->len = strlen(text->data);
    input->text_count--;
    return INPUT_TEXT;
}

/* Gives out `len` bytes and takes `used` of them. */
static enum input_state give(struct input *input, struct input_text *text, size_t len, size_t used)
{
    bool whole = !input->skipping && len <= INPUT_MAX_LINE;
    text->data = whole ? input->bytes.data + input->taken : NULL;
    text->len = whole ? len : 0;
    if (whole && len > 0 && text->data[len - 1] == '\r')
        text->len--;
    input->taken += used;
    input->skipping = false;
    return INPUT_TEXT;
}

enum input_state input_next(struct input *input, struct input_text *text)
{
    if (input->text_count > 0)
        return next_argument(input, text);
    size_t left = input->bytes.len - input->taken;
    if (left > 0) {
        const char *from = input->bytes.data + input->taken;
        const char *feed = memchr(from, '\n', left);
        if (feed)
            return give(input, text, (size_t)(feed - from), (size_t)(feed - from) + 1);
        if (!input->ended && left > INPUT_MAX_LINE) {
            input->skipping = true;
            input->taken = input->bytes.len;
        }
    }
    if (!input->ended)
        return INPUT_NOTHING_YET;
    return left > 0 || input->skipping ? give(input, text, left, left) : INPUT_END;
}

int input_read(struct input *input, struct err *err)
{
    size_t left = input->bytes.len - input->taken;
    if (left > 0 && input->taken > 0)
        memmove(input->bytes.data, input->bytes.data + input->taken, left);
    input->bytes.len = left;
    input->taken = 0;
    int code = buf_reserve(&input->bytes, READ_SIZE, err);
    if (code < 0)
        return code;
    ssize_t n = read(input->fd, input->bytes.data + left, READ_SIZE);
    if (n > 0)
        input->bytes.len += (size_t)n;
    else if (n == 0)
        input->ended = true;
    else if (errno != EINTR && errno != EAGAIN)
        return err_errno(err, "cannot read standard input");
    return 0;
}
