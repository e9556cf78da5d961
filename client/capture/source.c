#include "source.h"

#include "capture/capture.h"
#include "capture/hex.h"
#include "frame/frame.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    ROOM =
        2 * SAVEFILE_BLOCK_MAX, /* so that bytes are moved to the front once in a block at most */
    PROBLEM_MAX = 640,
};
_Static_assert((int)SAVEFILE_BLOCK_MAX >= (int)HEX_LINE_MAX, "a line has room");

struct savefile_source {
    enum { UNKNOWN, CAPTURED, HEX } kind;
    int fd;           /* -1: none */
    off_t origin;     /* where it begins there; -1: it can be read once */
    const char *text; /* instead of a file: what was not read yet */
    const char *whole;
    char *name;
    bool never_waits;
    bool ended; /* there is nothing more to read */
    bool found; /* a frame */
    size_t begin, end;
    unsigned char *buffer;
    char problem[PROBLEM_MAX];
    struct savefile_reader reader;
    struct hex_reader hex;
};

/* --- Life ---------------------------------------------------------------------------------- */

static int make(struct savefile_source **ret, const char *name, int fd, const char *text)
{
    struct savefile_source *source = calloc(1, sizeof *source);

    if (source) {
        source->fd = fd;
        source->origin = fd >= 0 ? lseek(fd, 0, SEEK_CUR) : 0;
        source->text = source->whole = text;
        source->name = strdup(name);
        source->buffer = malloc(ROOM);
        if (source->name && source->buffer) {
            *ret = source;
            return 0;
        }
        source->fd = -1; /* stays the caller's */
    }
    savefile_source_close(source);
    return -ENOMEM;
}

int savefile_source_open(struct savefile_source **ret, const char *path)
{
    bool is_input = strcmp(path, "-") == 0;
    int fd = is_input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                      : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int result;

    if (fd < 0)
        return -errno;
    result = make(ret, is_input ? "standard input" : path, fd, NULL);
    if (result < 0)
        close(fd);
    return result;
}

int savefile_source_text(struct savefile_source **ret, const char *text)
{
    return make(ret, "the frame", -1, text);
}

const char *savefile_source_problem(const struct savefile_source *source)
{
    return source->problem;
}

void savefile_source_never_wait(struct savefile_source *source)
{
    source->never_waits = true;
}

int savefile_source_fd(const struct savefile_source *source)
{
    return source->fd;
}

