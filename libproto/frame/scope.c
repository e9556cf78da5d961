#include "scope.h"

#include <string.h>

bool source_list_has(const struct source_list *list, const uint8_t *mac)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (memcmp(list->macs[i], mac, FRAME_MAC_BYTES) == 0)
            return true;
    return false;
}

/* Whether both begin with the same bits. */
static bool begins_alike(const uint8_t *one, const uint8_t *other, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    unsigned mask = 0xff00U >> rest & 0xff;

    return memcmp(one, other, whole) == 0 &&
           (rest == 0 || ((one[whole] ^ other[whole]) & mask) == 0);
}

bool vlan_list_has(const struct vlan_list *list, unsigned id)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->ids[i] == id)
            return true;
    return false;
}

/* --- Sets ---------------------------------------------------------------------------------- */

static bool sources_are_open(const struct source_list *list)
{
    return list->kinds == 0 || (list->kinds & SOURCES_ANY);
}

static unsigned common_sources(const struct source_list *one, const struct source_list *other)
{
    unsigned count = 0;

    for (uint32_t i = 0; i < other->count; i++)
        count += source_list_has(one, other->macs[i]);
    return count;
}

static bool covers_sources(const struct source_list *outer, const struct source_list *inner)
{
    if (sources_are_open(outer) || sources_are_open(inner))
        return sources_are_open(outer);
    return !(inner->kinds & SOURCES_OWN & ~outer->kinds) &&
           common_sources(outer, inner) == inner->count;
}

/* What the address of an interface is, is not known here. */
static bool touches_sources(const struct source_list *one, const struct source_list *other)
{
    return sources_are_open(one) || sources_are_open(other) ||
           ((one->kinds | other->kinds) & SOURCES_OWN) || common_sources(one, other) > 0;
}

static bool prefix_has(const struct mac_prefix *outer, const struct mac_prefix *inner)
{
    return outer->length <= inner->length &&
           begins_alike(outer->bytes, inner->bytes, outer->length);
}

static bool has_prefix(const struct destination_list *list, const struct mac_prefix *prefix)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (prefix_has(&list->prefixes[i], prefix))
            return true;
    return false;
}

static bool overlaps_prefix(const struct destination_list *list, const struct mac_prefix *prefix)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (prefix_has(&list->prefixes[i], prefix) || prefix_has(prefix, &list->prefixes[i]))
            return true;
    return false;
}

static bool covers_destinations(const struct destination_list *outer,
                                const struct destination_list *inner)
{
    for (uint32_t i = 0; i < inner->count && outer->count > 0; i++)
        if (!has_prefix(outer, &inner->prefixes[i]))
            return false;
    return outer->count == 0 || inner->count > 0;
}

static bool touches_destinations(const struct destination_list *one,
                                 const struct destination_list *other)
{
    for (uint32_t i = 0; i < other->count; i++)
        if (overlaps_prefix(one, &other->prefixes[i]))
            return true;
    return one->count == 0 || other->count == 0;
}

static unsigned count_vlans(const struct vlan_list *list)
{
    return list->count + list->untagged;
}

static unsigned common_vlans(const struct vlan_list *one, const struct vlan_list *other)
{
    unsigned count = one->untagged && other->untagged;

    for (uint32_t i = 0; i < other->count; i++)
        count += vlan_list_has(one, other->ids[i]);
    return count;
}

static bool covers_vlans(const struct vlan_list *outer, const struct vlan_list *inner)
{
    return count_vlans(outer) == 0 ||
           (count_vlans(inner) > 0 && common_vlans(outer, inner) == count_vlans(inner));
}

static bool touches_vlans(const struct vlan_list *one, const struct vlan_list *other)
{
    return count_vlans(one) == 0 || count_vlans(other) == 0 || common_vlans(one, other) > 0;
}

bool scope_covers(const struct send_scope *outer, const struct send_scope *inner)
{
    return covers_sources(&outer->sources, &inner->sources) &&
           covers_destinations(&outer->destinations, &inner->destinations) &&
           covers_vlans(&outer->vlans, &inner->vlans);
}

bool scope_touches(const struct send_scope *one, const struct send_scope *other)
{
    return touches_sources(&one->sources, &other->sources) &&
           touches_destinations(&one->destinations, &other->destinations) &&
           touches_vlans(&one->vlans, &other->vlans);
}

bool scope_is_open(const struct send_scope *scope)
{
    return scope->sources.kinds == 0 && scope->destinations.count == 0 &&
           count_vlans(&scope->vlans) == 0;
}

/* --- Frames -------------------------------------------------------------------------------- */

static bool may_come_from(const struct frame_grant *grant, const uint8_t *mac)
{
    const struct source_list *list = &grant->scope->sources;

    if (list->kinds & SOURCES_ANY)
        return true;
    if ((list->kinds & SOURCES_OWN) && memcmp(mac, grant->own, FRAME_MAC_BYTES) == 0)
        return true;
    return source_list_has(list, mac);
}

static bool may_go_to(const struct destination_list *list, const uint8_t *mac)
{
    struct mac_prefix whole = {.length = SCOPE_MAC_BITS};

    memcpy(whole.bytes, mac, FRAME_MAC_BYTES);
    return list->count == 0 || has_prefix(list, &whole);
}

static bool may_be_of(const struct frame_grant *grant, uint16_t ethertype)
{
    if (grant->ethertype_count == 0)
        return true;
    for (uint32_t i = 0; i < grant->ethertype_count; i++)
        if (grant->ethertypes[i] == ethertype)
            return !frame_is_tag(ethertype);
    return false;
}

static bool may_be_in(const struct vlan_list *list, const struct frame_view *view)
{
    if (count_vlans(list) == 0)
        return true;
    if (view->tags == 0)
        return list->untagged;
    for (unsigned i = 0; i < view->tags; i++)
        if (!vlan_list_has(list, frame_vlan_id(view->tag[i])))
            return false;
    return !frame_is_tag(view->ethertype);
}

enum frame_verdict frame_judge(const struct frame_grant *grant, const uint8_t *bytes, size_t n)
{
    struct frame_view view;

    if (!frame_parse(bytes, n, &view))
        return FRAME_TOO_SHORT;
    if (!may_come_from(grant, view.source))
        return FRAME_WRONG_SOURCE;
    if (!may_go_to(&grant->scope->destinations, view.destination))
        return FRAME_WRONG_DESTINATION;
    if (!may_be_of(grant, view.ethertype))
        return FRAME_WRONG_ETHERTYPE;
    return may_be_in(&grant->scope->vlans, &view) ? FRAME_RIGHT : FRAME_WRONG_VLAN;
}

bool frame_needs_own(const struct frame_grant *grant, const uint8_t *bytes)
{
    const struct source_list *list = &grant->scope->sources;

    return !(list->kinds & SOURCES_ANY) && !source_list_has(list, bytes + FRAME_MAC_BYTES);
}
