/* The action table: the protocol in one place.
 *
 * A row is an action, a field is a line of it. Validation, dispatch, DESCRIBE, the command line,
 * its help and completion, the protocol reference and the fuzz dictionary are made from these
 * rows. To add an action: add its FIELDS_ list, its row in ACTIONS, and the function that the
 * compiler then misses in the daemon. */
#ifndef NB_TABLE_H
#define NB_TABLE_H

#include "address.h"
#include "bounds.h"
#include "frame/scope.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- The types that a field can have ------------------------------------------------------- */

struct interface_name {
    char text[INTERFACE_NAME_MAX + 1];
};

struct interface_list {
    uint32_t count;
    struct interface_name names[VIFS_MAX];
};

struct number_list {
    uint32_t count;
    uint32_t values[VIFS_MAX];
};

struct word {
    char text[WORD_LENGTH_MAX + 1]; /* "": not given */
};

/* Text for people. */
struct label {
    char text[LABEL_LENGTH_MAX + 1]; /* "": not given */
};

/* An Ethernet address. */
struct mac {
    bool given;
    uint8_t bytes[MAC_BYTES];
};

struct host_list {
    uint32_t count;
    struct host_address hosts[TAP_HOSTS_MAX];
};

struct prefix_list {
    uint32_t count;
    struct prefix prefixes[TAP_ROUTES_MAX];
};

/* Ethernet protocols by number. */
struct ethertype_list {
    uint32_t count; /* 0: not narrowed */
    uint16_t types[ETHERTYPES_MAX];
};

/* Which way frames go, as seen from this host. */
enum direction { DIRECTION_IN = 1, DIRECTION_OUT = 2, DIRECTION_BOTH = 3 };

/* Whose clock says when a frame came. */
enum timestamps { TIMESTAMPS_KERNEL = 1, TIMESTAMPS_INTERFACE = 2 };

/* A filter of frames: classic BPF, as struct sock_filter of linux/filter.h and struct bpf_insn of
 * libpcap have it. */
struct program {
    uint32_t count; /* of instructions; 0: none, all frames pass */
    struct instruction {
        uint16_t code;
        uint8_t jt, jf;
        uint32_t k;
    } instructions[PROGRAM_MAX];
};

/* A user by number, so that the service need not look names up. */
struct user {
    bool given;
    uint32_t uid;
    uint32_t gid_count;
    uint32_t gids[USER_GROUPS_MAX]; /* all groups that the user is in */
};

/* A user by number alone. */
struct uid {
    bool given;
    uint32_t number;
};

struct topic_list {
    uint32_t count;
    char patterns[TOPICS_MAX][TOPIC_LENGTH_MAX + 1];
};

/* The value of a field in JSON, or of each item of its list. */
enum json_type { JSON_TEXT, JSON_INTEGER, JSON_BOOLEAN, JSON_OBJECT };
enum json_shape { ONE, LIST }; /* a list is written with commas where it is not JSON */

/* T(type, C type, how the command line calls a value of it, JSON type, one or a list,
 * what it takes: the end of the sentence that refuses another value,
 * the same for the reference,
 * the same for the JSON Schema, with ' for ")
 * In these three, "%u" is the field's low, then its high. What a field of the type holds where the
 * request lacks it: all zero, but a number, which then holds the row's fallback. */