/* Returns 0 or a negative errno. */
static int copy_all(int from, int to, unsigned char *buffer, uint64_t bytes_max)
{
    uint64_t copied = 0;
    ssize_t n;

    while ((n = read(from, buffer, ROOM)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        copied += n > 0 ? (uint64_t)n : 0;
        if (n < 0)
            return -errno;
        if (copied > bytes_max)
            return -EFBIG;
        if (write(to, buffer, (size_t)n) != n)
            return -ENOSPC;
    }
    return lseek(to, 0, SEEK_SET) < 0 ? -errno : 0;
}

int savefile_source_keep(struct savefile_source *source, uint64_t bytes_max)
{
    FILE *file;
    int result, fd;

    if (source->origin >= 0)
        return 0;
    file = tmpfile();
    fd = file ? fcntl(fileno(file), F_DUPFD_CLOEXEC, 0) : -1;
    result = fd < 0 ? -errno : copy_all(source->fd, fd, source->buffer, bytes_max);
    if (file)
        fclose(file);
    if (result < 0) {
        if (fd >= 0)
            close(fd);
        return result;
    }
    close(source->fd);
    source->fd = fd;
    source->origin = 0;
    return 0;
}

int savefile_source_again(struct savefile_source *source)
{
    if (source->origin < 0)
        return -ESPIPE;
    if (source->fd >= 0 && lseek(source->fd, source->origin, SEEK_SET) < 0)
        return -errno;
    source->kind = UNKNOWN;
    source->text = source->whole;
    source->begin = source->end = 0;
    source->ended = source->found = false;
    memset(&source->reader, 0, sizeof source->reader);
    memset(&source->hex, 0, sizeof source->hex);
    source->problem[0] = '\0';
    return 0;
}

void savefile_source_close(struct savefile_source *source)
{
    if (!source)
        return;
    if (source->fd >= 0)
        close(source->fd);
    free(source->name);
    free(source->buffer);
    free(source);
}

/* --- Bytes --------------------------------------------------------------------------------- */

static enum savefile_source_next fail(struct savefile_source *source, const char *why)
{
    snprintf(source->problem, sizeof source->problem, "%.200s: %s", source->name, why);
    return SAVEFILE_SOURCE_BROKEN;
}

static ssize_t take_text(struct savefile_source *source, unsigned char *place, size_t room)
{
    size_t n = strnlen(source->text, room);

    memcpy(place, source->text, n);
    source->text += n;
    return (ssize_t)n;
}

static bool would_wait(const struct savefile_source *source)
{
    struct pollfd polled = {.fd = source->fd, .events = POLLIN};

    return source->never_waits && source->fd >= 0 && poll(&polled, 1, 0) == 0;
}

/* Reads more, behind what is there. False: *next says why not. */
static bool read_more(struct savefile_source *source, enum savefile_source_next *next)
{
    ssize_t n;

    if (would_wait(source)) {
        *next = SAVEFILE_SOURCE_WAIT;
        return false;
    }
    if (source->begin > 0) {
        memmove(source->buffer, source->buffer + source->begin, source->end - source->begin);
        source->end -= source->begin;
        source->begin = 0;
    }
    do
        n = source->text ? take_text(source, source->buffer + source->end, ROOM - source->end)
                         : read(source->fd, source->buffer + source->end, ROOM - source->end);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        *next = fail(source, strerror(errno));
        return false;
    }
    source->end += (size_t)n;
    source->ended = n == 0;
    return true;
}

/* --- Frames -------------------------------------------------------------------------------- */

static enum savefile_source_next found(struct savefile_source *source,
                                       struct savefile_source_frame *ret)
{
    char why[80];

    source->found = true;
    if (ret->length >= FRAME_LEAST)
        return SAVEFILE_SOURCE_FRAME;
    snprintf(why, sizeof why, "a frame has %zu bytes; Ethernet's header alone has %d", ret->length,
             FRAME_LEAST);
    return fail(source, why);
}

static enum savefile_source_next refuse_linktype(struct savefile_source *source, uint16_t linktype)
{
    const char *name = savefile_linktype_name(linktype);
    char why[200], number[8];

    if (!name)
        snprintf(number, sizeof number, "%u", linktype);
    snprintf(why, sizeof why,
             "frames of the link type %s cannot be sent: only those of Ethernet can",
             name ? name : number);
    return fail(source, why);
}

/* Leaves out the check sequence, of which a cut frame has a part or nothing. */
static enum savefile_source_next take_packet(struct savefile_source *source,
                                             const struct savefile_packet *packet,
                                             struct savefile_source_frame *ret)
{
    uint32_t length = packet->length > packet->fcs ? packet->length - packet->fcs : 0;
    uint32_t captured = packet->captured < length ? packet->captured : length;

    if (packet->linktype != SAVEFILE_ETHERNET)
        return refuse_linktype(source, packet->linktype);
    *ret = (struct savefile_source_frame){
        .bytes = packet->bytes,
        .length = captured,
        .cut = length - captured,
        .has_time = packet->has_time,
        .time = packet->time,
    };
    return found(source, ret);
}

static enum savefile_source_next tell_fault(struct savefile_source *source)
{
    const struct savefile_fault *fault = &source->reader.fault;

    snprintf(source->problem, sizeof source->problem,
             "%.200s, offset %" PRIu64 ": %s (%" PRIu64 ")", source->name, fault->offset,
             fault->why, fault->value);
    return SAVEFILE_SOURCE_BROKEN;
}

