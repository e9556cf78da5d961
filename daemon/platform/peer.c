/* What of a peer is the same on all systems. */
#include "process.h"

#include <stdlib.h>

void peer_release(struct peer *peer)
{
    free(peer->groups);
    peer->groups = NULL;
    peer->group_count = 0;
}

bool peer_in_group(const struct peer *peer, gid_t group)
{
    for (size_t i = 0; i < peer->group_count; i++)
        if (peer->groups[i] == group)
            return true;
    return peer->gid == group;
}
