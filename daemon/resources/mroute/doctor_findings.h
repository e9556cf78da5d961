/* What the doctor can find: one row each, with its words. The checks decide which of them holds. */
#ifndef NB_DOCTOR_FINDINGS_H
#define NB_DOCTOR_FINDINGS_H

#include "doctor_checks.h"

#define LOOK_AT_NETIFS "'ip link' lists those that there are."
#define LOOK_AT_VIFS   "'netbroker vif show' tells which interfaces have one."
#define GREATER_TTL                                                                                \
    "Have the sender set a greater TTL (IP_MULTICAST_TTL, IPV6_MULTICAST_HOPS); the default is 1."
#define LOOK_AT_ARRIVALS                                                                           \
    "'tcpdump -ni {other} multicast' shows what arrives. If a switch keeps it back: netbroker "    \
    "join add --group {group} --iif {advice}"
#define UNDONE_SOON                                                                                \
    "netbrokerd undoes it within seconds, unless that goes on and on. 'ss -wap' lists the "        \
    "processes with raw sockets, of which one did it."
#define WATCHED_LOSS                                                                               \
    "While the doctor watched, {1} packets of the flow and {2} of others came for {name}, and "    \
    "{3} were routed there: "

/* F(NAME, verdict, message, hint): the hint says what would help, and may be missing. The words in
 * braces are those of doctor_findings.c. */
