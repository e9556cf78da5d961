#include "link_scene.h"

#include "suite.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- What the link calls, through this file ------------------------------------------------ */

ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);
uint64_t __wrap_uv_hrtime(void);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static size_t cut_bytes;
static unsigned cut_pieces;
static bool cut_now;
static unsigned long allocations;
static uint64_t now = 1;

ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags)
{
    if (cut_pieces == 0)
        return __real_send(fd, bytes, size, flags);
    cut_now = !cut_now;
    if (!cut_now) {
        cut_pieces--;
        errno = EAGAIN;
        return -1;
    }
    return __real_send(fd, bytes, size < cut_bytes ? size : cut_bytes, flags);
}

uint64_t __wrap_uv_hrtime(void)
{
    return now;
}

void *__wrap_malloc(size_t size)
{
    allocations++;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    allocations++;
    return __real_calloc(count, size);
}

void scene_cut(size_t bytes, unsigned pieces)
{
    cut_bytes = bytes;
    cut_pieces = pieces;
    cut_now = false;
}

void scene_pass(unsigned milliseconds)
{
    now += milliseconds * UINT64_C(1000000);
}

unsigned long scene_allocations(void)
{
    return allocations;
}

/* --- Events -------------------------------------------------------------------------------- */

static void on_attached(struct link *link, const struct link_port *port, void *context)
{
    struct told *told = context;

    (void)link;
    (void)port;
    told->attached++;
}

static void on_detached(struct link *link, const struct link_port *port, const char *why,
                        void *context)
{
    struct told *told = context;

    (void)link;
    (void)port;
    told->detached++;
    snprintf(told->why, sizeof told->why, "%s", why);
}

static void on_warned(struct link *link, const char *sentence, void *context)
{
    struct told *told = context;

    (void)link;
    told->warned++;
    snprintf(told->why, sizeof told->why, "%s", sentence);
}

static void on_refused(struct link *link, unsigned port, enum framing_fate fate, size_t length,
                       void *context)
{
    struct told *told = context;

    (void)link;
    (void)port;
    (void)length;
    told->refused++;
    told->fate = fate;
}

static const struct link_events events = {
    .attached = on_attached,
    .detached = on_detached,
    .warned = on_warned,
    .refused = on_refused,
};

/* --- The scene ----------------------------------------------------------------------------- */

static void begin(struct link_scene *scene, bool offload)
{
    struct link_config config = {
        .mtu = 1500, .offload = offload, .events = &events, .context = &scene->told};
    int pair[2];

    *scene = (struct link_scene){.tap = -1};
    scene_cut(0, 0);
    ck_assert_int_eq(link_new(&scene->link, &config), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    scene->tap = pair[0];
    ck_assert_int_eq(link_attach_tap(scene->link, pair[1], NULL), 0);
}

void scene_begin(struct link_scene *scene)
{
    begin(scene, false);
}

void scene_begin_offload(struct link_scene *scene)
{
    begin(scene, true);
}

void scene_end(struct link_scene *scene)
{
    scene_cut(0, 0);
    link_free(scene->link);
    close(scene->tap);
    for (unsigned i = 0; i < scene->client_count; i++)
        close(scene->clients[i]);
}

unsigned scene_add(struct link_scene *scene, const struct link_options *options)
{
    int type = framing_row(options->framing)->stream ? SOCK_STREAM : SOCK_SEQPACKET;
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(link_adopt(scene->link, pair[1], NULL, options), 0);
    scene->clients[scene->client_count] = pair[0];
    return scene->client_count++;
}

void scene_settle(struct link_scene *scene)
{
    for (int i = 0; i < 40; i++)
        uv_run(link_loop(scene->link), UV_RUN_NOWAIT);
}

struct search {
    unsigned number;
    struct link_port found;
};

static void on_port(const struct link_port *port, void *context)
{
    struct search *search = context;

    if (port->number == search->number)
        search->found = *port;
}

struct link_port scene_port(struct link_scene *scene, unsigned number)
{
    struct search search = {.number = number};

    link_visit(scene->link, on_port, &search);
    return search.found;
}

static void put_station(unsigned char *mac, unsigned station)
{
    if (station == 0xff)
        memset(mac, 0xff, 6);
    else
        memcpy(mac, (unsigned char[]){0x02, 0, 0, 0, 0, (unsigned char)station}, 6);
}

/* IPv4, so that unframed streams carry it. */
void scene_frame(unsigned char *frame, size_t length, unsigned to, unsigned from, unsigned mark)
{
    size_t packet = length - FRAME_LEAST;

    memset(frame, (int)mark, length);
    put_station(frame, to);
    put_station(frame + 6, from);
    memcpy(frame + 12, (unsigned char[]){0x08, 0x00, 0x45, 0}, 4);
    frame[16] = (unsigned char)(packet >> 8);
    frame[17] = (unsigned char)packet;
}

void scene_write(int fd, const void *bytes, size_t length)
{
    /* An assertion that holds allocates. */
    if (__real_send(fd, bytes, length, MSG_DONTWAIT) != (ssize_t)length)
        ck_abort_msg("%zu bytes cannot be written", length);
}

size_t scene_read(int fd, void *bytes, size_t size)
{
    ssize_t n = recv(fd, bytes, size, MSG_DONTWAIT);

    return n < 0 ? 0 : (size_t)n;
}
