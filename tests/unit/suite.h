/* What every unit test begins with. */
#ifndef NB_UNIT_SUITE_H
#define NB_UNIT_SUITE_H

#include "error.h"

#include <libcheck.h>

/* Runs the tests that add_tests adds. Returns the exit status of main. */
int suite_run(const char *name, void (*add_tests)(TCase *tests));

/* The word of an error's code equals. */
#define assert_error(error, expected) ck_assert_str_eq(error_word((error)->code), expected)

#endif
