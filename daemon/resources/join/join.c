#include "join.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* How many bits of an address the prefix leaves open. */
static unsigned open_bits(const struct prefix *prefix)
{
    return prefix->address.family ? family_bits(prefix->address.family) - prefix->length : 0;
}

unsigned join_key_size(const struct join_key *key)
{
    unsigned bits = open_bits(&key->group) + open_bits(&key->source);

    return bits < 31 && 1U << bits <= JOIN_SIZE_MAX ? 1U << bits : UINT_MAX;
}

bool join_key_equal(const struct join_key *a, const struct join_key *b)
{
    return prefix_equal(&a->source, &b->source) && prefix_equal(&a->group, &b->group) &&
           strcmp(a->iif.text, b->iif.text) == 0;
}

/* The bits that a prefix leaves open are zero, and no more than 12. */
static struct address address_at(const struct prefix *prefix, unsigned i)
{
    struct address address = prefix->address;
    unsigned last = family_bits(address.family) / 8 - 1;

    address.bytes[last] |= (uint8_t)i;
    address.bytes[last - 1] |= (uint8_t)(i >> 8);
    return address;
}

struct membership_key join_membership(const struct join *join, unsigned i)
{
    const struct join_key *key = &join->key;
    unsigned sources = 1U << open_bits(&key->source);
    struct membership_key membership = {.ifindex = join->ifindex};

    membership.group = address_at(&key->group, i / sources);
    if (key->source.address.family)
        membership.source = address_at(&key->source, i % sources);
    return membership;
}

const char *join_key_format(const struct join_key *key, char *text)
{
    char source[PREFIX_TEXT_MAX], group[PREFIX_TEXT_MAX];

    prefix_format(&key->group, group);
    if (key->source.address.family)
        snprintf(text, JOIN_TEXT_MAX, "%s from %s on %s", group,
                 prefix_format(&key->source, source), key->iif.text);
    else
        snprintf(text, JOIN_TEXT_MAX, "%s on %s", group, key->iif.text);
    return text;
}

enum join_state join_state(const struct join *join)
{
    return join->announced && !join->waiting ? JOIN_JOINED : JOIN_WAITING;
}
