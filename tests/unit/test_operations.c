/* The keeper's table of operations: what it answers on its end of the channel. */
#include "fake.h"
#include "fdpass.h"
#include "keeper/operations.h"
#include "suite.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct fixture {
    struct config config;
    struct kept kept;
    struct operations operations;
    struct channel keeper, broker;
    uint32_t id;
};

static void begin(struct fixture *f)
{
    int pair[2], ends[2];

    memset(f, 0, sizeof *f);
    fake_reset();
    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    f->keeper = (struct channel){ends[0], pair[0]};
    f->broker = (struct channel){ends[1], pair[1]};
    f->operations.config = &f->config;
    f->operations.kept = &f->kept;
    operations_begin(&f->operations);
}

static void end(struct fixture *f)
{
    for (size_t i = 0; i < f->kept.tables.count; i++)
        close(f->kept.tables.sockets[i].fd);
    close(f->keeper.requests);
    close(f->keeper.answers);
    close(f->broker.requests);
    close(f->broker.answers);
}

/* The answer's error. */
static int ask(struct fixture *f, struct keeper_request request)
{
    struct keeper_answer answer;
    int fd;

    request.id = ++f->id;
    ck_assert_int_eq(write(f->broker.requests, &request, sizeof request), sizeof request);
    ck_assert(operations_take(&f->operations, &f->keeper));
    ck_assert_int_eq(fdpass_receive(f->broker.answers, &answer, sizeof answer, &fd), 1);
    ck_assert_uint_eq(answer.id, f->id);
    ck_assert_int_eq(fd >= 0, answer.error == 0);
    if (fd >= 0)
        close(fd);
    return answer.error;
}

static struct keeper_request open_request(uint32_t table)
{
    return (struct keeper_request){
        .operation = KEEPER_OPEN_MROUTE,
        .family = FAMILY_IPV4,
        .table = table,
    };
}

START_TEST(so_many_tables_are_ever_opened)
{
    struct fixture f;

    begin(&f);
    for (uint32_t i = 0; i < TABLE_IDS_MAX - 1; i++) {
        f.kept.tables.ids[i].family = FAMILY_IPV4;
        f.kept.tables.ids[i].table = 1000 + i;
    }
    f.kept.tables.id_count = TABLE_IDS_MAX - 1;
    ck_assert_int_eq(ask(&f, open_request(1)), 0);
    ck_assert_int_eq(ask(&f, open_request(2)), -EDQUOT);
    ck_assert_int_eq(ask(&f, open_request(1)), 0);
    ck_assert_int_eq(ask(&f, open_request(1000)), 0);
    end(&f);
}
END_TEST

START_TEST(a_message_of_another_size_ends_the_broker)
{
    struct keeper_request request = open_request(1);
    struct fixture f;

    begin(&f);
    ck_assert(operations_take(&f.operations, &f.keeper)); /* nothing is there */
    ck_assert_int_eq(write(f.broker.requests, &request, 7), 7);
    ck_assert(!operations_take(&f.operations, &f.keeper));
    request.operation = KEEPER_OPERATION_COUNT;
    ck_assert_int_eq(write(f.broker.requests, &request, sizeof request), sizeof request);
    ck_assert(!operations_take(&f.operations, &f.keeper));
    ck_assert_uint_eq(f.kept.tables.count, 0);
    end(&f);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, so_many_tables_are_ever_opened);
    tcase_add_test(tests, a_message_of_another_size_ends_the_broker);
}

int main(void)
{
    return suite_run("operations", add_tests);
}
