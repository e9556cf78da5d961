/* The writer of capture files: what is in them, when the next one begins, and how it ends where the
 * disk is full, the reader is gone, or does not read. */
#include "files.h"
#include "frames.h"
#include "suite.h"
#include "writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LENGTH = 100, NAMES_MAX = 32, PATH_BYTES = 512, FILE_BYTES = 8 << 20 };

static const struct savefile_interface ethernet = {
    .linktype = SAVEFILE_ETHERNET, .snaplen = 4096, .name = {"eth0", 4}};
static char folder[] = "/tmp/netbroker-capture-XXXXXX", path[PATH_BYTES];
static char problem[SAVEFILE_WRITER_PROBLEM];
static unsigned char bytes[FILE_BYTES], frame[LENGTH];
static int told[2]; /* a pipe: the writer has told of its end */

static void on_ended(void *context)
{
    (void)context;
    if (write(told[1], "", 1) != 1)
        abort();
}

static void count_frames(void *context, struct savefile_statistics *ret)
{
    ret->received = *(const uint64_t *)context;
}

static struct savefile_writer_config config = {
    .path = path,
    .interfaces = &ethernet,
    .interface_count = 1,
    .ended = on_ended,
};

static void begin(void)
{
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/trace.pcapng", folder);
    ck_assert_int_eq(pipe2(told, O_CLOEXEC), 0);
    signal(SIGPIPE, SIG_DFL); /* as in a program that did nothing about it */
    signal(SIGXFSZ, SIG_DFL);
}

static struct savefile_writer *open_writer(void)
{
    struct savefile_writer *writer = NULL;

    ck_assert_msg(savefile_writer_open(&writer, &config, problem) == 0, "%s", problem);
    return writer;
}

static enum savefile_put put(struct savefile_writer *writer, uint64_t time)
{
    struct savefile_packet packet = {
        .time = time, .captured = LENGTH, .length = LENGTH + 1, .bytes = frame};

    return savefile_writer_put(writer, &packet);
}

/* Puts so many, all of which are taken. */
static void put_all(struct savefile_writer *writer, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        while (!savefile_writer_wait(writer, 1000))
            ;
        ck_assert_int_eq(put(writer, i), SAVEFILE_TAKEN);
    }
}

/* Waits for what must come; a test that waits for ever is ended. */
static void await_readable(int fd)
{
    struct pollfd poller = {.fd = fd, .events = POLLIN};

    ck_assert_int_eq(poll(&poller, 1, -1), 1);
}

/* --- What is in a folder ------------------------------------------------------------------- */

struct listed {
    unsigned count;
    char names[NAMES_MAX][PATH_BYTES];
};

static int compare(const void *one, const void *two)
{
    return strcmp(one, two);
}

static void list_folder(const char *name, struct listed *ret)
{
    DIR *opened = opendir(name);
    struct dirent *entry;

    ret->count = 0;
    while ((entry = readdir(opened)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            ck_assert_uint_lt(ret->count, NAMES_MAX);
            snprintf(ret->names[ret->count++], PATH_BYTES, "%s/%.200s", name, entry->d_name);
        }
    closedir(opened);
    qsort(ret->names, ret->count, sizeof ret->names[0], compare);
}

static void list(struct listed *ret)
{
    list_folder(folder, ret);
}

static void end(void)
{
    struct listed files;

    list(&files);
    for (unsigned i = 0; i < files.count; i++)
        unlink(files.names[i]);
    ck_assert_int_eq(rmdir(folder), 0);
}

/* --- What is in a file --------------------------------------------------------------------- */

struct content {
    bool whole;
    unsigned sections, interfaces, packets, statistics;
    uint64_t received, first, last; /* times */
};

static void take(struct content *content, enum savefile_next kind, const struct savefile_item *item)
{
    content->sections += kind == SAVEFILE_SECTION;
    content->interfaces += kind == SAVEFILE_INTERFACE;
    content->statistics += kind == SAVEFILE_STATISTICS;
    if (kind == SAVEFILE_STATISTICS)
        content->received = item->statistics.received;
    if (kind != SAVEFILE_PACKET)
        return;
    if (content->packets++ == 0)
        content->first = item->packet.time;
    content->last = item->packet.time;
    if (item->packet.captured != LENGTH || memcmp(item->packet.bytes, frame, LENGTH) != 0)
        ck_abort_msg("a frame has other bytes");
}

static struct content read_bytes(size_t n)
{
    static struct savefile_reader reader;
    struct content content = {.packets = 0};
    struct savefile_item item;
    enum savefile_next kind;
    size_t at = 0, used;

    memset(&reader, 0, sizeof reader);
    while ((kind = savefile_reader_next(&reader, bytes + at, n - at, &used, &item)) !=
               SAVEFILE_MORE &&
           kind != SAVEFILE_BROKEN) {
        take(&content, kind, &item);
        at += used;
    }
    content.whole = savefile_reader_end(&reader, n - at);
    return content;
}

static struct content read_content(const char *name)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t some;

    ck_assert_msg(fd >= 0, "%s", name);
    while ((some = read(fd, bytes + n, sizeof bytes - n)) > 0)
        n += (size_t)some;
    close(fd);
    return read_bytes(n);
}

