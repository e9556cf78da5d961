/* Allocations of a program that is linked with --wrap=malloc, --wrap=calloc and --wrap=realloc:
 * how many there were, by any of its threads. libcheck's assertions allocate, too. */
#ifndef NB_TEST_ALLOCATIONS_H
#define NB_TEST_ALLOCATIONS_H

unsigned long allocations_so_far(void);

#endif
