/* The rules that lead packets to one table: which are wanted, and which there are.
 *
 * A table that is not the default one sees no packet unless a rule leads to it. So there is one of
 * ours for each interface that exists and that routes of the table take packets from; but none
 * where an administrator's own rule does the same.
 *
 * A rule takes all packets of its interface away from all other tables: the kernel asks one table
 * only, and its rules cannot tell groups apart (ipmr_rule_action() of net/ipv4/ipmr.c). So an
 * interface belongs to the first table whose routes name it, until these are gone. */
#ifndef NB_RULES_H
#define NB_RULES_H

#include "platform/mroute.h"

enum {
    /* As many as inbound interfaces, of which each has a VIF; twice, for those that go. */
    TABLE_RULES_MAX = 2 * VIFS_MAX,
};

/* Who makes and deletes rules: that needs privileges. ifindex is 0 for a deletion. Returns whether
 * there will be an answer (rules_answered). */
struct rules_host {
    bool (*change)(void *context, const struct mroute_rule *rule, unsigned ifindex);
    void *context;
};

struct rules {
    const struct rules_host *host; /* borrowed; NULL: no rules are made */
    uint8_t family;
    uint32_t table;
    unsigned count;
    unsigned pending; /* answers that are to come */
    struct {
        char iif[INTERFACE_NAME_MAX + 1];
        unsigned ifindex; /* of a rule that is to be made */
        bool wanted;
        bool ours; /* it is there, and we made it */
    } list[TABLE_RULES_MAX];
};

void rules_init(struct rules *rules, const struct rules_host *host, uint8_t family, uint32_t table);

/* Takes over what a process before us made; call it once, before the first rules_settle. */
void rules_load(struct rules *rules);

/* Says anew what is wanted: begin, want for each inbound interface, settle. Rules that are missing
 * are made, those of ours that nobody wants are deleted. */
struct mfc_list;
void rules_begin(struct rules *rules);
void rules_want(struct rules *rules, const char *iif, unsigned ifindex);
void rules_settle(struct rules *rules);

/* Does so for the family's tables, if an inbound interface of any of them has changed. */
void rules_settle_tables(const struct mfc_list *tables, uint8_t family);

/* Counts the wanted rules that are not in the kernel any more, which then are made again when what
 * is wanted is said anew. Call it while no answer is to come. */
unsigned rules_note_lost(struct rules *rules);

/* The other table that gets the packets of the interface, though routes of this one name it, too;
 * 0: there is none. */
struct mfc;
struct iface;
uint32_t rules_elsewhere(const struct mfc_list *tables, const struct mfc *mfc,
                         const struct iface *iface);

/* A change was made, or failed. */
void rules_answered(struct rules *rules);

#endif
