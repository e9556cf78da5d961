#include "publish.h"

#include "contents.h"
#include "own_address.h"
#include "tap.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { SENTENCE_MAX = 400, PRIORITY_DEFAULT = 4, REFERENCE_MAX = 129 };

#define SECOND 1e9

bool publish_wrong(const struct command_line *line, const char *option, const char *format, ...)
{
    char sentence[SENTENCE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    say_usage(line, line->command.row->cli, option, "%s", sentence);
    return false;
}

static const char *name_of(const struct command_line *line, const char *option, char name[64])
{
    return option_name(field_find(line->command.row, option), name, 64);
}

bool publish_natural(const struct command_line *line, const char *option, uint64_t low,
                     uint64_t high, uint64_t *ret)
{
    const char *text = command_line_value(line, option, 0);
    bool is_hex = text && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    unsigned long long number;
    char *end, name[64];

    if (!text)
        return true;
    errno = 0;
    number = strtoull(text, &end, is_hex ? 16 : 10);
    if (isdigit((unsigned char)text[0]) && !*end && end != text && errno == 0 && number >= low &&
        number <= high) {
        *ret = number;
        return true;
    }
    return publish_wrong(line, option,
                         "%s takes a number from %" PRIu64 " to %" PRIu64 ", and '%s' is none.",
                         name_of(line, option, name), low, high, text);
}

static bool take_mac(const struct command_line *line, const char *option, const char *fallback,
                     uint8_t ret[FRAME_MAC_BYTES])
{
    const char *text = command_line_value(line, option, 0);

    text = text ? text : fallback;
    return mac_bytes(text, ret) ||
           publish_wrong(line, option,
                         "--%s takes an Ethernet address such as 01:0c:cd:04:00:01, and '%s' is "
                         "none.",
                         option, text);
}

static bool take_source(const struct command_line *line, uint8_t ret[FRAME_MAC_BYTES])
{
    const char *interface = command_line_value(line, "interface", 0);
    uint64_t own;

    if (command_line_flag(line, "source"))
        return take_mac(line, "source", "", ret);
    own = own_address(interface);
    if (own == OWN_ADDRESS_UNKNOWN)
        return publish_wrong(line, "source",
                             "the address of '%s' is not known here: is its name right? --source "
                             "says another address.",
                             interface);
    mac_put(own, ret);
    return true;
}

static bool take_tag(const struct command_line *line, struct iec_frame *frame)
{
    uint64_t vlan = 0, priority = PRIORITY_DEFAULT;

    if (!publish_natural(line, "vlan", 0, CONTENTS_VLAN_MAX, &vlan) ||
        !publish_natural(line, "vlan_priority", 0, 7, &priority))
        return false;
    frame->tags = command_line_flag(line, "vlan") || command_line_flag(line, "vlan_priority");
    frame->tag[0].tpid = FRAME_8021Q;
    frame->tag[0].tci = (uint16_t)(priority << 13 | vlan);
    return true;
}

bool publish_header(const struct command_line *line, uint16_t app_id, const char *destination,
                    struct iec_frame *ret)
{
    uint64_t number = app_id;

    *ret = (struct iec_frame){.tags = 0};
    if (!publish_natural(line, "app_id", 0, UINT16_MAX, &number) || !take_tag(line, ret) ||
        !take_mac(line, "destination", destination, ret->destination) ||
        !take_source(line, ret->source))
        return false;
    ret->app_id = (uint16_t)number;
    ret->reserved1 = command_line_flag(line, "simulation") ? IEC_SIMULATED : 0;
    return true;
}

bool publish_text(const struct command_line *line, const char *option, const char *fallback,
                  struct iec_text *ret)
{
    const char *text = command_line_value(line, option, 0);
    size_t length;
    char name[64];

    text = text ? text : fallback;
    if (!text)
        return true;
    length = strlen(text);
    for (size_t i = 0; i < length; i++)
        if (!isgraph((unsigned char)text[i]) && text[i] != ' ')
            length = 0;
    if (length == 0 || length > REFERENCE_MAX)
        return publish_wrong(line, option, "%s takes 1 to %d characters of ASCII.",
                             name_of(line, option, name), REFERENCE_MAX);
    *ret = (struct iec_text){text, length};
    return true;
}

bool publish_duration(const struct command_line *line, uint64_t *ret)
{
    double seconds = 0;

    if (!command_line_real(line, "duration", 0.001, 1e8, &seconds))
        return false;
    *ret = (uint64_t)llround(seconds * SECOND);
    return true;
}