/* One step through a capture file. True: *next is the result. */
static bool step_file(struct savefile_source *source, struct savefile_source_frame *ret,
                      enum savefile_source_next *next)
{
    struct savefile_item item;
    size_t used;
    enum savefile_next kind = savefile_reader_next(&source->reader, source->buffer + source->begin,
                                                   source->end - source->begin, &used, &item);

    source->begin += used;
    if (kind == SAVEFILE_PACKET)
        *next = take_packet(source, &item.packet, ret);
    else if (kind == SAVEFILE_BROKEN)
        *next = tell_fault(source);
    else if (kind == SAVEFILE_MORE && source->ended)
        *next = savefile_reader_end(&source->reader, source->end - source->begin)
                    ? SAVEFILE_SOURCE_END
                    : tell_fault(source);
    else
        return kind == SAVEFILE_MORE && !read_more(source, next);
    return true;
}

static enum savefile_source_next tell_line(struct savefile_source *source, const char *why)
{
    snprintf(source->problem, sizeof source->problem, "%.200s, line %" PRIu64 ": %s", source->name,
             source->hex.line, why);
    return SAVEFILE_SOURCE_BROKEN;
}

static enum savefile_source_next take_hex(struct savefile_source *source,
                                          const unsigned char *bytes, size_t length,
                                          struct savefile_source_frame *ret)
{
    char why[80];

    *ret = (struct savefile_source_frame){.bytes = bytes, .length = length};
    if (length >= FRAME_LEAST)
        return found(source, ret);
    snprintf(why, sizeof why, "the frame has %zu bytes; Ethernet's header alone has %d", length,
             FRAME_LEAST);
    return tell_line(source, why);
}

static bool step_hex(struct savefile_source *source, struct savefile_source_frame *ret,
                     enum savefile_source_next *next)
{
    const unsigned char *bytes;
    size_t used, length;
    enum hex_next kind =
        hex_reader_next(&source->hex, (const char *)source->buffer + source->begin,
                        source->end - source->begin, source->ended, &used, &bytes, &length);

    source->begin += used;
    if (kind == HEX_FRAME)
        *next = take_hex(source, bytes, length, ret);
    else if (kind == HEX_BROKEN)
        *next = tell_line(source, source->hex.why);
    else if (source->ended)
        *next = source->found ? SAVEFILE_SOURCE_END : fail(source, "there is no frame in it");
    else
        return !read_more(source, next);
    return true;
}

/* --- What it is ---------------------------------------------------------------------------- */

static bool is_text(const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((bytes[i] < ' ' || bytes[i] > '~') && (bytes[i] == '\0' || !strchr("\t\n\r", bytes[i])))
            return false;
    return true;
}

/* Sets the kind, or reads more. False: *next says why not. */
static bool recognise(struct savefile_source *source, enum savefile_source_next *next)
{
    static const unsigned char gzip[] = {0x1f, 0x8b};
    size_t n = source->end - source->begin;
    const unsigned char *bytes = source->buffer + source->begin;

    if (n < 4 && !source->ended)
        return read_more(source, next);
    if (n >= 4 && savefile_is_file(bytes))
        source->kind = CAPTURED;
    else if (is_text(bytes, n < 64 ? n : 64))
        source->kind = HEX;
    else {
        *next = fail(source, n >= 2 && memcmp(bytes, gzip, sizeof gzip) == 0
                                 ? "it is compressed: 'gzip -dc' writes what is in it"
                                 : "it is neither a capture file (pcapng, pcap) nor text of "
                                   "hexadecimal digits");
        return false;
    }
    return true;
}

enum savefile_source_next savefile_source_next(struct savefile_source *source,
                                               struct savefile_source_frame *ret)
{
    enum savefile_source_next next = SAVEFILE_SOURCE_END;

    if (source->problem[0])
        return SAVEFILE_SOURCE_BROKEN;
    while (source->kind == UNKNOWN)
        if (!recognise(source, &next))
            return next;
    if (source->kind == CAPTURED)
        while (!step_file(source, ret, &next))
            ;
    else
        while (!step_hex(source, ret, &next))
            ;
    return next;
}
