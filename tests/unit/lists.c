#include "lists.h"

#include <string.h>

/* How many the client is shown; all of them are this user's, if it is not 0. */
static int count_shown(struct service *s, const struct lists_scene *scene, int n, unsigned user)
{
    cJSON *reply = client_ask(s, n, scene->show), *one;
    cJSON *list = cJSON_GetObjectItem(cJSON_GetObjectItem(reply, "payload"), scene->list);
    int count = cJSON_GetArraySize(list);

    ck_assert_ptr_nonnull(list);
    cJSON_ArrayForEach(one, list)
        ck_assert(user == 0 || cJSON_GetObjectItem(one, "uid")->valueint == (int)user);
    cJSON_Delete(reply);
    return count;
}

void lists_show_what_is_ones_own(struct service *s, const struct lists_scene *scene)
{
    static struct rule rules[2];

    rules[0] = (struct rule){.name = "hold", .everyone = true, .verb_count = 1};
    strcpy(rules[0].verbs[0], scene->hold);
    rules[1] = (struct rule){
        .name = "read",
        .user_count = 1,
        .users = {{LISTS_BOB, LISTS_BOB}},
        .verb_count = 1,
        .verbs = {"raw.read"},
        .interface_count = 1,
        .interfaces = {"a"},
    };
    s->services.policy.rules = rules;
    s->services.policy.count = 1;
    ck_assert_int_eq(count_shown(s, scene, scene->alice, LISTS_ALICE), 2);
    ck_assert_int_eq(count_shown(s, scene, scene->bob, LISTS_BOB), 1);
    ck_assert_int_eq(count_shown(s, scene, scene->root, 0), 3);
    s->services.policy.count = 2;
    ck_assert_int_eq(count_shown(s, scene, scene->alice, LISTS_ALICE), 2);
    ck_assert_int_eq(count_shown(s, scene, scene->bob, 0), 2);
    strcpy(rules[0].verbs[0], "mroute.*");
    expect(client_ask(s, scene->alice, scene->show), "not-allowed");
    ck_assert_int_eq(count_shown(s, scene, scene->bob, 0), 2);
}
