/* SMCRoute's configuration: what is read is well-formed and within its limits, and can be said in
 * one line of ours. */
#include "decode.h"
#include "fuzz.h"
#include "smcroute.h"

#include <string.h>

static void check_name(const struct interface_name *name)
{
    must(interface_name_is_valid(name->text), "a name is one");
}

static void see_entry(void *context, unsigned line, const struct smcroute_entry *entry)
{
    unsigned *last = context;

    must(line >= *last, "lines come in their order");
    *last = line;
    check_name(&entry->iif);
    must(entry->group.text[0] != '\0', "there is a group");
    must(!strpbrk(entry->group.text, " \t"), "an address is a word");
    must(entry->oifs.count <= VIFS_MAX, "there are not too many interfaces");
    must(!entry->join || entry->oifs.count == 0, "a join has no outgoing interfaces");
    must(entry->join || entry->oifs.count > 0 || entry->source.text[0], "a stop has a source");
    for (uint32_t i = 0; i < entry->oifs.count; i++) {
        check_name(&entry->oifs.names[i]);
        must(entry->ttls[i] >= 1 && entry->ttls[i] <= 254, "a threshold is one");
    }
}

static void see_include(void *context, unsigned line, const char *pattern)
{
    (void)context;
    must(line > 0 && pattern[0] && strlen(pattern) <= SMCROUTE_PATH_MAX, "a path is one");
}

static void see_remark(void *context, unsigned line, enum smcroute_weight weight, const char *text)
{
    (void)context;
    (void)weight;
    must(line > 0 && text[0], "a remark says something");
    for (; *text; text++)
        must(*text >= ' ' && *text <= '~', "it can be shown");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    unsigned last = 0;
    struct smcroute smcroute = {.reader = {see_entry, see_include, see_remark, &last}};

    smcroute_read(&smcroute, (const char *)bytes, n);
    must(smcroute.phyint_count <= SMCROUTE_PHYINTS_MAX, "there are not too many interfaces");
    return 0;
}
