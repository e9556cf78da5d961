/* Where clients of a link come from: descriptors, and sockets at paths. */
#include "link_scene.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* --- What may not be ---------------------------------------------------------------------------
 */

START_TEST(descriptors_that_are_no_such_socket_are_refused)
{
    struct link_options stream = {.framing = FRAMING_U16LE}, message = {.framing = FRAMING_MESSAGE};
    struct link_scene scene;
    int pair[2];

    scene_begin(&scene);
    ck_assert_int_eq(pipe(pair), 0);
    ck_assert_int_eq(link_adopt(scene.link, pair[0], NULL, &stream), -EINVAL);
    ck_assert_ptr_nonnull(strstr(link_problem(scene.link), "no socket"));
    close(pair[1]);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert_int_eq(link_adopt(scene.link, pair[0], NULL, &message), -EINVAL);
    close(pair[1]);
    ck_assert_int_eq(link_attach_tap(scene.link, dup(scene.tap), NULL), -EEXIST);
    scene_end(&scene);
}
END_TEST

START_TEST(there_are_as_many_clients_as_there_may_be)
{
    struct link_config config = {.clients = 1};
    struct link_options options = {.framing = FRAMING_U16LE};
    struct link *link;
    int pair[2];

    ck_assert_int_eq(link_new(&link, &config), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    ck_assert_int_eq(link_adopt(link, pair[0], NULL, &options), 0);
    ck_assert_int_eq(link_adopt(link, pair[1], NULL, &options), -ENOSPC);
    link_free(link);
}
END_TEST

/* --- Paths --------------------------------------------------------------------------------- */

static char folder[] = "/tmp/netbroker-link-XXXXXX", path[64];

static struct link *begin_path(void)
{
    struct link_config config = {.mtu = 1500};
    struct link *link;

    strcpy(folder + sizeof folder - 7, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/s", folder);
    ck_assert_int_eq(link_new(&link, &config), 0);
    return link;
}

static mode_t mode_there(void)
{
    struct stat status;

    return lstat(path, &status) == 0 ? status.st_mode & 0777 : 0;
}

START_TEST(a_socket_is_its_users_alone)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct link *link = begin_path();

    ck_assert_int_eq(link_listen(link, path, &options), 0);
    ck_assert_uint_eq(mode_there(), 0600);
    link_free(link);
    ck_assert_uint_eq(mode_there(), 0);
    rmdir(folder);
}
END_TEST

START_TEST(a_path_that_is_served_is_left_alone)
{
    struct link_options options = {.framing = FRAMING_U16LE, .has_mode = true, .mode = 0660};
    struct link *link = begin_path();

    ck_assert_int_eq(link_listen(link, path, &options), 0);
    ck_assert_uint_eq(mode_there(), 0660);
    ck_assert_int_eq(link_listen(link, path, &options), -EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(link_problem(link), "another program serves at"));
    ck_assert_uint_eq(mode_there(), 0660);
    link_free(link);
    rmdir(folder);
}
END_TEST

/* Root may do everything, so root is another one meanwhile. */
static void become_user(bool user)
{
    enum { NOBODY = 65534 };

    if (getuid() != 0)
        return;
    if (user)
        ck_assert_int_eq(chown(folder, NOBODY, NOBODY), 0);
    ck_assert_int_eq(seteuid(user ? NOBODY : 0), 0);
}

static const struct {
    mode_t socket, folder;
    const char *said;
} sockets_there[] = {
    {0, 0700, "is a socket that you may not connect to; take another path"},
    {0600, 0500, "is a socket that nobody serves, and you may not remove it; take another path"},
};

/* Where it is not known whether somebody serves, it is not said that one does. */
START_TEST(a_socket_that_cannot_be_replaced_is_told)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct link *link = begin_path();
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(address.sun_path, path);
    become_user(true);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(chmod(path, sockets_there[_i].socket), 0);
    ck_assert_int_eq(chmod(folder, sockets_there[_i].folder), 0);
    ck_assert_int_eq(link_listen(link, path, &options), -EADDRINUSE);
    ck_assert_ptr_nonnull(strstr(link_problem(link), sockets_there[_i].said));
    become_user(false);
    chmod(folder, 0700);
    unlink(path);
    rmdir(folder);
    close(fd);
    link_free(link);
}
END_TEST

