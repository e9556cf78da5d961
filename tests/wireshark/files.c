/* Capture files for the scripts beside this.
 *
 *     capture-files-tool write pcapng|pcap|pcap-us FILE|- ROTATE    known frames; ROTATE: a file
 * each so many frames, 0: one file capture-files-tool read FILE|-        prints time, length and
 * bytes of each frame */
#include "source.h"
#include "writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 20 };

static const struct savefile_interface interfaces[] = {
    {
        .linktype = SAVEFILE_ETHERNET,
        .snaplen = 1000,
        .has_mac = true,
        .mac = {2, 0, 0, 0, 0, 1},
        .speed = 1000000000,
        .name = {"eth0", 4},
        .description = {"the first one", 13},
        .filter = {"ether proto 0x88b5", 18},
        .hardware = {"some card", 9},
        .os = {"some system", 11},
    },
    {.linktype = SAVEFILE_ETHERNET, .name = {"eth1", 4}},
};

static void count_frames(void *context, struct savefile_statistics *ret)
{
    (void)context;
    ret->received = ret->interface == 0 ? 123 : 456;
    ret->dropped = 1;
    ret->accepted = 100;
    ret->os_dropped = 2;
    ret->delivered = 10;
}

static int fail(const char *what)
{
    fprintf(stderr, "capture-files-tool: %s\n", what);
    return 1;
}

/* Frame i: broadcast, from 02:00:00:00:00:01, EtherType 0x88b5, i in its last byte. */
static struct savefile_packet make(unsigned i, unsigned char *bytes, bool several)
{
    struct savefile_packet packet = {
        .time = UINT64_C(1700000000123456789) + i * UINT64_C(1000000007),
        .captured = 60 + i,
        .length = 60 + i + (i == 3 ? 500 : 0),
        .bytes = bytes,
    };

    memset(bytes, 0, packet.captured);
    memset(bytes, 0xff, 6);
    memcpy(bytes + 6, "\x02\0\0\0\0\1\x88\xb5", 8);
    bytes[packet.captured - 1] = (unsigned char)i;
    if (!several)
        return packet;
    packet.interface = i % 2;
    packet.direction = (enum savefile_direction)(i % 3);
    packet.dropped = i == 5 ? 7 : 0;
    packet.comment = savefile_text(i == 4 ? "a frame of its own" : NULL);
    return packet;
}

static int write_file(const char *format, const char *path, unsigned long rotate)
{
    bool pcapng = strcmp(format, "pcapng") == 0;
    struct savefile_writer_config config = {
        .path = path,
        .format = pcapng                           ? SAVEFILE_PCAPNG
                  : strcmp(format, "pcap-us") == 0 ? SAVEFILE_PCAP_US
                                                   : SAVEFILE_PCAP,
        .section = {.hardware = savefile_text("some processor"),
                    .os = savefile_text("Linux"),
                    .application = savefile_text("a test of netbroker"),
                    .comment = savefile_text("all of it is known")},
        .interfaces = interfaces,
        .interface_count = pcapng ? 2 : 1,
        .rotate.packets = rotate,
        .statistics = count_frames,
    };
    char problem[SAVEFILE_WRITER_PROBLEM];
    struct savefile_writer *writer;
    unsigned char bytes[2000];

    if (savefile_writer_open(&writer, &config, problem) < 0)
        return fail(problem);
    for (unsigned i = 0; i < FRAMES; i++) {
        struct savefile_packet packet = make(i, bytes, pcapng);

        if (savefile_writer_put(writer, &packet) != SAVEFILE_TAKEN)
            return fail("a frame was not taken");
    }
    return savefile_writer_close(writer, problem) == SAVEFILE_FAILED ? fail(problem) : 0;
}

static int read_file(const char *path)
{
    struct savefile_source *source;
    struct savefile_source_frame frame;
    enum savefile_source_next next;

    if (savefile_source_open(&source, path) < 0)
        return fail(path);
    while ((next = savefile_source_next(source, &frame)) == SAVEFILE_SOURCE_FRAME) {
        printf("%" PRIu64 ".%09" PRIu64 " %zu ", frame.time / 1000000000, frame.time % 1000000000,
               frame.length + frame.cut);
        for (size_t i = 0; i < frame.length; i++)
            printf("%02x", frame.bytes[i]);
        putchar('\n');
    }
    if (next == SAVEFILE_SOURCE_BROKEN)
        fail(savefile_source_problem(source));
    savefile_source_close(source);
    return next == SAVEFILE_SOURCE_BROKEN;
}

int main(int count, char **arguments)
{
    if (count == 5 && strcmp(arguments[1], "write") == 0)
        return write_file(arguments[2], arguments[3], strtoul(arguments[4], NULL, 10));
    if (count == 3 && strcmp(arguments[1], "read") == 0)
        return read_file(arguments[2]);
    return fail("write FORMAT FILE ROTATE, or read FILE");
}
