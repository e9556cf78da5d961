/* What somebody holds that another process opened, and what he tries with it; see holders.c. */
#ifndef NB_TESTS_HOLDERS_H
#define NB_TESTS_HOLDERS_H

#include "platform/mroute.h"

#include <stdbool.h>
#include <sys/types.h>

#define NETWORK "r0"
#define TAP     "nb-held"

enum { FAMILIES = 2 };

struct held {
    struct mroute_socket tables[FAMILIES]; /* of IPv4 and IPv6; the next two as well */
    int joins[FAMILIES];
    int tap;
    int packets; /* the frames of NETWORK */
    int counters[FAMILIES];
    int journal;
    int listener;
    int requests, answers; /* to the keeper; -1: there is none */
    const char *folder;    /* of the state file */
    const char *elsewhere; /* where everybody may write */
    unsigned network;      /* index of the interface NETWORK */
    pid_t keeper;
};

/* Whether he can. `which` is 0 for IPv4, 1 for IPv6; for what has no family it is 0. */
typedef bool act(const struct held *held, int which);

/* H(what, acts of it, what he does, both families, needs a keeper): in this order; what spoils a
 * descriptor comes last. */
#define HOLDERS_ACTS(H)                                                                            \
    H("table", table_routes, "adds VIFs and routes, and counts their packets", true, false)        \
    H("table", table_upcalls, "reads upcalls", true, false)                                        \
    H("table", table_interface, "changes an interface", true, false)                               \
    H("table", table_init, "takes another table", true, false)                                     \
    H("table", table_send, "sends packets, at least to this host", true, false)                    \
    H("table", table_forge, "sends packets with a forged source", true, false)                     \
    H("table", table_send_by, "sends packets by an interface that it chooses", true, false)        \
    H("table", table_listen, "reads packets of the network", true, false)                          \
    H("table", table_open_filter, "changes the filter, and reads packets of the network", true,    \
      false)                                                                                       \
    H("table", table_bind, "binds it to an address", true, false)                                  \
    H("table", table_device, "binds it to an interface", true, false)                              \
    H("table", table_join, "joins a group by it", true, false)                                     \
    H("table", owner_of_table, "has signals sent to the keeper", true, false)                      \
    H("table", table_flush, "flushes it at once", true, false)                                     \
    H("table", table_done, "gives it up, for the next broker as well", true, false)                \
    H("joins", joins_groups, "joins and leaves groups", true, false)                               \
    H("joins", joins_bind, "listens on a port", true, false)                                       \
    H("joins", joins_receive, "receives datagrams", true, false)                                   \
    H("joins", joins_send, "sends datagrams", true, false)                                         \
    H("joins", joins_interface, "changes an interface", true, false)                               \
    H("tap", tap_frames, "sends and receives frames", false, false)                                \
    H("tap", tap_persists, "makes it persistent", false, false)                                    \
    H("tap", tap_owner, "gives it to another owner", false, false)                                 \
    H("tap", tap_address, "changes its Ethernet address", false, false)                            \
    H("tap", tap_carrier, "takes its carrier", false, false)                                       \
    H("tap", tap_queue, "takes its queue out, and in again", false, false)                         \
    H("tap", tap_offload, "asks for offload", false, false)                                        \
    H("tap", tap_header, "sets the size of its header", false, false)                              \
    H("tap", tap_buffer, "lets more frames wait", false, false)                                    \
    H("tap", tap_filter, "sets a filter of what it receives", false, false)                        \
    H("tap", tap_name, "gives it another name, or MTU", false, false)                              \
    H("tap", tap_namespace, "gets at its network namespace", false, false)                         \
    H("frames", packets_read, "reads the frames of its interface", false, false)                   \
    H("frames", packets_send, "sends a frame of 60 bytes", false, false)                           \
    H("frames", packets_send_short, "sends a frame of 32 bytes", false, false)                     \
    H("frames", packets_filter, "changes its filter, or takes it off", false, false)               \
    H("frames", packets_promiscuous, "makes an interface promiscuous", false, false)               \
    H("frames", packets_bind, "binds it to another interface, which it reads nothing of", false,   \
      false)                                                                                       \
    H("counters", counters_read, "reads the counters", true, false)                                \
    H("counters", counters_write, "writes to them", true, false)                                   \
    H("counters", counters_beside, "opens other files by them", true, false)                       \
    H("journal", journal_write, "reads and writes it", false, false)                               \
    H("journal", journal_resize, "grows or shrinks it", false, false)                              \
    H("journal", journal_seal, "seals it for the next broker", false, false)                       \
    H("journal", journal_code, "runs what is in it", false, false)                                 \
    H("state folder", folder_files, "makes, replaces and removes files", false, false)             \
    H("state folder", folder_folder, "makes a folder", false, false)                               \
    H("state folder", folder_link, "makes a link", false, false)                                   \
    H("state folder", folder_socket, "makes a socket or a pipe", false, false)                     \
    H("state folder", folder_mode, "changes who may read a file", false, false)                    \
    H("state folder", folder_mode_none, "lets nobody open a file, or the folder", false, false)    \
    H("state folder", folder_out, "moves a file out, or writes elsewhere", false, false)           \
    H("listening socket", listener_accept, "accepts connections", false, false)                    \
    H("listening socket", listener_queue, "changes how many may wait, until the next broker",      \
      false, false)                                                                                \
    H("listening socket", listener_descriptors, "lets clients send descriptors", false, false)     \
    H("listening socket", listener_give, "gives it to another process", false, false)              \
    H("listening socket", listener_shut, "shuts it, for the next broker as well", false, false)    \
    H("pipe to the keeper", channel_ask, "asks for operations", false, true)                       \
    H("pipe to the keeper", channel_overhear, "reads what it has asked itself", false, true)       \
    H("socket of answers", channel_send, "sends anything to the keeper", false, true)              \
    H("socket of answers", channel_give, "sends a descriptor to the keeper", false, true)          \
    H("log", log_write, "writes lines", false, false)                                              \
    H("log", log_cut, "cuts what was written", false, false)                                       \
    H("netlink", netlink_interfaces, "reads interfaces", false, false)                             \
    H("netlink", netlink_change, "changes an interface", false, false)                             \
    H("netlink", netlink_rule, "leads packets to a table by a rule", false, false)                 \
    H("netlink", netlink_other, "talks to other parts of the kernel", false, false)                \
    H("manager's socket", manager_tell, "gives up what the manager keeps", false, false)

#define H(what, acts, does, families, keeper) bool acts(const struct held *held, int which);
HOLDERS_ACTS(H)
#undef H

#endif
