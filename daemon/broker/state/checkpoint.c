#include "checkpoint.h"

#include "log.h"
#include "state_line.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WRITE_DELAY_MS = 200,  /* changes that come together are written together */
    RETRY_DELAY_MS = 2000, /* behind a failure, e.g. of a full disk */
    PATIENCE_MS = 10000,   /* with transactions that are open */
    LEASES_A_TURN = 150,   /* then clients have their turn; about 0.1 ms */
};

struct checkpoint {
    uv_loop_t *loop;
    struct leases *leases;
    const char *path;
    char new_path[PATH_MAX + 8];

    uv_timer_t delay;
    uv_idle_t writer;
    uv_work_t work;
    size_t open_handles;
    bool begun;   /* else the file may hold more than there is yet */
    bool touched; /* changes are not in the file yet */
    bool busy;    /* a file is being written or synced */
    bool due;     /* it is begun as soon as no transaction is open */
    bool hasty;   /* the last one was given up: the next one is written in one turn */
    size_t open;  /* transactions that have changed something */
    bool stopped;

    int fd; /* of the new file; -1: none */
    struct lease_cursor cursor;
    size_t written; /* lines */
    uint64_t digest;
    int error;   /* of the file that is being written */
    int problem; /* why the last file could not be written; 0: it was */
};