/* --- One file ------------------------------------------------------------------------------ */

START_TEST(a_file_has_what_was_put)
{
    uint64_t received = 30000;
    struct content content;
    struct savefile_progress progress;
    struct savefile_writer *writer;
    struct stat status;

    begin();
    umask(0);
    config.format = (enum savefile_format)_i;
    config.section.application = savefile_text("a test");
    config.statistics = count_frames;
    config.context = &received;
    writer = open_writer();
    put_all(writer, 30000);
    progress = savefile_writer_progress(writer);
    ck_assert_int_eq(savefile_writer_state(writer), SAVEFILE_RUNS);
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_RUNS);
    ck_assert_str_eq(problem, "");
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    content = read_content(path);
    ck_assert(content.whole);
    ck_assert_uint_eq(content.packets, 30000);
    ck_assert_uint_eq(content.last, _i == SAVEFILE_PCAP_US ? 29000 : 29999);
    ck_assert_uint_eq(content.sections, _i == SAVEFILE_PCAPNG);
    ck_assert_uint_eq(content.statistics, _i == SAVEFILE_PCAPNG);
    ck_assert_uint_eq(content.received, _i == SAVEFILE_PCAPNG ? 30000 : 0);
    ck_assert_uint_eq(progress.packets, 30000);
    ck_assert_uint_eq(progress.files, 1);
    ck_assert_uint_le(progress.bytes, (uint64_t)status.st_size); /* the last block came after it */
    ck_assert_uint_le((uint64_t)status.st_size, progress.bytes + 200);
    end();
}
END_TEST

START_TEST(a_file_that_was_there_is_made_anew)
{
    struct savefile_writer *writer;
    int fd;

    begin();
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    memset(bytes, 'x', 100000);
    ck_assert_int_eq(write(fd, bytes, 100000), 100000);
    close(fd);
    writer = open_writer();
    put_all(writer, 2);
    savefile_writer_close(writer, problem);
    ck_assert_uint_eq(read_content(path).packets, 2);
    ck_assert(read_content(path).whole);
    end();
}
END_TEST

/* --- Limits -------------------------------------------------------------------------------- */

static void be_numbered(const char *name)
{
    regex_t pattern;

    ck_assert_int_eq(
        regcomp(&pattern, "/trace_[0-9]{5}_20[0-9]{12}[.]pcapng$", REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(regexec(&pattern, name, 0, NULL, 0) == 0, "%s", name);
    regfree(&pattern);
}

START_TEST(the_next_file_begins_after_so_many_frames)
{
    uint64_t received = 7;
    struct savefile_writer *writer;
    struct listed files;

    begin();
    config.rotate.packets = 4;
    config.statistics = count_frames;
    config.context = &received;
    writer = open_writer();
    put_all(writer, 4 * 9 + 1);
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_RUNS);
    list(&files);
    ck_assert_uint_eq(files.count, 10);
    for (unsigned i = 0; i < files.count; i++) {
        struct content content = read_content(files.names[i]);

        be_numbered(files.names[i]);
        ck_assert(content.whole);
        ck_assert_uint_eq(content.sections, 1);
        ck_assert_uint_eq(content.statistics, 1);
        ck_assert_uint_eq(content.packets, i < 9 ? 4 : 1);
        ck_assert_uint_eq(content.first, UINT64_C(4) * i);
    }
    end();
}
END_TEST

/* More files in one buffer than it has places for. */
START_TEST(a_ring_keeps_the_last_files)
{
    struct savefile_writer *writer;
    struct listed files;

    begin();
    config.rotate.packets = 1;
    config.rotate.files = 3;
    writer = open_writer();
    put_all(writer, 500);
    ck_assert_uint_eq(savefile_writer_progress(writer).files, 500);
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_RUNS);
    list(&files);
    ck_assert_uint_eq(files.count, 3);
    for (unsigned i = 0; i < 3; i++)
        ck_assert_uint_eq(read_content(files.names[i]).first, 497 + i);
    ck_assert_ptr_nonnull(strstr(files.names[2], "trace_00500_"));
    end();
}
END_TEST

