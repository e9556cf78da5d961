/* Every allocation on the way of a request fails, in turn: the client is told so, or loses its
 * connection where there is no memory to tell, and the service goes on as if nothing had been. */
#include "scene.h"
#include "suite.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { NTH_MAX = 100000 };

static bool is_right(const char *word, const char *right, size_t step, size_t struck)
{
    if (strcmp(word, right) == 0)
        return true;
    if (step == struck)
        return strcmp(word, "no-memory") == 0 || strcmp(word, "end") == 0 ||
               strcmp(word, "not-begun") == 0 || strcmp(word, "aborted") == 0; /* of a set */
    return step > struck && strcmp(word, "not-found") == 0;
}

/* The step's own word is the right one, or why it could not be. What comes later may miss what the
 * step would have done, but there is memory again. Where a client was served well all the same, no
 * event is missing without a word; what packets and time bring may come later than it would.
 * Returns the number of wrong words. */
static unsigned check_words(const struct scene *scene, const struct scene *right, unsigned nth)
{
    unsigned wrong = 0;

    for (size_t i = 0; i < scene->steps; i++) {
        if (is_right(scene->words[i], right->words[i], i, scene->struck))
            continue;
        fprintf(stderr, "allocation %u failed in step %zu: step %zu '%s', not '%s'\n", nth,
                scene->struck, i, scene->words[i], right->words[i]);
        wrong++;
    }
    if (memcmp(scene->words, right->words, sizeof right->words) == 0 &&
        (scene->struck == scene->steps || right->words[scene->struck][0]))
        ck_assert_msg(scene->events == right->events,
                      "allocation %u failed in step %zu: %llu events, not %llu", nth, scene->struck,
                      (unsigned long long)scene->events, (unsigned long long)right->events);
    return wrong;
}

START_TEST(each_allocation_fails_once)
{
    static struct scene right, scene;
    unsigned nth = 0, told = 0, ended = 0, wrong = 0;

    scene_play(&right, FAULT_NONE, 0);
    do {
        scene_play(&scene, FAULT_NO_MEMORY, ++nth);
        wrong += check_words(&scene, &right, nth);
        told += scene.struck < scene.steps && strcmp(scene.words[scene.struck], "no-memory") == 0;
        ended += scene.struck < scene.steps && strcmp(scene.words[scene.struck], "end") == 0;
    } while (scene.struck < scene.steps && nth < NTH_MAX);
    printf("%u allocations failed: %u clients were told so, %u lost their connection\n", nth - 1,
           told, ended);
    ck_assert_uint_eq(wrong, 0);
    /* Without a word end only those for whose connection or request there was no memory. */
    ck_assert_uint_gt(told, 8UL * ended);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, each_allocation_fails_once);
}

int main(void)
{
    return suite_run("allocations", add_tests);
}
