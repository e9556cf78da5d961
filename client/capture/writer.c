/* The caller fills one buffer, the thread writes the other. `busy` says that the other one is the
 * thread's, to be written; else it is empty. Where the caller's is full, the caller hands it over;
 * else the thread takes it, 10 ms after the first frame came.
 *
 * Where a file ends is decided when frames are put, so that the limits are exact, and stands in the
 * buffer as a cut: the thread opens the next file there. */
#include "writer.h"

#include "files.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <uv.h>

enum {
    CUTS_MAX = 64,                      /* of a buffer */
    STATISTICS_BYTES = 24 + 7 * 12 + 4, /* of an interface, without a comment */
    HEAD_BYTES = 128,                   /* of a section or interface, without its texts */
    BUFFER_LEAST = SAVEFILE_BLOCK_MAX,
};

struct buffer {
    unsigned char *bytes;
    size_t used;
    unsigned cuts;
    size_t cut[CUTS_MAX]; /* the next file begins there */
};

struct savefile_writer {
    /* The caller's. */
    enum savefile_format format;
    struct savefile_limits rotate, stop;
    void (*statistics)(void *context, struct savefile_statistics *ret);
    void (*ended)(void *context);
    void *context;
    unsigned interface_count;
    size_t head_size, size; /* of a buffer */
    struct savefile_progress progress;
    uint64_t start;       /* of the capture, by the wall clock */
    uint64_t ticked;      /* the first tick; 0: none yet */
    uint64_t file_ticked; /* the tick at which the file was begun */
    bool due;             /* the next frame belongs to another file */
    bool is_file;         /* that is written, and no pipe */

    /* The thread's. */
    struct savefile_files files;

    /* Of both, under the lock. */
    uv_mutex_t lock;
    uv_cond_t work, room; /* for the thread; for the caller */
    uv_thread_t thread;
    struct buffer buffers[2];
    unsigned filled; /* the caller's buffer */
    bool busy;
    bool closing;
    bool idle; /* the thread has written all and ends */
    enum savefile_state state;
    char problem[SAVEFILE_WRITER_PROBLEM];
};

