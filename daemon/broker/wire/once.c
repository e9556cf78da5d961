#include "once.h"

#include <stdlib.h>

struct once {
    struct producer producer; /* first */
    void (*write)(void *self, struct json *out);
    void *self;
};

static bool write_all(struct producer *producer, struct json *out)
{
    const struct once *once = (struct once *)producer;

    once->write(once->self, out);
    return false;
}

static void destroy(struct producer *producer)
{
    free(producer);
}

struct producer *producer_once(void (*write)(void *self, struct json *out), void *self)
{
    struct once *once = calloc(1, sizeof *once);

    if (!once)
        return NULL;
    *once = (struct once){{write_all, destroy}, write, self};
    return &once->producer;
}