#define FIELD_TYPES(T)                                                                             \
    T(address, struct address, "ADDRESS", JSON_TEXT, ONE,                                          \
      "an IPv4 or IPv6 address such as \"10.0.1.10\"", "text: an IPv4 or IPv6 address",            \
      SCHEMA_ADDRESS)                                                                              \
    T(source, struct prefix, "ADDRESS[/LENGTH]", JSON_TEXT, ONE,                                   \
      "an IPv4 or IPv6 address without zone, such as \"10.0.1.10\", or a prefix, such as "         \
      "\"10.0.0.0/8\"",                                                                            \
      "text: an IPv4 or IPv6 unicast address", SCHEMA_ADDRESS)                                     \
    T(group, struct prefix, "GROUP[/LENGTH]", JSON_TEXT, ONE,                                      \
      "224.0.1.0 to 239.255.255.255, or ff03:: and above, or a prefix such as \"239.1.0.0/16\"",   \
      "text: an IPv4 or IPv6 multicast address", SCHEMA_ADDRESS)                                   \
    T(interface, struct interface_name, "INTERFACE", JSON_TEXT, ONE,                               \
      "the name of an interface: 1 to 15 printable ASCII characters without white space, '/' and " \
      "'%%'",                                                                                      \
      "text: an interface name of 1 to 15 bytes", SCHEMA_INTERFACE)                                \
    T(interfaces, struct interface_list, "INTERFACE[,INTERFACE...]", JSON_TEXT, LIST,              \
      "a list of interface names such as [\"eth1\", \"eth2\"]",                                    \
      "list of %u to %u interface names, each once",                                               \
      "'uniqueItems':true,'type':'array','minItems':%u,'maxItems':%u,"                             \
      "'items':{" SCHEMA_INTERFACE "}")                                                            \
    T(table, uint32_t, "TABLE", JSON_INTEGER, ONE, "an integer from %u to %u",                     \
      "integer from %u to %u", SCHEMA_INTEGER)                                                     \
    T(number, uint32_t, "NUMBER", JSON_INTEGER, ONE, "an integer from %u to %u",                   \
      "integer from %u to %u", SCHEMA_INTEGER)                                                     \
    T(numbers, struct number_list, "NUMBER[,NUMBER...]", JSON_INTEGER, LIST,                       \
      "a list of integers such as [1, 16]", "list of at most 32 integers from %u to %u",           \
      "'type':'array','minItems':0,'maxItems':32,'items':{" SCHEMA_INTEGER "}")                    \
    T(flag, bool, "", JSON_BOOLEAN, ONE, "true or false", "`true` or `false`",                     \
      "'type':'boolean','default':false")                                                          \
    T(word, struct word, "NAME", JSON_TEXT, ONE, "a word of 1 to 31 characters",                   \
      "text of 1 to 31 bytes", "'type':'string','minLength':1,'maxLength':31")                     \
    T(counter, uint64_t, "NUMBER", JSON_INTEGER, ONE, "an integer from 0 to 999999999999999",      \
      "integer from 0 to 999999999999999",                                                         \
      "'type':'integer','minimum':0,'maximum':999999999999999")                                    \
    T(label, struct label, "TEXT", JSON_TEXT, ONE,                                                 \
      "text of %u to %u bytes without control characters",                                         \
      "text of %u to %u bytes without control characters",                                         \
      "'type':'string','minLength':%u,'maxLength':%u")                                             \
    T(user, struct user, "USER", JSON_OBJECT, ONE,                                                 \
      "an object such as {\"uid\": 1000, \"gids\": [1000, 44]} with at most 64 groups",            \
      "`{\"uid\": NUMBER, \"gids\": [NUMBER, ...]}`, at most 64 groups",                           \
      "'type':'object','properties':{'uid':{" SCHEMA_ID "},"                                       \
      "'gids':{'type':'array','minItems':0,'maxItems':64,'items':{" SCHEMA_ID "}}},"               \
      "'required':['uid','gids'],'additionalProperties':false")                                    \
    T(uid, struct uid, "USER", JSON_INTEGER, ONE, "the number of a user: 0 to 4294967294",         \
      "integer from 0 to 4294967294: a user", SCHEMA_ID)                                           \
    T(family, uint8_t, "ipv4|ipv6", JSON_TEXT, ONE, "\"ipv4\" or \"ipv6\"",                        \
      "`\"ipv4\"` or `\"ipv6\"`", "'enum':['ipv4','ipv6']")                                        \
    T(mac, struct mac, "MAC", JSON_TEXT, ONE,                                                      \
      "a unicast Ethernet address such as \"52:54:00:12:34:56\"",                                  \
      "text: a unicast Ethernet address, six pairs of hexadecimal digits with colons between "     \
      "them",                                                                                      \
      "'type':'string','pattern':'^[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5}$'")                \
    T(hosts, struct host_list, "ADDRESS/LENGTH[,ADDRESS/LENGTH...]", JSON_TEXT, LIST,              \
      "a list of addresses with prefix lengths such as [\"192.168.0.1/24\", \"fd00::1/64\"]",      \
      "list of %u to %u texts: an IPv4 or IPv6 address, `/` and the length of its prefix",         \
      "'type':'array','minItems':%u,'maxItems':%u,"                                                \
      "'items':{'type':'string','minLength':4,'maxLength':49,'pattern':'/'}")                      \
    T(prefixes, struct prefix_list, "PREFIX[,PREFIX...]", JSON_TEXT, LIST,                         \
      "a list of unicast prefixes such as [\"10.9.0.0/16\", \"fd00:2::/64\"]",                     \
      "list of %u to %u texts: an IPv4 or IPv6 address, `/` and the length of its prefix",         \
      "'type':'array','minItems':%u,'maxItems':%u,"                                                \
      "'items':{'type':'string','minLength':2,'maxLength':49}")                                    \
    T(ethertypes, struct ethertype_list, "ETHERTYPE[,ETHERTYPE...]", JSON_TEXT, LIST,              \
      "a list of EtherTypes such as [\"0x88ba\", \"arp\"]: 0x0600 to 0xffff, or one "              \
      "of " ETHERTYPE_WORDS,                                                                       \
      "list of %u to %u texts: an EtherType such as `0x88ba`, or one of " ETHERTYPE_WORDS,         \
      "'type':'array','minItems':%u,'maxItems':%u,"                                                \
      "'items':{'type':'string','minLength':2,'maxLength':15}")                                    \
    T(direction, uint8_t, "in|out|both", JSON_TEXT, ONE, "\"in\", \"out\" or \"both\"",            \
      "`\"in\"`, `\"out\"` or `\"both\"`", "'enum':['in','out','both']")                           \
    T(timestamps, uint8_t, "kernel|interface", JSON_TEXT, ONE, "\"kernel\" or \"interface\"",      \
      "`\"kernel\"` or `\"interface\"`", "'enum':['kernel','interface']")                          \
    T(sources, struct source_list, "MAC[,MAC...]|own|any", JSON_TEXT, LIST,                        \
      "a list of unicast Ethernet addresses such as [\"52:54:00:12:34:56\"], and of \"own\", the " \
      "interface's address, and \"any\"",                                                          \
      "list of %u to %u texts: a unicast Ethernet address, or `own`, the interface's, or `any`",   \
      "'type':'array','minItems':%u,'maxItems':%u,"                                                \
      "'items':{'type':'string','minLength':3,'maxLength':17}")                                    \
    T(destinations, struct destination_list, "MAC[/BITS][,MAC[/BITS]...]", JSON_TEXT, LIST,        \
      "a list of Ethernet addresses, or of their first bits, such as [\"01:0c:cd:04:00:00/32\"]",  \
      "list of %u to %u texts: an Ethernet address, with `/` and how many of its bits count, or "  \
      "without",                                                                                   \
      "'type':'array','minItems':%u,'maxItems':%u,"                                                \
      "'items':{'type':'string','minLength':17,'maxLength':20}")                                   \
    T(vlans, struct vlan_list, "VLAN[,VLAN...]|none", JSON_TEXT, LIST,                             \
      "a list of VLANs, \"0\" to \"4094\", and of \"none\", frames without a tag",                 \
      "list of %u to %u texts: the number of a VLAN, `0` to `4094`, or `none`: frames without a "  \
      "tag",                                                                                       \
      "'type':'array','minItems':%u,'maxItems':%u,"                                                \
      "'items':{'type':'string','minLength':1,'maxLength':4}")                                     \
    T(rate, uint32_t, "NUMBER", JSON_INTEGER, ONE, "an integer from %u to %u",                     \
      "integer from %u to %u", SCHEMA_INTEGER)                                                     \
    T(program, struct program, "PROGRAM", JSON_TEXT, ONE,                                          \
      "a classic BPF program of up to 256 instructions, each as 16 hexadecimal digits: code (4), " \
      "jt (2), jf (2) and k (8)",                                                                  \
      "text: up to 256 instructions of classic BPF, each as 16 hexadecimal digits: code (4), jt "  \
      "(2), jf (2) and k (8), highest digits first",                                               \
      "'type':'string','maxLength':4096,'pattern':'^([0-9a-fA-F]{16})*$'")                         \
    T(topics, struct topic_list, "TOPIC[,TOPIC...]", JSON_TEXT, LIST,                              \
      "a list of 1 to 16 topics of 1 to 47 characters such as [\"mfc.added\", \"join.*\"]",        \
      "list of %u to %u texts of 1 to 47 bytes",                                                   \
      "'type':'array','minItems':%u,'maxItems':%u,"                                                \
      "'items':{'type':'string','minLength':1,'maxLength':47}")

/* E(word, EtherType): those with a name. */
#define ETHERTYPE_NAMES(E)                                                                         \
    E("ipv4", 0x0800)                                                                              \
    E("arp", 0x0806)                                                                               \
    E("ipv6", 0x86dd)                                                                              \
    E("goose", 0x88b8)                                                                             \
    E("sv", 0x88ba)                                                                                \
    E("ptp", 0x88f7)                                                                               \
    E("profinet", 0x8892)                                                                          \
    E("ethercat", 0x88a4)                                                                          \
    E("lldp", 0x88cc)                                                                              \
    E("eapol", 0x888e)
