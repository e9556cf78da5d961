#include "address.h"

#include "bounds.h"

#include <arpa/inet.h>
#include <stdio.h>
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

/* As inet_ntop(3) does, in a tenth of its time. */
static const char *format_ipv4(const uint8_t *bytes, char *text)
{
    char *at = text;

    for (int i = 0; i < 4; i++) {
        if (i > 0)
            *at++ = '.';
        if (bytes[i] >= 100)
            *at++ = (char)('0' + bytes[i] / 100);
        if (bytes[i] >= 10)
            *at++ = (char)('0' + bytes[i] / 10 % 10);
        *at++ = (char)('0' + bytes[i] % 10);
    }
    *at = '\0';
    return text;
}

const char *address_format(const struct address *address, char *text)
{
    if (address->family == FAMILY_IPV4)
        return format_ipv4(address->bytes, text);
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

unsigned family_bits(uint8_t family)
{
    return family == FAMILY_IPV4 ? 32 : 128;
}

/* The bits of byte i that a prefix of this length has. */
static uint8_t mask_of(unsigned length, unsigned i)
{
    if (length >= 8 * (i + 1))
        return 0xff;
    return length <= 8 * i ? 0 : (uint8_t)(0xff00 >> (length - 8 * i));
}

struct prefix prefix_of(const struct address *address, unsigned length)
{
    struct prefix prefix = {*address, (uint8_t)length};

    for (unsigned i = length / 8; i < sizeof address->bytes; i++)
        prefix.address.bytes[i] &= mask_of(length, i);
    return prefix;
}

struct prefix prefix_single(const struct address *address)
{
    return (struct prefix){*address, (uint8_t)family_bits(address->family)};
}

/* A length in decimal digits, without sign and leading zeros, or -1. */
static int parse_length(const char *text, unsigned most)
{
    size_t digits = strspn(text, "0123456789");
    unsigned length = 0;

    if (digits == 0 || digits > 3 || text[digits] || (text[0] == '0' && digits > 1))
        return -1;
    while (*text)
        length = length * 10 + (unsigned)(*text++ - '0');
    return length <= most ? (int)length : -1;
}

enum prefix_fault prefix_read(const char *text, struct prefix *ret)
{
    size_t end = strcspn(text, "/");
    char copy[ADDRESS_TEXT_MAX];
    struct address address;
    int length;

    if (end >= sizeof copy)
        return PREFIX_NO_ADDRESS;
    memcpy(copy, text, end);
    copy[end] = '\0';
    if (!address_parse(copy, &address))
        return PREFIX_NO_ADDRESS;
    *ret = prefix_single(&address);
    if (!text[end])
        return PREFIX_RIGHT;
    length = parse_length(text + end + 1, family_bits(address.family));
    if (length < 0)
        return PREFIX_WRONG_LENGTH;
    *ret = prefix_of(&address, (unsigned)length);
    return address_equal(&ret->address, &address) ? PREFIX_RIGHT : PREFIX_HAS_HOST_BITS;
}

bool prefix_parse(const char *text, struct prefix *ret)
{
    struct prefix prefix;
    enum prefix_fault fault = prefix_read(text, &prefix);

    if (fault == PREFIX_NO_ADDRESS || fault == PREFIX_WRONG_LENGTH)
        return false;
    *ret = prefix;
    return true;
}

const char *prefix_format(const struct prefix *prefix, char *text)
{
    address_format(&prefix->address, text);
    if (!prefix_is_single(prefix) && prefix->length > 0)
        sprintf(text + strlen(text), "/%u", prefix->length);
    return text;
}

enum prefix_fault host_address_read(const char *text, struct host_address *ret)
{
    const char *slash = strchr(text, '/');
    struct prefix single;
    enum prefix_fault fault = prefix_read(text, &single);
    char alone[ADDRESS_TEXT_MAX];

    if (fault == PREFIX_NO_ADDRESS)
        return fault;
    if (!slash || fault == PREFIX_WRONG_LENGTH || single.length == 0)
        return PREFIX_WRONG_LENGTH;
    ret->length = single.length;
    memcpy(alone, text, (size_t)(slash - text));
    alone[slash - text] = '\0';
    return address_parse(alone, &ret->address) ? PREFIX_RIGHT : PREFIX_NO_ADDRESS;
}

const char *host_address_format(const struct host_address *host, char *text)
{
    address_format(&host->address, text);
    sprintf(text + strlen(text), "/%u", host->length);
    return text;
}

/* Whether all bits behind the length are as those of the byte, which are all the same. */
static bool is_edge(const struct host_address *host, uint8_t byte)
{
    for (unsigned i = 0; i < family_bits(host->address.family) / 8; i++) {
        uint8_t mask = mask_of(host->length, i);

        if ((host->address.bytes[i] | mask) != (byte | mask))
            return false;
    }
    return true;
}

bool host_address_is_sound(const struct host_address *host)
{
    static const uint8_t loopback[16] = {[15] = 1};
    const uint8_t *bytes = host->address.bytes;
    bool has_edges = host->length + 1u < family_bits(host->address.family);

    if (address_is_any(&host->address) || address_is_multicast(&host->address) ||
        (has_edges && is_edge(host, 0)))
        return false;
    if (host->address.family == FAMILY_IPV6)
        return memcmp(bytes, loopback, sizeof loopback) != 0;
    return bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 240 &&
           !(has_edges && is_edge(host, 0xff));
}

bool prefix_is_single(const struct prefix *prefix)
{
    return prefix->length == family_bits(prefix->address.family);
}

bool prefix_is_multicast(const struct prefix *prefix)
{
    return prefix->length >= (prefix->address.family == FAMILY_IPV4 ? 4 : 8) &&
           address_is_multicast(&prefix->address);
}

bool prefix_is_link_scoped(const struct prefix *groups)
{
    return groups->length >= (groups->address.family == FAMILY_IPV4 ? 24 : 16) &&
           address_is_link_scoped(&groups->address);
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
    return a->length == b->length && address_equal(&a->address, &b->address);
}

bool prefix_has(const struct prefix *prefix, const struct address *address)
{
    const uint8_t *a = prefix->address.bytes, *b = address->bytes;
    unsigned whole = prefix->length / 8;

    if (prefix->address.family != address->family || memcmp(a, b, whole) != 0)
        return false;
    return whole == sizeof address->bytes ||
           !((a[whole] ^ b[whole]) & mask_of(prefix->length, whole));
}

bool prefix_covers(const struct prefix *prefix, const struct prefix *inner)
{
    return prefix->length <= inner->length && prefix_has(prefix, &inner->address);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
    return prefix_covers(a, b) || prefix_covers(b, a);
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
