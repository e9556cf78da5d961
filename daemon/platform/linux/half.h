/* The halves of the service, each with a cage of its own. */
#ifndef NB_LINUX_HALF_H
#define NB_LINUX_HALF_H

enum half { HALF_KEEPER = 1, HALF_BROKER = 2 };

#endif