#define ETHERTYPE_WORDS "ipv4, arp, ipv6, goose, sv, ptp, profinet, ethercat, lldp and eapol"

#define SCHEMA_ADDRESS                                                                             \
    "'anyOf':[{'type':'string','format':'ipv4'},{'type':'string','format':'ipv6'}]"
#define SCHEMA_INTERFACE "'type':'string','minLength':1,'maxLength':15,'pattern':'^[!-$&-.0-~]+$'"
#define SCHEMA_INTEGER   "'type':'integer','minimum':%u,'maximum':%u"
#define SCHEMA_ID        "'type':'integer','minimum':0,'maximum':4294967294"

_Static_assert(INTERFACE_NAME_MAX == 15 && VIFS_MAX == 32 && WORD_LENGTH_MAX == 31 &&
                   USER_GROUPS_MAX == 64 && TOPICS_MAX == 16 && TOPIC_LENGTH_MAX == 47 &&
                   TAP_HOSTS_MAX == 8 && TAP_ROUTES_MAX == 8 && PROGRAM_MAX == 256 &&
                   SCOPE_LIST_MAX == 32 && (int)SCOPE_LIST_MAX == (int)SCOPE_ITEMS_MAX,
               "FIELD_TYPES has these numbers in its texts");

enum field_type {
#define T(type, ...) FIELD_##type,
    FIELD_TYPES(T)
#undef T
        FIELD_TYPE_COUNT
};

/* ARGUMENT and OPTIONAL_ARGUMENT: required and optional alike, but on the command line they stand
 * in their order without a name. */
enum field_need { OPTIONAL, REQUIRED, ARGUMENT, OPTIONAL_ARGUMENT };

/* --- The rows: F(S, name, type, need, low, high, fallback, documentation) ------------------ */

#define FIELD_TABLE(F, S)                                                                          \
    F(S, table, table, OPTIONAL, 1, TABLE_ID_MAX, 0,                                               \
      "The kernel's multicast routing table; by default 253 for IPv4 and 254 for IPv6. The "       \
      "service makes rules (ip mrule) that lead packets to any other table: one for each "         \
      "inbound interface of its routes, as long as they exist.")

#define FIELD_TABLE_FILTER(F, S)                                                                   \
    F(S, table, table, OPTIONAL, 1, TABLE_ID_MAX, 0,                                               \
      "Only this multicast routing table; by default all.")

#define FIELD_FAMILY_FILTER(F, S)                                                                  \
    F(S, family, family, OPTIONAL, 0, 0, 0,                                                        \
      "Only this address family, ipv4 or ipv6; by default both.")

#define FIELD_DRY_RUN(F, S)                                                                        \
    F(S, dry_run, flag, OPTIONAL, 0, 0, 0,                                                         \
      "Check everything and report what would be done, but change nothing.")

#define FIELD_SOURCE(F, S)                                                                         \
    F(S, source, source, OPTIONAL, 0, 0, 0,                                                        \
      "The source address of the packets, or a prefix. By default any source, which is "           \
      "0.0.0.0 or ::.")

#define FIELD_WAIT(F, S)                                                                           \
    F(S, wait, flag, OPTIONAL, 0, 0, 0,                                                            \
      "Wait for interfaces that do not exist yet. Without this flag, they are an error.")

#define FIELD_WHILE_CONNECTED(F, S)                                                                \
    F(S, while_connected, flag, OPTIONAL, 0, 0, 0, "Hold it only as long as this connection lasts.")

#define FIELDS_ADD_MFC(F, S)                                                                       \
    FIELD_SOURCE(F, S)                                                                             \
    F(S, group, group, REQUIRED, 0, 0, 0,                                                          \
      "The multicast group that the packets are sent to, or a prefix; 224.0.0.0/4 and ff00::/8 "   \
      "are all groups. Link-local groups (224.0.0.x, ff02::x) are refused, because no router "     \
      "forwards them.")                                                                            \
    F(S, iif, interface, REQUIRED, 0, 0, 0,                                                        \
      "The inbound interface, where the packets arrive. A '+' at the end makes a pattern: "        \
      "eth+ is every interface whose name begins with eth.")                                       \
    F(S, oifs, interfaces, REQUIRED, 0, VIFS_MAX, 0,                                               \
      "The outgoing interfaces, or patterns such as eth+. If there is a source, the list "         \
      "may be empty: such a route stops its flow.")                                                \
    F(S, ttls, numbers, OPTIONAL, 1, 254, 0,                                                       \
      "IPv4: a TTL threshold for each outgoing interface, in the order of the oifs. Only "         \
      "packets with a greater TTL leave by it. By default 1 for each.")                            \
    F(S, idle, number, OPTIONAL, 1, IDLE_SECONDS_MAX, IDLE_SECONDS_DEFAULT,                        \
      "For a route with a prefix or a pattern: a learned route is deleted after this many "        \
      "seconds without a packet.")                                                                 \
    F(S, append, flag, OPTIONAL, 0, 0, 0,                                                          \
      "Add the oifs to those of the existing route from the same iif, instead of replacing "       \
      "it. If there is no such route, add it.")                                                    \
    FIELD_WAIT(F, S)                                                                               \
    FIELD_WHILE_CONNECTED(F, S)                                                                    \
    FIELD_TABLE(F, S)                                                                              \
    FIELD_DRY_RUN(F, S)

#define FIELDS_DEL_MFC(F, S)                                                                       \
    FIELD_SOURCE(F, S)                                                                             \
    F(S, group, group, REQUIRED, 0, 0, 0, "The group of the route, or its prefix of groups.")      \
    F(S, iif, interface, OPTIONAL, 0, 0, 0,                                                        \
      "Only the route with this inbound interface or pattern.")                                    \
    F(S, oifs, interfaces, OPTIONAL, 1, VIFS_MAX, 0,                                               \
      "Delete only these outgoing interfaces of the route. If none remains, the route is "         \
      "deleted.")                                                                                  \
    FIELD_TABLE(F, S)                                                                              \
    FIELD_DRY_RUN(F, S)

#define FIELDS_FLUSH_MFC(F, S)                                                                     \
    FIELD_FAMILY_FILTER(F, S)                                                                      \
    FIELD_TABLE_FILTER(F, S)                                                                       \
    F(S, learned, flag, OPTIONAL, 0, 0, 0,                                                         \
      "Only learned routes, whoever holds the routes that they were learned for.")                 \
    F(S, all, flag, OPTIONAL, 0, 0, 0,                                                             \
      "Also routes that other users or the configuration hold, and routes found in the "           \
      "kernel. For administrators.")                                                               \
    FIELD_DRY_RUN(F, S)

