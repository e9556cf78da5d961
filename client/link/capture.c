/* What comes in at the ports, written to a file in the format of pcap-savefile(5).
 *
 * There are two buffers: one is filled while a thread of libuv's pool writes the other, so no disk
 * makes a frame wait. Where both are full, frames are not captured, and counted. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    CAPTURE_BUFFER = 256 << 10,
    CAPTURE_EVERY_MS = 10,
    CAPTURE_END_MS = 1000, /* how long a reader that does not read is waited for */
    SNAPLEN_MOST = 262144,
    LINKTYPE_ETHERNET = 1,
};

#define MAGIC_NANOSECONDS 0xa1b23c4d

struct capture {
    struct link *link;
    int fd;
    uint32_t snaplen;
    uv_timer_t timer;
    uv_fs_t request;
    bool writing; /* the other buffer than the one that is filled */
    bool failed;
    unsigned filled; /* the buffer that is filled: 0 or 1 */
    size_t used[2];
    size_t written; /* of the other one */
    uint64_t lost;  /* frames */
    unsigned char buffers[2][CAPTURE_BUFFER];
};

struct file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, accuracy, snaplen, linktype;
};

struct record_header {
    uint32_t seconds, nanoseconds, captured, length;
};

_Static_assert(sizeof(struct file_header) == 24 && sizeof(struct record_header) == 16,
               "as pcap-savefile(5) has it");

/* --- Writing ------------------------------------------------------------------------------- */

static void on_written(uv_fs_t *request);

static void write_other(struct capture *capture)
{
    unsigned other = !capture->filled;
    uv_buf_t buffer = uv_buf_init((char *)capture->buffers[other] + capture->written,
                                  (unsigned)(capture->used[other] - capture->written));

    if (uv_fs_write(&capture->link->loop, &capture->request, capture->fd, &buffer, 1, -1,
                    on_written) < 0)
        capture->failed = true;
}

static void begin_write(struct capture *capture)
{
    if (capture->writing || capture->used[capture->filled] == 0)
        return;
    capture->filled = !capture->filled;
    capture->writing = true;
    capture->written = 0;
    write_other(capture);
}

static void on_timer(uv_timer_t *timer)
{
    struct capture *capture = timer->data;

    if (!capture->writing)
        begin_write(capture);
    else if (capture->request.result == UV_EAGAIN)
        write_other(capture);
}

static void start_timer(struct capture *capture)
{
    if (!uv_is_active((uv_handle_t *)&capture->timer))
        uv_timer_start(&capture->timer, on_timer, CAPTURE_EVERY_MS, 0);
}

static void on_written(uv_fs_t *request)
{
    struct capture *capture = request->data;
    ssize_t n = request->result;

    uv_fs_req_cleanup(request);
    request->result = n;
    if (n == UV_EAGAIN)
        start_timer(capture);
    else if (n < 0) {
        capture->failed = true;
        link_warn(capture->link, "the capture ends: %s", uv_strerror((int)n));
    } else if ((capture->written += (size_t)n) < capture->used[!capture->filled])
        write_other(capture);
    else {
        capture->used[!capture->filled] = 0;
        capture->writing = false;
        if (capture->used[capture->filled])
            start_timer(capture);
    }
}

/* --- Frames -------------------------------------------------------------------------------- */

static unsigned char *room_for(struct capture *capture, size_t bytes)
{
    unsigned char *place;

    if (capture->used[capture->filled] + bytes > CAPTURE_BUFFER)
        begin_write(capture);
    if (capture->used[capture->filled] + bytes > CAPTURE_BUFFER)
        return NULL;
    place = capture->buffers[capture->filled] + capture->used[capture->filled];
    capture->used[capture->filled] += bytes;
    return place;
}

void capture_frame(struct capture *capture, const unsigned char *frame, size_t length)
{
    size_t captured = length < capture->snaplen ? length : capture->snaplen;
    struct record_header header = {.captured = (uint32_t)captured, .length = (uint32_t)length};
    unsigned char *place = capture->failed ? NULL : room_for(capture, sizeof header + captured);
    struct timespec now;

    if (!place) {
        capture->lost++;
        return;
    }
    clock_gettime(CLOCK_REALTIME, &now);
    header.seconds = (uint32_t)now.tv_sec;
    header.nanoseconds = (uint32_t)now.tv_nsec;
    memcpy(place, &header, sizeof header);
    memcpy(place + sizeof header, frame, captured);
    start_timer(capture);
}

/* --- Life ---------------------------------------------------------------------------------- */

/* Standard output may be shared: it is opened anew, so that not blocking is of ours alone. */
static int open_file(const char *path)
{
    const char *name = strcmp(path, "-") == 0 ? "/dev/stdout" : path;
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

    if (fd < 0)
        return -errno;
    return fd;
}

static void begin_file(struct capture *capture)
{
    const struct file_header header = {
        .magic = MAGIC_NANOSECONDS,
        .major = 2,
        .minor = 4,
        .snaplen = capture->snaplen,
        .linktype = LINKTYPE_ETHERNET,
    };

    memcpy(room_for(capture, sizeof header), &header, sizeof header);
    start_timer(capture);
}

int link_capture(struct link *link, const char *path, uint32_t snaplen)
{
    struct capture *capture;
    int fd;

    if (link->capture)
        return link_fail(link, -EEXIST, "the link is captured already");
    fd = open_file(path);
    if (fd < 0)
        return link_fail(link, fd, "%s cannot be written: %s", path, strerror(-fd));
    capture = calloc(1, sizeof *capture);
    if (!capture) {
        close(fd);
        return link_fail(link, -ENOMEM, "out of memory");
    }
    capture->link = link;
    capture->fd = fd;
    capture->snaplen = snaplen && snaplen < SNAPLEN_MOST ? snaplen : SNAPLEN_MOST;
    capture->request.data = capture;
    uv_timer_init(&link->loop, &capture->timer);
    capture->timer.data = capture;
    link->handles++;
    begin_file(capture);
    link->capture = capture;
    link->observed = true;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct capture *capture = handle->data;

    capture->link->handles--;
    close(capture->fd);
    free(capture);
}

/* Waits until nothing is left to be written, but not for ever. */
void capture_end(struct link *link)
{
    struct capture *capture = link->capture;
    uint64_t end = uv_hrtime() + CAPTURE_END_MS * UINT64_C(1000000);

    if (!capture)
        return;
    link->capture = NULL;
    begin_write(capture);
    while ((capture->writing || capture->used[capture->filled]) && !capture->failed &&
           uv_hrtime() < end) {
        uv_run(&link->loop, UV_RUN_NOWAIT);
        poll(NULL, 0, 1);
    }
    if (capture->lost)
        link_warn(link, "%llu frames were not captured: they were not written in time",
                  (unsigned long long)capture->lost);
    uv_close((uv_handle_t *)&capture->timer, on_closed);
}
