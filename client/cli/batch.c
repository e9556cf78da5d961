/* At most WINDOW requests are under way: the replies to these fit what the service queues for a
 * client, so neither side ever waits for the other to read. */
#include "batch.h"

#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    WINDOW = 1024,
    /* Of a file with one wrong name in each line, nobody reads more. */
    REFUSALS_SHOWN = 50,
    TEXT_MAX = 1024 * 1024 * 1024,
    FILE_MAX = 64 * 1024 * 1024,
};

void batch_clear(struct batch *batch)
{
    json_clear(&batch->text);
    free(batch->items);
    *batch = (struct batch){.line = batch->line};
}

static bool make_room(struct batch *batch)
{
    size_t capacity = batch->capacity ? batch->capacity * 2 : 256;
    struct batch_item *items;

    if (batch->count < batch->capacity)
        return true;
    items = realloc(batch->items, capacity * sizeof *items);
    if (!items)
        return false;
    batch->items = items;
    batch->capacity = capacity;
    return true;
}

bool batch_add(struct batch *batch, const struct batch_item *where, const struct json *text)
{
    struct batch_item item = *where;

    item.start = batch->text.length;
    item.length = text->length;
    batch->text.limit = TEXT_MAX;
    json_bytes(&batch->text, text->text, text->length);
    if (batch->text.failed || !make_room(batch)) {
        explain_no_memory(batch->line);
        return false;
    }
    batch->items[batch->count++] = item;
    return true;
}

size_t batch_count(const struct batch *batch, enum action action)
{
    size_t count = 0;

    for (size_t i = 0; i < batch->count; i++)
        count += batch->items[i].action == action;
    return count;
}

/* --- Sending ------------------------------------------------------------------------------- */

struct sending {
    const struct batch *batch;
    enum action action;
    size_t next; /* the item whose reply comes next */
    struct batch_result *result;
    size_t total;
    time_t start;
    bool shown; /* progress, on the terminal */
};

/* Back to the beginning of the line of progress, which is shown on terminals alone. */
static const char erase_line[] = "\r\033[K";

static void skip_others(struct sending *sending)
{
    while (sending->next < sending->batch->count &&
           sending->batch->items[sending->next].action != sending->action)
        sending->next++;
}

static void say_refusal(const struct sending *sending, const struct batch_item *item,
                        const struct nb_reply *reply)
{
    const struct fault fault = {.code = nb_reply_code(reply),
                                .field = nb_reply_field(reply),
                                .file = item->file,
                                .line = item->line};

    if (sending->shown)
        fputs(erase_line, stderr);
    report(sending->batch->line, &fault, "%s", nb_reply_message(reply));
}

static void take_reply(struct nb_client *client, const struct nb_reply *reply, void *context)
{
    struct sending *sending = context;
    const struct batch_item *item;

    (void)client;
    skip_others(sending);
    item = &sending->batch->items[sending->next++];
    if (!nb_reply_code(reply))
        sending->result->done++;
    else if (sending->result->refused++ < REFUSALS_SHOWN)
        say_refusal(sending, item, reply);
}

static time_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/* For a person who waits for more than a second. */
static void show_progress(struct sending *sending)
{
    size_t answered = sending->result->done + sending->result->refused;

    if (now() - sending->start < 2 || !shows_progress(sending->batch->line))
        return;
    fprintf(stderr, "%s%zu of %zu ...", erase_line, answered, sending->total);
    sending->shown = true;
}

/* Sends and receives until at most `most` requests are under way. */
static int pump(struct nb_client *client, struct sending *sending, size_t most)
{
    time_t last = now(); /* when something was answered */
    int result = nb_dispatch(client);

    while (result == 0 && nb_pending(client) > most) {
        struct pollfd polled = {nb_fd(client), nb_poll_events(client), 0};
        size_t before = nb_pending(client);

        show_progress(sending);
        if (poll(&polled, 1, 1000) < 0 && errno != EINTR)
            return -errno;
        result = nb_dispatch(client);
        if (nb_pending(client) < before)
            last = now();
        else if (result == 0 && (double)(now() - last) > sending->batch->line->timeout)
            result = -ETIMEDOUT;
    }
    return result;
}

/* A trial is the same request with one member more. */
static int submit(struct nb_client *client, const char *text, size_t length, bool dry_run,
                  struct sending *sending)
{
    static const char trial[] = ",\"dry_run\":true}}";
    struct json json = {.limit = length + sizeof trial};
    int result;

    if (!dry_run)
        return nb_submit_text(client, text, length, take_reply, sending);
    json_bytes(&json, text, length - 2); /* without its "}}" */
    json_bytes(&json, trial, sizeof trial - 1);
    result =
        json.failed ? -ENOMEM : nb_submit_text(client, json.text, json.length, take_reply, sending);
    json_clear(&json);
    return result;
}

int batch_send(struct nb_client *client, const struct batch *batch, enum action action,
               bool dry_run, struct batch_result *ret)
{
    struct sending sending = {.batch = batch,
                              .action = action,
                              .result = ret,
                              .total = batch_count(batch, action),
                              .start = now()};
    int result = 0;

    *ret = (struct batch_result){0};
    for (size_t i = 0; i < batch->count && result == 0; i++) {
        const struct batch_item *item = &batch->items[i];

        if (item->action != action)
            continue;
        result = submit(client, batch->text.text + item->start, item->length, dry_run, &sending);
        if (result == 0 && nb_pending(client) >= WINDOW)
            result = pump(client, &sending, WINDOW / 2);
    }
    if (result == 0)
        result = pump(client, &sending, 0);
    if (sending.shown)
        fputs(erase_line, stderr);
    if (ret->refused > REFUSALS_SHOWN)
        report(batch->line, &(struct fault){.code = "aborted"}, "%zu more were refused.",
               ret->refused - REFUSALS_SHOWN);
    return result;
}

/* --- Files --------------------------------------------------------------------------------- */

static int read_stream(FILE *file, char **ret_text, size_t *ret_length)
{
    struct json text = {.limit = FILE_MAX};
    char bytes[64 * 1024];
    size_t length;
    int error = 0;

    errno = 0;
    while (error == 0 && (length = fread(bytes, 1, sizeof bytes, file)) > 0) {
        json_bytes(&text, bytes, length);
        if (text.failed)
            error = text.length + length > FILE_MAX ? -EFBIG : -ENOMEM;
    }
    if (error == 0 && ferror(file))
        error = errno ? -errno : -EIO;
    if (error < 0) {
        json_clear(&text);
        return error;
    }
    *ret_text = text.text;
    *ret_length = text.length;
    return 0;
}

int file_read(const char *path, char **ret_text, size_t *ret_length)
{
    FILE *file;
    int result;

    if (strcmp(path, "-") == 0)
        return read_stream(stdin, ret_text, ret_length);
    file = fopen(path, "re");
    if (!file)
        return -errno;
    result = read_stream(file, ret_text, ret_length);
    fclose(file);
    return result;
}
