/* Functions of the C library that fail when they are told to. They replace those of the programs
 * that link this (ld(1), --wrap), and count what is allocated and not freed. Shared libraries keep
 * their own; cJSON is given these. libuv is not: it ends the process where it finds no memory for
 * a descriptor's watcher, and the keeper then starts another broker. */
#ifndef NB_FAULT_INJECT_H
#define NB_FAULT_INJECT_H

#include <stdbool.h>
#include <stddef.h>

enum fault {
    FAULT_NONE,
    FAULT_NO_MEMORY,   /* an allocation fails */
    FAULT_INTERRUPTED, /* recv or send: EINTR */
    FAULT_NOT_NOW,     /* recv or send: EAGAIN */
    FAULT_SHORT,       /* recv or send: one byte */
};

/* The nth chance (1: the next) for this fault is taken; chances pass only while switched on. */
void inject_plan(enum fault fault, unsigned nth);
void inject_switch(bool on);

/* Whether the planned fault has happened. */
bool inject_happened(void);

/* What was allocated while switched on, and is not freed. */
size_t inject_live(void);

#endif
