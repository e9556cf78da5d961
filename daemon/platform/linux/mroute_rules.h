/* The parser of the kernel's multicast routing rules. */
#ifndef NB_LINUX_MROUTE_RULES_H
#define NB_LINUX_MROUTE_RULES_H

#include "netlink.h"
#include "platform/mroute.h"

/* What distinguishes our rules from those of others. */
enum {
    /* A number that nobody has in rt_protos of iproute2, and in linux/rtnetlink.h. */
    RULE_PROTOCOL = 78,
    /* Before the kernel's own, which leads the rest to the default table (32767), and behind those
     * that an administrator gives a smaller number. */
    RULE_PRIORITY = 32000,
};

struct rules_reader {
    uint8_t family;
    mroute_rule_visit *visit;
    void *context;
};

/* RTM_NEWRULE, one call for each rule; context is a struct rules_reader. */
void mroute_rule_parse(void *reader, const struct nlmsghdr *header);

#endif