#define FIELDS_BEGIN_REPLACE(F, S)                                                                 \
    F(S, family, family, OPTIONAL, 0, 0, 0,                                                        \
      "Replace only routes of this address family; by default of both.")                           \
    F(S, table, table, OPTIONAL, 1, TABLE_ID_MAX, 0,                                               \
      "Replace only routes of this multicast routing table; by default of all.")

#define FIELDS_COMMIT(F, S) FIELD_DRY_RUN(F, S)

#define FIELDS_ABORT(F, S)

#define FIELDS_SHOW_MFC(F, S)                                                                      \
    F(S, source, source, OPTIONAL, 0, 0, 0,                                                        \
      "Only routes for this source, or for sources within this prefix; 0.0.0.0 or :: "             \
      "selects routes for any source.")                                                            \
    F(S, group, group, OPTIONAL, 0, 0, 0,                                                          \
      "Only routes for this group, or for groups "                                                 \
      "within this prefix.")                                                                       \
    FIELD_FAMILY_FILTER(F, S)                                                                      \
    FIELD_TABLE_FILTER(F, S)

#define FIELDS_SHOW_VIF(F, S)                                                                      \
    FIELD_FAMILY_FILTER(F, S)                                                                      \
    FIELD_TABLE_FILTER(F, S)

#define FIELDS_SHOW(F, S)

#define FIELDS_JOIN_KEY(F, S)                                                                      \
    F(S, source, source, OPTIONAL, 0, 0, 0,                                                        \
      "Only this source, or the sources of a prefix (source-specific multicast). By "              \
      "default any source, which is 0.0.0.0 or ::.")                                               \
    F(S, group, group, REQUIRED, 0, 0, 0, "The multicast group, or a prefix of groups.")

#define FIELDS_ADD_JOIN(F, S)                                                                      \
    FIELDS_JOIN_KEY(F, S)                                                                          \
    F(S, iif, interface, REQUIRED, 0, 0, 0,                                                        \
      "The interface where the packets should arrive; IGMP or MLD announces the membership "       \
      "there.")                                                                                    \
    FIELD_WAIT(F, S)                                                                               \
    FIELD_WHILE_CONNECTED(F, S)                                                                    \
    FIELD_DRY_RUN(F, S)

#define FIELDS_DEL_JOIN(F, S)                                                                      \
    FIELDS_JOIN_KEY(F, S)                                                                          \
    F(S, iif, interface, REQUIRED, 0, 0, 0, "The interface of the join.")                          \
    FIELD_DRY_RUN(F, S)

#define FIELDS_SHOW_JOIN(F, S) FIELD_FAMILY_FILTER(F, S)

/* Of a tap that comes with its descriptor. */
#define FIELDS_TAP_PLAIN(F, S)                                                                     \
    F(S, name, interface, OPTIONAL_ARGUMENT, 0, 0, 0,                                              \
      "The name of the interface, which begins as the service has its names begin, with nb- "      \
      "where it does not say otherwise. By default the first that is free: nb-0, nb-1 and so "     \
      "on.")                                                                                       \
    F(S, mac, mac, OPTIONAL, 0, 0, 0,                                                              \
      "The Ethernet address of the host's end. By default one that is made of the name, and so "   \
      "the same whenever a tap of this name is opened.")                                           \
    F(S, mtu, number, OPTIONAL, TAP_MTU_LEAST, TAP_MTU_MAX, TAP_MTU_DEFAULT,                       \
      "The largest packet, in bytes, without its Ethernet header.")                                \
    F(S, hosts, hosts, OPTIONAL, 0, TAP_HOSTS_MAX, 0,                                              \
      "Addresses of the host's end, of networks that the service's settings name "                 \
      "(tap-networks). By default none: then the host is silent on the link.")                     \
    F(S, routes, prefixes, OPTIONAL, 0, TAP_ROUTES_MAX, 0,                                         \
      "Networks behind the link, of those that the service's settings name (tap-networks): the "   \
      "host sends there what is for them. Each needs an address of its family in 'hosts'.")        \
    F(S, bridge, interface, OPTIONAL, 0, 0, 0,                                                     \
      "Make it a port of this bridge, one of those that the service's settings name "              \
      "(tap-bridges).")                                                                            \
    F(S, isolated, flag, OPTIONAL, 0, 0, 0,                                                        \
      "As a port of the bridge, exchange no frames with its other isolated ports.")

#define FIELDS_TAP(F, S)                                                                           \
    FIELDS_TAP_PLAIN(F, S)                                                                         \
    F(S, uplink, interface, OPTIONAL, 0, 0, 0,                                                     \
      "Make it a macvtap on this interface, one of those that the service's settings name "        \
      "(tap-uplinks): its program is a station of the network there, and must use the address "    \
      "'mac'. It exchanges no frames with the host itself. With 'isolated', none with other "      \
      "macvtaps there, either.")                                                                   \
    F(S, offload, flag, OPTIONAL, 0, 0, 0,                                                         \
      "Frames carry a virtio_net_hdr (IFF_VNET_HDR), so that checksums and segmentation can be "   \
      "left to who receives them. Only for programs that know it, such as QEMU.")                  \
    F(S, queues, number, OPTIONAL, 1, TAP_QUEUES_MAX, 1,                                           \
      "More than 1: the tap has several queues (IFF_MULTI_QUEUE), between which the kernel "       \
      "shares "                                                                                    \
      "frames out by their flows, and so many descriptors come, one for each; for programs with "  \
      "a thread for each, such as QEMU. A persistent one is opened so often by its owner.")

#define FIELDS_OPEN_TAP(F, S)                                                                      \
    FIELDS_TAP(F, S)                                                                               \
    F(S, persistent, flag, OPTIONAL, 0, 0, 0,                                                      \
      "It lasts until CLOSE_TAP, also over a reboot, and no descriptor comes with the reply: you " \
      "are its owner, and a program of yours opens it by its name.")                               \
    F(S, owner, uid, OPTIONAL, 0, 0, 0,                                                            \
      "Of a persistent tap: the user who owns it, instead of you. The tap is that user's: it "     \
      "counts for the user's share, and the user opens it by its name and closes it. Only an "     \
      "administrator may name another user.")                                                      \
    FIELD_DRY_RUN(F, S)

#define FIELDS_CLOSE_TAP(F, S)                                                                     \
    F(S, name, interface, ARGUMENT, 0, 0, 0, "The name of the tap.")                               \
    FIELD_DRY_RUN(F, S)

