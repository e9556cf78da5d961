/* A program outside of the project, as anybody might write one: asks the service whether it
 * answers. */
#include <netbroker.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    struct nb_client *client;
    struct nb_request *request;
    struct nb_reply *reply;
    int result = nb_connect(&client, NULL);

    if (result < 0) {
        fprintf(stderr, "%s: %s\n", nb_socket_path(NULL), strerror(-result));
        return 1;
    }
    if (nb_request_new(&request, "PING") < 0)
        return 1;
    result = nb_call(client, request, &reply);
    if (result < 0)
        return 1;
    puts(nb_reply_message(reply));
    result = nb_reply_code(reply) != NULL;
    nb_reply_free(reply);
    nb_request_free(request);
    nb_close(client);
    return result;
}
