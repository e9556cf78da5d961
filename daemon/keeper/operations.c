/* The keeper's authority, in one table. The broker handles what clients send, so it may be in an
 * attacker's hands: a row judges what is asked, not only whether its numbers are in range, and a
 * budget bounds how often.
 *
 * #syscalls keeper: sendmsg read
 */
#include "operations.h"

#include "fdpass.h"
#include "log.h"
#include "notify.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum result {
    RESULT_NONE,       /* a statement: nothing is answered, and one too many ends the broker */
    RESULT_ERROR,      /* 0 or a negative errno */
    RESULT_DESCRIPTOR, /* a descriptor, which stays the keeper's as well, or a negative errno */
};

struct operation {
    /* Judges the request before anything is done: 0 or a negative errno. */
    int (*check)(const struct operations *operations, const struct keeper_request *request);
    /* Does it, and returns the result. */
    int (*perform)(struct operations *operations, const struct keeper_request *request);
    enum result result;
    unsigned burst, per_second; /* how often it may be asked for */
};

/* --- Checks -------------------------------------------------------------------------------- */

static int check_nothing(const struct operations *operations, const struct keeper_request *request)
{
    (void)operations;
    (void)request;
    return 0;
}

static int check_family(const struct operations *operations, const struct keeper_request *request)
{
    (void)operations;
    return request->family == FAMILY_IPV4 || request->family == FAMILY_IPV6 ? 0 : -EINVAL;
}

/* A table that the configuration lets the service use at all. */
static int check_table(const struct operations *operations, const struct keeper_request *request)
{
    if (check_family(operations, request) < 0 || request->table == 0 ||
        request->table > TABLE_ID_MAX)
        return -EINVAL;
    return table_is_allowed(&operations->config->tables, (uint8_t)request->family, request->table)
               ? 0
               : -EACCES;
}

/* Rules lead to other tables than the default one, which needs none. */
static int check_rule_table(const struct operations *operations,
                            const struct keeper_request *request)
{
    int result = check_table(operations, request);

    if (result < 0)
        return result;
    return request->table != family_table((uint8_t)request->family, 0) ? 0 : -EINVAL;
}

/* Packets are led only to a table that is open. */
static int check_new_rule(const struct operations *operations, const struct keeper_request *request)
{
    int result = check_rule_table(operations, request);

    if (result < 0)
        return result;
    if (request->ifindex < 1 || request->ifindex > INT32_MAX)
        return -EINVAL;
    return kept_tables_find(&operations->kept->tables, request->family, request->table) ? 0
                                                                                        : -EBADF;
}

/* --- Acts ---------------------------------------------------------------------------------- */

static int be_ready(struct operations *operations, const struct keeper_request *request)
{
    (void)request;
    operations->ready(operations->context);
    return 0;
}

static int be_alive(struct operations *operations, const struct keeper_request *request)
{
    (void)request;
    operations->alive(operations->context);
    return 0;
}

