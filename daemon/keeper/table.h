/* What the broker may ask of the keeper, and the kinds of what it keeps: a row each. The keeper
 * itself knows no more of a kind; what its rows name stands in the kind's operations.c. */
#ifndef NB_KEEPER_TABLE_H
#define NB_KEEPER_TABLE_H

/* Of a kind that only tests have (resources/null). */
#ifdef NB_TEST_KINDS
#define TEST_OPERATIONS(O)                                                                         \
    /* text, a name: open the null, and lend it. */                                                \
    O(OPEN_NULL, null_check_name, null_open, DESCRIPTOR, 1024, 128)                                \
    /* text, a name: close the kept copy of it. */                                                 \
    O(CLOSE_NULL, null_check_name, null_close, NONE, 8192, 1000)
#define TEST_KEPT(K) K(null)
#else
#define TEST_OPERATIONS(O)
#define TEST_KEPT(K)
#endif

/* O(name, check, perform, result, burst, per second)
 *
 * check(operations, request) judges before anything is done: 0 or a negative errno.
 * perform(operations, request, answer) does it, and returns the result; see enum result.
 * burst: how often it may be asked for at once; so many more a second may come. 0 a second: so
 * often in the life of a broker. They leave room for what a broker needs at its start, and for
 * clients that work hard. */
#define KEEPER_OPERATIONS(O)                                                                       \
    /* The broker serves. */                                                                       \
    O(READY, check_nothing, become_ready, NONE, 1000, 100)                                         \
    /* Its loop turns. */                                                                          \
    O(ALIVE, check_nothing, be_alive, NONE, 100, 10)                                               \
    /* text: what the service does. */                                                             \
    O(STATUS, check_nothing, tell_status, NONE, 1000, 100)                                         \
    /* family, number: open the socket that owns this multicast routing table, and lend it. */     \
    O(OPEN_MROUTE, mroute_check_table, mroute_lend_table, DESCRIPTOR, 256, 64)                     \
    /* family, number: close the kept copy of it, and delete its rules. */                         \
    O(CLOSE_MROUTE, mroute_check_table, mroute_close_table, NONE, 1024, 128)                       \
    /* family, number, ifindex: lead packets from the interface to this table, which is open. */   \
    O(ADD_RULE, mroute_check_new_rule, mroute_add_rule, ERROR, 8192, 1000)                         \
    /* family, number, name: no more. The interface of that name may be gone already. */           \
    O(DEL_RULE, mroute_check_rule, mroute_del_rule, NONE, 16384, 2000)                             \
    /* family: open a socket for group memberships, and lend it. */                                \
    O(OPEN_JOINS, join_check_family, join_lend_socket, DESCRIPTOR, 1024, 128)                      \
    /* All that is wanted is joined: the sockets of the brokers before may go. */                  \
    O(JOINED, check_nothing, join_complete, NONE, 1, 0)                                            \
    /* tap: make a tap, and hand it over: it ends with the copies of its descriptor, so the keeper \
     * has none. */                                                                                \
    O(OPEN_TAP, tap_check_open, tap_open, HANDED_OVER, 2048, 256)                                  \
    /* tap.name: the tap that was made by this name has ended. ifindex: delete this interface of   \
     * it, whatever others did to it or call it; soon, and if it is ours. 0: it is gone. */        \
    O(CLOSE_TAP, tap_check_name, tap_close, NONE, 16384, 2000)                                     \
    /* tap.name, bridge, and TAP_ISOLATED of flags: make the tap a port of the bridge again. */    \
    O(JOIN_TAP, tap_check_join, tap_join, ERROR, 8192, 1000)                                       \
    /* tap: make one beforehand. It is made when a notice says so (channel.h). */                  \
    O(SPARE_TAP, tap_check_spare, tap_spare, ERROR, 1024, 128)                                     \
    /* tap.name: delete that spare. */                                                             \
    O(DROP_SPARE, tap_check_name, tap_drop_spare, NONE, 8192, 1000)                                \
    /* packets: open the frames of an interface, and hand them over: they end with the copies of   \
     * the descriptor. */                                                                          \
    O(OPEN_CAPTURE, capture_check_open, capture_open, HANDED_OVER, 2048, 256)                      \
    /* ifindex: open a descriptor that sends frames out of this interface, and hand it over. */    \
    O(OPEN_INJECT, inject_check_open, inject_open, HANDED_OVER, 2048, 256)                         \
    TEST_OPERATIONS(O)

/* H(name): `const struct keeper_hooks name_hooks` (operations.h) says what a kind does in the
 * keeper when nobody asks. */
#define KEEPER_HOOKS(H) H(tap)

/* K(name): `const struct keeper_kind name_kept` says what it is. */
#define KEEPER_KINDS(K)                                                                            \
    K(mroute)                                                                                      \
    K(join)                                                                                        \
    K(tap)                                                                                         \
    K(journal)                                                                                     \
    TEST_KEPT(K)

#endif
