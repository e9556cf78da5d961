/* Sends the requests of a file, a line each, over one connection without waiting for replies, and
 * prints how many milliseconds passed until the last reply.
 *
 * usage: pipeline FILE   (NETBROKER_SOCKET names the service's socket)
 *
 * It ends with an error when a reply is no success. */
#include "bench.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000 };

struct text {
    char *bytes;
    size_t length;
};

static struct text read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat facts = {0};

    bench_require(fd >= 0 && fstat(fd, &facts) == 0, path);

    struct text text = {bench_array((size_t)facts.st_size + 1, 1), (size_t)facts.st_size};

    bench_require(read(fd, text.bytes, text.length) == (ssize_t)text.length, path);
    close(fd);
    return text;
}

static size_t count_lines(const struct text *text)
{
    size_t lines = 0;

    for (size_t i = 0; i < text->length; i++)
        lines += text->bytes[i] == '\n';
    return lines;
}

/* Each reply is judged by its beginning: the rest of it may be in the next read. */
static size_t count_replies(const char *bytes, size_t length)
{
    static const char success[] = "{\"status\":\"success\"";
    static size_t place; /* in the present reply */
    size_t replies = 0;

    for (size_t i = 0; i < length; i++) {
        if (place < sizeof success - 1 && bytes[i] != success[place]) {
            fprintf(stderr, "%.*s\n", (int)(length - i), bytes + i);
            exit(1);
        }
        place++;
        if (bytes[i] == '\n') {
            place = 0;
            replies++;
        }
    }
    return replies;
}

static size_t exchange(int fd, const struct text *text, size_t *sent)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    static char bytes[1 << 16];
    ssize_t length;

    if (*sent < text->length)
        polled.events |= POLLOUT;
    bench_require(poll(&polled, 1, PATIENCE_MS) == 1, "a reply in time");
    if (polled.revents & POLLOUT) {
        length = write(fd, text->bytes + *sent, text->length - *sent);
        bench_require(length > 0, "write");
        *sent += (size_t)length;
    }
    if (!(polled.revents & POLLIN))
        return 0;
    length = read(fd, bytes, sizeof bytes);
    bench_require(length > 0, "read");
    return count_replies(bytes, (size_t)length);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;

    struct text text = read_file(argv[1]);
    size_t wanted = count_lines(&text), sent = 0, replies = 0;
    int fd = bench_connect();
    double begin = bench_now();

    bench_require(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "O_NONBLOCK");
    while (replies < wanted)
        replies += exchange(fd, &text, &sent);
    printf("%.1f\n", (bench_now() - begin) / 1000);
    free(text.bytes);
    return 0;
}
