/* Sets of a switch's ports: a bit for each. */
#ifndef NB_SWITCH_PORT_SET_H
#define NB_SWITCH_PORT_SET_H

#include <stdbool.h>
#include <stdint.h>

enum { SWITCH_PORTS_MAX = 256, PORT_SET_WORDS = SWITCH_PORTS_MAX / 64 };

struct port_set { /* all zero: empty */
    uint64_t words[PORT_SET_WORDS];
};

static inline void port_set_add(struct port_set *set, unsigned port)
{
    set->words[port / 64] |= UINT64_C(1) << port % 64;
}

static inline void port_set_remove(struct port_set *set, unsigned port)
{
    set->words[port / 64] &= ~(UINT64_C(1) << port % 64);
}

static inline bool port_set_has(const struct port_set *set, unsigned port)
{
    return set->words[port / 64] >> port % 64 & 1;
}

static inline bool port_set_is_empty(const struct port_set *set)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < PORT_SET_WORDS; i++)
        any |= set->words[i];
    return any == 0;
}

/* Removes from the set what is in the other one. */
static inline void port_set_subtract(struct port_set *set, const struct port_set *other)
{
    for (unsigned i = 0; i < PORT_SET_WORDS; i++)
        set->words[i] &= ~other->words[i];
}

/* The first port of the set that is not below `from`, or SWITCH_PORTS_MAX. */
static inline unsigned port_set_next(const struct port_set *set, unsigned from)
{
    for (unsigned i = from / 64; i < PORT_SET_WORDS; i++) {
        uint64_t left = set->words[i];

        if (i == from / 64)
            left = left >> from % 64 << from % 64;
        if (left)
            return i * 64 + (unsigned)__builtin_ctzll(left);
    }
    return SWITCH_PORTS_MAX;
}

/* Each port of the set, in their order. */
#define PORT_SET_FOREACH(port, set)                                                                \
    for (unsigned port = port_set_next(set, 0); port < SWITCH_PORTS_MAX;                           \
         port = port_set_next(set, port + 1))

#endif
