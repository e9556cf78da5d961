#include "reader.h"

bool reader_may_read(const struct reader *reader, const char *verb, const struct target *target)
{
    return !reader->policy || policy_decide(reader->policy, reader->peer, verb, target).allowed;
}

bool reader_holds(const struct reader *reader, const struct resource *resource)
{
    return reader->peer && resource_has_user(resource, reader->peer->uid);
}

bool reader_may_see(const struct reader *reader, const struct resource *resource)
{
    struct target target;

    resource->ops->get_target(resource, &target);
    return reader_may_read(reader, resource->ops->read_verb, &target) ||
           reader_holds(reader, resource);
}
