/* Memory that the service shares with a client, and bells, in the hands of a process without
 * privileges that does what it can with the descriptors.
 *
 * What is shown is another open file for the same memory, for reading only, and without a mode that
 * would let anybody but its owner open it once more; so the service, which has mapped it before,
 * can write to it and give its pages back, also while the client keeps descriptor and mapping. What
 * the client may write to keeps its size, though its pages can be given back: who reads there finds
 * zeros. The two ends of a pipe have flags of their own, and only its owner opens it again; an
 * eventfd has the same flags for all who hold it, which is why it is no bell.
 *
 * The owner can give himself the mode again: two processes of one user are no strangers. Privileges
 * of a user namespace are none over files of users that it does not have.
 *
 * Sources: memfd_add_seals() of mm/memfd.c, shmem_fallocate() of mm/shmem.c, inode_permission() of
 * fs/namei.c, capable_wrt_inode_uidgid() of kernel/capability.c; setfl() of fs/fcntl.c, pipe(7),
 * poll(2): POLLERR; eventfd(2): write blocks where the counter would reach its maximum. */
#include "platform/rings.h"
#include "ground.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIZE = 1 << 16, MARK = 77, NOBODY = 65534 };

struct scene {
    struct ring_memory shown, lent;
    struct bell bell;
    int event;
};

static int result_of(long result)
{
    return result < 0 ? -errno : 0;
}

static int map(int fd, int protection)
{
    void *place = mmap(NULL, SIZE, protection, MAP_SHARED, fd, 0);

    if (place == MAP_FAILED)
        return -errno;
    munmap(place, SIZE);
    return 0;
}

static int make_writable(int fd)
{
    void *place = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
    int result = result_of(mprotect(place, SIZE, PROT_READ | PROT_WRITE));

    munmap(place, SIZE);
    return result;
}

static int open_again(int fd, int flags)
{
    char path[32];
    int other;

    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    other = open(path, flags | O_CLOEXEC | O_NONBLOCK);
    if (other < 0)
        return -errno;
    close(other);
    return 0;
}

static int punch(int fd, size_t size)
{
    return result_of(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)size));
}

/* --- The client ---------------------------------------------------------------------------- */

/* By whatever name and mode. */
static void try_to_open(struct ground *ground, int fd)
{
    ground_expect_result(ground, "it is not opened anew for writing", -EACCES,
                         open_again(fd, O_WRONLY));
    ground_expect_result(ground, "nor for both", -EACCES, open_again(fd, O_RDWR));
    ground_expect_result(ground, "nor to be cut", -EACCES, open_again(fd, O_RDONLY | O_TRUNC));
}

static int set_flags(int fd)
{
    int result = result_of(fcntl(fd, F_SETFL, O_RDWR));

    return result < 0 ? result : (fcntl(fd, F_GETFL) & O_ACCMODE);
}

static void try_shown(struct ground *ground, int fd)
{
    ground_expect_result(ground, "what is shown is mapped for reading", 0, map(fd, PROT_READ));
    ground_expect_result(ground, "it is not mapped for writing", -EACCES,
                         map(fd, PROT_READ | PROT_WRITE));
    ground_expect_result(ground, "a mapping does not become writable", -EACCES, make_writable(fd));
    ground_expect_result(ground, "it does not become so by its flags", O_RDONLY, set_flags(fd));
    ground_expect_result(ground, "it is not written to", -EBADF, result_of(write(fd, "x", 1)));
    ground_expect_result(ground, "it is not cut", -EINVAL, result_of(ftruncate(fd, 0)));
    ground_expect_result(ground, "it does not grow", -EINVAL, result_of(ftruncate(fd, 4 * SIZE)));
    ground_expect_result(ground, "its pages stay", -EBADF, punch(fd, SIZE));
    ground_expect_result(ground, "its seals stay", -EPERM,
                         result_of(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE)));
}

/* What another user than the service's cannot do. */
static void try_as_another(struct ground *ground, int fd)
{
    try_to_open(ground, fd);
    ground_expect_result(ground, "nor for reading", -EACCES, open_again(fd, O_RDONLY));
    ground_expect_result(ground, "its mode stays", -EPERM, result_of(fchmod(fd, 0666)));
}

static bool write_map(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool done = fd >= 0 && write(fd, text, strlen(text)) > 0;

    if (fd >= 0)
        close(fd);
    return done;
}

