#include "scope.h"

#include "frame/frame.h"

#include <stdio.h>

static void add(struct scope_set *set, uint64_t value)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->values[i] == value)
            return;
    if (set->count < SCOPE_VALUES)
        set->values[set->count++] = value;
    else
        set->is_open = true;
}

uint64_t scope_mac(const uint8_t *mac)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < FRAME_MAC_BYTES; i++)
        number = number << 8 | mac[i];
    return number;
}

/* A length instead of an EtherType, or a tag behind as many as are looked at, is none. */
static void add_ethertype(struct scope *scope, uint16_t ethertype)
{
    if (ethertype < FRAME_TYPE_LEAST || frame_is_tag(ethertype))
        scope->ethertypes.is_open = true;
    else
        add(&scope->ethertypes, ethertype);
}

void scope_add(struct scope *scope, const uint8_t *frame, size_t length)
{
    struct frame_view view;

    if (!frame_parse(frame, length, &view))
        return;
    scope->frames++;
    add(&scope->sources, scope_mac(view.source));
    add(&scope->destinations, scope_mac(view.destination));
    add_ethertype(scope, view.ethertype);
    scope->has_untagged |= view.tags == 0;
    for (unsigned i = 0; i < view.tags; i++)
        add(&scope->vlans, frame_vlan_id(view.tag[i]));
}

bool scope_is_only(const struct scope_set *set, uint64_t value)
{
    return !set->is_open && set->count == 1 && set->values[0] == value;
}

const char *scope_mac_text(uint64_t mac, char text[SCOPE_MAC_TEXT])
{
    snprintf(text, SCOPE_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(mac >> 40 & 0xff),
             (unsigned)(mac >> 32 & 0xff), (unsigned)(mac >> 24 & 0xff),
             (unsigned)(mac >> 16 & 0xff), (unsigned)(mac >> 8 & 0xff), (unsigned)(mac & 0xff));
    return text;
}
