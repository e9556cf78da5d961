/* The keeper's authority: the rows of table.h. The broker handles what clients send, so it may be
 * in an attacker's hands: a row judges what is asked, not only whether its numbers are in range,
 * and a budget bounds how often.
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
    RESULT_NONE,        /* a statement: nothing is answered, and one too many ends the broker */
    RESULT_ERROR,       /* 0 or a negative errno */
    RESULT_DESCRIPTOR,  /* a descriptor, which stays the keeper's as well, or a negative errno */
    RESULT_HANDED_OVER, /* the same, and the keeper closes its own copy */
};

static const struct operation {
    int (*check)(const struct operations *operations, const struct keeper_request *request);
    int (*perform)(struct operations *operations, const struct keeper_request *request,
                   struct keeper_answer *answer);
    enum result result;
    unsigned burst, per_second;
} rows[KEEPER_OPERATION_COUNT] = {
#define O(name, check, perform, result, burst, per_second)                                         \
    {check, perform, RESULT_##result, burst, per_second},
    KEEPER_OPERATIONS(O)
#undef O
};

static const struct keeper_hooks *const hooks[KEEPER_HOOKS_COUNT] = {
#define H(name) &name##_hooks,
    KEEPER_HOOKS(H)
#undef H
};

/* --- The kinds' ---------------------------------------------------------------------------- */

void *operations_state(const struct operations *operations, enum keeper_hook kind)
{
    return (void *)operations->states[kind].bytes;
}

void operations_errands_ended(struct operations *operations)
{
    for (size_t i = 0; i < KEEPER_HOOKS_COUNT; i++)
        if (hooks[i]->errands_ended)
            hooks[i]->errands_ended(operations);
}

void operations_forked(const struct operations *operations)
{
    for (size_t i = 0; i < KEEPER_HOOKS_COUNT; i++)
        if (hooks[i]->forked)
            hooks[i]->forked(operations);
}

/* --- The keeper's own ---------------------------------------------------------------------- */

int check_nothing(const struct operations *operations, const struct keeper_request *request)
{
    (void)operations;
    (void)request;
    return 0;
}

int become_ready(struct operations *operations, const struct keeper_request *request,
                 struct keeper_answer *answer)
{
    (void)request;
    (void)answer;
    operations->ready(operations->context);
    return 0;
}

int be_alive(struct operations *operations, const struct keeper_request *request,
             struct keeper_answer *answer)
{
    (void)request;
    (void)answer;
    operations->alive(operations->context);
    return 0;
}

/* What the manager takes for a line of its own protocol does not come from a broker. */
int tell_status(struct operations *operations, const struct keeper_request *request,
                struct keeper_answer *answer)
{
    char state[sizeof "STATUS=" + STATUS_TEXT_MAX] = "STATUS=";
    char *text = state + strlen(state);

    (void)operations;
    (void)answer;
    memcpy(text, request->text, STATUS_TEXT_MAX);
    for (char *c = text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    notify_manager(state, -1);
    return 0;
}

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

    kept_begin(operations->kept);
    for (size_t i = 0; i < KEEPER_OPERATION_COUNT; i++)
        operations->budgets[i] = (struct budget){rows[i].burst, now};
    for (size_t i = 0; i < KEEPER_HOOKS_COUNT; i++)
        if (hooks[i]->begin)
            hooks[i]->begin(operations);
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

/* An answer is small against the socket's buffer: it is sent whole or not at all. */
static bool send_answer(struct operations *operations, int socket,
                        const struct operation *operation, const struct keeper_answer *answer,
                        int result)
{
    struct fdpass_list list = {.count = 0};
    bool sent;

    if (operation->result != RESULT_ERROR && result >= 0)
        list.fds[list.count++] = result;
    for (unsigned i = 0; i < operations->more_count; i++)
        list.fds[list.count++] = operations->more[i];
    operations->more_count = 0;
    sent = fdpass_send_some(socket, answer, sizeof *answer, list.fds, list.count) ==
           (ssize_t)sizeof *answer;
    if (operation->result == RESULT_HANDED_OVER)
        fdpass_close(&list);
    return sent;
}

/* A request that must be answered and comes too often is refused with -EAGAIN. */
static bool act(struct operations *operations, const struct channel *channel,
                const struct keeper_request *request)
{
    const struct operation *operation = &rows[request->operation];
    struct keeper_answer answer = {.id = request->id};
    bool within = spend(&operations->budgets[request->operation], operation);
    int result = within ? operation->check(operations, request) : -EAGAIN;

    if (result == 0)
        result = operation->perform(operations, request, &answer);
    if (operation->result == RESULT_NONE)
        return within; /* a statement that the checks refuse changes nothing */
    answer.error = result < 0 ? result : 0;
    answer.names_ever = (uint32_t)operations->kept->name_ever_count;
    return send_answer(operations, channel->answers, operation, &answer, result);
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