/* Root of a user namespace has all capabilities there; where none can be made, it has none. */
static void try_as_root_of_a_namespace(struct ground *ground, int fd)
{
    prctl(PR_SET_DUMPABLE, 1);
    if (unshare(CLONE_NEWUSER) < 0 || !write_map("/proc/self/uid_map", "0 65534 1"))
        return;
    ground_require(getuid() == 0, "be root of a user namespace");
    try_as_another(ground, fd);
}

static void try_lent(struct ground *ground, const struct ring_memory *lent)
{
    int fd = lent->fd;

    ground_expect_result(ground, "what is lent is mapped for writing", 0,
                         map(fd, PROT_READ | PROT_WRITE));
    ground_expect_result(ground, "it is not cut", -EPERM, result_of(ftruncate(fd, 0)));
    ground_expect_result(ground, "it does not grow", -EPERM, result_of(ftruncate(fd, 4 * SIZE)));
    ground_expect_result(ground, "it is not sealed against its owner", -EPERM,
                         result_of(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE)));
    ground_expect_result(ground, "its pages can be given back", 0,
                         punch(fd, ring_memory_bytes(SIZE)));
}

/* The write ends are the service's. */
static void try_bells(struct ground *ground, const struct scene *scene)
{
    uint64_t most = UINT64_MAX - 1;

    ground_expect_result(ground, "the holder of an eventfd takes O_NONBLOCK off it for all", 0,
                         result_of(fcntl(scene->event, F_SETFL, 0)));
    ground_expect_result(ground, "and fills it", 0,
                         result_of(write(scene->event, &most, sizeof most)));
    ground_expect_result(ground, "the holder of a pipe's read end changes its own flags", 0,
                         result_of(fcntl(scene->bell.wait, F_SETFL, 0)));
    if (getuid() == NOBODY)
        ground_expect_result(ground, "it does not get a write end", -EACCES,
                             open_again(scene->bell.wait, O_WRONLY));
}

static void be_client(struct ground *ground, void *context)
{
    struct scene *scene = context;

    close(scene->bell.ring);
    if (getuid() == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0)
        ground_require(setresuid(NOBODY, NOBODY, NOBODY) == 0, "be nobody");
    try_shown(ground, scene->shown.fd);
    try_lent(ground, &scene->lent);
    try_bells(ground, scene);
    if (getuid() != NOBODY)
        return;
    try_as_another(ground, scene->shown.fd);
    try_as_root_of_a_namespace(ground, scene->shown.fd);
}

/* A service and its client of one user, without privileges. */
static void be_both(struct ground *ground, void *context)
{
    struct ring_memory shown;

    (void)context;
    if (getuid() != 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0)
        return;
    ground_require(setresuid(NOBODY, NOBODY, NOBODY) == 0, "be nobody");
    ground_require(ring_memory_make("own", SIZE, MEMORY_SHOWN, &shown) == 0, "memory");
    try_shown(ground, shown.fd);
    try_to_open(ground, shown.fd);
    ground_expect_result(ground, "the service's own user can change its mode", 0,
                         result_of(fchmod(shown.fd, 0600)));
    ground_expect_result(ground, "and open it then", 0, open_again(shown.fd, O_RDWR));
    ring_memory_free(&shown);
}

/* --- The service --------------------------------------------------------------------------- */

static short events_of(int fd)
{
    struct pollfd poll_fd = {fd, POLLIN | POLLOUT, 0};

    poll(&poll_fd, 1, 0);
    return poll_fd.revents;
}

static int unread(int fd)
{
    char bytes[64];

    return (int)read(fd, bytes, sizeof bytes);
}

static void check_memory(struct ground *ground, struct scene *scene)
{
    /* The compiler does not know that a byte has two addresses. */
    volatile unsigned char *shown = scene->shown.data, *lent = scene->lent.data;

    shown[SIZE - 1] = MARK;
    ground_expect(ground, "the service still writes to what is shown", MARK, shown[2 * SIZE - 1]);
    ground_expect(ground, "pages that were given back are zeros to the service", 0, lent[0]);
    lent[SIZE] = MARK;
    ground_expect(ground, "and are there again where it writes", MARK, lent[0]);
}

