/* The decoder: what it accepts passed the check and is what its action's row says; what passed the
 * check is never refused for want of memory, because then a library read it differently. */
#include "decode.h"
#include "fuzz.h"

#include <string.h>

static void check_group(const struct prefix *group, bool required)
{
    if (!required && group->address.family == FAMILY_NONE)
        return;
    must(prefix_is_multicast(group) && !prefix_is_link_scoped(group), "a group is forwarded");
}

static void check_source(const struct prefix *source)
{
    must(source->address.family == FAMILY_NONE || !address_is_multicast(&source->address),
         "a source is no group");
}

static void check_join(const struct args_add_join *args)
{
    check_group(&args->group, true);
    check_source(&args->source);
    must(interface_name_is_valid(args->iif.text), "iif is a name");
}

static void check_route(const struct args_add_mfc *args)
{
    check_group(&args->group, true);
    check_source(&args->source);
    must(interface_name_is_valid(args->iif.text), "iif is a name");
    must(args->oifs.count <= VIFS_MAX && args->ttls.count <= VIFS_MAX, "lists have their limits");
    must(args->table <= TABLE_ID_MAX, "a table has its limit");
    for (uint32_t i = 0; i < args->oifs.count; i++)
        must(interface_name_is_valid(args->oifs.names[i].text), "oifs are names");
    for (uint32_t i = 0; i < args->ttls.count; i++)
        must(args->ttls.values[i] >= 1 && args->ttls.values[i] <= 254, "ttls have their limits");
}

static void check_accepted(const struct request *request)
{
    must(request->action < ACTION_COUNT, "the action is in the table");
    if (request->action == ACTION_ADD_MFC)
        check_route(&request->args.add_mfc);
    if (request->action == ACTION_ADD_JOIN)
        check_join(&request->args.add_join);
    if (request->action == ACTION_DEL_MFC)
        check_group(&request->args.del_mfc.group, true);
    if (request->action == ACTION_SHOW_MFC)
        check_group(&request->args.show_mfc.group, false);
    if (request->action == ACTION_SUBSCRIBE)
        must(request->args.subscribe.topics.count <= TOPICS_MAX, "topics have their limit");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *text = (const char *)bytes;
    struct error error = {0}, check_error = {0};
    struct request request;
    struct span id;
    bool accepted = decode_request(text, n, &request, &error);
    bool strict = check_request(text, n, &id, &check_error);

    if (accepted) {
        must(strict, "what is accepted passed the check");
        check_accepted(&request);
    } else {
        must(error.code != ERROR_NONE && error.message[0], "a refusal says why");
        must(error.code != ERROR_NO_MEMORY, "the library reads what the check lets pass");
    }
    if (n <= REQUEST_MAX)
        must(request.id.start == id.start && request.id.length == id.length, "the id is kept");
    return 0;
}
