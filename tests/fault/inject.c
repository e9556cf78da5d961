#include "inject.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/types.h>

/* The linker decides these names. NOLINTBEGIN(bugprone-reserved-identifier) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
ssize_t __real_recv(int fd, void *bytes, size_t size, int flags);
ssize_t __real_send(int fd, const void *bytes, size_t size, int flags);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);
ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags);
ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags);

enum { BLOCKS_MAX = 4096 };

/* What is replaced is the process's, and so is this. */
static struct {
    enum fault fault;
    unsigned left; /* chances until it happens */
    bool on, happened;
    size_t live;
    void *blocks[BLOCKS_MAX]; /* the live ones */
} plan;

void inject_plan(enum fault fault, unsigned nth)
{
    static cJSON_Hooks hooks = {__wrap_malloc, __wrap_free};

    cJSON_InitHooks(&hooks);
    plan.fault = fault;
    plan.left = nth;
    plan.happened = false;
}

void inject_switch(bool on)
{
    plan.on = on;
}

bool inject_happened(void)
{
    return plan.happened;
}

size_t inject_live(void)
{
    return plan.live;
}

static bool strikes(void)
{
    if (!plan.on || plan.left == 0 || --plan.left > 0)
        return false;
    plan.happened = true;
    return true;
}

/* --- Memory ---------------------------------------------------------------------------------- */

static bool lacks_memory(void)
{
    if (plan.fault != FAULT_NO_MEMORY || !strikes())
        return false;
    errno = ENOMEM;
    return true;
}

static void *remember(void *block)
{
    if (!plan.on || !block)
        return block;
    if (plan.live == BLOCKS_MAX)
        abort();
    plan.blocks[plan.live++] = block;
    return block;
}

static void forget(const void *block)
{
    for (size_t i = plan.live; block && i-- > 0;)
        if (plan.blocks[i] == block) {
            plan.blocks[i] = plan.blocks[--plan.live];
            return;
        }
}

void *__wrap_malloc(size_t size)
{
    return lacks_memory() ? NULL : remember(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return lacks_memory() ? NULL : remember(__real_calloc(count, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (lacks_memory())
        return NULL;
    forget(block);
    return remember(__real_realloc(block, size));
}

void __wrap_free(void *block)
{
    forget(block);
    __real_free(block);
}

/* --- Sockets --------------------------------------------------------------------------------- */

/* False: the call fails. *size is what it may move. */
static bool socket_works(size_t *size)
{
    if (plan.fault < FAULT_INTERRUPTED || !strikes())
        return true;
    if (plan.fault == FAULT_SHORT) {
        *size = *size > 0;
        return true;
    }
    errno = plan.fault == FAULT_INTERRUPTED ? EINTR : EAGAIN;
    return false;
}

ssize_t __wrap_recv(int fd, void *bytes, size_t size, int flags)
{
    return socket_works(&size) ? __real_recv(fd, bytes, size, flags) : -1;
}

ssize_t __wrap_send(int fd, const void *bytes, size_t size, int flags)
{
    return socket_works(&size) ? __real_send(fd, bytes, size, flags) : -1;
}
/* NOLINTEND(bugprone-reserved-identifier) */
