/* Words for smpSynch and quality, and samples of a frame. */
#include "iec61850/sv_words.h"

#include "iec61850/sv.h"
#include "suite.h"

#include <string.h>

START_TEST(synch_is_written_and_found)
{
    static const struct {
        uint8_t synch;
        const char *text;
    } rows[] = {{0, "none"},     {1, "local"},    {2, "global"},     {3, "area 3"},
                {10, "area 10"}, {99, "area 99"}, {100, "area 100"}, {254, "area 254"}};
    char text[SV_SYNCH_BYTES];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_str_eq(sv_synch_text(rows[i].synch, text), rows[i].text);
        ck_assert_int_eq(sv_synch_find(rows[i].text), rows[i].synch < 3 ? rows[i].synch : -1);
    }
    ck_assert_int_eq(sv_synch_find(""), -1);
}
END_TEST

START_TEST(each_word_of_a_quality_sets_its_bits)
{
    uint32_t all = 0, bits, quality;

    for (unsigned i = 0; i < SV_QUALITY_WORDS; i++) {
        const char *word = sv_quality_word(i, &bits);

        quality = 0;
        ck_assert(sv_quality_add(word, strlen(word), &quality));
        ck_assert_uint_eq(quality, bits);
        ck_assert(!sv_quality_add(word, strlen(word) - 1, &quality));
        ck_assert(i > SV_QUESTIONABLE || strcmp(sv_validity_word(bits), word) == 0);
        all |= bits;
    }
    ck_assert_uint_eq(all, 0x3fff);
    ck_assert_str_eq(sv_validity_word(0xfffffff1), "invalid");
    quality = 8;
    ck_assert(!sv_quality_add("", 0, &quality));
    ck_assert(!sv_quality_add("Good", 4, &quality));
    ck_assert_uint_eq(quality, 8);
}
END_TEST

START_TEST(profiles_pair_rates_with_samples)
{
    ck_assert_uint_eq(sv_usual_rate(50), 4000);
    ck_assert_uint_eq(sv_usual_rate(60), 4800);
    ck_assert_uint_eq(sv_usual_asdus(4000), 1);
    ck_assert_uint_eq(sv_usual_asdus(12800), 8);
    ck_assert_uint_eq(sv_usual_asdus(14400), 6);
    ck_assert_uint_eq(sv_usual_asdus(15360), 8);
}
END_TEST

static void add_tests(TCase *tests)
{
    tcase_add_test(tests, synch_is_written_and_found);
    tcase_add_test(tests, each_word_of_a_quality_sets_its_bits);
    tcase_add_test(tests, profiles_pair_rates_with_samples);
}

int main(void)
{
    return suite_run("sv_words", add_tests);
}
