/* A switch beside a model of one: slow, obvious, with a list instead of a hash table. Operations
 * are made from bytes, which are random in a test and chosen by the fuzzer there. */
#ifndef NB_UNIT_SWITCH_SCENE_H
#define NB_UNIT_SWITCH_SCENE_H

#include "switch/switch.h"

enum {
    SCENE_PORTS = 8,
    SCENE_MACS = 24, /* that there is room for */
    SCENE_STEP_BYTES = 6,
};

struct scene;

/* NULL where there is no memory. */
struct scene *scene_new(void);
void scene_free(struct scene *scene);

/* Does to both what the bytes say. What does not hold then, or NULL. */
const char *scene_step(struct scene *scene, const uint8_t bytes[SCENE_STEP_BYTES]);

/* The same of the whole table, as it is dumped. */
const char *scene_check_table(struct scene *scene);

/* How many frames had this fate (SWITCH_NOT_DROPPED: were forwarded). */
unsigned scene_fate(const struct scene *scene, enum switch_drop reason);

#endif
