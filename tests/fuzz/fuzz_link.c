/* Clients of a link who send any bytes, in any pieces, and come and go, beside a tap that does as
 * well. The first byte chooses offload; then each pair of bytes is a step, and what it sends
 * follows. */
#include "fuzz.h"

#include "link.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 4 };

static int ends[1 + CLIENTS]; /* of the tap and of clients; -1: none */
static struct link *relay;
static bool offload;

static void drain(int fd)
{
    static unsigned char bytes[1 << 16];
    ssize_t n;

    do
        n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    while (n > 0);
}

static void come(unsigned number, unsigned kind)
{
    struct link_options options = {
        .framing = (enum framing)(kind % FRAMING_COUNT),
        .port.isolated = kind & 8,
        .port.locked = kind & 16,
    };
    int type = framing_row(options.framing)->stream ? SOCK_STREAM : SOCK_SEQPACKET, pair[2];

    if (socketpair(AF_UNIX, type, 0, pair) < 0)
        return;
    if (offload && !framing_row(options.framing)->offload) {
        must(link_adopt(relay, pair[1], NULL, &options) < 0, "it cannot carry offload");
        close(pair[0]);
        return;
    }
    must(link_adopt(relay, pair[1], NULL, &options) == 0, "there is room for a client");
    ends[number] = pair[0];
}

static void leave(unsigned number)
{
    close(ends[number]);
    ends[number] = -1;
    for (int i = 0; i < 4; i++)
        uv_run(link_loop(relay), UV_RUN_NOWAIT);
}

/* Returns how many bytes it used. */
static size_t step(const uint8_t *bytes, size_t n)
{
    unsigned number = bytes[0] % (1 + CLIENTS), what = bytes[0] / 8;
    size_t size = bytes[1] < n - 2 ? bytes[1] : n - 2;

    if (ends[number] < 0) {
        come(number, what);
        return 2;
    }
    if (what == 0 && number > 0) {
        leave(number);
        return 2;
    }
    send(ends[number], bytes + 2, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    uv_run(link_loop(relay), UV_RUN_NOWAIT);
    if (what & 1)
        drain(ends[number]);
    return 2 + size;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct link_config config = {.mtu = 1500, .clients = 2 * CLIENTS};
    int pair[2];
    size_t used;

    if (n == 0)
        return 0;
    config.offload = offload = bytes[0] & 1;
    bytes++;
    n--;
    must(link_new(&relay, &config) == 0, "there is memory");
    must(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0, "there are sockets");
    memset(ends, -1, sizeof ends);
    ends[0] = pair[0];
    link_attach_tap(relay, pair[1], NULL);
    for (; n >= 2; bytes += used, n -= used)
        used = step(bytes, n);
    link_free(relay);
    for (unsigned i = 0; i < 1 + CLIENTS; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    return 0;
}
