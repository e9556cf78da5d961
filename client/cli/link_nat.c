#include "link_nat.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { START_MS = 5000, STEP_MS = 10, EXIT_FD = 3 };

struct nat {
    struct link *link;
    uv_process_t process;
    bool started, ended, closed;
    int alive; /* the end of a pipe: the other one tells the process that we are gone */
    char folder[64], path[80];
};

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    struct nat *nat = process->data;

    (void)status;
    (void)signal;
    nat->ended = true;
    link_stop(nat->link);
}

static void on_closed(uv_handle_t *handle)
{
    struct nat *nat = handle->data;

    nat->closed = true;
}

static struct nat *refuse(struct nat *nat, const struct link_told *told, const char *why)
{
    report(told->line, &(struct fault){.code = "link"}, "--nat: %s.", why);
    nat_end(nat);
    return NULL;
}

static bool make_folder(struct nat *nat)
{
    const char *base = getenv("XDG_RUNTIME_DIR");

    if (!base || strlen(base) > 32)
        base = "/tmp";
    snprintf(nat->folder, sizeof nat->folder, "%s/netbroker-nat-XXXXXX", base);
    if (!mkdtemp(nat->folder)) {
        nat->folder[0] = '\0';
        return false;
    }
    snprintf(nat->path, sizeof nat->path, "%s/s", nat->folder);
    return true;
}

/* It ends with us, however we end: what is closed then is its --exit-fd. The Ctrl-C of a terminal
 * is for us alone: hence a session of its own. Its guests reach no server that listens on this
 * machine's loopback alone. */
static int spawn(struct nat *nat, uint32_t mtu)
{
    char size[32];
    char program[] = "slirp4netns", type[] = "--target-type=bess", exit_fd[] = "--exit-fd=3";
    char no_loopback[] = "--disable-host-loopback";
    char *arguments[] = {program, type, no_loopback, exit_fd, size, nat->path, NULL};
    uv_stdio_container_t stdio[EXIT_FD + 1] = {[STDERR_FILENO] = {.flags = UV_INHERIT_FD}};
    uv_process_options_t options = {
        .exit_cb = on_exit_of,
        .file = arguments[0],
        .args = arguments,
        .flags = UV_PROCESS_DETACHED,
        .stdio = stdio,
        .stdio_count = EXIT_FD + 1,
    };
    int pair[2], result;

    if (pipe(pair) < 0)
        return -errno;
    fcntl(pair[1], F_SETFD, FD_CLOEXEC);
    snprintf(size, sizeof size, "--mtu=%u", mtu);
    stdio[STDERR_FILENO].data.fd = STDERR_FILENO;
    stdio[EXIT_FD] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = pair[0]};
    result = uv_spawn(link_loop(nat->link), &nat->process, &options);
    nat->started = true; /* a handle of the loop, also after an error */
    nat->ended = result < 0;
    nat->alive = pair[1];
    nat->process.data = nat;
    close(pair[0]);
    return result;
}

static bool wait_for_socket(struct nat *nat)
{
    for (int waited = 0; waited < START_MS && !nat->ended; waited += STEP_MS) {
        if (access(nat->path, F_OK) == 0)
            return true;
        uv_run(link_loop(nat->link), UV_RUN_NOWAIT);
        poll(NULL, 0, STEP_MS);
    }
    return false;
}

struct nat *nat_start(struct link *link, const struct link_told *told, uint32_t mtu)
{
    const struct link_options options = {.framing = FRAMING_MESSAGE, .once = true};
    struct nat *nat = calloc(1, sizeof *nat);
    int result;

    if (!nat)
        return NULL;
    nat->link = link;
    nat->alive = -1;
    if (!make_folder(nat))
        return refuse(nat, told, strerror(errno));
    result = spawn(nat, mtu);
    if (result == UV_ENOENT)
        return refuse(nat, told, "there is no program slirp4netns; install it");
    if (result < 0)
        return refuse(nat, told, uv_strerror(result));
    if (!wait_for_socket(nat))
        return refuse(nat, told, "slirp4netns did not start");
    if (link_connect(link, nat->path, &options) < 0)
        return refuse(nat, told, link_problem(link));
    return nat;
}

bool nat_has_ended(const struct nat *nat)
{
    return nat && nat->ended;
}

void nat_end(struct nat *nat)
{
    if (!nat)
        return;
    if (nat->started && !nat->ended)
        uv_process_kill(&nat->process, SIGTERM);
    if (nat->alive >= 0)
        close(nat->alive);
    if (nat->started)
        uv_close((uv_handle_t *)&nat->process, on_closed);
    while (nat->started && !nat->closed)
        uv_run(link_loop(nat->link), UV_RUN_NOWAIT);
    if (nat->folder[0]) {
        unlink(nat->path);
        rmdir(nat->folder);
    }
    free(nat);
}