/* What the manager takes for a line of its own protocol does not come from a broker. */
static int tell_status(struct operations *operations, const struct keeper_request *request)
{
    char state[sizeof "STATUS=" + STATUS_TEXT_MAX] = "STATUS=";
    char *text = state + strlen(state);

    (void)operations;
    memcpy(text, request->text, STATUS_TEXT_MAX);
    for (char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    notify_manager(state, -1);
    return 0;
}

static int open_mroute(struct operations *operations, const struct keeper_request *request)
{
    return kept_tables_open(&operations->kept->tables, (uint8_t)request->family, request->table);
}

static int close_mroute(struct operations *operations, const struct keeper_request *request)
{
    kept_tables_close(&operations->kept->tables, request->family, request->table);
    return 0;
}

static int add_rule(struct operations *operations, const struct keeper_request *request)
{
    int result = mroute_rule_add((uint8_t)request->family, request->table, request->ifindex);

    (void)operations;
    return result == -EEXIST ? 0 : result;
}

/* The platform deletes only rules that carry our mark. */
static int del_rule(struct operations *operations, const struct keeper_request *request)
{
    struct mroute_rule rule = {.family = (uint8_t)request->family, .table = request->table};
    int result;

    (void)operations;
    memcpy(rule.iif, request->iif, INTERFACE_NAME_MAX);
    result = mroute_rule_del(&rule);
    if (result < 0 && result != -ENOENT)
        log_line(LOG_WARNING, "cannot delete the rule that leads %s to multicast table %u: %s.",
                 rule.iif, rule.table, strerror(-result));
    return 0;
}

static int open_joins(struct operations *operations, const struct keeper_request *request)
{
    return kept_joins_open(&operations->kept->joins, request->family);
}

static int complete_joins(struct operations *operations, const struct keeper_request *request)
{
    (void)request;
    kept_joins_complete(&operations->kept->joins);
    return 0;
}

/* A request that must be answered and comes too often is refused with -EAGAIN. The numbers leave
 * room for what a broker needs at its start, and for clients that work hard. */
static const struct operation table[KEEPER_OPERATION_COUNT] = {
    [KEEPER_READY] = {check_nothing, be_ready, RESULT_NONE, 1000, 100},
    [KEEPER_ALIVE] = {check_nothing, be_alive, RESULT_NONE, 100, 10},
    [KEEPER_OPEN_MROUTE] = {check_table, open_mroute, RESULT_DESCRIPTOR, 256, 64},
    [KEEPER_CLOSE_MROUTE] = {check_table, close_mroute, RESULT_NONE, 1024, 128},
    [KEEPER_ADD_RULE] = {check_new_rule, add_rule, RESULT_ERROR, 8192, 1000},
    [KEEPER_DEL_RULE] = {check_rule_table, del_rule, RESULT_NONE, 16384, 2000},
    [KEEPER_OPEN_JOINS] = {check_family, open_joins, RESULT_DESCRIPTOR, KEPT_JOINS_MAX, 128},
    [KEEPER_JOINED] = {check_nothing, complete_joins, RESULT_NONE, 1, 0},
    [KEEPER_STATUS] = {check_nothing, tell_status, RESULT_NONE, 1000, 100},
};

/* --- Budgets ------------------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void operations_begin(struct operations *operations)
{
    int64_t now = now_ms();

    for (size_t i = 0; i < KEEPER_OPERATION_COUNT; i++)
        operations->budgets[i] = (struct budget){table[i].burst, now};
}

static bool spend(struct budget *budget, const struct operation *operation)
{
    int64_t now = now_ms(), seconds = (now - budget->filled_ms) / 1000;
    uint64_t filled = budget->left + (uint64_t)seconds * operation->per_second;

    if (seconds > 0) {
        budget->filled_ms += seconds * 1000;
        budget->left = filled < operation->burst ? (unsigned)filled : operation->burst;
    }
    if (budget->left == 0)
        return false;
    budget->left--;
    return true;
}

/* --- One request --------------------------------------------------------------------------- */

static bool answer(int socket, const struct operation *operation,
                   const struct keeper_request *request, int result)
{
    static const struct fdpass_target peer = {NULL, 0};
    struct keeper_answer words = {.id = request->id, .error = result < 0 ? result : 0};
    int fd = operation->result == RESULT_DESCRIPTOR && result >= 0 ? result : -1;

    if (result == -EADDRINUSE)
        mroute_owner_describe((uint8_t)request->family, words.owner, sizeof words.owner);
    return fdpass_send(socket, &peer, &words, sizeof words, fd) == 0;
}

static bool act(struct operations *operations, const struct channel *channel,
                const struct keeper_request *request)
{
    const struct operation *operation = &table[request->operation];
    bool within = spend(&operations->budgets[request->operation], operation);
    int result = within ? operation->check(operations, request) : -EAGAIN;

    if (result == 0)
        result = operation->perform(operations, request);
    if (operation->result == RESULT_NONE)
        return within; /* a statement that the checks refuse changes nothing */
    return answer(channel->answers, operation, request, result);
}

bool operations_take(struct operations *operations, const struct channel *channel)
{
    struct keeper_request request;
    ssize_t length = read(channel->requests, &request, sizeof request);

    if (length < 0)
        return errno == EAGAIN || errno == EINTR;
    return length == (ssize_t)sizeof request && request.operation < KEEPER_OPERATION_COUNT &&
           act(operations, channel, &request);
}
