/* One story, told again and again, each time with another fault in it: a client asks the service
 * everything there is to ask, while interfaces go and come. Session, dispatch and all below run in
 * this process, on the fake platform. */
#ifndef NB_FAULT_SCENE_H
#define NB_FAULT_SCENE_H

#include "inject.h"

#include <stddef.h>
#include <stdint.h>

enum { SCENES_MAX = 64, WORD_MAX = 32 };

/* What became of each step. */
struct scene {
    size_t steps;
    char words[SCENES_MAX][WORD_MAX]; /* "success", an error's code, "end", or "" for no reply */
    size_t struck;                    /* the step in which the fault happened; steps: in none */
    uint64_t events;                  /* that the client was told of, or told that it missed */
};

/* Tells the story with the nth chance for the fault taken. It asserts what holds whatever fails:
 * each line is JSON, events are numbered without a gap, the kernel's table is what the routes say,
 * and in the end nothing is left over and no memory is lost. */
void scene_play(struct scene *scene, enum fault fault, unsigned nth);

#endif
