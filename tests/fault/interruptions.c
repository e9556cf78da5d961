/* Each recv and send of a session is interrupted, comes too early or moves a single byte, in turn:
 * the client hears all the same. */
#include "scene.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>

enum { NTH_MAX = 100000 };

static unsigned play_all(enum fault fault)
{
    static struct scene right, scene;
    unsigned nth = 0;

    scene_play(&right, FAULT_NONE, 0);
    do {
        scene_play(&scene, fault, ++nth);
        for (size_t i = 0; i < scene.steps; i++)
            ck_assert_msg(strcmp(scene.words[i], right.words[i]) == 0,
                          "call %u in step %zu: step %zu '%s', not '%s'", nth, scene.struck, i,
                          scene.words[i], right.words[i]);
        ck_assert_uint_eq(scene.events, right.events);
    } while (scene.struck < scene.steps && nth < NTH_MAX);
    return nth - 1;
}

START_TEST(a_call_is_interrupted)
{
    ck_assert_uint_gt(play_all(FAULT_INTERRUPTED), 30);
}
END_TEST

START_TEST(a_call_comes_too_early)
{
    ck_assert_uint_gt(play_all(FAULT_NOT_NOW), 30);
}
END_TEST

/* Of a request or a reply one byte is moved, and the rest later. */
START_TEST(a_call_moves_one_byte)
{
    ck_assert_uint_gt(play_all(FAULT_SHORT), 30);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, a_call_is_interrupted);
    tcase_add_test(tests, a_call_comes_too_early);
    tcase_add_test(tests, a_call_moves_one_byte);
}

int main(void)
{
    return suite_run("interruptions", add_tests);
}
