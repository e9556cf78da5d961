/* #syscalls keeper: fork clone socketpair read write close */
#include "names.h"

#include "log.h"
#include "platform/process.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PATIENCE_MS = 3000,
    PAUSE_MS = 10000, /* after an answer that did not come: the loop does not wait again at once */
    LONGEST = 63,
};

struct question {
    uint32_t id;
    uint32_t is_group;
    char name[LONGEST + 1];
};

struct answer {
    uint32_t id;
    uint32_t is_known;
    uint32_t number;
};

static struct {
    int socket; /* -1: there is no such process */
    uint32_t last_id;
    int64_t quiet_until_ms;
} state = {.socket = -1};

static int64_t now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* --- That process -------------------------------------------------------------------------- */

static struct answer look_up(const struct question *question)
{
    const struct group *group = question->is_group ? getgrnam(question->name) : NULL;
    const struct passwd *user = question->is_group ? NULL : getpwnam(question->name);

    return (struct answer){
        .id = question->id,
        .is_known = group || user,
        .number = group  ? group->gr_gid
                  : user ? user->pw_uid
                         : 0,
    };
}

static void answer_all(int socket)
{
    struct question question;

    while (read(socket, &question, sizeof question) == (ssize_t)sizeof question) {
        struct answer answer;

        question.name[LONGEST] = '\0';
        answer = look_up(&question);
        if (write(socket, &answer, sizeof answer) != (ssize_t)sizeof answer)
            return;
    }
}

int names_start(void)
{
    int pair[2];
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    child = fork();
    if (child == 0) {
        answer_all(process_serve_parent("netbroker-names", pair[1]));
        _exit(0);
    }
    close(pair[1]);
    if (child > 0)
        return state.socket = pair[0];
    close(pair[0]);
    return -EAGAIN;
}

/* --- Asking it ----------------------------------------------------------------------------- */

/* An answer that comes too late is passed over by the next question. */
static bool wait_for_answer(struct answer *ret)
{
    int64_t end = now_ms() + PATIENCE_MS, left;

    while ((left = end - now_ms()) > 0) {
        struct pollfd polled = {.fd = state.socket, .events = POLLIN};

        if (poll(&polled, 1, (int)left) != 1)
            continue;
        if (read(state.socket, ret, sizeof *ret) != (ssize_t)sizeof *ret)
            return false;
        if (ret->id == state.last_id)
            return true;
    }
    return false;
}

static bool ask(bool is_group, const char *name, uint32_t *ret)
{
    struct question question = {.is_group = is_group};
    struct answer answer;

    if (state.socket < 0 || strlen(name) > LONGEST || now_ms() < state.quiet_until_ms)
        return false;
    question.id = ++state.last_id;
    strcpy(question.name, name);
    if (write(state.socket, &question, sizeof question) != (ssize_t)sizeof question ||
        !wait_for_answer(&answer)) {
        log_line(LOG_WARNING, "the name services do not answer what %s is.", name);
        state.quiet_until_ms = now_ms() + PAUSE_MS;
        return false;
    }
    *ret = answer.number;
    return answer.is_known;
}

bool names_user(const char *name, uid_t *ret)
{
    const struct passwd *entry = getpwnam(name);

    if (!entry)
        return ask(false, name, ret);
    *ret = entry->pw_uid;
    return true;
}

bool names_group(const char *name, gid_t *ret)
{
    const struct group *entry = getgrnam(name);

    if (!entry)
        return ask(true, name, ret);
    *ret = entry->gr_gid;
    return true;
}
