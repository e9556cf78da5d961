/* What comes in at the ports, written to a file in the format of pcap-savefile(5) by a writer with
 * a thread of its own, so no disk makes a frame wait. What that one has no room for is not
 * captured, and counted. */
#include "internal.h"

#include "capture/capture.h"
#include "writer.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum { BUFFER = 512 << 10 }; /* bytes of each of two */

struct capture {
    struct link *link;
    struct savefile_writer *writer; /* NULL: it has ended */
    uv_async_t ended;
    uint32_t snaplen;
    uint64_t lost; /* frames */
};

/* --- Frames -------------------------------------------------------------------------------- */

void capture_frame(struct capture *capture, const unsigned char *frame, size_t length)
{
    size_t captured = length < capture->snaplen ? length : capture->snaplen;
    struct savefile_packet packet = {
        .captured = (uint32_t)captured,
        .length = (uint32_t)length,
        .bytes = frame,
    };
    struct timespec now;

    if (!capture->writer)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    packet.time = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
    if (savefile_writer_put(capture->writer, &packet) == SAVEFILE_FULL)
        capture->lost++;
}

/* --- Life ---------------------------------------------------------------------------------- */

/* Ends the writer, and tells of what went wrong. */
static void close_writer(struct capture *capture)
{
    char problem[SAVEFILE_WRITER_PROBLEM];

    if (!capture->writer)
        return;
    if (savefile_writer_close(capture->writer, problem) == SAVEFILE_FAILED)
        link_warn(capture->link, "the capture ends: %s", problem);
    capture->writer = NULL;
    if (capture->lost)
        link_warn(capture->link, "%llu frames were not captured: they were not written in time",
                  (unsigned long long)capture->lost);
}

static void on_ended(uv_async_t *async)
{
    close_writer(async->data);
}

/* In the thread of the writer. */
static void tell_ended(void *context)
{
    struct capture *capture = context;

    uv_async_send(&capture->ended);
}

static int open_writer(struct capture *capture, const char *path)
{
    const struct savefile_interface interface = {
        .linktype = SAVEFILE_ETHERNET,
        .snaplen = capture->snaplen,
    };
    const struct savefile_writer_config config = {
        .path = path,
        .format = SAVEFILE_PCAP,
        .interfaces = &interface,
        .interface_count = 1,
        .ended = tell_ended,
        .context = capture,
        .buffer = BUFFER,
    };
    char problem[SAVEFILE_WRITER_PROBLEM];
    int result = savefile_writer_open(&capture->writer, &config, problem);

    return result < 0 ? link_fail(capture->link, result, "%s", problem) : 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct capture *capture = handle->data;

    capture->link->handles--;
    free(capture);
}

int link_capture(struct link *link, const char *path, uint32_t snaplen)
{
    struct capture *capture;
    int result;

    if (link->capture)
        return link_fail(link, -EEXIST, "the link is captured already");
    capture = calloc(1, sizeof *capture);
    if (!capture)
        return link_fail(link, -ENOMEM, "out of memory");
    capture->link = link;
    capture->snaplen = snaplen && snaplen < SAVEFILE_FRAME_MAX ? snaplen : SAVEFILE_FRAME_MAX;
    capture->ended.data = capture;
    result = uv_async_init(&link->loop, &capture->ended, on_ended);
    if (result < 0) {
        free(capture);
        return link_fail(link, result, "the loop takes no more");
    }
    uv_unref((uv_handle_t *)&capture->ended);
    link->handles++;
    result = open_writer(capture, path);
    if (result < 0) {
        uv_close((uv_handle_t *)&capture->ended, on_closed);
        return result;
    }
    link->capture = capture;
    link->observed = true;
    return 0;
}

/* Waits until nothing is left to be written, but not for ever. */
void capture_end(struct link *link)
{
    struct capture *capture = link->capture;

    if (!capture)
        return;
    link->capture = NULL;
    close_writer(capture);
    uv_close((uv_handle_t *)&capture->ended, on_closed);
}
