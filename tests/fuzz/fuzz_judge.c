/* The judge of frames that are to be sent: any frame, and any texts for the lists that it is held
 * to. Whatever it finds right has what the scope allows, by a reading of the header of its own. */
#include "frame/scope.h"
#include "fuzz.h"

#include <string.h>

enum { TEXT_MAX = 24, TEXTS = 6 };

static const uint8_t own[FRAME_MAC_BYTES] = {2, 0, 0, 0, 0, 1};

/* The texts end with a line each. */
static size_t fill(struct send_scope *scope, const uint8_t *data, size_t size)
{
    size_t at = 0;

    for (unsigned i = 0; i < TEXTS && at < size; i++) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t length = end ? (size_t)(end - data) - at : size - at;
        char text[TEXT_MAX + 1] = "";

        memcpy(text, data + at, length < TEXT_MAX ? length : TEXT_MAX);
        if (i % 3 == 0)
            source_list_add(&scope->sources, text);
        else if (i % 3 == 1)
            destination_list_add(&scope->destinations, text);
        else
            vlan_list_add(&scope->vlans, text);
        at += length + (end != NULL);
    }
    return at;
}

static void look(const struct send_scope *scope, bool narrow, const uint8_t *frame, size_t size)
{
    static const uint16_t types[] = {0x88ba};
    struct frame_grant grant = {scope, types, narrow, own};
    size_t at = 12;

    if (frame_judge(&grant, frame, size) != FRAME_RIGHT)
        return;
    must(size >= 14, "it has a header");
    must((scope->sources.kinds & SOURCES_ANY) || !(frame[6] & 1), "it comes from a station");
    for (unsigned tags = 0; tags < 2 && at + 6 <= size; tags++, at += 4) {
        uint16_t type = (uint16_t)(frame[at] << 8 | frame[at + 1]);

        if (type != 0x8100 && type != 0x88a8)
            break;
        must(scope->vlans.count > 0 || !scope->vlans.untagged, "it has a tag that it may have");
    }
    must(!narrow || (frame[at] == 0x88 && frame[at + 1] == 0xba), "it has the EtherType");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct send_scope scope = {.sources.kinds = 0};
    size_t used = size > 0 ? 1 + fill(&scope, data + 1, size - 1) : 0;
    char text[SCOPE_MAC_TEXT + 1];

    for (enum scope_part part = 0; part < SCOPE_PART_COUNT; part++)
        for (unsigned i = 0; i < scope_items(&scope, part); i++) {
            scope_text(&scope, part, i, text);
            must(strlen(text) <= SCOPE_MAC_TEXT, "a text has its length");
        }
    must(scope_covers(&scope, &scope) || scope.sources.kinds == 0, "a scope covers itself");
    must(scope_touches(&scope, &scope), "a scope touches itself");
    if (size > 0)
        look(&scope, data[0] & 1, data + used, size - used);
    return 0;
}
