#include "contents.h"

#include "frame/frame.h"

#include <stdio.h>

static void add(struct contents_set *set, uint64_t value)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->values[i] == value)
            return;
    if (set->count < CONTENTS_VALUES)
        set->values[set->count++] = value;
    else
        set->is_open = true;
}

uint64_t mac_number(const uint8_t *mac)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < FRAME_MAC_BYTES; i++)
        number = number << 8 | mac[i];
    return number;
}

void mac_put(uint64_t number, uint8_t *mac)
{
    for (unsigned i = 0; i < FRAME_MAC_BYTES; i++)
        mac[i] = (uint8_t)(number >> 8 * (FRAME_MAC_BYTES - 1 - i));
}

/* A length instead of an EtherType, or a tag behind as many as are looked at, is none. */
static void add_ethertype(struct contents *contents, uint16_t ethertype)
{
    if (ethertype < FRAME_TYPE_LEAST || frame_is_tag(ethertype))
        contents->ethertypes.is_open = true;
    else
        add(&contents->ethertypes, ethertype);
}

/* Of more tags than are looked at nothing is known. */
static void add_vlans(struct contents *contents, const struct frame_view *view)
{
    contents->vlans.is_open |= frame_is_tag(view->ethertype);
    for (unsigned i = 0; i < view->tags; i++) {
        unsigned id = frame_vlan_id(view->tag[i]);

        if (id > CONTENTS_VLAN_MAX)
            contents->vlans.is_open = true;
        else
            add(&contents->vlans, id);
    }
}

void contents_add(struct contents *contents, const uint8_t *frame, size_t length)
{
    struct frame_view view;

    if (!frame_parse(frame, length, &view))
        return;
    contents->frames++;
    if (frame_is_group(view.source))
        contents->sources.is_open = true;
    else
        add(&contents->sources, mac_number(view.source));
    add(&contents->destinations, mac_number(view.destination));
    add_ethertype(contents, view.ethertype);
    contents->has_untagged |= view.tags == 0;
    add_vlans(contents, &view);
}

const char *mac_text(uint64_t mac, char text[MAC_TEXT])
{
    snprintf(text, MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(mac >> 40 & 0xff),
             (unsigned)(mac >> 32 & 0xff), (unsigned)(mac >> 24 & 0xff),
             (unsigned)(mac >> 16 & 0xff), (unsigned)(mac >> 8 & 0xff), (unsigned)(mac & 0xff));
    return text;
}