START_TEST(the_next_file_begins_after_so_many_bytes)
{
    struct savefile_writer *writer;
    struct listed files;
    struct stat status;

    begin();
    config.rotate.bytes = 10000;
    config.stop.files = 3;
    writer = open_writer();
    while (put(writer, 0) == SAVEFILE_TAKEN)
        ;
    ck_assert_int_eq(savefile_writer_state(writer), SAVEFILE_COMPLETE);
    ck_assert_int_eq(put(writer, 0), SAVEFILE_ENDED);
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_COMPLETE);
    list(&files);
    ck_assert_uint_eq(files.count, 3);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(read_content(files.names[i]).whole);
        ck_assert_int_eq(stat(files.names[i], &status), 0);
        ck_assert_int_ge(status.st_size, 10000); /* the frame that reaches it is the last one */
        ck_assert_int_lt(status.st_size, 10000 + LENGTH + 40);
    }
    end();
}
END_TEST

START_TEST(it_is_complete_after_so_many_frames_or_bytes)
{
    struct savefile_writer *writer;

    begin();
    if (_i)
        config.stop.packets = 10;
    else
        config.stop.bytes = 68 + 10 * 132;
    writer = open_writer();
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(put(writer, 0), SAVEFILE_TAKEN);
    ck_assert_int_eq(put(writer, 0), SAVEFILE_ENDED);
    ck_assert_uint_eq(savefile_writer_tick(writer, 1), UINT32_MAX);
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_COMPLETE);
    ck_assert_uint_eq(read_content(path).packets, 10);
    end();
}
END_TEST

START_TEST(durations_end_files_and_captures)
{
    const uint64_t second = UINT64_C(1000000000);
    struct savefile_writer *writer;
    struct listed files;

    begin();
    config.rotate.duration = 2 * second;
    config.stop.duration = 5 * second;
    writer = open_writer();
    ck_assert_uint_eq(savefile_writer_tick(writer, 100 * second), 2001);
    put_all(writer, 3);
    ck_assert_uint_eq(savefile_writer_tick(writer, 102 * second - 1), 1);
    ck_assert_uint_eq(savefile_writer_tick(writer, 102 * second), 2001);
    put_all(writer, 2);
    ck_assert_uint_eq(savefile_writer_tick(writer, 104 * second + 1), 1000);
    ck_assert_int_eq(savefile_writer_state(writer), SAVEFILE_RUNS);
    ck_assert_uint_eq(savefile_writer_tick(writer, 105 * second), UINT32_MAX);
    ck_assert_int_eq(put(writer, 0), SAVEFILE_ENDED);
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_COMPLETE);
    list(&files);
    ck_assert_uint_eq(files.count, 3);
    ck_assert_uint_eq(read_content(files.names[0]).packets, 3);
    ck_assert_uint_eq(read_content(files.names[1]).packets, 2);
    ck_assert_uint_eq(read_content(files.names[2]).packets, 0);
    ck_assert(read_content(files.names[2]).whole);
    end();
}
END_TEST

START_TEST(the_last_file_ends_by_its_duration)
{
    struct savefile_writer *writer;

    begin();
    config.rotate.duration = 1000;
    config.stop.files = 1;
    writer = open_writer();
    savefile_writer_tick(writer, 5000);
    ck_assert_uint_eq(savefile_writer_tick(writer, 6000), UINT32_MAX);
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_COMPLETE);
    end();
}
END_TEST

/* --- Pipes --------------------------------------------------------------------------------- */

/* Standard output is this pipe's other end from now on. */
static int open_pipe(void)
{
    int pair[2];

    ck_assert_int_eq(pipe2(pair, O_CLOEXEC), 0);
    ck_assert_int_eq(dup2(pair[1], STDOUT_FILENO), STDOUT_FILENO);
    close(pair[1]);
    config.path = "-";
    return pair[0];
}