#define FIELDS_SHOW_TAP(F, S)

#define FIELDS_GET_TAP(F, S) F(S, name, interface, ARGUMENT, 0, 0, 0, "The name of the tap.")

#define FIELDS_TELL_LINK(F, S)                                                                     \
    F(S, tap, interface, REQUIRED, 0, 0, 0, "The tap whose frames are relayed, one of yours.")     \
    F(S, port, number, REQUIRED, 1, LINK_PORT_MAX, 0, "The number of the client at the relay.")    \
    F(S, name, label, OPTIONAL, 1, LABEL_LENGTH_MAX, 0,                                            \
      "What the client is called: the path of a socket, or an address.")                           \
    F(S, framing, label, OPTIONAL, 1, FRAMING_LENGTH_MAX, 0,                                       \
      "How frames stand on its socket, such as u16le.")                                            \
    F(S, pid, number, OPTIONAL, 0, INT32_MAX, 0, "Its process; 0 where that is not known.")        \
    F(S, uid, number, OPTIONAL, 0, UINT32_MAX - 1, 0, "With pid: the user of the process.")        \
    F(S, since, counter, OPTIONAL, 0, 0, 0,                                                        \
      "When it was attached, in milliseconds since 1970. Of two clients with the same number, "    \
      "this tells which is meant.")                                                                \
    F(S, rx_frames, counter, OPTIONAL, 0, 0, 0, "Frames that came from it.")                       \
    F(S, rx_bytes, counter, OPTIONAL, 0, 0, 0, "Their bytes.")                                     \
    F(S, rx_refused, counter, OPTIONAL, 0, 0, 0,                                                   \
      "Frames of it that were not relayed: too short, too long, or not allowed.")                  \
    F(S, tx_frames, counter, OPTIONAL, 0, 0, 0, "Frames that went to it.")                         \
    F(S, tx_bytes, counter, OPTIONAL, 0, 0, 0, "Their bytes.")                                     \
    F(S, tx_dropped, counter, OPTIONAL, 0, 0, 0, "Frames that it did not read in time.")           \
    F(S, pending, counter, OPTIONAL, 0, 0, 0, "Bytes that wait for it.")                           \
    F(S, gone, label, OPTIONAL, 1, LABEL_LENGTH_MAX, 0,                                            \
      "It was detached, and this is why. This is the last word on it.")

#define FIELDS_SHOW_LINK(F, S)

/* What a capture takes of an interface; a filter beside. */
#define FIELDS_CAPTURE(F, S)                                                                       \
    F(S, interface, interface, REQUIRED, 0, 0, 0,                                                  \
      "The interface whose frames are captured, one of those that the service's settings name "    \
      "(capture-interfaces).")                                                                     \
    F(S, ethertypes, ethertypes, OPTIONAL, 1, ETHERTYPES_MAX, 0,                                   \
      "Only frames of these EtherTypes, also behind one or two VLAN tags; by default all, which "  \
      "the policy must allow.")                                                                    \
    F(S, direction, direction, OPTIONAL, 0, 0, 0,                                                  \
      "Only frames that this host receives (in) or sends (out); by default both, which the "       \
      "policy must allow.")                                                                        \
    F(S, promiscuous, flag, OPTIONAL, 0, 0, 0,                                                     \
      "Have the interface receive also frames to other stations.")                                 \
    F(S, snaplen, number, OPTIONAL, SNAPLEN_LEAST, SNAPLEN_MAX, SNAPLEN_MAX,                       \
      "Only so many bytes of each frame.")                                                         \
    F(S, buffer, number, OPTIONAL, CAPTURE_BYTES_LEAST, CAPTURE_BYTES_MAX, CAPTURE_BYTES_DEFAULT,  \
      "Bytes of the ring in which frames wait to be read, rounded up to a power of two. Frames "   \
      "that do not fit are lost, for this reader alone, and counted.")                             \
    F(S, latency, number, OPTIONAL, 1, LATENCY_MAX, LATENCY_DEFAULT,                               \
      "For so many milliseconds the kernel may collect frames before they can be read.")           \
    F(S, timestamps, timestamps, OPTIONAL, 0, 0, 0,                                                \
      "Whose clock says when a frame came: the kernel's, which is the default, or the "            \
      "interface's, which not every interface has. A frame that this did not note, such as one "   \
      "that this host sends, has the kernel's time, and says so.")

#define FIELDS_OPEN_CAPTURE(F, S)                                                                  \
    FIELDS_CAPTURE(F, S)                                                                           \
    F(S, filter, program, OPTIONAL, 0, 0, 0,                                                       \
      "Only frames that this classic BPF program accepts, such as libpcap compiles. It sees "      \
      "frames as they are on the wire, with their VLAN tags.")                                     \
    FIELD_DRY_RUN(F, S)

#define FIELDS_CLOSE_CAPTURE(F, S)                                                                 \
    F(S, capture, number, ARGUMENT, 1, 4294967294, 0, "The number of the capture.")                \
    FIELD_DRY_RUN(F, S)

#define FIELDS_SHOW_CAPTURE(F, S)

#define FIELDS_SHOW_CAPTURE_INTERFACES(F, S)

/* What may be sent: of OPEN_INJECT and CHECK_POLICY. `own`: what no sources mean; `words` say it.
 */
#define FIELDS_SCOPE(F, S, own, words)                                                             \
    F(S, sources, sources, OPTIONAL, 1, SCOPE_LIST_MAX, own,                                       \
      "Only frames from these Ethernet addresses" words ".")                                       \
    F(S, destinations, destinations, OPTIONAL, 1, SCOPE_LIST_MAX, 0,                               \
      "Only frames to these Ethernet addresses; by default any, which the policy must allow.")     \
    F(S, vlans, vlans, OPTIONAL, 1, SCOPE_LIST_MAX, 0,                                             \
      "Only frames of these VLANs; where a frame has two tags, both must be. By default any, and " \
      "also frames without a tag, which the policy must allow.")                                   \
    F(S, rate, rate, OPTIONAL, 0, INJECT_RATE_MAX, 0,                                              \
      "Frames a second at most; by default, or 0, a quarter of what one user may have, or what "   \
      "the policy's rule allows, if that is less.")
#define FIELDS_INJECT(F, S)                                                                        \
    F(S, ethertypes, ethertypes, OPTIONAL, 1, ETHERTYPES_MAX, 0,                                   \
      "Only frames of these EtherTypes, also behind one or two VLAN tags; by default all, which "  \
      "the policy must allow.")                                                                    \
    FIELDS_SCOPE(F, S, SOURCES_OWN, "; by default the interface's own")                            \
    F(S, buffer, number, OPTIONAL, INJECT_BYTES_LEAST, INJECT_BYTES_MAX, INJECT_BYTES_DEFAULT,     \
      "Bytes of the ring in which frames wait to be sent, rounded up to a power of two.")
