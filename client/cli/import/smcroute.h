/* Reads the configuration of SMCRoute (smcroute.conf(5), versions 2.4 to 2.6):
 *
 *     phyint IFNAME <enable|disable> [mrdisc] [ttl-threshold TTL]
 *     mgroup from IFNAME [source ADDRESS[/LENGTH]] group GROUP[/LENGTH]      (or ssmgroup)
 *     mroute from IFNAME [source ADDRESS[/LENGTH]] group GROUP[/LENGTH] to IFNAME ...
 *     include PATTERN
 *
 * Reading is pure: the caller opens what is included. What the decoder judges of a request, such
 * as its addresses, is not judged here. */
#ifndef NB_SMCROUTE_H
#define NB_SMCROUTE_H

#include "table.h"

enum {
    SMCROUTE_PHYINTS_MAX = 256,
    SMCROUTE_PATH_MAX = 1023,
};

/* An address, or one with a prefix length; "": none. */
struct smcroute_range {
    char text[PREFIX_TEXT_MAX];
};

/* A route, or where `join` says so a join, which has no outgoing interfaces. Interfaces may be
 * patterns such as eth+. */
struct smcroute_entry {
    bool join;
    struct smcroute_range source; /* "": any */
    struct smcroute_range group;
    struct interface_name iif;
    struct interface_list oifs;
    uint32_t ttls[VIFS_MAX]; /* of the oifs: 1 to 254 */
};

/* What phyint said of an interface or of a pattern, the latest last. */
struct smcroute_phyint {
    struct interface_name name;
    bool disabled;
    uint32_t ttl;
};

enum smcroute_weight {
    SMCROUTE_NOTE,    /* it is taken over, but not as it stands */
    SMCROUTE_PROBLEM, /* it is not taken over */
};

/* Where what is read goes. Texts and entries are borrowed for the call. */
struct smcroute_reader {
    void (*entry)(void *context, unsigned line, const struct smcroute_entry *entry);
    /* The files that a pattern names are to be read now, by the same struct smcroute. */
    void (*include)(void *context, unsigned line, const char *pattern);
    void (*remark)(void *context, unsigned line, enum smcroute_weight weight, const char *text);
    void *context;
};

/* What is known from line to line and from file to file. All zero but the reader: nothing yet. */
struct smcroute {
    struct smcroute_reader reader;
    struct smcroute_phyint phyints[SMCROUTE_PHYINTS_MAX];
    uint32_t phyint_count;
};

/* Reads one file of n bytes. */
void smcroute_read(struct smcroute *smcroute, const char *bytes, size_t n);

/* Adds an outgoing interface, or gives it this threshold. False: there are VIFS_MAX others. */
bool smcroute_add_oif(struct smcroute_entry *entry, const struct interface_name *oif, uint32_t ttl);

void smcroute_drop_oif(struct smcroute_entry *entry, uint32_t at);

/* Whether phyint has disabled the interface, or all interfaces of the pattern. */
bool smcroute_is_disabled(const struct smcroute *smcroute, const char *name);

#endif
