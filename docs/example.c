/* An example of libnetbroker: adds a route with a blocking call, then follows what happens to
 * routes in an event loop, and deletes its route when it is interrupted.
 *
 *     cc example.c $(pkg-config --cflags --libs libnetbroker) -o example
 *     ./example 239.10.20.30 eth0 eth1 */
#include <netbroker.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>

static void fail(const char *what, int error)
{
    fprintf(stderr, "example: %s: %s\n", what, strerror(-error));
    exit(EXIT_FAILURE);
}

static struct nb_request *new_request(const char *action)
{
    struct nb_request *request;
    int error = nb_request_new(&request, action);

    if (error < 0)
        fail(action, error);
    return request;
}

/* Sends the request, waits for the reply and prints it. Returns whether the service did it. */
static bool call(struct nb_client *client, struct nb_request *request)
{
    struct nb_reply *reply;
    int error = nb_call(client, request, &reply);
    bool done;

    if (error < 0)
        fail("the connection", error);
    done = !nb_reply_code(reply);
    puts(nb_reply_message(reply));
    nb_reply_free(reply);
    nb_request_free(request);
    return done;
}

static bool add_route(struct nb_client *client, char **argv)
{
    struct nb_request *request = new_request("ADD_MFC");

    nb_request_set_string(request, "group", argv[1]);
    nb_request_set_string(request, "iif", argv[2]);
    nb_request_add_string(request, "oifs", argv[3]);
    return call(client, request);
}

static bool delete_route(struct nb_client *client, char **argv)
{
    struct nb_request *request = new_request("DEL_MFC");

    nb_request_set_string(request, "group", argv[1]);
    return call(client, request);
}

/* A handler: the event is the library's and ends with the call. */
static void print_event(struct nb_client *client, const struct nb_reply *event, void *context)
{
    const struct nb_value *route = nb_reply_payload(event);

    (void)client;
    (void)context;
    printf("%s %s\n", nb_reply_event(event), nb_value_string(nb_value_get(route, "group")));
    fflush(stdout);
}

static void subscribe(struct nb_client *client)
{
    struct nb_request *request = new_request("SUBSCRIBE");
    int error;

    nb_request_add_string(request, "topics", "mfc.*");
    nb_set_event_handler(client, print_event, NULL);
    error = nb_submit(client, request, NULL, NULL); /* sent by the first nb_dispatch */
    if (error < 0)
        fail("SUBSCRIBE", error);
    nb_request_free(request);
}

/* The loop: the client is one descriptor among those that the program waits for anyhow. */
static void follow_events(struct nb_client *client, int signals)
{
    struct pollfd polled[] = {{signals, POLLIN, 0}, {nb_fd(client), 0, 0}};

    while (!(polled[0].revents & POLLIN)) {
        int error = nb_dispatch(client);

        if (error < 0)
            fail("the connection", error);
        polled[1].events = nb_poll_events(client);
        if (poll(polled, 2, -1) < 0 && errno != EINTR)
            fail("poll", -errno);
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
    struct nb_client *client;
    bool done;
    int error;

    if (argc != 4) {
        fputs("usage: example GROUP IIF OIF\n", stderr);
        return 2;
    }
    error = nb_connect(&client, NULL);
    if (error < 0)
        fail(nb_socket_path(NULL), error);
    done = add_route(client, argv);
    if (done) {
        subscribe(client);
        follow_events(client, open_signals());
        done = delete_route(client, argv);
    }
    nb_close(client);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