static size_t read_pipe(int fd, size_t at, size_t until)
{
    while (at < until) {
        ssize_t some = read(fd, bytes + at, sizeof bytes - at);

        ck_assert_int_gt(some, 0);
        at += (size_t)some;
    }
    return at;
}

/* The reader sees the head of the file, and each frame, although nothing more comes. */
START_TEST(a_pipe_is_live)
{
    size_t size = pcapng_put_section(bytes, sizeof bytes, &config.section), n = 0;
    struct savefile_packet packet = {.captured = LENGTH, .length = LENGTH + 1, .bytes = frame};
    struct savefile_writer *writer;
    int fd;

    begin();
    fd = open_pipe();
    writer = open_writer();
    for (unsigned i = 0; i < 5; i++) {
        ck_assert_int_eq(put(writer, i), SAVEFILE_TAKEN);
        n = read_pipe(fd, n, 0);
        do
            n = read_pipe(fd, n, n + 1);
        while (read_bytes(n).packets < i + 1);
        ck_assert(read_bytes(n).whole);
    }
    ck_assert_uint_gt(n, size + 5 * pcapng_put_packet(bytes, sizeof bytes, &packet));
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_RUNS);
    close(fd);
    end();
}
END_TEST

START_TEST(a_reader_that_goes_ends_it_quietly)
{
    struct savefile_writer *writer;
    int fd;

    begin();
    fd = open_pipe();
    writer = open_writer();
    put_all(writer, 1);
    await_readable(fd);
    close(fd);
    while (put(writer, 0) == SAVEFILE_TAKEN &&
           poll(&(struct pollfd){told[0], POLLIN, 0}, 1, 1) == 0)
        ;
    await_readable(told[0]);
    ck_assert_int_eq(savefile_writer_state(writer), SAVEFILE_READER_GONE);
    ck_assert_int_eq(put(writer, 0), SAVEFILE_ENDED);
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_READER_GONE);
    ck_assert_str_eq(problem, "");
    end();
}
END_TEST

/* It takes what it has room for, and ends although nobody reads. */
START_TEST(a_reader_that_does_not_read_keeps_nobody)
{
    struct savefile_writer *writer;
    unsigned taken = 0;
    int fd;

    begin();
    fd = open_pipe();
    writer = open_writer();
    while (put(writer, taken) == SAVEFILE_TAKEN)
        taken++;
    ck_assert_uint_gt(taken, SAVEFILE_WRITER_BUFFER / 150);
    ck_assert(!savefile_writer_wait(writer, 1));
    ck_assert_int_eq(savefile_writer_state(writer), SAVEFILE_RUNS);
    alarm(100); /* else a writer that waits for ever is ended after ten minutes only */
    if (_i)
        savefile_writer_close(writer, problem);
    else {
        while (!savefile_writer_wait(writer, 1))
            read_pipe(fd, 0, 1);
        ck_assert_int_eq(put(writer, taken), SAVEFILE_TAKEN);
        close(fd);
        ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_READER_GONE);
    }
    end();
}
END_TEST

/* Standard output is another's as well, who may have made it so that no write waits. */
START_TEST(an_output_that_does_not_block_is_waited_for)
{
    struct savefile_writer *writer;
    unsigned taken = 0;
    size_t n = 0;
    int fd;

    begin();
    fd = open_pipe();
    ck_assert_int_eq(fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK | O_WRONLY), 0);
    writer = open_writer();
    while (taken < 5000 && put(writer, taken) == SAVEFILE_TAKEN)
        taken++;
    do
        n = read_pipe(fd, n, n + 1);
    while (n < (size_t)taken * 132);
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_RUNS);
    close(fd);
    end();
}
END_TEST

/* --- No room ------------------------------------------------------------------------------- */

/* The file has the whole blocks that there was room for, and opens clean. */
START_TEST(a_full_disk_leaves_a_clean_file)
{
    const struct rlimit most = {.rlim_cur = 300001 + (rlim_t)_i * 37, .rlim_max = 400000};
    struct savefile_writer *writer;
    struct content content;
    struct stat status;

    begin();
    config.format = _i % 2 ? SAVEFILE_PCAP : SAVEFILE_PCAPNG;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &most), 0);
    writer = open_writer();
    while (put(writer, 0) != SAVEFILE_ENDED)
        savefile_writer_wait(writer, 1);
    await_readable(told[0]);
    ck_assert_int_eq(savefile_writer_state(writer), SAVEFILE_FAILED);
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_FAILED);
    ck_assert_msg(strstr(problem, "trace.pcapng cannot be written: File too large"), "%s", problem);
    content = read_content(path);
    ck_assert(content.whole);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_gt(status.st_size, (off_t)most.rlim_cur - LENGTH - 40);
    ck_assert_uint_ge(content.packets, 2000);
    end();
}
END_TEST

