#include "inject_narrow.h"

#include "own_address.h"

enum { TEXT_MAX = 32 };

typedef void writer(uint64_t value, char text[TEXT_MAX]);

static void write_mac(uint64_t value, char text[TEXT_MAX])
{
    mac_text(value, text);
}

static void write_ethertype(uint64_t value, char text[TEXT_MAX])
{
    snprintf(text, TEXT_MAX, "0x%04x", (unsigned)value);
}

static void write_vlan(uint64_t value, char text[TEXT_MAX])
{
    snprintf(text, TEXT_MAX, "%u", (unsigned)value);
}

/* How many values the field takes; 0: it was given. */
static size_t room_of(const struct command_line *line, const char *name)
{
    const struct field *field = field_find(action_row(ACTION_OPEN_INJECT), name);

    return command_line_flag(line, name) || !field ? 0 : field->high;
}

/* What cannot be named is not narrowed. */
static void name_all(const struct command_line *line, struct nb_request *request, const char *name,
                     const struct contents_set *set, writer *write)
{
    char text[TEXT_MAX];

    if (set->is_open || set->count > room_of(line, name))
        return;
    for (size_t i = 0; i < set->count; i++) {
        write(set->values[i], text);
        nb_request_add_string(request, name, text);
    }
}

/* The interface's own address is a word, which a rule of the policy has as well. */
static void name_source(struct nb_request *request, uint64_t source, uint64_t own)
{
    char text[TEXT_MAX];

    write_mac(source, text);
    nb_request_add_string(request, "sources", source == own ? "own" : text);
}

static void name_sources(const struct command_line *line, struct nb_request *request,
                         const struct contents_set *sources)
{
    uint64_t own = own_address(command_line_value(line, "interface", 0));
    size_t room = room_of(line, "sources");

    if (room == 0)
        return;
    if (sources->is_open || sources->count > room) {
        nb_request_add_string(request, "sources", "any");
        return;
    }
    for (size_t i = 0; i < sources->count; i++)
        name_source(request, sources->values[i], own);
}

static void name_vlans(const struct command_line *line, struct nb_request *request,
                       const struct contents *contents)
{
    if (contents->vlans.is_open ||
        contents->vlans.count + contents->has_untagged > room_of(line, "vlans"))
        return;
    if (contents->has_untagged)
        nb_request_add_string(request, "vlans", "none");
    name_all(line, request, "vlans", &contents->vlans, write_vlan);
}

void injection_narrow(const struct command_line *line, struct nb_request *request,
                      const struct contents *contents)
{
    name_sources(line, request, &contents->sources);
    name_all(line, request, "destinations", &contents->destinations, write_mac);
    name_all(line, request, "ethertypes", &contents->ethertypes, write_ethertype);
    name_vlans(line, request, contents);
}