static const struct {
    const char *place, *said;
} no_places[] = {
    {"65536", "'65536' has no port from 0 to 65535; a path of that name is './65536'"},
    {"127.0.0.1:99999", "has no port from 0 to 65535"},
    {"[::1]:99999", "has no port from 0 to 65535"},
    {"/nowhere/at/all", "/nowhere/at/all cannot be made: there is no such folder"},
    {"", "a path of a socket has 1 to 107 bytes"},
};

START_TEST(what_is_no_place_is_told)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct link *link = begin_path();

    ck_assert_int_lt(link_listen(link, no_places[_i].place, &options), 0);
    if (!strstr(link_problem(link), no_places[_i].said))
        ck_abort_msg("'%s' is not in: %s", no_places[_i].said, link_problem(link));
    link_free(link);
    rmdir(folder);
}
END_TEST

START_TEST(a_path_that_became_anothers_is_left_alone)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct link *link = begin_path();
    int fd;

    ck_assert_int_eq(link_listen(link, path, &options), 0);
    unlink(path);
    fd = open(path, O_CREAT | O_WRONLY, 0644);
    ck_assert_int_ge(fd, 0);
    close(fd);
    link_free(link);
    ck_assert_uint_ne(mode_there(), 0);
    unlink(path);
    rmdir(folder);
}
END_TEST

/* As many descriptors as there are now, or with room for 100 more. */
static void limit_descriptors(bool tight)
{
    int next = dup(0);
    struct rlimit limit;

    close(next);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = (rlim_t)next + (tight ? 0 : 100);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

START_TEST(who_cannot_be_accepted_now_is_accepted_later)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    struct link_scene scene;

    link_free(begin_path());
    scene_begin(&scene);
    ck_assert_int_eq(link_listen(scene.link, path, &options), 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    limit_descriptors(true);
    scene_settle(&scene);
    ck_assert_uint_eq(scene.told.warned, 1);
    limit_descriptors(false);
    for (int i = 0; i < 5000 && scene.told.attached == 0; i++) {
        usleep(1000); /* it tries again after a second */
        uv_run(link_loop(scene.link), UV_RUN_NOWAIT);
    }
    ck_assert_uint_eq(scene.told.attached, 1);
    close(client);
    scene_end(&scene);
    rmdir(folder);
}
END_TEST

static const char *const wrong_places[] = {"", "fe80::1:80"};

START_TEST(what_is_no_place_is_refused)
{
    struct link_options options = {.framing = FRAMING_U16LE};
    struct link_config config = {.mtu = 1500};
    struct link *link;

    ck_assert_int_eq(link_new(&link, &config), 0);
    ck_assert_int_eq(link_connect(link, wrong_places[_i], &options), -EINVAL);
    link_free(link);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, descriptors_that_are_no_such_socket_are_refused);
    tcase_add_test(tests, there_are_as_many_clients_as_there_may_be);
    tcase_add_test(tests, a_socket_is_its_users_alone);
    tcase_add_test(tests, a_path_that_is_served_is_left_alone);
    tcase_add_loop_test(tests, a_socket_that_cannot_be_replaced_is_told, 0,
                        sizeof sockets_there / sizeof *sockets_there);
    tcase_add_loop_test(tests, what_is_no_place_is_told, 0, sizeof no_places / sizeof *no_places);
    tcase_add_test(tests, a_path_that_became_anothers_is_left_alone);
    tcase_add_test(tests, who_cannot_be_accepted_now_is_accepted_later);
    tcase_add_loop_test(tests, what_is_no_place_is_refused, 0, 2);
}

int main(void)
{
    return suite_run("link_places", add_tests);
}
