/* Memory of rings and bells: mmap(2), pipe(2). */
#include "platform/rings.h"
#include "ring/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGE_LEAST = 4096, BELL_READ = 256 };

/* --- Memory -------------------------------------------------------------------------------- */

static size_t page_bytes(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return page < PAGE_LEAST ? PAGE_LEAST : page;
}

size_t ring_memory_bytes(size_t size)
{
    return page_bytes() + size;
}

/* Reserves the addresses first, so that nothing else comes between the two. */
static int map_twice(struct ring_memory *memory)
{
    unsigned char *place =
        mmap(NULL, 2 * memory->size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (place == MAP_FAILED)
        return -errno;
    memory->data = place;
    for (size_t at = 0; at < 2 * memory->size; at += memory->size) {
        void *part = mmap(place + at, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                          memory->fd, (off_t)memory->data_offset);

        if (part == MAP_FAILED)
            return -errno;
    }
    return 0;
}

static int map(struct ring_memory *memory)
{
    void *page = mmap(NULL, memory->data_offset, PROT_READ | PROT_WRITE, MAP_SHARED, memory->fd, 0);

    if (page == MAP_FAILED)
        return -errno;
    memory->page = page;
    return memory->size > 0 ? map_twice(memory) : 0;
}

int ring_memory_make(const char *name, size_t size, enum memory_seal seal, struct ring_memory *ret)
{
    struct ring_memory memory = {.size = size, .data_offset = (uint32_t)page_bytes()};
    size_t bytes = ring_memory_bytes(size);
    int result;

    if (size > 0 && (!ring_size_is_right(size) || size < page_bytes()))
        return -EINVAL;
    memory.fd = memory_make_unsealed(name, bytes);
    if (memory.fd < 0)
        return memory.fd;
    result = memory_reserve(memory.fd, 0, bytes);
    if (result == 0)
        result = map(&memory);
    if (result == 0)
        result = memory_seal(memory.fd);
    if (result == 0 && seal == MEMORY_SHOWN)
        result = memory_show(&memory.fd);
    if (result == 0)
        *ret = memory;
    else
        ring_memory_unmap(&memory);
    return result;
}

/* The pages would be the service's as long as somebody has a copy of the descriptor, or a mapping,
 * which a client may keep for ever. What he looks at or writes to afterwards is his. The page goes
 * first: who finds zeros among the records finds that they are none. */
void ring_memory_free(struct ring_memory *memory)
{
    if (memory->page)
        memory_discard(memory->page, memory->data_offset);
    if (memory->data)
        memory_discard(memory->data, memory->size);
    ring_memory_unmap(memory);
}

void ring_memory_unmap(struct ring_memory *memory)
{
    if (memory->data)
        munmap(memory->data, 2 * memory->size);
    if (memory->page)
        munmap(memory->page, memory->data_offset);
    if (memory->fd >= 0)
        close(memory->fd);
    *memory = (struct ring_memory){.fd = -1};
}

/* --- Bells --------------------------------------------------------------------------------- */

int bell_make(struct bell *ret)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    ret->wait = ends[0];
    ret->ring = ends[1];
    return 0;
}

/* Where a byte is in it, the other side has been rung for and has not cleared it yet; it will look
 * at the ring after it has.
 *
 * #syscalls broker: ioctl write */
bool bell_ring(int ring)
{
    int unread = 0;

    if (ioctl(ring, FIONREAD, &unread) == 0 && unread > 0)
        return true;
    return write(ring, "", 1) >= 0 || errno != EPIPE;
}

/* POLLERR: nobody has the end for reading (poll(2)). A byte that is unread hides nothing. */
bool bell_has_listener(int ring)
{
    struct pollfd end = {.fd = ring};

    return poll(&end, 1, 0) <= 0 || !(end.revents & (POLLERR | POLLHUP));
}

/* #syscalls broker: read */
bool bell_clear(int wait)
{
    char bytes[BELL_READ];

    return read(wait, bytes, sizeof bytes) != 0;
}
