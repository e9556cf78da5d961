#include "ring_scene.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void must(bool holds)
{
    if (!holds)
        abort();
}

void *mirror_new(size_t bytes)
{
    int fd = memfd_create("mirror", MFD_CLOEXEC);
    char *place = mmap(NULL, 2 * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(fd >= 0 && place != MAP_FAILED && ftruncate(fd, (off_t)bytes) == 0);
    for (int i = 0; i < 2; i++)
        must(mmap(place + (size_t)i * bytes, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
                  fd, 0) != MAP_FAILED);
    close(fd);
    return place;
}

void mirror_free(void *mirror, size_t bytes)
{
    munmap(mirror, 2 * bytes);
}

static void *page_new(void)
{
    void *page = aligned_alloc(RING_PAGE_BYTES, RING_PAGE_BYTES);

    must(page != NULL);
    return memset(page, 0, RING_PAGE_BYTES);
}

void capture_scene_begin(struct capture_scene *scene, uint64_t size)
{
    scene->memory =
        (struct capture_memory){page_new(), mirror_new(size), size, RING_PAGE_BYTES, page_new()};
    must(capture_writer_init(&scene->writer, &scene->memory, 1));
    must(capture_reader_init(&scene->reader, scene->memory.control, scene->memory.data, size,
                             scene->memory.page));
}

void capture_scene_end(struct capture_scene *scene)
{
    free(scene->memory.control);
    free(scene->memory.page);
    mirror_free(scene->memory.data, scene->memory.size);
}

void transmit_scene_begin(struct transmit_scene *scene, uint64_t size, uint32_t length_max)
{
    scene->control = page_new();
    scene->data = mirror_new(size);
    scene->memory = (struct transmit_memory){scene->control,  scene->data, size,
                                             RING_PAGE_BYTES, length_max,  page_new()};
    must(transmit_reader_init(&scene->reader, &scene->memory));
    must(transmit_writer_init(&scene->writer, scene->control, scene->data, size,
                              scene->memory.feedback));
}

void transmit_scene_end(struct transmit_scene *scene)
{
    free(scene->control);
    free(scene->memory.feedback);
    mirror_free(scene->data, scene->memory.size);
}
