#include "shared_ring.h"

#include <unistd.h>

void shared_ring_clear(struct shared_ring *ring)
{
    *ring = (struct shared_ring){.data.fd = -1, .page.fd = -1, .bell = {-1, -1}};
}

int shared_ring_make(struct shared_ring *ret, size_t size)
{
    int result;

    shared_ring_clear(ret);
    result = ring_memory_make("netbroker-capture", size, MEMORY_SHOWN, &ret->data);
    if (result == 0)
        result = ring_memory_make("netbroker-reader", 0, MEMORY_FIXED, &ret->page);
    if (result == 0)
        result = bell_make(&ret->bell);
    if (result < 0)
        shared_ring_free(ret);
    return result;
}

static void close_one(int fd)
{
    if (fd >= 0)
        close(fd);
}

/* #syscalls broker: close munmap */
void shared_ring_leave(struct shared_ring *ring)
{
    ring_memory_unmap(&ring->data);
    ring_memory_unmap(&ring->page);
    close_one(ring->bell.ring);
    close_one(ring->bell.wait);
    shared_ring_clear(ring);
}

void shared_ring_free(struct shared_ring *ring)
{
    ring_memory_free(&ring->data);
    ring_memory_free(&ring->page);
    shared_ring_leave(ring);
}

bool shared_ring_has_reader(const struct shared_ring *ring)
{
    return ring->bell.ring >= 0 && ring->bell.wait < 0 && bell_has_listener(ring->bell.ring);
}

struct capture_memory shared_ring_memory(const struct shared_ring *ring)
{
    return (struct capture_memory){
        .control = ring->data.page,
        .data = ring->data.data,
        .size = ring->data.size,
        .data_offset = ring->data.data_offset,
        .page = ring->page.page,
    };
}

int shared_ring_take_fd(struct shared_ring *ring, unsigned place)
{
    int *const places[SHARED_RING_FDS] = {&ring->data.fd, &ring->page.fd, &ring->bell.wait};
    int fd = *places[place];

    *places[place] = -1;
    return fd;
}
