#include "intake.h"

#include "bounds.h"
#include "received.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

void intake_init(struct intake *intake, bool passes, struct services *services,
                 struct account *user)
{
    *intake =
        (struct intake){.starved = true, .passes = passes, .services = services, .user = user};
}

static void close_all(struct intake *intake, const struct fdpass_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->fds[i] >= 0)
            received_close(intake->services, intake->user, list->fds[i]);
}

void intake_close_fds(struct intake *intake, struct passed *passed)
{
    if (passed)
        close_all(intake, &passed->list);
    free(passed);
}

void intake_end_fds(struct intake *intake)
{
    intake_close_fds(intake, intake->passed);
    intake->passed = NULL;
}

void intake_end_charge(struct intake *intake)
{
    users_count_queued(&intake->services->users, intake->user, intake->charged, 0);
    intake->charged = 0;
}

void intake_free(struct intake *intake)
{
    free(intake->bytes);
}

/* Those that come while others wait for the end of their request belong to none, and spoil that. */
static bool keep_fds(struct intake *intake, const struct fdpass_list *list, size_t length)
{
    struct passed *passed = intake->passed;

    if (list->count == 0 && !list->incomplete)
        return true;
    if (!passed)
        intake->passed = malloc(sizeof *passed);
    if (!passed && intake->passed) {
        *intake->passed = (struct passed){intake->length, intake->length + length, *list};
        return true;
    }
    close_all(intake, list);
    if (!passed)
        return false;
    passed->list.incomplete = true;
    passed->to = intake->length + length;
    return true;
}

static ssize_t receive_bytes(int fd, char *bytes, size_t room)
{
    ssize_t length = recv(fd, bytes, room, 0);

    return length < 0 ? -errno : length;
}

/* Where nothing will be closed that makes room, the connection ends. */
static ssize_t receive_bare(struct intake *intake, int fd, char *bytes, size_t room)
{
    bool bare;
    ssize_t length = fdpass_peek(fd, bytes, room, &bare);

    if (length <= 0)
        return length;
    if (bare)
        return receive_bytes(fd, bytes, (size_t)length);
    intake->stopped = true;
    return intake->services->users.received.used > 0 ? -EAGAIN : -EMFILE;
}

/* #syscalls broker: recv recvfrom recvmsg */
static ssize_t receive(struct intake *intake, int fd)
{
    char *end = intake->bytes + intake->length;
    size_t room = REQUEST_MAX - intake->length;
    struct users *users = &intake->services->users;
    struct fdpass_list list;
    ssize_t length;

    if (!intake->passes)
        return receive_bytes(fd, end, room);
    if (!users_may_receive(users, intake->user))
        return receive_bare(intake, fd, end, room);
    length = fdpass_receive_some(fd, end, room, &list, FDPASS_MAX);
    if (length < 0)
        return length;
    users_receive(users, intake->user, list.count);
    return keep_fds(intake, &list, (size_t)length) ? length : -ENOMEM;
}

bool intake_may_read(const struct intake *intake)
{
    return intake->bytes || users_may_have(&intake->services->users, intake->user, REQUEST_MAX);
}

static bool take_buffer(struct intake *intake)
{
    if (intake->bytes)
        return true;
    intake->bytes = malloc(REQUEST_MAX);
    if (!intake->bytes)
        return false;
    intake->charged = REQUEST_MAX;
    users_count_queued(&intake->services->users, intake->user, 0, intake->charged);
    return true;
}

int intake_read(struct intake *intake, int fd)
{
    intake->hungry = !intake_may_read(intake);
    if (intake->hungry)
        return 0;
    if (!take_buffer(intake))
        return -ENOMEM;
    if (intake->length == REQUEST_MAX)
        return 0;

    ssize_t length = receive(intake, fd);

    if (length < 0)
        return length == -EAGAIN || length == -EINTR ? 0 : (int)length;
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
    intake->taken = intake->start;
    *ret_bytes = intake->bytes + intake->start;
    *ret_length = intake->scanned - intake->start;
    intake->start = intake->scanned;
    return INTAKE_REQUEST;
}

bool intake_take_fds(struct intake *intake, size_t names, struct passed **ret)
{
    struct passed *passed = intake->passed;
    bool agree = passed_agree(passed, intake->bytes, intake->taken, intake->start, names) &&
                 (names == 0 || !passed->list.incomplete);

    *ret = agree && names > 0 ? passed : NULL;
    if (!agree)
        intake_close_fds(intake, passed);
    if (!agree || names > 0)
        intake->passed = NULL;
    return agree;
}

void intake_compact(struct intake *intake)
{
    if (!intake->starved && intake->start < intake->length)
        return;
    passed_move(intake->passed, intake->start);
    intake->length -= intake->start;
    intake->scanned -= intake->start;
    if (intake->length == 0) {
        free(intake->bytes);
        intake->bytes = NULL;
        intake_end_charge(intake);
    } else if (intake->start > 0) {
        memmove(intake->bytes, intake->bytes + intake->start, intake->length);
    }
    intake->start = 0;
}

bool intake_is_inside(const struct intake *intake)
{
    return intake->scan.depth > 0;
}