static uint64_t wall_clock(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* --- The thread ---------------------------------------------------------------------------- */

static int next_file(struct savefile_files *files)
{
    int result = savefile_files_open(files);

    return result < 0 ? result : savefile_files_write_head(files);
}

static int write_buffer(struct savefile_files *files, const struct buffer *buffer)
{
    size_t from = 0;

    for (unsigned i = 0; i <= buffer->cuts; i++) {
        size_t to = i < buffer->cuts ? buffer->cut[i] : buffer->used;
        int result = savefile_files_write(files, buffer->bytes + from, to - from);

        if (result == 0 && i < buffer->cuts)
            result = next_file(files);
        if (result < 0)
            return result;
        from = to;
    }
    return 0;
}

static bool is_gone(int error)
{
    return error == -EPIPE || error == -ECONNRESET;
}

static const char *reason(int error)
{
    if (error == -ENXIO)
        return "nobody reads this FIFO yet: start its reader first";
    if (error == -ENOTTY)
        return "it is a terminal: name a file, or pipe it to a program that reads captures";
    return strerror(-error);
}

static void describe(const struct savefile_files *files, int error,
                     char problem[SAVEFILE_WRITER_PROBLEM])
{
    const char *name = savefile_is_output(files->path) ? "standard output" : files->name;

    snprintf(problem, SAVEFILE_WRITER_PROBLEM, "%.300s cannot be written: %s", name, reason(error));
}

/* Under the lock. */
static void end(struct savefile_writer *writer, int error)
{
    writer->idle = true;
    uv_cond_broadcast(&writer->room);
    if (error == 0)
        return;
    if (!is_gone(error))
        writer->state = SAVEFILE_FAILED;
    else if (writer->state == SAVEFILE_RUNS)
        writer->state = SAVEFILE_READER_GONE;
    if (writer->state == SAVEFILE_FAILED)
        describe(&writer->files, error, writer->problem);
}

static void hand_over(struct savefile_writer *writer)
{
    writer->filled = !writer->filled;
    writer->busy = true;
}

/* Waits for a buffer to write, and for more to come into it. Under the lock. False: there is none,
 * nor will be. */
static bool await_buffer(struct savefile_writer *writer)
{
    const uint64_t patience = SAVEFILE_WRITER_FLUSH_MS * UINT64_C(1000000);

    while (!writer->busy && !writer->closing && writer->buffers[writer->filled].used == 0)
        uv_cond_wait(&writer->work, &writer->lock);
    while (!writer->busy && !writer->closing)
        if (uv_cond_timedwait(&writer->work, &writer->lock, patience) == UV_ETIMEDOUT)
            break;
    if (!writer->busy && writer->buffers[writer->filled].used > 0)
        hand_over(writer);
    return writer->busy;
}

static int write_all(struct savefile_writer *writer)
{
    while (await_buffer(writer)) {
        struct buffer *buffer = &writer->buffers[!writer->filled];
        int result;

        uv_mutex_unlock(&writer->lock);
        result = write_buffer(&writer->files, buffer);
        uv_mutex_lock(&writer->lock);
        if (result < 0)
            return result;
        buffer->used = 0;
        buffer->cuts = 0;
        writer->busy = false;
        uv_cond_broadcast(&writer->room);
    }
    return 0;
}

/* Signals are the caller's, and those of a write that fails nobody's. */
static void run(void *context)
{
    struct savefile_writer *writer = context;
    sigset_t all;
    int result;
    bool tell;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    result = savefile_files_write_head(&writer->files);
    uv_mutex_lock(&writer->lock);
    if (result == 0)
        result = write_all(writer);
    end(writer, result);
    tell = result < 0 && writer->ended;
    uv_mutex_unlock(&writer->lock);
    if (tell)
        writer->ended(writer->context);
}

/* --- Putting ------------------------------------------------------------------------------- */

static size_t statistics_size(const struct savefile_writer *writer)
{
    bool has_any = writer->statistics && writer->format == SAVEFILE_PCAPNG;

    return has_any ? (size_t)writer->interface_count * STATISTICS_BYTES : 0;
}

static struct buffer *filled(struct savefile_writer *writer)
{
    return &writer->buffers[writer->filled];
}

/* So many bytes, and a cut, are put into the buffer now. Under the lock, as what follows. */
static bool has_room(struct savefile_writer *writer, size_t n)
{
    struct buffer *buffer = filled(writer);

    if (writer->size - buffer->used >= n && buffer->cuts < CUTS_MAX)
        return true;
    if (writer->busy)
        return false;
    hand_over(writer);
    uv_cond_signal(&writer->work);
    return true;
}

static void count(struct savefile_writer *writer, size_t n)
{
    struct buffer *buffer = filled(writer);

    if (buffer->used == 0)
        uv_cond_signal(&writer->work);
    buffer->used += n;
    writer->progress.bytes += n;
    writer->progress.file_bytes += n;
}

/* The last blocks of a file. */
static void put_statistics(struct savefile_writer *writer)
{
    uint64_t now = wall_clock();

    if (statistics_size(writer) == 0)
        return;
    for (uint32_t i = 0; i < writer->interface_count; i++) {
        struct buffer *buffer = filled(writer);
        struct savefile_statistics statistics = {
            .interface = i,
            .time = now,
            .start = writer->start,
            .end = now,
            .received = SAVEFILE_UNKNOWN,
            .dropped = SAVEFILE_UNKNOWN,
            .accepted = SAVEFILE_UNKNOWN,
            .os_dropped = SAVEFILE_UNKNOWN,
            .delivered = SAVEFILE_UNKNOWN,
        };

        writer->statistics(writer->context, &statistics);
        count(writer, pcapng_put_statistics(buffer->bytes + buffer->used,
                                            writer->size - buffer->used, &statistics));
    }
}

static void begin_file(struct savefile_writer *writer)
{
    writer->progress.files++;
    writer->progress.file_packets = 0;
    writer->progress.file_bytes = writer->head_size;
    writer->progress.bytes += writer->head_size;
}

/* There is room for it. */
static void switch_file(struct savefile_writer *writer)
{
    struct buffer *buffer;

    put_statistics(writer);
    buffer = filled(writer);
    if (buffer->used == 0)
        uv_cond_signal(&writer->work);
    buffer->cut[buffer->cuts++] = buffer->used;
    writer->due = false;
    begin_file(writer);
}

static bool has_reached(uint64_t value, uint64_t limit)
{
    return limit > 0 && value >= limit;
}

static bool is_last_file(const struct savefile_writer *writer)
{
    return has_reached(writer->progress.files, writer->stop.files);
}

static void complete(struct savefile_writer *writer)
{
    writer->state = SAVEFILE_COMPLETE;
    put_statistics(writer);
}

/* What the frame that was put has brought about. */
static void judge_limits(struct savefile_writer *writer)
{
    const struct savefile_progress *progress = &writer->progress;

    if (has_reached(progress->file_bytes, writer->rotate.bytes) ||
        has_reached(progress->file_packets, writer->rotate.packets))
        writer->due = true;
    if (has_reached(progress->packets, writer->stop.packets) ||
        has_reached(progress->file_bytes, writer->stop.bytes) ||
        (writer->due && is_last_file(writer)))
        complete(writer);
}

static enum savefile_put put(struct savefile_writer *writer, const struct savefile_packet *packet)
{
    size_t around = statistics_size(writer) * (writer->due ? 2 : 1), n;
    struct buffer *buffer;

    if (writer->state != SAVEFILE_RUNS)
        return SAVEFILE_ENDED;
    if (!has_room(writer, savefile_packet_size(writer->format, packet) + around))
        return SAVEFILE_FULL;
    if (writer->due)
        switch_file(writer);
    buffer = filled(writer);
    n = savefile_put_packet(buffer->bytes + buffer->used, writer->size - buffer->used,
                            writer->format, packet);
    if (n == 0)
        return SAVEFILE_FULL;
    count(writer, n);
    writer->progress.packets++;
    writer->progress.file_packets++;
    judge_limits(writer);
    return SAVEFILE_TAKEN;
}

enum savefile_put savefile_writer_put(struct savefile_writer *writer,
                                      const struct savefile_packet *packet)
{
    enum savefile_put result;

    uv_mutex_lock(&writer->lock);
    result = put(writer, packet);
    uv_mutex_unlock(&writer->lock);
    return result;
}

bool savefile_writer_wait(struct savefile_writer *writer, unsigned milliseconds)
{
    bool has;

    uv_mutex_lock(&writer->lock);
    if (writer->busy && !writer->idle)
        uv_cond_timedwait(&writer->room, &writer->lock, milliseconds * UINT64_C(1000000));
    has = !writer->busy;
    uv_mutex_unlock(&writer->lock);
    return has;
}

/* --- Time ---------------------------------------------------------------------------------- */

static uint32_t until(uint64_t now, uint64_t since, uint64_t duration, uint32_t other)
{
    uint64_t left = since + duration - now, milliseconds = left / 1000000 + 1;

    return milliseconds < other ? (uint32_t)milliseconds : other;
}

/* Under the lock. Where there is no room to end a file, it is tried again soon. */
static uint32_t tick(struct savefile_writer *writer, uint64_t now)
{
    bool stops = has_reached(now - writer->ticked, writer->stop.duration);
    bool turns = has_reached(now - writer->file_ticked, writer->rotate.duration);
    uint32_t left = UINT32_MAX;

    if (writer->state != SAVEFILE_RUNS)
        return UINT32_MAX;
    if ((stops || turns) && !has_room(writer, statistics_size(writer)))
        return 1;
    if (stops || (turns && is_last_file(writer))) {
        complete(writer);
        return UINT32_MAX;
    }
    if (turns) {
        switch_file(writer);
        writer->file_ticked = now;
    }
    if (writer->stop.duration > 0)
        left = until(now, writer->ticked, writer->stop.duration, left);
    if (writer->rotate.duration > 0)
        left = until(now, writer->file_ticked, writer->rotate.duration, left);
    return left;
}

uint32_t savefile_writer_tick(struct savefile_writer *writer, uint64_t now)
{
    uint32_t result;

    if (writer->ticked == 0)
        writer->ticked = writer->file_ticked = now;
    uv_mutex_lock(&writer->lock);
    result = tick(writer, now);
    uv_mutex_unlock(&writer->lock);
    return result;
}

/* --- What is known ------------------------------------------------------------------------- */

enum savefile_state savefile_writer_state(struct savefile_writer *writer)
{
    enum savefile_state state;

    uv_mutex_lock(&writer->lock);
    state = writer->state;
    uv_mutex_unlock(&writer->lock);
    return state;
}

struct savefile_progress savefile_writer_progress(const struct savefile_writer *writer)
{
    return writer->progress;
}

/* --- Life ---------------------------------------------------------------------------------- */

/* Bytes of these texts as options, at most. */
static size_t texts_size(const struct savefile_text *texts, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += texts[i].length + 8;
    return size;
}

static size_t head_size(const struct savefile_writer_config *config)
{
    const struct savefile_section *section = &config->section;
    const struct savefile_text texts[] = {section->hardware, section->os, section->application,
                                          section->comment};
    size_t size = HEAD_BYTES + texts_size(texts, sizeof texts / sizeof *texts);

    for (unsigned i = 0; i < config->interface_count; i++) {
        const struct savefile_interface *one = &config->interfaces[i];
        const struct savefile_text own[] = {one->name,     one->description, one->filter,
                                            one->hardware, one->os,          one->comment};

        size += HEAD_BYTES + texts_size(own, sizeof own / sizeof *own);
    }
    return size;
}

static size_t put_pcapng_head(const struct savefile_writer_config *config, unsigned char *place,
                              size_t size)
{
    size_t used = pcapng_put_section(place, size, &config->section);

    for (unsigned i = 0; used > 0 && i < config->interface_count; i++) {
        size_t n = pcapng_put_interface(place + used, size - used, &config->interfaces[i]);

        used = n > 0 ? used + n : 0;
    }
    return used;
}

/* What each file begins with; NULL: no memory, or a text is too long. */
static unsigned char *make_head(const struct savefile_writer_config *config, size_t *ret_size)
{
    size_t size = head_size(config);
    unsigned char *place = malloc(size), *head = NULL;

    if (!place)
        return NULL;
    if (config->format == SAVEFILE_PCAPNG)
        *ret_size = put_pcapng_head(config, place, size);
    else
        *ret_size = pcap_put_header(place, size, config->format, &config->interfaces[0]);
    if (*ret_size > 0)
        head = realloc(place, *ret_size);
    if (!head)
        free(place);
    return head;
}

static int refuse(char problem[SAVEFILE_WRITER_PROBLEM], int error, const char *sentence)
{
    snprintf(problem, SAVEFILE_WRITER_PROBLEM, "%s", sentence);
    return error;
}

/* What cannot be; 0: it can. */
static int judge(const struct savefile_writer_config *config, bool rotates, char *problem)
{
    bool is_output = savefile_is_output(config->path);

    if (config->interface_count == 0 || config->interface_count > SAVEFILE_INTERFACES_MAX)
        return refuse(problem, -EINVAL, "a capture has 1 to 256 interfaces");
    if (config->format != SAVEFILE_PCAPNG && config->interface_count != 1)
        return refuse(problem, -EINVAL, "a pcap file has one interface: use pcapng for more");
    if (rotates && is_output)
        return refuse(problem, -EINVAL, "standard output cannot take turns with other files");
    if (config->rotate.files > SAVEFILE_FILES_MAX)
        return refuse(problem, -EINVAL, "a ring has at most 10000 files");
    if (!rotates && (config->rotate.files > 0 || config->stop.files > 0))
        return refuse(problem, -EINVAL,
                      "a number of files needs a size, a time or a number of frames, after which "
                      "the next one begins");
    return 0;
}

static int prepare(struct savefile_writer *writer, const struct savefile_writer_config *config,
                   bool rotates, char *problem)
{
    unsigned char *head = make_head(config, &writer->head_size);
    int result;

    if (!head)
        return refuse(problem, -EINVAL, "the capture's texts are too long, or memory is short");
    result =
        savefile_files_init(&writer->files, config->path, config->format, head, writer->head_size);
    if (result == 0 && rotates)
        result = savefile_files_number(&writer->files, config->rotate.files);
    for (int i = 0; result == 0 && i < 2; i++) {
        writer->buffers[i].bytes = malloc(writer->size);
        result = writer->buffers[i].bytes ? 0 : -ENOMEM;
    }
    if (result < 0)
        return refuse(problem, result, "out of memory");
    result = savefile_files_open(&writer->files);
    if (result < 0)
        describe(&writer->files, result, problem);
    writer->is_file = writer->files.regular;
    return result;
}

static void discard(struct savefile_writer *writer)
{
    savefile_files_free(&writer->files);
    free(writer->buffers[0].bytes);
    free(writer->buffers[1].bytes);
    free(writer);
}

static void destroy_locks(struct savefile_writer *writer)
{
    uv_cond_destroy(&writer->work);
    uv_cond_destroy(&writer->room);
    uv_mutex_destroy(&writer->lock);
}

static int start(struct savefile_writer *writer, char *problem)
{
    if (uv_mutex_init(&writer->lock) < 0)
        return refuse(problem, -ENOMEM, "out of memory");
    if (uv_cond_init(&writer->work) < 0) {
        uv_mutex_destroy(&writer->lock);
        return refuse(problem, -ENOMEM, "out of memory");
    }
    if (uv_cond_init(&writer->room) < 0) {
        uv_cond_destroy(&writer->work);
        uv_mutex_destroy(&writer->lock);
        return refuse(problem, -ENOMEM, "out of memory");
    }
    if (uv_thread_create(&writer->thread, run, writer) == 0)
        return 0;
    destroy_locks(writer);
    return refuse(problem, -EAGAIN, "there can be no more threads");
}

static void set(struct savefile_writer *writer, const struct savefile_writer_config *config)
{
    size_t size = config->buffer ? config->buffer : SAVEFILE_WRITER_BUFFER;

    writer->format = config->format;
    writer->rotate = config->rotate;
    writer->stop = config->stop;
    writer->statistics = config->statistics;
    writer->ended = config->ended;
    writer->context = config->context;
    writer->interface_count = config->interface_count;
    writer->start = wall_clock();
    writer->size = BUFFER_LEAST + 2 * statistics_size(writer);
    if (size > writer->size)
        writer->size = size;
    writer->files.fd = -1;
}

int savefile_writer_open(struct savefile_writer **ret, const struct savefile_writer_config *config,
                         char problem[SAVEFILE_WRITER_PROBLEM])
{
    bool rotates = config->rotate.bytes || config->rotate.packets || config->rotate.duration;
    int result = judge(config, rotates, problem);
    struct savefile_writer *writer;

    if (result < 0)
        return result;
    writer = calloc(1, sizeof *writer);
    if (!writer)
        return refuse(problem, -ENOMEM, "out of memory");
    set(writer, config);
    result = prepare(writer, config, rotates, problem);
    if (result == 0)
        begin_file(writer);
    if (result == 0)
        result = start(writer, problem);
    if (result < 0) {
        discard(writer);
        return result;
    }
    *ret = writer;
    return 0;
}

/* Waits until the thread has written a buffer, or all: to a file for as long as it takes, else not
 * longer than this. Under the lock. False: the time is over. */
static bool await_thread(struct savefile_writer *writer)
{
    const uint64_t patience = SAVEFILE_WRITER_END_MS * UINT64_C(1000000);

    if (!writer->is_file)
        return uv_cond_timedwait(&writer->room, &writer->lock, patience) == 0;
    uv_cond_wait(&writer->room, &writer->lock);
    return true;
}

/* The last blocks, if there is room for them in time. Under the lock. */
static void put_end(struct savefile_writer *writer)
{
    while (!has_room(writer, statistics_size(writer)) && !writer->idle)
        if (!await_thread(writer))
            return;
    if (writer->state == SAVEFILE_RUNS)
        put_statistics(writer);
}

enum savefile_state savefile_writer_close(struct savefile_writer *writer,
                                          char problem[SAVEFILE_WRITER_PROBLEM])
{
    enum savefile_state state;

    uv_mutex_lock(&writer->lock);
    if (writer->state == SAVEFILE_RUNS)
        put_end(writer);
    writer->closing = true;
    uv_cond_signal(&writer->work);
    while (!writer->idle && await_thread(writer))
        ;
    if (!writer->idle)
        pthread_cancel(writer->thread);
    uv_mutex_unlock(&writer->lock);
    uv_thread_join(&writer->thread);
    state = writer->state;
    memcpy(problem, writer->problem, SAVEFILE_WRITER_PROBLEM);
    destroy_locks(writer);
    discard(writer);
    return state;
}