#define FIELDS_OPEN_INJECT(F, S)                                                                   \
    F(S, interface, interface, REQUIRED, 0, 0, 0,                                                  \
      "The interface that frames are sent out of, one of those that the service's settings name "  \
      "(inject-interfaces).")                                                                      \
    FIELDS_INJECT(F, S)                                                                            \
    F(S, timed, flag, OPTIONAL, 0, 0, 0,                                                           \
      "Each frame has a time, in nanoseconds from the start, and is sent at that time.")           \
    F(S, late, number, OPTIONAL, 0, INJECT_LATE_MAX, INJECT_LATE_DEFAULT,                          \
      "With timed: a frame that is late by more than so many microseconds is not sent, if it "     \
      "would follow the one before in less than half of their time. With 0 each is sent, and "     \
      "while "                                                                                     \
      "they are late they follow each other at twice the rate at most.")                           \
    F(S, start, counter, OPTIONAL, 0, 0, 0,                                                        \
      "With timed: when time 0 is, in milliseconds since 1970; by default, or with 0, a moment "   \
      "after the first frame was put.")                                                            \
    F(S, template, flag, OPTIONAL, 0, 0, 0,                                                        \
      "The service makes the frames of a stream of Sampled Values itself, from a template and "    \
      "samples that are put into a table. They have times. The start is a full second; by "        \
      "default the first one behind the first segment.")                                           \
    F(S, tables, number, OPTIONAL, INJECT_TABLES_LEAST, INJECT_TABLES_MAX, INJECT_TABLES_DEFAULT,  \
      "With template: bytes of memory of the service for its samples.")                            \
    FIELD_DRY_RUN(F, S)
#define FIELDS_CLOSE_INJECT(F, S)                                                                  \
    F(S, inject, number, ARGUMENT, 1, 4294967294, 0, "The number of the injector.")                \
    FIELD_DRY_RUN(F, S)
#define FIELDS_SHOW_INJECT(F, S)

#define FIELDS_DIAGNOSE(F, S)                                                                      \
    F(S, source, address, OPTIONAL, 0, 0, 0, "The source address of the flow.")                    \
    F(S, group, address, OPTIONAL, 0, 0, 0, "The group of the flow.")                              \
    F(S, iif, interface, OPTIONAL, 0, 0, 0, "The interface where the packets should arrive.")      \
    F(S, observe, number, OPTIONAL, 0, OBSERVE_MS_MAX, OBSERVE_MS_DEFAULT,                         \
      "Count the packets of the flow for at most this many milliseconds, to see where they "       \
      "are lost. A slow flow needs more; 0 skips this.")                                           \
    FIELD_TABLE(F, S)

#define FIELDS_DIAGNOSE_TAP(F, S) F(S, name, interface, ARGUMENT, 0, 0, 0, "The name of the tap.")

#define FIELDS_SUBSCRIBE(F, S)                                                                     \
    F(S, topics, topics, OPTIONAL, 1, TOPICS_MAX, 0,                                               \
      "The events to report: names such as mfc.added, or patterns such as mfc.*; by "              \
      "default all. A pattern that no event matches is an error.")

#define FIELDS_LEASES(F, S)

#define FIELDS_REVOKE(F, S)                                                                        \
    F(S, lease, word, ARGUMENT, 0, 0, 0, "The id of the lease, as 'netbroker leases' shows it.")

#define FIELDS_CHECK_POLICY(F, S)                                                                  \
    F(S, user, user, OPTIONAL, 0, 0, 0,                                                            \
      "The user to ask about; by default yourself. The "                                           \
      "command line takes a name or a number.")                                                    \
    F(S, elsewhere, flag, OPTIONAL, 0, 0, 0,                                                       \
      "Ask about the user as a client in another network namespace than the service.")             \
    F(S, verb, word, ARGUMENT, 0, 0, 0,                                                            \
      "The verb, such as mroute.write; "                                                           \
      "netbroker-policy(5) lists all verbs.")                                                      \
    F(S, interfaces, interfaces, OPTIONAL_ARGUMENT, 0, VIFS_MAX, 0,                                \
      "The interfaces of the request.")                                                            \
    F(S, group, group, OPTIONAL, 0, 0, 0, "The multicast group of the request.")                   \
    F(S, table, table, OPTIONAL, 1, TABLE_ID_MAX, 0,                                               \
      "The multicast routing table of the request; by default all tables.")                        \
    F(S, ethertypes, ethertypes, OPTIONAL, 1, ETHERTYPES_MAX, 0,                                   \
      "The EtherTypes of the request; by default all.")                                            \
    F(S, direction, direction, OPTIONAL, 0, 0, 0,                                                  \
      "The direction of the request; by default both.")                                            \
    FIELDS_SCOPE(F, S, 0, "")

#define FIELDS_STATUS(F, S)

#define FIELDS_METRICS(F, S)                                                                       \
    F(S, routes, flag, OPTIONAL, 0, 0, 0,                                                          \
      "Also print the counters of each route. This needs the verb mroute.read, too.")

#define FIELDS_PING(F, S)

#define FIELDS_DESCRIBE(F, S)                                                                      \
    F(S, name, word, OPTIONAL, 0, 0, 0, "Only this action; by default all.")

/* Of a kind that only tests have (daemon/resources/null). */
#ifdef NB_TEST_KINDS
#define FIELD_NULL_NAME(F, S)                                                                      \
    F(S, name, word, REQUIRED, 0, 0, 0, "The name of the null, of a-z, 0-9 and '-'.")

#define FIELDS_ADD_NULL(F, S)                                                                      \
    FIELD_NULL_NAME(F, S)                                                                          \
    FIELD_WHILE_CONNECTED(F, S)                                                                    \
    FIELD_DRY_RUN(F, S)

#define FIELDS_DEL_NULL(F, S)                                                                      \
    FIELD_NULL_NAME(F, S)                                                                          \
    FIELD_DRY_RUN(F, S)

#define FIELDS_SHOW_NULL(F, S)

#define TEST_ACTIONS(A)                                                                            \
    A(ADD_NULL, add_null, ACTION_CHANGES | ACTION_WANTS_LEASE, "null.write", "null add", "",       \
      "null", "Hold a null, and get its descriptor.")                                              \
    A(DEL_NULL, del_null, ACTION_CHANGES | ACTION_DELETES, "null.write", "null del", "", "",       \
      "Release a null. It goes when its last lease ends.")                                         \
    A(SHOW_NULL, show_null, 0, "null.read", "null show", "", "", "List the nulls.")