/* While the limit holds, libcheck cannot write either. */
START_TEST(a_file_that_has_no_room_for_its_head_is_deleted)
{
    const struct rlimit least = {.rlim_cur = 20, .rlim_max = 400000}, most = {400000, 400000};
    struct pollfd poller = {.events = POLLIN};
    struct savefile_writer *writer = NULL;
    struct listed files;
    int result;

    begin();
    config.rotate.packets = 1;
    poller.fd = told[0];
    setrlimit(RLIMIT_FSIZE, &least);
    result = savefile_writer_open(&writer, &config, problem);
    if (result == 0)
        poll(&poller, 1, -1);
    setrlimit(RLIMIT_FSIZE, &most);
    ck_assert_int_eq(result, 0);
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_FAILED);
    list(&files);
    ck_assert_uint_eq(files.count, 0);
    end();
}
END_TEST

START_TEST(what_cannot_be_truncated_fails_as_well)
{
    struct savefile_writer *writer;

    begin();
    config.path = "/dev/full";
    writer = open_writer();
    await_readable(told[0]);
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_FAILED);
    ck_assert_ptr_nonnull(strstr(problem, "No space left"));
    end();
}
END_TEST

/* --- What cannot begin --------------------------------------------------------------------- */

static void refused(int error, const char *sentence)
{
    struct savefile_writer *writer = NULL;

    ck_assert_int_eq(savefile_writer_open(&writer, &config, problem), error);
    ck_assert_ptr_null(writer);
    ck_assert_msg(strstr(problem, sentence), "%s", problem);
}

START_TEST(what_cannot_begin_says_why)
{
    static char text[SAVEFILE_TEXT_MAX + 1];
    char fifo[PATH_BYTES + 8];

    begin();
    config.path = "/no-such-folder/x";
    refused(-ENOENT, "/no-such-folder/x cannot be written");
    snprintf(fifo, sizeof fifo, "%s/fifo", folder);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    config.path = fifo;
    refused(-ENXIO, "start its reader first");
    config.path = path;
    config.rotate.files = 3;
    refused(-EINVAL, "a number of files needs a size");
    config.rotate = (struct savefile_limits){.bytes = 1000, .files = 10001};
    refused(-EINVAL, "at most 10000 files");
    config.rotate.files = 0;
    config.path = "-";
    refused(-EINVAL, "cannot take turns");
    config.rotate.bytes = 0;
    close(STDOUT_FILENO);
    refused(-EBADF, "standard output cannot be written");
    config.path = path;
    config.interface_count = 0;
    refused(-EINVAL, "1 to 256 interfaces");
    config.interface_count = 2;
    config.format = SAVEFILE_PCAP;
    refused(-EINVAL, "use pcapng");
    config.interface_count = 1;
    config.format = SAVEFILE_PCAPNG;
    config.section.comment = (struct savefile_text){text, sizeof text};
    refused(-EINVAL, "texts are too long");
    end();
}
END_TEST

START_TEST(a_terminal_gets_no_capture)
{
    int fd = posix_openpt(O_RDWR | O_NOCTTY), other;

    begin();
    ck_assert(fd >= 0 && grantpt(fd) == 0 && unlockpt(fd) == 0);
    other = open(ptsname(fd), O_RDWR | O_NOCTTY | O_CLOEXEC);
    ck_assert_int_ge(other, 0);
    dup2(other, STDOUT_FILENO);
    config.path = "-";
    refused(-ENOTTY, "it is a terminal");
    end();
}
END_TEST

/* By whatever name, it is the output that was inherited, which may be another user's file, or one
 * that others write to as well: a file opened by that name would be cut. */
