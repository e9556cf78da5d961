/* What the doctor of taps can find: one row each, with its words. */
#ifndef NB_TAP_DOCTOR_FINDINGS_H
#define NB_TAP_DOCTOR_FINDINGS_H

/* F(NAME, check, verdict, message, hint): the hint says what would help, and may be missing. In
 * braces stand {name} of the tap, {bridge}, {other} and the numbers {1} and {2}. */
#define TAP_FINDINGS(F)                                                                            \
    F(OPENING, "state", INFO, "{name} is being made.", "Ask again in a moment.")                   \
    F(WAITS_FOR_BRIDGE, "state", PROBLEM,                                                          \
      "{name} waits for its bridge {bridge}, which is not there.",                                 \
      "As root: ip link add {bridge} type bridge")                                                 \
    F(NOT_MADE, "state", PROBLEM,                                                                  \
      "{name} could not be made again; the service tries it every 5 seconds.",                     \
      "'journalctl -u netbrokerd' says what the kernel refused.")                                  \
    F(GONE, "state", PROBLEM, "The interface {name} is gone.", "netbroker tap list")               \
    F(RENAMED, "state", WARNING, "Somebody has called the interface {other}.",                     \
      "As root: ip link set {other} name {name}")                                                  \
    F(STATE, "state", OK, "{name} is open, with the MTU {1}.")                                     \
    F(DOWN, "link", PROBLEM, "{name} is down: the host sends and receives nothing there.",         \
      "As root: ip link set {name} up")                                                            \
    F(NOT_ATTACHED, "carrier", PROBLEM,                                                            \
      "No program has opened {name}: it lasts without one, and has no carrier.",                   \
      "Start the program that opens it by its name, as the user {1}, who owns it.")                \
    F(NO_CARRIER, "carrier", PROBLEM,                                                              \
      "{name} has no carrier: the program that has its descriptor took it away (TUNSETCARRIER).",  \
      "Restart that program. A virtual machine does so with the link of its card: 'set_link' of "  \
      "QEMU's monitor.")                                                                           \
    F(CARRIER, "carrier", OK, "A program has {name}.")                                             \
    F(UPLINK_DOWN, "carrier", PROBLEM,                                                             \
      "{name} has no carrier: its uplink {other} is down, or has no cable.",                       \
      "As root: ip link set {other} up")                                                           \
    F(ON_UPLINK, "carrier", OK,                                                                    \
      "{name} is a station on {other}: frames to its address reach its program, and no others.")   \
    F(MTU_CHANGED, "mtu", WARNING,                                                                 \
      "The MTU of {name} is {1}, and it was opened with {2}: somebody has changed it.",            \
      "As root: ip link set {name} mtu {2}")                                                       \
    F(MTU_OF_PORT, "mtu", PROBLEM,                                                                 \
      "{name} has the MTU {1}, and {other} of the same bridge {2}: the bridge drops frames that "  \
      "are too long for a port, and tells nobody.",                                                \
      "Open the tap with --mtu {2}, and let the guest have the same.")                             \
    F(NOT_A_PORT, "bridge", PROBLEM,                                                               \
      "{name} is no port of {bridge}: somebody took it out, or the kernel refuses it. The "        \
      "service "                                                                                   \
      "tries it again every 5 seconds.",                                                           \
      "'journalctl -u netbrokerd' says what the kernel refused.")                                  \
    F(BRIDGE_DOWN, "bridge", PROBLEM, "The bridge {bridge} is down: it forwards nothing.",         \
      "As root: ip link set {bridge} up")                                                          \
    F(STP_WAITS, "stp", PROBLEM,                                                                   \
      "{bridge} speaks STP, and {name} does not forward: a new port waits for {1} s.",             \
      "As root: ip link set {bridge} type bridge stp_state 0, where no loop of bridges can be.")   \
    F(STP, "stp", INFO, "{bridge} speaks STP: a port that comes forwards nothing for {1} s.",      \
      "As root: ip link set {bridge} type bridge stp_state 0, where no loop of bridges can be.")   \
    F(PORT_BLOCKED, "bridge", PROBLEM, "{bridge} lets no frames of {name} pass.",                  \
      "'bridge link show dev {name}' shows its state.")                                            \
    F(BRIDGE, "bridge", OK, "{name} is a port of {bridge}, which has {1} more.")                   \
    F(ALONE, "bridge", WARNING, "{name} is the only port of {bridge}.",                            \
      "As root: ip link set INTERFACE master {bridge}")                                            \
    F(ISOLATED, "isolated", INFO,                                                                  \
      "{name} is isolated: it exchanges no frames with the {1} other isolated ports of {bridge}.") \
    F(ISOLATED_FROM_ALL, "isolated", PROBLEM,                                                      \
      "{name} is isolated, and so are all other ports of {bridge}: it reaches none of them.",      \
      "Open the tap without --isolated, or as root: bridge link set dev {name} isolated off")      \
    F(ISOLATION_LOST, "isolated", WARNING,                                                         \
      "{name} was opened as an isolated port, and is none: somebody has changed it.",              \
      "As root: bridge link set dev {name} isolated on")                                           \
    F(NO_UPLINK, "uplink", WARNING,                                                                \
      "All ports of {bridge} are taps, and the host has no address on it: nothing beyond them is " \
      "reached.",                                                                                  \
      "As root: ip link set INTERFACE master {bridge}, or ip address add ADDRESS/LENGTH dev "      \
      "{bridge}")                                                                                  \
    F(HOST_ONLY, "uplink", INFO,                                                                   \
      "All ports of {bridge} are taps: what is beyond is reached by the host's address there.")    \
    F(UPLINK, "uplink", OK, "{bridge} has ports that are no taps: {1}.")                           \
    F(MIXED_OFFLOAD, "offload", WARNING,                                                           \
      "{name} has offload {other}, and {1} other taps of {bridge} have not: the host segments "    \
      "and sums up what passes between them, which is slow.",                                      \
      "Open all taps of a bridge with --offload, or none.")                                        \
    F(ADDRESS_MISSING, "address", PROBLEM, "The host has not the address {other} on {name}.",      \
      "As root: ip address add {other} dev {name}")                                                \
    F(ADDRESSES, "address", OK, "The host has its addresses on {name}: {1}.")                      \
    F(NO_ADDRESS, "address", INFO,                                                                 \
      "The host has no address on {name}, and it is no port of a bridge: the host is silent "      \
      "there.",                                                                                    \
      "netbroker tap open --hosts ADDRESS/LENGTH, or --bridge BRIDGE")                             \
    F(NO_ANSWER, "neighbours", PROBLEM,                                                            \
      "The host asks for {other} on {name}, and gets no answer; of those that it asked for, {1} "  \
      "did not answer, and {2} did.",                                                              \
      "Has the guest this address, and is its card up? 'tcpdump -eni {name} arp or icmp6' shows "  \
      "what is asked.")                                                                            \
    F(NEIGHBOURS, "neighbours", OK, "Neighbours of the host on {name}: {1}.")                      \
    F(NOTHING_RECEIVED, "frames", INFO,                                                            \
      "The program took {1} frames of the host's, and sent none.",                                 \
      "Has the guest's card the driver that it needs, and is it up?")                              \
    F(FRAMES, "frames", OK, "Frames that came from the program: {1}; that it took: {2}.")          \
    F(TX_DROPPED, "drops", WARNING,                                                                \
      "{1} frames were dropped because the program did not take them in time, of {2} and these.",  \
      "Is it stopped, or too slow? 'netbroker tap show {name} --watch' shows whether that goes "   \
      "on.")                                                                                       \
    F(RX_DROPPED, "drops", WARNING, "The host dropped {1} frames of the program's, of {2}.",       \
      "Are they longer than the MTU, or without the header that offload needs?")                   \
    F(CLIENT_STALLED, "relay", WARNING,                                                            \
      "The relay on {name} says that its client {other} did not read {1} frames in time; {2} of "  \
      "its clients lose frames.",                                                                  \
      "'netbroker link list --watch' shows whether that goes on; the others are not delayed.")     \
    F(CLIENTS, "relay", OK, "The relay on {name} tells of {1} clients.")

enum tap_finding {
#define F(name, ...) TAP_FINDING_##name,
    TAP_FINDINGS(F)
#undef F
};

#endif
