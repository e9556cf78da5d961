/* Memory for rings: of two kinds, as the sides of a ring map it. */
#ifndef NB_UNIT_RING_SCENE_H
#define NB_UNIT_RING_SCENE_H

#include "ring/capture.h"
#include "ring/transmit.h"

/* So many bytes, of zeros, mapped twice in a row; never NULL. */
void *mirror_new(size_t bytes);
void mirror_free(void *mirror, size_t bytes);

/* A ring of each kind with both of its sides in one process. */
struct capture_scene {
    struct capture_memory memory;
    struct capture_writer writer;
    struct capture_reader reader;
};

void capture_scene_begin(struct capture_scene *scene, uint64_t size);
void capture_scene_end(struct capture_scene *scene);

struct transmit_scene {
    struct transmit_memory memory;
    struct transmit_control *control; /* of the memory, for the client */
    ring_data *data;
    struct transmit_reader reader;
    struct transmit_writer writer;
};

void transmit_scene_begin(struct transmit_scene *scene, uint64_t size, uint32_t length_max);
void transmit_scene_end(struct transmit_scene *scene);

#endif