START_TEST(standard_output_is_not_opened_anew)
{
    static const char *const names[] = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"};
    struct savefile_writer *writer;
    char word[8] = "";
    int fd;

    begin();
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_eq(dup2(fd, STDOUT_FILENO), STDOUT_FILENO);
    ck_assert_int_eq(write(fd, "before", 6), 6);
    ck_assert_int_eq(fchmod(fd, 0), 0);
    config.path = names[_i];
    ck_assert(savefile_is_output(config.path));
    writer = open_writer();
    put_all(writer, 1);
    ck_assert_int_eq(savefile_writer_close(writer, problem), SAVEFILE_RUNS);
    ck_assert_int_eq(pread(fd, word, 6, 0), 6);
    ck_assert_str_eq(word, "before");
    ck_assert_int_gt(lseek(fd, 0, SEEK_END), 6 + LENGTH);
    ck_assert(!savefile_is_output(path));
    close(fd);
    end();
}
END_TEST

/* Names can be foreseen: what is there is neither written nor followed. */
START_TEST(a_numbered_file_replaces_nothing)
{
    char name[PATH_BYTES + 64];
    time_t now = time(NULL);

    begin();
    for (time_t second = now; second < now + 20; second++) {
        char text[32];
        struct tm local;

        localtime_r(&second, &local);
        strftime(text, sizeof text, "%Y%m%d%H%M%S", &local);
        snprintf(name, sizeof name, "%s/trace_00001_%s.pcapng", folder, text);
        ck_assert_int_eq(symlink("target", name), 0);
    }
    config.rotate.packets = 1;
    refused(-EEXIST, "trace_00001_");
    end();
}
END_TEST

/* A name without a suffix stays without one, whatever its folder is called. */
START_TEST(a_suffix_is_that_of_the_name)
{
    static const char *const names[] = {"trace", "x.trace_", ".trace"};
    static const char *const patterns[] = {"/trace_00001_20[0-9]{12}$",
                                           "/x_00001_20[0-9]{12}[.]trace_$",
                                           "/[.]trace_00001_20[0-9]{12}$"};
    struct savefile_writer *writer;
    struct listed files;
    regex_t pattern;
    char outer[sizeof folder + 8];

    begin();
    memcpy(outer, folder, sizeof folder);
    snprintf(path, sizeof path, "%s/a.b", folder);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    snprintf(path, sizeof path, "%s/a.b/%s", folder, names[_i]);
    config.rotate.packets = 1;
    writer = open_writer();
    savefile_writer_close(writer, problem);
    strcat(outer, "/a.b");
    list_folder(outer, &files);
    ck_assert_uint_eq(files.count, 1);
    ck_assert_int_eq(regcomp(&pattern, patterns[_i], REG_EXTENDED | REG_NOSUB), 0);
    ck_assert_msg(regexec(&pattern, files.names[0], 0, NULL, 0) == 0, "%s", files.names[0]);
    regfree(&pattern);
    unlink(files.names[0]);
    rmdir(outer);
    end();
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_file_has_what_was_put, 0, 3);
    tcase_add_test(tests, a_file_that_was_there_is_made_anew);
    tcase_add_test(tests, the_next_file_begins_after_so_many_frames);
    tcase_add_test(tests, a_ring_keeps_the_last_files);
    tcase_add_test(tests, the_next_file_begins_after_so_many_bytes);
    tcase_add_loop_test(tests, it_is_complete_after_so_many_frames_or_bytes, 0, 2);
    tcase_add_test(tests, durations_end_files_and_captures);
    tcase_add_test(tests, the_last_file_ends_by_its_duration);
    tcase_add_test(tests, a_pipe_is_live);
    tcase_add_test(tests, a_reader_that_goes_ends_it_quietly);
    tcase_add_loop_test(tests, a_reader_that_does_not_read_keeps_nobody, 0, 2);
    tcase_add_test(tests, an_output_that_does_not_block_is_waited_for);
    tcase_add_loop_test(tests, a_full_disk_leaves_a_clean_file, 0, 8);
    tcase_add_test(tests, a_file_that_has_no_room_for_its_head_is_deleted);
    tcase_add_test(tests, what_cannot_be_truncated_fails_as_well);
    tcase_add_test(tests, what_cannot_begin_says_why);
    tcase_add_test(tests, a_terminal_gets_no_capture);
    tcase_add_loop_test(tests, standard_output_is_not_opened_anew, 0, 4);
    tcase_add_test(tests, a_numbered_file_replaces_nothing);
    tcase_add_loop_test(tests, a_suffix_is_that_of_the_name, 0, 3);
}

int main(void)
{
    return suite_run("capture_files", add_tests);
}
