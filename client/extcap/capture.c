/* A capture that Wireshark reads from a FIFO. It ends it by SIGTERM, or by closing the FIFO; either
 * is no error. */
#include "extcap.h"

#include "bounds.h"
#include "filter.h"
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    READER_SECONDS = 30, /* that Wireshark has to open the FIFO */
    PATIENCE_MS = 5000,
};

int print_filter_problem(const struct options *options)
{
    char problem[FILTER_PROBLEM_MAX], *program;

    if (!options->filter[0])
        return EXIT_DONE;
    program = capture_filter_compile(options->filter, SNAPLEN_MAX, problem);
    if (!program)
        puts(problem);
    free(program);
    return EXIT_DONE;
}

/* --- Before anything is captured ----------------------------------------------------------- */

/* There is nothing to be written yet. */
static void leave(int unused)
{
    (void)unused;
    _exit(EXIT_DONE);
}

static void give_up(int unused)
{
    static const char text[] = PROGRAM ": nobody reads the FIFO.\n";
    ssize_t written = write(STDERR_FILENO, text, sizeof text - 1);

    (void)unused;
    (void)written;
    _exit(EXIT_REFUSED);
}

static void end_by_signals(void)
{
    signal(SIGINT, leave);
    signal(SIGTERM, leave);
    signal(SIGHUP, leave);
    signal(SIGALRM, give_up);
    signal(SIGPIPE, SIG_IGN);
}

/* It becomes standard output. Before anything else: dumpcap, at the other end, sees that this
 * process ends only once it was open, and waits without an end for a FIFO that it opens later. */
static int open_fifo(const char *path)
{
    int fd;

    if (!path)
        return say(EXIT_USAGE, "--fifo is missing.");
    alarm(READER_SECONDS);
    fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOCTTY);
    alarm(0);
    if (fd < 0 || dup2(fd, STDOUT_FILENO) < 0)
        return say(EXIT_REFUSED, "cannot open %s: %s.", path, strerror(errno));
    if (fd != STDOUT_FILENO)
        close(fd);
    return EXIT_DONE;
}

/* --- The capture --------------------------------------------------------------------------- */

/* What is asked for, of whom now. */
struct asking {
    const struct options *options;
    const struct nb_request *request;
    struct nb_client *client; /* owned; NULL: there is no connection */
};

/* The connection is of no use any more. */
static struct nb_reply *ask_again(void *context, struct nb_client **client)
{
    struct asking *asking = context;
    struct nb_reply *reply = NULL;

    nb_close(asking->client);
    asking->client = NULL;
    if (nb_connect_within(&asking->client, NULL, PATIENCE_MS) == 0)
        nb_call(asking->client, asking->request, &reply);
    *client = asking->client;
    if (!reply || !nb_reply_code(reply))
        return reply;
    nb_reply_free(reply);
    return NULL;
}

static int run(struct asking *asking, const struct nb_reply *reply)
{
    static const int statuses[] = {
        [SESSION_DONE] = EXIT_DONE,       [SESSION_GONE] = EXIT_UNREACHABLE,
        [SESSION_CLOSED] = EXIT_REFUSED,  [SESSION_FAILED] = EXIT_REFUSED,
        [SESSION_INVALID] = EXIT_REFUSED,
    };
    const struct options *options = asking->options;
    bool is_pcap = options->format && strcmp(options->format, "pcap") == 0;
    const struct session_config config = {
        .path = "-",
        .format = is_pcap ? SAVEFILE_PCAP : SAVEFILE_PCAPNG,
        .application = PROGRAM " " NB_VERSION,
        .filter = options->filter,
        .again = ask_again,
        .context = asking,
    };
    struct session_counters counters;
    char problem[SESSION_PROBLEM];
    enum session_end end;

    if (!session_take_signals())
        return say(EXIT_REFUSED, "there are no more descriptors.");
    end = session_run(asking->client, reply, &config, &counters, problem);
    return end == SESSION_DONE ? EXIT_DONE : say(statuses[end], "%s.", problem);
}

static int unreachable(int error)
{
    return say(EXIT_UNREACHABLE, "cannot reach netbrokerd at %s: %s. 'netbroker ping' says more.",
               nb_socket_path(NULL), strerror(-error));
}

static int ask(struct asking *asking)
{
    struct nb_reply *reply;
    int result = nb_call(asking->client, asking->request, &reply), status;

    if (result < 0)
        return unreachable(result);
    status = nb_reply_code(reply) ? say(EXIT_REFUSED, "%s", nb_reply_message(reply))
                                  : run(asking, reply);
    nb_reply_free(reply);
    return status;
}

static int capture_by_options(const struct options *options)
{
    struct asking asking = {.options = options};
    struct nb_request *request;
    int status = options_request(options, &request), result;

    if (status != EXIT_DONE)
        return status;
    asking.request = request;
    result = nb_connect_within(&asking.client, NULL, PATIENCE_MS);
    status = result < 0 ? unreachable(result) : ask(&asking);
    nb_close(asking.client);
    nb_request_free(request);
    return status;
}

int capture(const struct options *options)
{
    int status;

    end_by_signals();
    status = open_fifo(options->fifo);
    return status == EXIT_DONE ? capture_by_options(options) : status;
}