#else
#define TEST_ACTIONS(A)
#endif

/* What is true of an action, for those who treat all actions alike. */
enum action_flags {
    ACTION_CHANGES = 1 << 0,        /* it changes what is wanted: it is audited */
    ACTION_WANTS_LEASE = 1 << 1,    /* it grants a lease, whose id is made before */
    ACTION_DELETES = 1 << 2,        /* it ends the lease on what its fields name */
    ACTION_STAGED = 1 << 3,         /* it is kept aside while its session collects a set */
    ACTION_ENDS_SET = 1 << 4,       /* the set is discarded where it is refused */
    ACTION_WAITS_FOR_SETS = 1 << 5, /* while a set is applied, it waits */
    ACTION_DECIDED_LATER = 1 << 6,  /* the policy must allow its verb somewhere; what it is done to
                                     * is decided one by one */
    ACTION_TELLS = 1 << 7,          /* it says what people may be shown: nothing changes by it, and
                                     * it is not audited */
    ACTION_TELLS_RIGHTS = 1 << 8,   /* it lists what the policy allows the peer by its verb, which
                                     * must be something: nothing changes by it */
    ACTION_LISTS_OWN = 1 << 9,      /* it lists what the peer holds, and what it may read by its
                                     * verb: the policy must allow the peer something of that name
                                     * before the dot, such as to hold it */
};

/* A(NAME, function, flags, policy verb, command line, fds taken, fds returned, documentation) */
#define ACTIONS(A)                                                                                 \
    A(ADD_MFC, add_mfc,                                                                            \
      ACTION_CHANGES | ACTION_WANTS_LEASE | ACTION_STAGED | ACTION_WAITS_FOR_SETS, "mroute.write", \
      "mfc add", "", "",                                                                           \
      "Add a multicast route, or replace the route with the same source and group. If the "        \
      "source is any or a prefix, each inbound interface has its own route.")                      \
    A(DEL_MFC, del_mfc, ACTION_CHANGES | ACTION_DELETES | ACTION_WAITS_FOR_SETS, "mroute.write",   \
      "mfc del", "", "", "Delete a multicast route, or some of its outgoing interfaces.")          \
    A(FLUSH_MFC, flush_mfc, ACTION_CHANGES | ACTION_DECIDED_LATER, "mroute.write", "mfc flush",    \
      "", "",                                                                                      \
      "Delete the multicast routes that you hold, like a replacement by an empty set. "            \
      "Routes that others hold as well stay.")                                                     \
    A(BEGIN_REPLACE, begin_replace, ACTION_CHANGES | ACTION_DECIDED_LATER, "mroute.write", "", "", \
      "",                                                                                          \
      "Begin a set that replaces the routes that you hold: each ADD_MFC of this connection "       \
      "is kept aside until COMMIT. If the connection ends, the set is discarded.")                 \
    A(COMMIT, commit, ACTION_CHANGES | ACTION_DECIDED_LATER | ACTION_ENDS_SET, "mroute.write", "", \
      "", "",                                                                                      \
      "Apply the set as a difference: routes that are not in the set are deleted, and "            \
      "routes that exist already are not touched. If a request of the set was refused, "           \
      "nothing is applied.")                                                                       \
    A(ABORT, abort, ACTION_CHANGES | ACTION_DECIDED_LATER, "mroute.write", "", "", "",             \
      "Discard the set; nothing is changed.")                                                      \
    A(SHOW_MFC, show_mfc, 0, "mroute.read", "mfc show", "", "",                                    \
      "List multicast routes with their state and counters.")                                      \
    A(SHOW_VIF, show_vif, 0, "mroute.read", "vif show", "", "",                                    \
      "List the virtual interfaces (VIFs) that routes use, with their counters.")                  \
    A(SHOW, show, 0, "mroute.read", "show", "", "",                                                \
      "Show the interfaces and the routes of multicast routing.")                                  \
    A(ADD_JOIN, add_join, ACTION_CHANGES | ACTION_WANTS_LEASE, "join.write", "join add", "", "",   \
      "Join a multicast group on an interface, so that switches and routers send its "             \
      "packets there. Source and group may be prefixes, up to 4096 memberships.")                  \
    A(DEL_JOIN, del_join, ACTION_CHANGES | ACTION_DELETES, "join.write", "join del", "", "",       \
      "Release a join. The group is left when the last lease of the join ends.")                   \
    A(SHOW_JOIN, show_join, 0, "join.read", "join show", "", "",                                   \
      "List the joins with their state.")                                                          \
    A(OPEN_TAP, open_tap, ACTION_CHANGES | ACTION_WANTS_LEASE, "tap.write", "tap open", "", "tap", \
      "Open a tap, an Ethernet interface whose cable ends at the program that has its "            \
      "descriptor. It lasts as long as somebody has that.")                                        \
    A(CLOSE_TAP, close_tap, ACTION_CHANGES | ACTION_DELETES, "tap.write", "tap close", "", "",     \
      "Close a tap: the interface is deleted, whoever has its descriptor.")                        \
    A(SHOW_TAP, show_tap, 0, "tap.read", "tap list", "", "",                                       \
      "List the taps with their state and counters.")                                              \
    A(GET_TAP, get_tap, 0, "tap.read", "tap show", "", "",                                         \
      "Show all that is known of one tap: who has it and since when, and its counters.")           \
    A(TELL_LINK, tell_link, ACTION_TELLS, "tap.write", "", "", "",                                 \
      "Tell of one client of a relay, for a tap that you hold, about once a second. It is shown "  \
      "to people, and forgotten with the tap, or where nothing was told for 5 seconds.")           \
    A(SHOW_LINK, show_link, 0, "tap.read", "link list", "", "",                                    \
      "List the clients of relays on taps, as the relays tell of them.")                           \
    A(OPEN_CAPTURE, open_capture, ACTION_CHANGES | ACTION_WANTS_LEASE, "raw.capture", "", "",      \
      "ring page bell",                                                                            \
      "Capture the frames of an interface, as long as this connection lasts. They are read from "  \
      "a ring of shared memory.")                                                                  \
    A(CLOSE_CAPTURE, close_capture, ACTION_CHANGES | ACTION_DELETES, "raw.capture",                \
      "capture close", "", "", "End a capture.")                                                   \
    A(SHOW_CAPTURE, show_capture, ACTION_LISTS_OWN, "raw.read", "capture list", "", "",            \
      "List your captures, and those that you may read, with their counters.")                     \
    A(SHOW_CAPTURE_INTERFACES, show_capture_interfaces, ACTION_TELLS_RIGHTS, "raw.capture",        \
      "capture interfaces", "", "", "List the interfaces that you may capture, and what of them.") \
    A(OPEN_INJECT, open_inject, ACTION_CHANGES | ACTION_WANTS_LEASE, "raw.inject", "", "",         \
      "ring page bell room",                                                                       \
      "Open an injector: send frames out of an interface, as long as this connection lasts. They " \
      "are written to a ring of shared memory, and each is held to what was asked for here.")      \
    A(CLOSE_INJECT, close_inject, ACTION_CHANGES | ACTION_DELETES, "raw.inject", "inject close",   \
      "", "", "End an injector.")                                                                  \
    A(SHOW_INJECT, show_inject, ACTION_LISTS_OWN, "raw.read", "inject list", "", "",               \
      "List your injectors, and those that you may read, with their counters.")                    \
    A(DIAGNOSE, diagnose, 0, "mroute.read", "doctor", "", "",                                      \
      "Find out from the kernel's state why multicast packets are not forwarded. The "             \
      "command exits with 1 where a problem was found.")                                           \
    A(DIAGNOSE_TAP, diagnose_tap, 0, "tap.read", "doctor tap", "", "",                             \
      "Find out from the kernel's state why a tap does not carry frames to where they should go. " \
      "The command exits with 1 where a problem was found.")                                       \
    A(SUBSCRIBE, subscribe, 0, "event.read", "watch", "", "", "Report events as they happen.")     \
    A(LEASES, leases, 0, "lease.read", "leases", "", "",                                           \
      "List all leases: who holds what, and since when.")                                          \
    A(REVOKE, revoke, ACTION_CHANGES | ACTION_WAITS_FOR_SETS, "lease.revoke", "revoke", "", "",    \
      "Revoke a lease of any user.")                                                               \
    A(CHECK_POLICY, check_policy, 0, "policy.read", "policy check", "", "",                        \
      "Show what the policy decides about a request, and by which rule. The command exits "        \
      "with 1 where it is not allowed.")                                                           \
    A(STATUS, status, 0, "service.read", "status", "", "",                                         \
      "Show the state of the service: version, processes, privileges, counters.")                  \
    A(METRICS, metrics, 0, "service.read", "metrics", "", "",                                      \
      "Print the counters of the service, the interfaces and the routes for Prometheus.")          \
    A(PING, ping, 0, "service.read", "ping", "", "", "Check that the service answers.")            \
    A(DESCRIBE, describe, 0, "service.read", "describe", "", "",                                   \
      "Describe the requests as a JSON Schema (draft 2020-12).")                                   \
    TEST_ACTIONS(A)

