/* An example of libnetbroker that outlives the service: it holds a route while it runs and follows
 * the events of routes, by epoll. When the service ends it connects again, adds the route anew and
 * subscribes again, because both belonged to the connection.
 *
 *     cc reconnect.c $(pkg-config --cflags --libs libnetbroker) -o reconnect
 *     ./reconnect 239.10.20.30 eth0 eth1 */
#include <netbroker.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { REPLY_LIMIT_MS = 5000, PAUSE_MIN_MS = 100, PAUSE_MAX_MS = 5000 };

struct program {
    char **argv;
    struct nb_client *client; /* NULL: not connected */
    int epoll, signals;
    uint32_t registered; /* what epoll waits for at the client's descriptor */
};

static void print_event(struct nb_client *client, const struct nb_reply *event, void *context)
{
    const struct nb_value *route = nb_reply_payload(event);

    (void)client;
    (void)context;
    printf("%s %s\n", nb_reply_event(event), nb_value_string(nb_value_get(route, "group")));
    fflush(stdout);
}

/* Returns 0, a negative errno of the connection, or -ECANCELED after it said what the service
 * refused: to ask that again would not help. */
static int call(struct nb_client *client, const struct nb_request *request)
{
    struct nb_reply *reply;
    int error = nb_call(client, request, &reply);

    if (error < 0)
        return error;
    if (nb_reply_code(reply)) {
        fprintf(stderr, "reconnect: %s\n", nb_reply_message(reply));
        error = -ECANCELED;
    }
    nb_reply_free(reply);
    return error;
}

static int add_route(struct nb_client *client, char **argv)
{
    struct nb_request *request;
    int error = nb_request_new(&request, "ADD_MFC");

    if (error < 0)
        return error;
    nb_request_set_string(request, "group", argv[1]);
    nb_request_set_string(request, "iif", argv[2]);
    nb_request_add_string(request, "oifs", argv[3]);
    nb_request_set_bool(request, "while_connected", true);
    error = call(client, request);
    nb_request_free(request);
    return error;
}

static int subscribe(struct nb_client *client)
{
    struct nb_request *request;
    int error = nb_request_new(&request, "SUBSCRIBE");

    if (error < 0)
        return error;
    nb_request_add_string(request, "topics", "mfc.*");
    nb_set_event_handler(client, print_event, NULL);
    error = call(client, request);
    nb_request_free(request);
    return error;
}

/* epoll keeps what it waits for, and that changes while something is to be sent. */
static int watch_client(struct program *program, int operation)
{
    struct epoll_event event = {.data.fd = nb_fd(program->client)};

    event.events = (uint32_t)nb_poll_events(program->client); /* the bits are EPOLLIN, EPOLLOUT */
    if (operation == EPOLL_CTL_MOD && event.events == program->registered)
        return 0;
    program->registered = event.events;
    return epoll_ctl(program->epoll, operation, nb_fd(program->client), &event) < 0 ? -errno : 0;
}

static int connect_again(struct program *program)
{
    int error = nb_connect_within(&program->client, NULL, REPLY_LIMIT_MS);

    if (error == 0)
        error = add_route(program->client, program->argv);
    if (error == 0)
        error = subscribe(program->client);
    if (error == 0)
        error = watch_client(program, EPOLL_CTL_ADD);
    if (error == 0) /* the calls may have received more than their replies */
        error = nb_dispatch(program->client);
    return error;
}

/* Follows events until the connection or, with 0, the program ends. */
static int follow(struct program *program)
{
    struct epoll_event event;
    int error = 0;

    while (error == 0) {
        int ready = epoll_wait(program->epoll, &event, 1, -1);

        if (ready == 1 && event.data.fd == program->signals)
            return 0;
        if (ready == 1)
            error = nb_dispatch(program->client);
        if (error == 0)
            error = watch_client(program, EPOLL_CTL_MOD);
    }
    return error;
}

/* The descriptor leaves epoll by being closed. */
static void disconnect(struct program *program)
{
    nb_close(program->client);
    program->client = NULL;
}

/* Waits, or returns false when a signal ends the program. */
static bool pause_for(const struct program *program, int milliseconds)
{
    struct epoll_event event;

    return epoll_wait(program->epoll, &event, 1, milliseconds) <= 0;
}

static int run(struct program *program)
{
    int pause = PAUSE_MIN_MS, error;

    for (;;) {
        error = connect_again(program);
        if (error == 0) {
            puts("connected");
            fflush(stdout);
            pause = PAUSE_MIN_MS;
            error = follow(program);
        }
        disconnect(program);
        if (error == 0 || error == -ECANCELED)
            return error;
        fprintf(stderr, "reconnect: %s; again in %d ms\n", strerror(-error), pause);
        if (!pause_for(program, pause))
            return 0;
        pause = pause * 2 < PAUSE_MAX_MS ? pause * 2 : PAUSE_MAX_MS;
    }
}

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

int main(int argc, char **argv)
{
    struct program program = {.argv = argv, .signals = open_signals()};
    struct epoll_event event = {.events = EPOLLIN, .data.fd = program.signals};

    if (argc != 4) {
        fputs("usage: reconnect GROUP IIF OIF\n", stderr);
        return 2;
    }
    program.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ctl(program.epoll, EPOLL_CTL_ADD, program.signals, &event) < 0) {
        perror("reconnect: epoll");
        return EXIT_FAILURE;
    }
    return run(&program) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
