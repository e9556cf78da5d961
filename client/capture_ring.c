/* A capture as its reader sees it: the memory that came with a reply, mapped. See ring/capture.h.
 */
#include "netbroker.h"

#include "ring/capture.h"
#include "rings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct nb_capture {
    struct capture_reader reader;
    struct ring_view ring, page; /* mapped */
    int bell;
};

static int map(struct nb_capture *capture, int ring, int page)
{
    int result = ring_view_map(ring, false, &capture->ring);

    if (result == 0)
        result = ring_view_map(page, true, &capture->page);
    if (result == -EINVAL || result == -EACCES)
        return -EBADMSG;
    if (result < 0)
        return result;
    return capture_reader_init(&capture->reader, capture->ring.page, capture->ring.data,
                               capture->ring.size, capture->page.page)
               ? 0
               : -EBADMSG;
}

static void close_one(int fd)
{
    if (fd >= 0)
        close(fd);
}

int nb_capture_open(struct nb_capture **ret_capture, const struct nb_reply *reply)
{
    struct nb_capture *capture;
    int ring, page, result;

    if (!ret_capture || !reply)
        return -EINVAL;
    capture = calloc(1, sizeof *capture);
    if (!capture)
        return -ENOMEM;
    ring = nb_reply_fd(reply, "ring");
    page = nb_reply_fd(reply, "page");
    capture->bell = nb_reply_fd(reply, "bell");
    result = ring < 0 ? ring : page < 0 ? page : capture->bell < 0 ? capture->bell : 0;
    if (result == 0)
        result = map(capture, ring, page);
    close_one(ring); /* the mappings stay */
    close_one(page);
    if (result == 0)
        *ret_capture = capture;
    else
        nb_capture_close(capture);
    return result;
}

void nb_capture_close(struct nb_capture *capture)
{
    if (!capture)
        return;
    ring_view_unmap(&capture->ring);
    ring_view_unmap(&capture->page);
    close_one(capture->bell);
    free(capture);
}

/* --- Reading ------------------------------------------------------------------------------- */

static void fill_gap(const struct capture_record *from, struct nb_capture_record *ret)
{
    struct capture_gap gap;

    memcpy(&gap, from->payload, sizeof gap);
    ret->lost = gap.frames;
    ret->lost_bytes = gap.bytes;
}

static void fill_status(const struct capture_record *from, struct nb_capture_record *ret)
{
    struct capture_status status;

    memcpy(&status, from->payload, sizeof status);
    ret->received = status.received;
    ret->kernel_dropped = status.kernel_dropped;
    ret->iface_dropped = status.iface_dropped;
    ret->is_up = status.iface_is_up != 0;
}

static void fill(const struct capture_record *from, struct nb_capture_record *ret)
{
    const struct capture_header *header = &from->header;

    *ret = (struct nb_capture_record){
        .kind = (enum nb_capture_kind)header->kind,
        .flags = header->flags,
        .time = header->time,
        .bytes = from->payload,
        .length = header->length,
        .original = header->original,
        .sequence = header->sequence,
    };
    if (header->kind == CAPTURE_GAP)
        fill_gap(from, ret);
    else if (header->kind == CAPTURE_STATUS)
        fill_status(from, ret);
}

int nb_capture_next(struct nb_capture *capture, struct nb_capture_record *ret_record)
{
    struct capture_record record;

    if (!capture || !ret_record)
        return -EINVAL;
    switch (capture_reader_next(&capture->reader, &record)) {
    case CAPTURE_RECORD:
        fill(&record, ret_record);
        return 1;
    case CAPTURE_NONE:
        return 0;
    case CAPTURE_ENDED:
        return -ENODATA;
    case CAPTURE_BROKEN:
        break;
    }
    return -EBADMSG;
}

void nb_capture_release(struct nb_capture *capture)
{
    if (capture)
        capture_reader_release(&capture->reader);
}

/* The bell is cleared before it is looked once more. */
bool nb_capture_wait(struct nb_capture *capture)
{
    if (!capture)
        return false;
    ring_bell_clear(capture->bell);
    return capture_reader_wait(&capture->reader);
}

int nb_capture_fd(const struct nb_capture *capture)
{
    return capture ? capture->bell : -EINVAL;
}

const char *nb_capture_end(const struct nb_capture *capture)
{
    return capture && capture->reader.end != RING_GOES_ON ? ring_end_meaning(capture->reader.end)
                                                          : "";
}
