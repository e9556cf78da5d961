/* A switch to which anything happens: ports come and go with any rules, and send any frames at any
 * time. It does what a model of it does that is simple enough to be right. */
#include "fuzz.h"
#include "switch_scene.h"

static void must_hold(const char *wrong)
{
    must(wrong == NULL, wrong);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct scene *scene = scene_new();

    must(scene != NULL, "there is memory");
    for (; n >= SCENE_STEP_BYTES; n -= SCENE_STEP_BYTES, bytes += SCENE_STEP_BYTES)
        must_hold(scene_step(scene, bytes));
    must_hold(scene_check_table(scene));
    scene_free(scene);
    return 0;
}
