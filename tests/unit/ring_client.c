#include "ring_client.h"

#include "fdpass.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The service's end of a new connection. */
static int connect_client(struct nb_client **ret_client)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), service;
    char folder[] = "/tmp/netbroker-XXXXXX";

    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(address.sun_path, sizeof address.sun_path, "%s/socket", folder);
    ck_assert_int_eq(bind(listener, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(listener, 0), 0);
    ck_assert_int_eq(nb_connect(ret_client, address.sun_path), 0);
    service = accept(listener, NULL, NULL);
    ck_assert_int_ge(service, 0);
    close(listener);
    unlink(address.sun_path);
    rmdir(folder);
    return service;
}

struct nb_client *ring_client_open(const char *action, const char *names, const int *fds,
                                   unsigned count,
                                   void (*take)(struct nb_client *client,
                                                const struct nb_reply *reply, void *context),
                                   void *context)
{
    struct nb_client *client;
    struct nb_request *request;
    int service = connect_client(&client);
    char text[256];
    int length = snprintf(text, sizeof text,
                          "{\"status\":\"success\",\"message\":\"\",\"fds\":[%s]}\n", names);

    ck_assert_int_eq(nb_request_new(&request, action), 0);
    ck_assert_int_eq(nb_submit(client, request, take, context), 0);
    ck_assert_int_eq(fdpass_send_some(service, text, (size_t)length, fds, count), length);
    ck_assert_int_eq(nb_wait(client), 0);
    nb_request_free(request);
    for (unsigned i = 0; i < count; i++)
        close(fds[i]);
    close(service);
    return client;
}
