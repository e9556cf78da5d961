#include "address.h"

#include "bounds.h"

#include <arpa/inet.h>
#include <string.h>

static int native_family(uint8_t family)
{
    return family == FAMILY_IPV4 ? AF_INET : AF_INET6;
}

bool address_parse(const char *text, struct address *ret)
{
    struct address address = {.family = strchr(text, ':') ? FAMILY_IPV6 : FAMILY_IPV4};

    if (inet_pton(native_family(address.family), text, address.bytes) != 1)
        return false;
    *ret = address;
    return true;
}

const char *address_format(const struct address *address, char *text)
{
    if (!inet_ntop(native_family(address->family), address->bytes, text, ADDRESS_TEXT_MAX))
        text[0] = '\0';
    return text;
}

struct address address_any(uint8_t family)
{
    return (struct address){.family = family};
}

bool address_is_any(const struct address *address)
{
    struct address any = address_any(address->family);

    return address_equal(address, &any);
}

bool address_is_multicast(const struct address *address)
{
    if (address->family == FAMILY_IPV4)
        return (address->bytes[0] & 0xf0) == 0xe0;
    return address->bytes[0] == 0xff;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

bool address_is_link_scoped(const struct address *group)
{
    if (group->family == FAMILY_IPV4)
        return group->bytes[0] == 224 && group->bytes[1] == 0 && group->bytes[2] == 0;
    return (group->bytes[1] & 0x0f) <= 2;
}

uint32_t family_table(uint8_t family, uint32_t table)
{
    uint32_t fallback = family == FAMILY_IPV4 ? TABLE_ID_DEFAULT_IPV4 : TABLE_ID_DEFAULT_IPV6;

    return table ? table : fallback;
}

const char *family_name(uint8_t family)
{
    return family == FAMILY_IPV4 ? "ipv4" : "ipv6";
}