static void check_bells(struct ground *ground, struct scene *scene)
{
    ground_expect(ground, "a write to the eventfd would wait", 0,
                  events_of(scene->event) & POLLOUT);
    ground_expect(ground, "and is not told to return instead", 0,
                  fcntl(scene->event, F_GETFL) & O_NONBLOCK);
    ground_expect(ground, "the pipe's write end still does not wait", O_NONBLOCK,
                  fcntl(scene->bell.ring, F_GETFL) & O_NONBLOCK);
    for (int i = 0; i < 1000000; i++)
        ground_require(bell_ring(scene->bell.ring), "ring a bell");
    ground_expect(ground, "a bell that is rung often has one byte", 1, unread(scene->bell.wait));
    ground_require(bell_ring(scene->bell.ring), "ring a bell");
    ground_expect(ground, "that somebody listens is seen", true,
                  bell_has_listener(scene->bell.ring));
    close(scene->bell.ring);
    ground_expect(ground, "the end of the service is seen", POLLHUP,
                  events_of(scene->bell.wait) & POLLHUP);
    ground_expect(ground, "and told, behind what was rung", true, bell_clear(scene->bell.wait));
    ground_expect(ground, "and told", false, bell_clear(scene->bell.wait));
    close(scene->bell.wait);
    ground_require(bell_make(&scene->bell) == 0 && bell_ring(scene->bell.ring), "make a bell");
    close(scene->bell.wait);
    ground_expect(ground, "that nobody listens is seen, where a byte is unread as well", false,
                  bell_has_listener(scene->bell.ring));
    close(scene->bell.ring);
    ground_require(bell_make(&scene->bell) == 0, "make a bell");
    close(scene->bell.wait);
    ground_expect(ground, "the end of the client is told as well", false,
                  bell_ring(scene->bell.ring));
}

static long blocks_of(int fd)
{
    struct stat status;

    return fstat(fd, &status) < 0 ? -errno : (long)status.st_blocks;
}

/* What a client keeps of memory takes no room, nor do the pages come back that he has locked.
 * Whoever looks finds zeros, and takes them from what he may use himself. */
static void check_end(struct ground *ground, struct scene *scene)
{
    int shown = dup(scene->shown.fd), lent = dup(scene->lent.fd);
    const volatile unsigned char *kept = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, shown, 0);
    long all = (long)ring_memory_bytes(SIZE) / 512;

    ground_require(kept != MAP_FAILED, "map it");
    mlock((const void *)kept, SIZE); /* where the limit allows it */
    memset(scene->lent.data, MARK, SIZE);
    memset(scene->shown.page, MARK, ring_memory_bytes(0));
    ground_expect(ground, "what is shown has all of its pages", all, blocks_of(shown));
    ring_memory_free(&scene->shown);
    ring_memory_free(&scene->lent);
    ground_expect(ground, "what was lent and is kept has no pages", 0, blocks_of(lent));
    ground_expect(ground, "nor has what was shown, and is mapped", 0, blocks_of(shown));
    ground_expect(ground, "it is zeros to who looks", 0, kept[0]);
    ground_expect(ground, "which takes a page again", (long)ring_memory_bytes(0) / 512,
                  blocks_of(shown));
    munmap((void *)kept, SIZE);
    close(shown);
    close(lent);
}

/* A service that stops gives nothing back. */
static void check_left(struct ground *ground)
{
    struct ring_memory left;
    int kept;

    ground_require(ring_memory_make("left", SIZE, MEMORY_SHOWN, &left) == 0, "memory");
    kept = dup(left.fd);
    ring_memory_unmap(&left);
    ground_expect(ground, "what is only unmapped keeps its pages",
                  (long)ring_memory_bytes(SIZE) / 512, blocks_of(kept));
    close(kept);
}

static void check(struct ground *ground)
{
    struct scene scene;

    signal(SIGPIPE, SIG_IGN);
    ground_require(ring_memory_make("shown", SIZE, MEMORY_SHOWN, &scene.shown) == 0, "memory");
    ground_require(ring_memory_make("lent", SIZE, MEMORY_FIXED, &scene.lent) == 0, "memory");
    ground_require(bell_make(&scene.bell) == 0, "make a bell");
    scene.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ground_require(scene.event >= 0, "make an eventfd");
    memset(scene.lent.data, MARK, SIZE);
    ground_expect(ground, "what is lent has a size that nobody changes", true,
                  memory_is_fixed(scene.lent.fd, ring_memory_bytes(SIZE)));
    ground_expect(ground, "all of its pages are there", (long)ring_memory_bytes(SIZE) / 512,
                  blocks_of(scene.lent.fd));
    ground_expect_result(ground, "a size that is no power of two", -EINVAL,
                         ring_memory_make("x", 3 * SIZE, MEMORY_FIXED, &scene.lent));
    ground_in_child(ground, be_client, &scene);
    ground_in_child(ground, be_both, NULL);
    check_memory(ground, &scene);
    check_bells(ground, &scene);
    check_end(ground, &scene);
    check_left(ground);
}

int main(void)
{
    return ground_run(check);
}
