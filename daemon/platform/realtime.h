/* The seam, time: a thread that is to act at certain moments, before what else the machine does. */
#ifndef NB_PLATFORM_REALTIME_H
#define NB_PLATFORM_REALTIME_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Gives the calling thread a name, of at most 15 bytes, and has it run before all that is ordinary,
 * and wake up without slack. 0 or a negative errno: it may not (RLIMIT_RTPRIO), and stays ordinary;
 * that changes nothing but how late it is. */
int realtime_begin(const char *name);

/* Keeps memory, such as the stack of the caller, from being moved out. 0 or a negative errno: it
 * may not (RLIMIT_MEMLOCK). It is unlocked when it is unmapped. */
int realtime_lock(const void *memory, size_t size);
void realtime_unlock(const void *memory, size_t size);
int realtime_lock_stack(void);

/* ns of the clock that is never set; and of the one that shows the time, since 1970, UTC. */
uint64_t realtime_now(void);
uint64_t realtime_wall(void);

/* The clock of the processor's time that the calling thread has spent, and what it shows, in ns, to
 * any thread: not how long it has waited for the processor. 0: the thread is gone. */
int realtime_clock(void);
uint64_t realtime_spent(int clock);

/* Sleeps until this moment of realtime_now, or until the word is not what it was: whoever changes
 * it calls realtime_wake. It may return early without a reason. False: it did not sleep, because
 * the word was another one already. */
bool realtime_sleep(const _Atomic uint32_t *word, uint32_t was, uint64_t until);
void realtime_wake(const _Atomic uint32_t *word);

#endif
