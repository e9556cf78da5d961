#include "hex.h"
#include "scope.h"

#include <string.h>

/* --- Reading ------------------------------------------------------------------------------- */

/* Six pairs of digits with colons between them. Returns what follows, or NULL. */
static const char *read_mac(const char *text, uint8_t *ret)
{
    for (unsigned i = 0; i < FRAME_MAC_BYTES; i++) {
        int high, low;

        if (i > 0 && *text++ != ':')
            return NULL;
        high = hex_digit(text[0]);
        low = high < 0 ? -1 : hex_digit(text[1]);
        if (low < 0)
            return NULL;
        ret[i] = (uint8_t)(high << 4 | low);
        text += 2;
    }
    return text;
}

/* Digits and nothing else, up to this number; -1: something else. */
static int read_number(const char *text, int most)
{
    int value = 0;

    if (!*text)
        return -1;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        value = value * 10 + (*text - '0');
        if (value > most)
            return -1;
    }
    return value;
}

static bool is_station(const uint8_t *mac)
{
    static const uint8_t zero[FRAME_MAC_BYTES];

    return !frame_is_group(mac) && memcmp(mac, zero, FRAME_MAC_BYTES) != 0;
}

static enum scope_added add_kind(struct source_list *list, enum scope_sources kind)
{
    if (list->kinds & kind)
        return SCOPE_TWICE;
    list->kinds |= kind;
    return SCOPE_ADDED;
}

enum scope_added source_list_add(struct source_list *list, const char *text)
{
    uint8_t mac[FRAME_MAC_BYTES];
    const char *end;

    if (strcmp(text, "own") == 0)
        return add_kind(list, SOURCES_OWN);
    if (strcmp(text, "any") == 0)
        return add_kind(list, SOURCES_ANY);
    end = read_mac(text, mac);
    if (!end || *end || !is_station(mac))
        return SCOPE_WRONG;
    if (source_list_has(list, mac))
        return SCOPE_TWICE;
    if (list->count == SCOPE_ITEMS_MAX)
        return SCOPE_FULL;
    list->kinds |= SOURCES_LISTED;
    memcpy(list->macs[list->count++], mac, FRAME_MAC_BYTES);
    return SCOPE_ADDED;
}

static bool read_mac_prefix(const char *text, struct mac_prefix *ret)
{
    static const uint8_t zero[FRAME_MAC_BYTES];
    struct mac_prefix prefix = {.length = SCOPE_MAC_BITS};
    const char *end = read_mac(text, prefix.bytes);
    uint8_t behind[FRAME_MAC_BYTES];
    int length = end && *end == '/' ? read_number(end + 1, SCOPE_MAC_BITS) : SCOPE_MAC_BITS;

    if (!end || (*end && *end != '/') || length < 1)
        return false;
    prefix.length = (uint8_t)length;
    memcpy(behind, prefix.bytes, sizeof behind);
    for (unsigned bit = 0; bit < prefix.length; bit++)
        behind[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
    *ret = prefix;
    return memcmp(behind, zero, sizeof behind) == 0;
}

enum scope_added destination_list_add(struct destination_list *list, const char *text)
{
    struct mac_prefix prefix;

    if (!read_mac_prefix(text, &prefix))
        return SCOPE_WRONG;
    for (uint32_t i = 0; i < list->count; i++)
        if (memcmp(&list->prefixes[i], &prefix, sizeof prefix) == 0)
            return SCOPE_TWICE;
    if (list->count == SCOPE_ITEMS_MAX)
        return SCOPE_FULL;
    list->prefixes[list->count++] = prefix;
    return SCOPE_ADDED;
}

enum scope_added vlan_list_add(struct vlan_list *list, const char *text)
{
    int id = read_number(text, SCOPE_VLAN_MAX);
    bool none = strcmp(text, "none") == 0;

    if (!none && id < 0)
        return SCOPE_WRONG;
    if (none ? list->untagged : vlan_list_has(list, (unsigned)id))
        return SCOPE_TWICE;
    if (none) {
        list->untagged = 1;
        return SCOPE_ADDED;
    }
    if (list->count == SCOPE_ITEMS_MAX)
        return SCOPE_FULL;
    list->ids[list->count++] = (uint16_t)id;
    return SCOPE_ADDED;
}

/* --- Writing ------------------------------------------------------------------------------- */

static char *write_number(unsigned value, char *at)
{
    if (value >= 10)
        at = write_number(value / 10, at);
    *at++ = (char)('0' + value % 10);
    *at = '\0';
    return at;
}

static char *write_mac(const uint8_t *mac, char *at)
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned i = 0; i < FRAME_MAC_BYTES; i++) {
        *at++ = digits[mac[i] >> 4];
        *at++ = digits[mac[i] & 15];
        *at++ = i + 1 < FRAME_MAC_BYTES ? ':' : '\0';
    }
    return at - 1;
}

/* "own" and "any" come before addresses, "none" before VLANs. */
static void write_source(const struct source_list *list, unsigned item, char *ret)
{
    bool own = list->kinds & SOURCES_OWN, any = list->kinds & SOURCES_ANY;

    if (item < (unsigned)own + any)
        memcpy(ret, item == 0 && own ? "own" : "any", sizeof "own");
    else
        write_mac(list->macs[item - own - any], ret);
}

static void write_destination(const struct destination_list *list, unsigned item, char *ret)
{
    const struct mac_prefix *prefix = &list->prefixes[item];
    char *end = write_mac(prefix->bytes, ret);

    if (prefix->length == SCOPE_MAC_BITS)
        return;
    *end++ = '/';
    write_number(prefix->length, end);
}

static void write_vlan(const struct vlan_list *list, unsigned item, char *ret)
{
    if (item < list->untagged)
        memcpy(ret, "none", sizeof "none");
    else
        write_number(list->ids[item - list->untagged], ret);
}

const char *scope_word(enum scope_part part)
{
    static const char *const words[] = {
#define P(name, word) word,
        SCOPE_PARTS(P)
#undef P
    };

    return words[part];
}

unsigned scope_items(const struct send_scope *scope, enum scope_part part)
{
    const struct source_list *sources = &scope->sources;

    switch (part) {
    case SCOPE_SOURCES:
        return sources->count + !!(sources->kinds & SOURCES_OWN) + !!(sources->kinds & SOURCES_ANY);
    case SCOPE_DESTINATIONS:
        return scope->destinations.count;
    default:
        return scope->vlans.count + scope->vlans.untagged;
    }
}

void scope_text(const struct send_scope *scope, enum scope_part part, unsigned item, char *ret)
{
    switch (part) {
    case SCOPE_SOURCES:
        write_source(&scope->sources, item, ret);
        break;
    case SCOPE_DESTINATIONS:
        write_destination(&scope->destinations, item, ret);
        break;
    default:
        write_vlan(&scope->vlans, item, ret);
        break;
    }
}
