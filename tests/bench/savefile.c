/* What capture files cost: a frame put into a block, a block read, and a frame through the writer
 * with its thread to a place that takes all. Beside them the copy of the frame alone, and the least
 * that a program can do: fwrite of pcap's record and the frame.
 *
 * usage: savefile [FILE]      FILE: where to write to; /dev/null
 *
 * Prints nanoseconds a frame: medians of turns that alternate. */
#include "bench.h"
#include "writer.h"

#include <stdio.h>
#include <stdlib.h>

/* Files have more frames, so that what a thread costs at its begin and end is little. */
enum { FRAMES = 20000, FILE_FRAMES = 400000, TURNS = 9, PLACE = 64 << 20, LONGEST = 1514 };

enum way { COPY, PUT, READ, STDIO, WRITER, WAYS };

struct scene {
    const char *path;
    unsigned char *place;
    size_t used; /* of place: a file */
    struct savefile_packet packet;
    unsigned char frame[LONGEST];
};

static void copy_frames(struct scene *scene)
{
    unsigned char *at = scene->place;

    for (unsigned i = 0; i < FRAMES; i++) {
        memcpy(at, scene->frame, scene->packet.captured);
        __asm__ volatile("" : : "r"(at) : "memory");
        at += scene->packet.captured;
    }
}

static void put_frames(struct scene *scene)
{
    static const struct savefile_interface interface = {.linktype = SAVEFILE_ETHERNET};
    struct savefile_section section = {.os = savefile_text("Linux")};
    size_t used = pcapng_put_section(scene->place, PLACE, &section);

    used += pcapng_put_interface(scene->place + used, PLACE - used, &interface);
    for (unsigned i = 0; i < FRAMES; i++)
        used += pcapng_put_packet(scene->place + used, PLACE - used, &scene->packet);
    scene->used = used;
}

static void read_frames(struct scene *scene)
{
    static struct savefile_reader reader;
    struct savefile_item item;
    size_t at = 0, used;
    unsigned frames = 0;

    memset(&reader, 0, sizeof reader);
    for (enum savefile_next next;
         (next = savefile_reader_next(&reader, scene->place + at, scene->used - at, &used,
                                      &item)) != SAVEFILE_MORE;
         at += used)
        frames += next == SAVEFILE_PACKET;
    bench_require(frames == FRAMES, "all frames are read");
}

static void write_stdio(struct scene *scene)
{
    FILE *file = fopen(scene->path, "we");
    unsigned record[4] = {1, 2, scene->packet.captured, scene->packet.length};

    bench_require(file != NULL, "a file");
    for (unsigned i = 0; i < FILE_FRAMES; i++) {
        fwrite(record, sizeof record, 1, file);
        fwrite(scene->frame, scene->packet.captured, 1, file);
    }
    fclose(file);
}

static void write_frames(struct scene *scene)
{
    static const struct savefile_interface interface = {.linktype = SAVEFILE_ETHERNET};
    const struct savefile_writer_config config = {
        .path = scene->path, .interfaces = &interface, .interface_count = 1};
    char problem[SAVEFILE_WRITER_PROBLEM];
    struct savefile_writer *writer;

    bench_require(savefile_writer_open(&writer, &config, problem) == 0, problem);
    for (unsigned i = 0; i < FILE_FRAMES; i++)
        while (savefile_writer_put(writer, &scene->packet) != SAVEFILE_TAKEN)
            savefile_writer_wait(writer, 100);
    savefile_writer_close(writer, problem);
}

static double measure(struct scene *scene, enum way way)
{
    static void (*const ways[WAYS])(struct scene * scene) = {copy_frames, put_frames, read_frames,
                                                             write_stdio, write_frames};
    double start = bench_now();

    ways[way](scene);
    return (bench_now() - start) * 1000 / (way < STDIO ? FRAMES : FILE_FRAMES);
}

static void compare(struct scene *scene, uint32_t length)
{
    double times[WAYS][TURNS], median[WAYS];

    scene->packet = (struct savefile_packet){
        .time = UINT64_C(1700000000123456789),
        .captured = length,
        .length = length,
        .bytes = scene->frame,
        .direction = SAVEFILE_INBOUND,
    };
    for (unsigned turn = 0; turn < TURNS; turn++)
        for (unsigned way = 0; way < WAYS; way++)
            times[way][turn] = measure(scene, (enum way)way);
    for (unsigned way = 0; way < WAYS; way++)
        median[way] = bench_median(times[way], TURNS);
    printf("%-14u %8.1f %8.1f %8.1f %8.1f %8.1f %14.2f\n", length, median[COPY], median[PUT],
           median[READ], median[STDIO], median[WRITER], median[WRITER] / median[STDIO]);
}

int main(int count, char **arguments)
{
    static struct scene scene;

    scene.path = count > 1 ? arguments[1] : "/dev/null";
    scene.place = bench_array(PLACE, 1);
    printf("%-14s %8s %8s %8s %8s %8s %14s\n", "ns a frame of", "copy", "put", "read", "fwrite",
           "writer", "writer: fwrite");
    compare(&scene, 60);
    compare(&scene, LONGEST);
    free(scene.place);
    return 0;
}