#define FINDINGS(F)                                                                                \
    F(GROUP_UNICAST, PROBLEM, "{group} is not a multicast address.",                               \
      "Groups are 224.0.1.0 to 239.255.255.255, and ff03:: and above.")                            \
    F(GROUP_LINK_LOCAL, PROBLEM,                                                                   \
      "{group} is link-local: no router ever forwards it (RFC 5771, RFC 7346).",                   \
      "Send to another group, e.g. in 239.0.0.0/8 (RFC 2365) or ff05::/16.")                       \
    F(GROUP, OK, "{group} is a group that routers forward.")                                       \
    F(DISCOVERY_LINK_LOCAL, PROBLEM,                                                               \
      "{group} is the group of {name}, which works in one subnet only: to reach another one it "   \
      "needs a relay, not a route.",                                                               \
      "{advice}")                                                                                  \
    F(DISCOVERY, WARNING,                                                                          \
      "{group} is the group of {name}. Many devices send it with a TTL of 1 to 4 and answer only " \
      "to their own subnet: a route alone is seldom enough, and a relay is needed.",               \
      "{advice}")                                                                                  \
    F(SOURCE_FAMILY, PROBLEM, "The source {source} and the group are of different families.",      \
      "Give an IPv4 source with an IPv4 group, or both IPv6.")                                     \
    F(SOURCE_MULTICAST, PROBLEM,                                                                   \
      "The source {source} is a multicast address; packets from it are dropped.",                  \
      "Give the sender's own address.")                                                            \
    F(TABLE, OK, "netbrokerd owns multicast routing table {table} ({family}).")                    \
    F(TABLE_FOREIGN, PROBLEM, "netbrokerd does not own the table for {family}.",                   \
      "The log of netbrokerd says why.")                                                           \
    F(TABLE_UNUSED, PROBLEM,                                                                       \
      "netbrokerd has no route in multicast routing table {table} ({family}).",                    \
      "Add a route to the table; that opens it.")                                                  \
    F(ROUTES, OK,                                                                                  \
      "Routes: {1}, of which {2} are learned and {3} wait; interfaces looked at: {4}. A single "   \
      "flow is looked at more closely.",                                                           \
      "{advice}")                                                                                  \
    F(ROUTE_NONE, PROBLEM, "No route of table {table} takes {flow}.", "{advice}")                  \
    F(ROUTE_HIDDEN, WARNING,                                                                       \
      "There is a route for {flow} in table {table} that you may not read.",                       \
      "Who may do mroute.read on all of its interfaces and groups is told more.")                  \
    F(ROUTE_WAITS_FOR_NAMES, PROBLEM,                                                              \
      "The route {route} waits for an interface whose name begins as in {from}.",                  \
      "It begins as soon as there is one.")                                                        \
    F(ROUTE_WAITS_FOR_VIF, PROBLEM,                                                                \
      "The route {route} waits for a VIF for its inbound interface {from}: all {1} of table "      \
      "{table} are taken.",                                                                        \
      LOOK_AT_VIFS)                                                                                \
    F(ROUTE_WAITS, PROBLEM, "The route {route} waits for its inbound interface {from}.",           \
      "It is completed as soon as the interface is there.")                                        \
    F(ROUTE_TO_NOWHERE, PROBLEM,                                                                   \
      "{flow} goes nowhere: the route {wanted} sends to {name}, but beside {from}, where the "     \
      "flow comes in, there is no such interface.",                                                \
      "'ip link' lists the interfaces that there are.")                                            \
    F(ROUTE_STOPS, PROBLEM, "The route of {flow} names no outgoing interface: it stops the flow.", \
      "{advice}")                                                                                  \
    F(ROUTE_LEARNED, OK,                                                                           \
      "{flow} comes in by {from}; the route {wanted} from {wanted-from}{other} takes it; "         \
      "outgoing interfaces: {1}.")                                                                 \
    F(ROUTE, OK, "The route {wanted} from {from}{other} takes {flow}; outgoing interfaces: {1}.")  \
    F(ROUTE_OTHERS, INFO, "Other routes that take packets of this group: {1}.",                    \
      "Give --source, and --iif, to have another one looked at.")                                  \
    F(NETIF_MISSING, PROBLEM, "There is no interface {name}.", LOOK_AT_NETIFS)                     \
    F(NETIF_DOWN, PROBLEM, "The interface {name} is down.", "ip link set {name} up")               \
    F(NETIF_WITHOUT_CARRIER, PROBLEM, "The interface {name} has no carrier.",                      \
      "Look at the cable, or at the other end of the link.")                                       \
    F(IIF, OK, "The inbound interface {iif} is up.")                                               \
    F(IIF_NAMES, OK, "Inbound interfaces that {pattern} means: {name}.")                           \
    F(IIF_NAMES_NONE, WARNING, "There is no interface whose name begins as in {pattern}.",         \
      LOOK_AT_NETIFS)                                                                              \
    F(IIF_MOVES, INFO,                                                                             \
      "The flow came in by {from}. If it comes by {asked}, its route is moved there.")             \
    F(IIF_OTHER, PROBLEM,                                                                          \
      "The route {wanted} takes packets from {wanted-from}, not from {asked}.", "{advice}")        \
    F(OIFS, OK, "All outgoing interfaces are up: {name}{other}.")                                  \
    F(OIF_NAMES, OK, "Outgoing interfaces that {name} means: {other}.")                            \
    F(OIF_NAMES_NONE, WARNING, "There is no outgoing interface whose name begins as in {name}.",   \
      LOOK_AT_NETIFS)                                                                              \
    F(KERNEL_VIF_GONE, PROBLEM,                                                                    \
      "The kernel has no VIF for {name} any more: another process deleted it, and no packet is "   \
      "routed from there or to there.",                                                            \
      UNDONE_SOON)                                                                                 \
    F(KERNEL_ENTRY_GONE, PROBLEM,                                                                  \
      "The kernel has no entry for {route} any more: another process deleted it.", UNDONE_SOON)    \
    F(KERNEL_ENTRY_CHANGED, PROBLEM,                                                               \
      "The kernel's entry for {route} is not the one that the service wrote: another process "     \
      "changed it.",                                                                               \
      UNDONE_SOON)                                                                                 \
    F(KERNEL_ENTRY, OK, "The kernel's entry for {route} is the route's.")                          \
    F(ARRIVAL, OK, "{1} packets of {flow} ({2} bytes) have come{name}.")                           \
    F(ARRIVAL_NONE_LATELY, WARNING,                                                                \
      "No packet of {flow} came in by {name} in the last {1} seconds: nobody sends, or they are "  \
      "dropped before they are routed. When one comes, the flow is learned.",                      \
      LOOK_AT_ARRIVALS)                                                                            \
    F(ARRIVAL_NONE, WARNING,                                                                       \
      "No packet of {flow} has arrived on {name} since the route was installed: nobody sends, or " \
      "they are dropped before they are routed.",                                                  \
      LOOK_AT_ARRIVALS)                                                                            \
    F(WRONG_INTERFACE, PROBLEM,                                                                    \
      "{1} packets came in by another interface than {from} and were dropped.", "{advice}")        \
    F(UNROUTED_LIMIT, PROBLEM,                                                                     \
      "Packets of {flow} came in from {name}, and the route {route} takes them, but {1} routes "   \
      "are learned for it already, and it, or who holds it, or all together may not have more.",   \
      "Raise learned-routes or learned-routes-per-user of netbrokerd.conf(5), or make --idle "     \
      "shorter.")                                                                                  \
    F(UNROUTED, PROBLEM,                                                                           \
      "Packets of {flow} came in from {name} {1} s ago, and no route of table {table} takes them " \
      "from there.",                                                                               \
      "{advice}")                                                                                  \
    F(UNROUTED_NONE, OK,                                                                           \
      "No packets came lately that no route of table {table} ({family}) takes.")                   \
    F(UNROUTED_MORE, INFO, "More flows without a route: {1}.",                                     \
      "A route for a prefix of groups takes many flows.")                                          \
    F(UNROUTED_FULL, WARNING,                                                                      \
      "{1} flows without a route wait in the kernel, and not more may: others are dropped at "     \
      "once, and are not listed here; {2} were so far.",                                           \
      "unmatched-flows of netbrokerd.conf(5) is how many may.")                                    \
    F(POOL_FULL, WARNING,                                                                          \
      "All users together have {1} {name} of {2} that there may be, user {other} most of them: "   \
      "{3}.",                                                                                      \
      "'netbroker status' shows all pools; netbrokerd.conf(5) says how much one user may have.")   \
    F(UNROUTED_DROPPED, INFO,                                                                      \
      "Flows without a route that were dropped at once since the start, because too many came: "   \
      "{1}.",                                                                                      \
      "unmatched-flows of netbrokerd.conf(5) is how many may wait.")                               \
    F(TTL_NONE_LEFT, PROBLEM,                                                                      \
      "Packets have come, but none left by {name}: their TTL is not greater than {1}, or they "    \
      "are longer than its MTU.",                                                                  \
      GREATER_TTL)                                                                                 \
    F(TTL_THRESHOLD, INFO,                                                                         \
      "Only packets with a TTL greater than {1} leave by {name}; senders that set none send with " \
      "1.")                                                                                        \
    F(WATCHED_TOO_LONG, PROBLEM, WATCHED_LOSS "they are longer than its MTU of {4}. {other}.",     \
      "Have the sender send shorter packets, or allow them to be divided.")                        \
    F(WATCHED_TTL, PROBLEM, WATCHED_LOSS "their TTL is not greater than {4}. {other}.",            \
      GREATER_TTL)                                                                                 \
    F(WATCHED, OK, "Packets of the flow leave for {name}.")                                        \
    F(FIREWALL_DROPS, PROBLEM,                                                                     \
      "While the doctor watched, {1} multicast packets were routed to interfaces, {2} of them of " \
      "this flow, and {3} were sent: a firewall drops them in its forward or postrouting hook. "   \
      "{other}.",                                                                                  \
      "As root: 'nft list ruleset' and '{name} -S FORWARD' show its rules.")                       \
    F(FIREWALL_OR_QUEUE, PROBLEM,                                                                  \
      "While the doctor watched, {1} packets were routed to {name}, and it sent {2}: a firewall "  \
      "or a queue discipline drops them.",                                                         \
      "As root: 'nft list ruleset'. A network card that counts late looks the same: ask again "    \
      "with --observe 5000.")                                                                      \
    F(FIREWALL_UNKNOWN, INFO,                                                                      \
      "No packet came while the doctor watched, so it cannot say whether a firewall drops them.",  \
      "Ask while packets come, with --source; or as root: 'nft list ruleset' and 'iptables -S "    \
      "FORWARD'.")                                                                                 \
    F(FIREWALL, OK, "No firewall drops packets that were routed.")                                 \
    F(FILTER_OWN_SOURCE, WARNING,                                                                  \
      "{source} is an address of this host: packets from it that come in from outside are "        \
      "dropped.")                                                                                  \
    F(FILTER_OFF, OK, "rp_filter of {iif} is off (0).")                                            \
    F(FILTER_NO_WAY_BACK, PROBLEM,                                                                 \
      "rp_filter of {iif} drops packets from {source}, because there is no route back to it.",     \
      "ip route add {source} dev {iif}, or sysctl -w net/ipv4/conf/{iif}/rp_filter=0 "             \
      "net/ipv4/conf/all/rp_filter=0")                                                             \
    F(FILTER_STRICT, PROBLEM,                                                                      \
      "rp_filter of {iif} ({1}, strict) drops packets from {source}, because the way back to it "  \
      "leads by {name}.",                                                                          \
      "sysctl -w net/ipv4/conf/{iif}/rp_filter=2, or a route to {source} by {iif}")                \
    F(FILTER_WITHOUT_ADDRESS, PROBLEM,                                                             \
      "rp_filter of {iif} ({1}, strict where there is no address) drops packets from {source}, "   \
      "because the way back to it leads by {name}.",                                               \
      "Give {iif} an address, or a route to {source} by it.")                                      \
    F(FILTER, OK, "rp_filter of {iif} ({1}) lets packets from {source} pass.")                     \
    F(FILTER_UNKNOWN, INFO,                                                                        \
      "rp_filter of {iif} is {1}: packets from sources to which no route leads back{name} are "    \
      "dropped.",                                                                                  \
      "Give --source to have it judged.")                                                          \
    F(FORWARDING, OK, "The kernel takes multicast packets in from {iif}.")                         \
    F(FORWARDING_WITHOUT_VIF, PROBLEM,                                                             \
      "{iif} has no VIF: the kernel routes between {1} interfaces of a table, and all of table "   \
      "{table} are taken.",                                                                        \
      LOOK_AT_VIFS)                                                                                \
    F(FORWARDING_OFF, WARNING,                                                                     \
      "The kernel takes no multicast packets in from {iif}, because no route names it; so nobody " \
      "counts whether any arrive.",                                                                \
      "tcpdump -ni {iif} multicast")                                                               \
    F(BRIDGE_PORT, WARNING,                                                                        \
      "{iif} is a port of {name}: packets that come in there are packets of {name} to the "        \
      "kernel's routing.",                                                                         \
      "Name {name} as the inbound interface.")                                                     \
    F(BRIDGE_SNOOPS, INFO,                                                                         \
      "The bridge {name} snoops: it sends a group's packets only to the ports where somebody has " \
      "joined it.",                                                                                \
      "'bridge mdb show' lists who has joined.")                                                   \
    F(BRIDGE_WITHOUT_QUERIER, WARNING,                                                             \
      "The bridge {name} snoops but is not a querier: switches that snoop stop a group's packets " \
      "when no querier asks for its members.",                                                     \
      "ip link set {name} type bridge mcast_querier 1")                                            \
    F(RULE_TO_OTHER, PROBLEM,                                                                      \
      "Packets from {iif} are led to {name}, whose routes name it, and not to {table}: the "       \
      "kernel asks one table only.",                                                               \
      "Add the route to that table as well, or delete those of it.")                               \
    F(RULE_GONE, PROBLEM,                                                                          \
      "No rule leads packets from {iif} to multicast routing table {table}; the service's own is " \
      "gone.",                                                                                     \
      "{ip} mrule add iif {name} lookup {table}")                                                  \
    F(RULE_NONE, PROBLEM, "No rule leads packets from {iif} to multicast routing table {table}.",  \
      "The service makes it with the first route from there.")                                     \
    F(RULE, OK, "A rule leads packets to multicast routing table {table}.")                        \
    F(RULE_BEFORE, WARNING, "A rule leads packets from {iif} to {name} before {table}.",           \
      "'{ip} mrule' lists the rules.")

enum finding_name {
#define F(name, ...) FINDING_##name,
    FINDINGS(F)
#undef F
};

/* What the examination does not tell of a finding. */
struct finding_values {
    enum finding_name finding;
    enum verdict verdict; /* where it is not that of the row */
    const char *name, *other, *advice;
    uint64_t numbers[4]; /* {1} to {4} */
};

/* Adds a finding of the running check: found(e, NETIF_DOWN, .name = name). */
#define found(e, ...) add_finding(e, &(struct finding_values){.finding = FINDING_##__VA_ARGS__})

void add_finding(const struct examination *e, const struct finding_values *values);

#endif