uint64_t state_digest(uint64_t digest, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        digest = (digest ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return digest;
}

/* --- Writing ------------------------------------------------------------------------------- */

/* A disk that becomes full takes a part; only the next write says why it takes no more. */
static void put(struct checkpoint *checkpoint, const char *bytes, size_t length)
{
    while (checkpoint->error == 0 && length > 0) {
        ssize_t n = write(checkpoint->fd, bytes, length);

        if (n < 0 && errno != EINTR)
            checkpoint->error = errno;
        if (n > 0) {
            bytes += n;
            length -= (size_t)n;
        }
    }
}

/* #syscalls broker: open openat write */
static void begin_file(struct checkpoint *checkpoint)
{
    checkpoint->touched = checkpoint->due = false;
    checkpoint->busy = true;
    checkpoint->written = 0;
    checkpoint->digest = STATE_DIGEST_START;
    checkpoint->error = 0;
    checkpoint->fd =
        open(checkpoint->new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (checkpoint->fd < 0)
        checkpoint->error = errno;
    put(checkpoint, STATE_HEAD, strlen(STATE_HEAD));
    lease_cursor_open(&checkpoint->cursor, checkpoint->leases);
}

/* Writes the next lease; those of sessions are none that a start would bring back. False: there is
 * none left. */
static bool write_next(struct checkpoint *checkpoint, struct json *lines)
{
    const struct lease *lease = lease_cursor_next(&checkpoint->cursor);

    if (lease && lease->kind != HOLDER_SESSION) {
        state_line_write(lines, lease);
        json_bytes(lines, "\n", 1);
        checkpoint->written++;
    }
    return lease != NULL;
}

static void write_end(struct checkpoint *checkpoint, struct json *lines)
{
    char end[80];
    int length = snprintf(end, sizeof end, "{\"lines\":%zu,\"digest\":\"%016" PRIx64 "\"}\n",
                          checkpoint->written, checkpoint->digest);

    json_bytes(lines, end, (size_t)length);
    lease_cursor_close(&checkpoint->cursor);
}

/* Writes some of it. False when that was the last. */
static bool write_some(struct checkpoint *checkpoint)
{
    struct json lines = {.limit = 1 << 24};
    bool more = true;

    for (int i = 0; i < LEASES_A_TURN && more; i++)
        more = write_next(checkpoint, &lines);
    checkpoint->digest = state_digest(checkpoint->digest, lines.text, lines.length);
    if (!more)
        write_end(checkpoint, &lines);
    if (lines.failed)
        checkpoint->error = ENOMEM;
    else
        put(checkpoint, lines.text, lines.length);
    json_clear(&lines);
    return more;
}

/* The rename itself must reach the disk: that is the folder's content. */
static int sync_folder(const char *path)
{
    char copy[PATH_MAX];

    snprintf(copy, sizeof copy, "%s", path);

    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int error = fd < 0 || fsync(fd) < 0 ? errno : 0;

    if (fd >= 0)
        close(fd);
    return error;
}

/* Runs in a thread of its own: a disk may take seconds.
 * #syscalls broker: clone fsync close rename renameat renameat2 unlink unlinkat open openat */
static void finish_file(uv_work_t *work)
{
    struct checkpoint *checkpoint = work->data;

    if (checkpoint->error == 0 && fsync(checkpoint->fd) < 0)
        checkpoint->error = errno;
    if (checkpoint->fd >= 0)
        close(checkpoint->fd);
    checkpoint->fd = -1;
    if (checkpoint->error == 0 && rename(checkpoint->new_path, checkpoint->path) < 0)
        checkpoint->error = errno;
    if (checkpoint->error == 0)
        checkpoint->error = sync_folder(checkpoint->path);
    else
        unlink(checkpoint->new_path); /* it would use the space that the next try needs */
}

static void start_delay(struct checkpoint *checkpoint, uint64_t milliseconds);
static void free_when_done(struct checkpoint *checkpoint);

/* Once when it begins, and once when it is over. */
static void tell_problem(struct checkpoint *checkpoint)
{
    if (checkpoint->error && !checkpoint->problem)
        log_line(LOG_ERR,
                 "cannot write the state file %s: %s. It is tried again every %d seconds; until "
                 "then a restart of the service brings back what the file had before.",
                 checkpoint->path, strerror(checkpoint->error), RETRY_DELAY_MS / 1000);
    if (!checkpoint->error && checkpoint->problem)
        log_line(LOG_NOTICE, "the state file %s is written again.", checkpoint->path);
    checkpoint->problem = checkpoint->error;
}

static void after_file(uv_work_t *work, int status)
{
    struct checkpoint *checkpoint = work->data;

    (void)status;
    checkpoint->busy = false;
    tell_problem(checkpoint);
    checkpoint->touched |= checkpoint->error != 0;
    if (checkpoint->stopped)
        free_when_done(checkpoint);
    else if (checkpoint->touched)
        start_delay(checkpoint, checkpoint->error ? RETRY_DELAY_MS : WRITE_DELAY_MS);
}

int checkpoint_problem(const struct checkpoint *checkpoint)
{
    return checkpoint->problem;
}

/* The file may have a part of a transaction. */
static void give_up_file(struct checkpoint *checkpoint)
{
    uv_idle_stop(&checkpoint->writer);
    if (checkpoint->fd >= 0)
        close(checkpoint->fd);
    checkpoint->fd = -1;
    checkpoint->busy = false;
    checkpoint->touched = checkpoint->due = checkpoint->hasty = true;
    start_delay(checkpoint, PATIENCE_MS);
}

static void on_writer(uv_idle_t *writer)
{
    struct checkpoint *checkpoint = writer->data;

    if (write_some(checkpoint))
        return;
    if (checkpoint->open > 0) {
        give_up_file(checkpoint);
        return;
    }
    uv_idle_stop(writer);
    uv_queue_work(checkpoint->loop, &checkpoint->work, finish_file, after_file);
}

static void write_file(struct checkpoint *checkpoint)
{
    uv_timer_stop(&checkpoint->delay);
    begin_file(checkpoint);
    while (checkpoint->hasty && write_some(checkpoint))
        ;
    if (checkpoint->hasty)
        uv_queue_work(checkpoint->loop, &checkpoint->work, finish_file, after_file);
    else
        uv_idle_start(&checkpoint->writer, on_writer);
    checkpoint->hasty = false;
}

static void on_delay(uv_timer_t *timer)
{
    struct checkpoint *checkpoint = timer->data;

    checkpoint->hasty |= checkpoint->due; /* it is late, and more transactions may begin */
    if (checkpoint->open == 0 || checkpoint->due) {
        write_file(checkpoint);
    } else {
        checkpoint->due = true;
        start_delay(checkpoint, PATIENCE_MS);
    }
}

/* One change is in the file or not; what is half in it are two, or one of several. */
void checkpoint_change(struct checkpoint *checkpoint, const struct transaction *transaction)
{
    checkpoint->open += transaction->changes == 1;
    if (transaction->changes == 1 || !uv_is_active((uv_handle_t *)&checkpoint->writer))
        return;
    lease_cursor_close(&checkpoint->cursor);
    give_up_file(checkpoint);
}

void checkpoint_commit(struct checkpoint *checkpoint)
{
    checkpoint->open--;
    if (checkpoint->open == 0 && checkpoint->due && !checkpoint->stopped)
        write_file(checkpoint);
}

static void start_delay(struct checkpoint *checkpoint, uint64_t milliseconds)
{
    uv_timer_start(&checkpoint->delay, on_delay, milliseconds, 0);
}

void checkpoint_touch(struct checkpoint *checkpoint)
{
    if (checkpoint->begun && !checkpoint->touched && !checkpoint->busy && !checkpoint->stopped)
        start_delay(checkpoint, WRITE_DELAY_MS);
    checkpoint->touched = true;
}

void checkpoint_begin(struct checkpoint *checkpoint)
{
    checkpoint->begun = true;
    unlink(checkpoint->new_path); /* of a broker that was killed while it wrote */
    if (checkpoint->touched)
        start_delay(checkpoint, WRITE_DELAY_MS);
}

/* --- Life ---------------------------------------------------------------------------------- */

struct checkpoint *checkpoint_new(uv_loop_t *loop, struct leases *leases, const char *path)
{
    struct checkpoint *checkpoint = calloc(1, sizeof *checkpoint);

    if (!checkpoint)
        return NULL;
    checkpoint->loop = loop;
    checkpoint->leases = leases;
    checkpoint->path = path;
    checkpoint->fd = -1;
    snprintf(checkpoint->new_path, sizeof checkpoint->new_path, "%s.new", path);
    uv_timer_init(loop, &checkpoint->delay);
    uv_idle_init(loop, &checkpoint->writer);
    checkpoint->delay.data = checkpoint->writer.data = checkpoint->work.data = checkpoint;
    checkpoint->open_handles = 2;
    return checkpoint;
}

static void free_when_done(struct checkpoint *checkpoint)
{
    if (checkpoint->open_handles == 0 && !checkpoint->busy)
        free(checkpoint);
}

static void on_closed(uv_handle_t *handle)
{
    struct checkpoint *checkpoint = handle->data;

    checkpoint->open_handles--;
    free_when_done(checkpoint);
}

/* Writes the rest of the file that was begun, here and now. */
static void complete_file(struct checkpoint *checkpoint)
{
    while (write_some(checkpoint))
        ;
    finish_file(&checkpoint->work);
    after_file(&checkpoint->work, 0);
}

static void write_last_file(struct checkpoint *checkpoint)
{
    if (uv_is_active((uv_handle_t *)&checkpoint->writer)) {
        uv_idle_stop(&checkpoint->writer);
        complete_file(checkpoint);
    }
    /* A worker that still syncs an older file writes to the same name: let it finish. */
    while (checkpoint->touched && checkpoint->busy && uv_run(checkpoint->loop, UV_RUN_ONCE))
        ;
    if (checkpoint->touched) {
        begin_file(checkpoint);
        complete_file(checkpoint);
    }
}

void checkpoint_stop(struct checkpoint *checkpoint)
{
    checkpoint->stopped = true;
    if (checkpoint->begun)
        write_last_file(checkpoint);
    uv_close((uv_handle_t *)&checkpoint->delay, on_closed);
    uv_close((uv_handle_t *)&checkpoint->writer, on_closed);
}
