#include "intake.h"

#include "bounds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void intake_init(struct intake *intake)
{
    *intake = (struct intake){.starved = true};
}

void intake_clear(struct intake *intake)
{
    free(intake->bytes);
    intake_init(intake);
}

/* #syscalls broker: recv recvfrom */
int intake_read(struct intake *intake, int fd)
{
    if (!intake->bytes)
        intake->bytes = malloc(REQUEST_MAX);
    if (!intake->bytes)
        return -1;
    if (intake->length == REQUEST_MAX)
        return 0;

    ssize_t length = recv(fd, intake->bytes + intake->length, REQUEST_MAX - intake->length, 0);

    if (length < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    intake->ended |= length == 0;
    intake->starved &= length == 0;
    intake->length += (size_t)length;
    return length > 0;
}

/* Drops white space before a request, and says whether there is room for the rest of it. */
static enum intake_result wait_for_rest(struct intake *intake)
{
    intake->starved = true;
    if (intake->scan.depth == 0)
        intake->start = intake->scanned;
    return intake->scanned - intake->start >= REQUEST_MAX ? INTAKE_TOO_LARGE : INTAKE_STARVED;
}

enum intake_result intake_next(struct intake *intake, const char **ret_bytes, size_t *ret_length)
{
    size_t used = 0;
    enum scan_result result = SCAN_MORE;

    if (intake->length > intake->scanned) /* else there may be no buffer */
        result = scan_bytes(&intake->scan, intake->bytes + intake->scanned,
                            intake->length - intake->scanned, &used);
    intake->scanned += used;
    if (result == SCAN_MORE)
        return wait_for_rest(intake);
    if (result == SCAN_GARBAGE)
        return INTAKE_GARBAGE;
    *ret_bytes = intake->bytes + intake->start;
    *ret_length = intake->scanned - intake->start;
    intake->start = intake->scanned;
    return INTAKE_REQUEST;
}

void intake_compact(struct intake *intake)
{
    intake->length -= intake->start;
    intake->scanned -= intake->start;
    if (intake->length == 0) {
        free(intake->bytes);
        intake->bytes = NULL;
    } else if (intake->start > 0) {
        memmove(intake->bytes, intake->bytes + intake->start, intake->length);
    }
    intake->start = 0;
}

bool intake_is_inside(const struct intake *intake)
{
    return intake->scan.depth > 0;
}
