/* What the doctor says of routes and flows, on a kernel in which all else is well. */
#include "kernel.h"

#include "resources/mroute/doctor_findings.h"

#include <stdio.h>
#include <string.h>

static struct doctor doctor;
static struct findings findings;

/* source and iif may be NULL. */
static void ask(struct kernel *kernel, const char *source, const char *group, const char *iif)
{
    struct args_diagnose question = {0};

    if (source)
        ck_assert(address_parse(source, &question.source));
    if (group)
        ck_assert(address_parse(group, &question.group));
    if (iif)
        snprintf(question.iif.text, sizeof question.iif.text, "%s", iif);
    doctor_begin(&doctor, &(struct inquiry){kernel->mroute, kernel->netifs, &question, NULL, NULL});
    while (doctor_go_on(&doctor, NULL))
        ;
    doctor_begin_examination(&doctor, NULL);
    findings = (struct findings){0};
    while (doctor_go_on(&doctor, &findings))
        ;
    doctor_end(&doctor);
}

/* The first finding of this check and verdict. */
static const struct finding *find(const char *check, enum verdict verdict)
{
    for (unsigned i = 0; i < findings.count; i++)
        if (strcmp(findings.list[i].check, check) == 0 && findings.list[i].verdict == verdict)
            return &findings.list[i];
    ck_abort_msg("no %s of %s", verdict_word(verdict), check);
    return NULL;
}

static void assert_says(const char *check, enum verdict verdict, const char *text)
{
    ck_assert_ptr_nonnull(strstr(find(check, verdict)->message, text));
}

static void assert_hint(const char *check, enum verdict verdict, const char *hint)
{
    ck_assert_str_eq(find(check, verdict)->hint, hint);
}

static void packet(const char *source, const char *group, unsigned vif)
{
    struct upcall upcall = {.kind = UPCALL_NO_ROUTE, .vif = vif};

    ck_assert(address_parse(source, &upcall.source) && address_parse(group, &upcall.group));
    fake_upcall(upcall.group.family, family_table(upcall.group.family, 0), &upcall);
}

/* A word in braces that has no meaning is shown as {?}. */
START_TEST(each_word_of_each_finding_has_a_meaning)
{
    struct kernel kernel;
    struct examination e = {.source = {.family = FAMILY_IPV4},
                            .group = {.family = FAMILY_IPV4},
                            .asked_iif = "asked",
                            .pattern = "pattern",
                            .findings = &findings};
    static const enum finding_name names[] = {
#define F(name, ...) FINDING_##name,
        FINDINGS(F)
#undef F
    };

    kernel_begin(&kernel, "a b");
    kernel_add(&kernel, NULL, "239.1.0.0/16", "a", "b");
    e.mfc = mroute_table(kernel.mroute, FAMILY_IPV4, family_table(FAMILY_IPV4, 0));
    e.route = TAILQ_FIRST(&e.mfc->routes.order);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        findings.count = 0;
        add_finding(&e, &(struct finding_values){
                            .finding = names[i], .name = "n", .other = "o", .advice = "a"});
        ck_assert_uint_eq(findings.count, 1);
        ck_assert_ptr_null(strchr(findings.list[0].message, '{'));
        ck_assert_ptr_null(strchr(findings.list[0].hint, '{'));
    }
    kernel_end(&kernel);
}
END_TEST

START_TEST(the_route_of_a_flow_is_the_most_specific)
{
    struct kernel kernel;

    kernel_begin(&kernel, "a b c");
    kernel_add(&kernel, NULL, "239.0.0.0/8", "a", "b");
    kernel_add(&kernel, NULL, "239.1.0.0/16", "b", "a");
    kernel_add(&kernel, "10.0.0.1", "239.1.1.1", "c", "a");
    ask(&kernel, "10.0.0.1", "239.1.1.1", NULL);
    assert_says("route", VERDICT_OK, "The route (10.0.0.1, 239.1.1.1) from c");
    ask(&kernel, "10.0.0.2", "239.1.1.1", NULL);
    assert_says("route", VERDICT_OK, "The route (*, 239.1.0.0/16) from b");
    ask(&kernel, "10.0.0.2", "239.1.1.1", "a");
    assert_says("route", VERDICT_OK, "The route (*, 239.0.0.0/8) from a");
    ask(&kernel, NULL, "239.1.1.1", NULL);
    assert_says("route", VERDICT_OK, "The route (10.0.0.1, 239.1.1.1) from c");
    assert_says("route", VERDICT_INFO, "Other routes that take packets of this group: 2.");
    ask(&kernel, NULL, "239.2.1.1", NULL);
    assert_says("route", VERDICT_OK, "The route (*, 239.0.0.0/8) from a");
    ask(&kernel, "10.0.0.1", "238.1.1.1", NULL);
    assert_hint("route", VERDICT_PROBLEM,
                "netbroker mfc add --source 10.0.0.1 --group 238.1.1.1 --iif INTERFACE --oifs "
                "INTERFACE,...");
    kernel_end(&kernel);
}
END_TEST