/* E(topic): the events, which SUBSCRIBE selects by patterns. A kind's own list says when. */
#define EVENT_TOPICS(E)                                                                            \
    E("mfc.added")                                                                                 \
    E("mfc.replaced")                                                                              \
    E("mfc.deleted")                                                                               \
    E("mfc.waiting")                                                                               \
    E("mfc.restored")                                                                              \
    E("mfc.learned")                                                                               \
    E("mfc.moved")                                                                                 \
    E("mfc.expired")                                                                               \
    E("mfc.overridden")                                                                            \
    E("mfc.no-route")                                                                              \
    E("mfc.wrong-interface")                                                                       \
    E("mfc.healed")                                                                                \
    E("join.added")                                                                                \
    E("join.deleted")                                                                              \
    E("join.waiting")                                                                              \
    E("join.restored")                                                                             \
    E("tap.opened")                                                                                \
    E("tap.closed")                                                                                \
    E("tap.waiting")                                                                               \
    E("tap.restored")                                                                              \
    E("link.attached")                                                                             \
    E("link.detached")                                                                             \
    E("link.dropped")                                                                              \
    E("capture.opened")                                                                            \
    E("capture.closed")                                                                            \
    E("inject.opened")                                                                             \
    E("inject.closed")                                                                             \
    E("lost")

/* --- What the rows become ------------------------------------------------------------------ */

enum action {
#define A(NAME, function, flags, policy, cli, takes, fds, documentation) ACTION_##NAME,
    ACTIONS(A)
#undef A
        ACTION_COUNT
};

#define T(type, c_type, ...) typedef c_type value_##type;
FIELD_TYPES(T)
#undef T

/* One struct an action, e.g. struct args_add_mfc: what a handler receives, valid as far as one
 * request can be judged by itself. */
#define F(S, name, type, need, low, high, fallback, documentation) value_##type name;
#define A(NAME, function, flags, policy, cli, takes, fds, documentation)                           \
    struct args_##function {                                                                       \
        FIELDS_##NAME(F, )                                                                         \
    };
ACTIONS(A)
#undef A
#undef F

union args {
#define A(NAME, function, flags, policy, cli, takes, fds, documentation)                           \
    struct args_##function function;
    ACTIONS(A)
#undef A
};

struct field {
    const char *name;
    enum field_type type;
    enum field_need need;
    size_t offset; /* in the action's args struct */
    uint32_t low; /* numbers, and the type `numbers`: smallest value; other lists: smallest count */
    uint32_t high; /* the same, largest */
    uint32_t fallback;
    const char *documentation;
};

struct type_row {
    const char *name;
    const char *metavariable; /* "": a flag */
    enum json_type json;
    enum json_shape shape;
    const char *takes, *limits, *schema; /* with "%u", see FIELD_TYPES */
};

struct action_row {
    const char *name;
    unsigned flags;     /* of enum action_flags */
    const char *policy; /* the verb that a policy rule names */
    const char *cli;    /* the words of the command, separated by one space */
    const char *takes;  /* the types of the descriptors that its request brings, or "" */
    const char *fds;    /* the names of the descriptors in its reply, or "" */
    const char *documentation;
    const struct field *fields;
    size_t field_count;
};

/* Whether a request must have the field. */
bool field_is_required(const struct field *field);

/* The row of an action. */
const struct action_row *action_row(enum action action);

/* Whether there is an action whose request brings descriptors. */
bool actions_take_fds(void);

/* Whether there is one whose reply has some. */
bool actions_lend_fds(void);

/* How many words there are in a list of words separated by one space each: takes and fds. */
size_t word_count(const char *words);

/* Finds an action by its exact name; ACTION_COUNT where there is none. */
enum action action_find(const char *name);

/* The field of this name, or NULL. */
const struct field *field_find(const struct action_row *row, const char *name);

/* The topic of this place in the list of events, NULL behind the last. */
const char *event_topic(size_t index);

/* The row of a type. */
const struct type_row *type_row(enum field_type type);

#endif
