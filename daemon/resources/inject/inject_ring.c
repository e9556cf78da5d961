#include "inject_ring.h"

#include <unistd.h>

void inject_ring_clear(struct inject_ring *ring)
{
    *ring = (struct inject_ring){.data.fd = -1, .page.fd = -1, .bell = {-1, -1}, .room = {-1, -1}};
}

int inject_ring_make(struct inject_ring *ret, size_t size)
{
    int result;

    inject_ring_clear(ret);
    result = ring_memory_make("netbroker-inject", size, MEMORY_FIXED, &ret->data);
    if (result == 0)
        result = ring_memory_make("netbroker-feedback", 0, MEMORY_SHOWN, &ret->page);
    if (result == 0)
        result = bell_make(&ret->bell);
    if (result == 0)
        result = bell_make(&ret->room);
    if (result < 0)
        inject_ring_free(ret);
    return result;
}

static void close_one(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* #syscalls broker: close munmap */
void inject_ring_free_data(struct inject_ring *ring)
{
    ring_memory_free(&ring->data);
    close_one(ring->bell.ring);
    close_one(ring->bell.wait);
    ring->bell = (struct bell){-1, -1};
}

void inject_ring_leave(struct inject_ring *ring)
{
    inject_ring_free_data(ring);
    ring_memory_unmap(&ring->page);
    close_one(ring->room.ring);
    close_one(ring->room.wait);
    inject_ring_clear(ring);
}

void inject_ring_free(struct inject_ring *ring)
{
    inject_ring_free_data(ring);
    ring_memory_free(&ring->page);
    inject_ring_leave(ring);
}

bool inject_ring_has_client(const struct inject_ring *ring)
{
    return ring->room.ring >= 0 && ring->room.wait < 0 && bell_has_listener(ring->room.ring);
}

struct transmit_memory inject_ring_memory(const struct inject_ring *ring)
{
    return (struct transmit_memory){
        .control = ring->data.page,
        .data = ring->data.data,
        .size = ring->data.size,
        .data_offset = ring->data.data_offset,
        .length_max = INJECT_FRAME_MAX,
        .feedback = ring->page.page,
    };
}

int inject_ring_take_fd(struct inject_ring *ring, unsigned place)
{
    int *const places[INJECT_RING_FDS] = {&ring->data.fd, &ring->page.fd, &ring->bell.ring,
                                          &ring->room.wait};
    int fd = *places[place];

    *places[place] = -1;
    return fd;
}