START_TEST(a_learned_flow_names_what_it_was_learned_from)
{
    struct kernel kernel;

    kernel_begin(&kernel, "a b c");
    kernel_add(&kernel, NULL, "239.1.0.0/16", "a", "b");
    ask(&kernel, "10.0.0.1", "239.1.1.1", NULL);
    assert_says("arrival", VERDICT_WARNING, "in the last 60 seconds");
    packet("10.0.0.1", "239.1.1.1", 0);
    ask(&kernel, "10.0.0.1", "239.1.1.1", NULL);
    assert_says("route", VERDICT_OK, "comes in by a; the route (*, 239.1.0.0/16) from a");
    ask(&kernel, "10.0.0.1", "239.1.1.1", "c");
    assert_hint("iif", VERDICT_PROBLEM, "netbroker mfc add --group 239.1.0.0/16 --iif c --oifs b");
    kernel_end(&kernel);
}
END_TEST

START_TEST(a_pattern_is_no_interface)
{
    struct kernel kernel;

    kernel_begin(&kernel, "a0 a1 b");
    kernel_add(&kernel, NULL, "239.1.1.1", "a+", "b,a+");
    ask(&kernel, NULL, "239.1.1.1", NULL);
    assert_says("iif", VERDICT_OK, "a+ means: a0, a1.");
    assert_says("oif", VERDICT_OK, "a+ means: a0, a1.");
    ask(&kernel, NULL, "239.1.1.1", "a1");
    assert_says("iif", VERDICT_OK, "interface a1 is up");
    assert_says("oif", VERDICT_OK, "a+ means: a0.");
    ask(&kernel, NULL, NULL, "c+");
    assert_says("iif", VERDICT_WARNING, "begins as in c+");
    fake_netif_set_running("a1", false);
    kernel_update(&kernel);
    ask(&kernel, NULL, "239.1.1.1", NULL);
    assert_says("iif", VERDICT_INFO, "a1");
    kernel_end(&kernel);
}
END_TEST

START_TEST(many_names_are_cut_between_two)
{
    struct kernel kernel;
    char name[16];

    kernel_begin(&kernel, "in");
    for (unsigned i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "interface%02u", i);
        fake_netif_add(name);
    }
    kernel_update(&kernel);
    kernel_add(&kernel, NULL, "239.1.1.1", "in", "inter+");
    ask(&kernel, NULL, "239.1.1.1", NULL);
    assert_says("oif", VERDICT_OK, "interface00, ");
    assert_says("oif", VERDICT_OK, ", ....");
    kernel_end(&kernel);
}
END_TEST

/* 32 outgoing interfaces with long names would not fit into the command. */
START_TEST(a_suggestion_is_whole)
{
    struct kernel kernel;
    char oifs[512] = "", name[16];

    kernel_begin(&kernel, "in other");
    for (unsigned i = 0; i < 30; i++) {
        snprintf(name, sizeof name, "long-name-0%02u", i);
        fake_netif_add(name);
        sprintf(oifs + strlen(oifs), "%s%s", i ? "," : "", name);
    }
    kernel_update(&kernel);
    ck_assert(kernel_add(&kernel, NULL, "239.1.0.0/16", "in", oifs));
    ask(&kernel, NULL, "239.1.1.1", "other");
    assert_hint("iif", VERDICT_PROBLEM,
                "netbroker mfc add --group 239.1.0.0/16 --iif other --oifs INTERFACE,...");
    kernel_end(&kernel);
}
END_TEST

START_TEST(what_has_no_room_is_told)
{
    struct mroute_limits limits = {.learned = 1, .unmatched = 2};
    struct kernel kernel;

    kernel_begin(&kernel, "a b");
    mroute_set_limits(kernel.mroute, &limits);
    kernel_add(&kernel, NULL, "239.1.0.0/16", "a", "b");
    packet("10.0.0.1", "239.1.1.1", 0);
    packet("10.0.0.1", "239.1.1.2", 0);
    ask(&kernel, "10.0.0.1", "239.1.1.2", NULL);
    assert_says("unrouted", VERDICT_PROBLEM, "1 routes are learned for it already");
    packet("10.0.0.1", "239.2.1.1", 0);
    packet("10.0.0.1", "239.2.1.2", 0);
    ask(&kernel, NULL, NULL, NULL);
    assert_says("unrouted", VERDICT_WARNING, "2 flows without a route wait in the kernel");
    ask(&kernel, NULL, "239.2.1.1", NULL);
    assert_says("unrouted", VERDICT_PROBLEM, "Packets of (10.0.0.1, 239.2.1.1) came in from a");
    kernel_end(&kernel);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, each_word_of_each_finding_has_a_meaning);
    tcase_add_test(tests, the_route_of_a_flow_is_the_most_specific);
    tcase_add_test(tests, a_learned_flow_names_what_it_was_learned_from);
    tcase_add_test(tests, a_pattern_is_no_interface);
    tcase_add_test(tests, many_names_are_cut_between_two);
    tcase_add_test(tests, a_suggestion_is_whole);
    tcase_add_test(tests, what_has_no_room_is_told);
}

int main(void)
{
    return suite_run("doctor", add_tests);
}
