/* What the service does, in one line, for the service manager. */
#ifndef NB_STATUS_LINE_H
#define NB_STATUS_LINE_H

#include <stddef.h>

struct services;

/* Writes how much of each kind is served, and to how many connections, and the first mistake of the
 * administrator's files, where there is one. Bytes that are no printable ASCII are escaped as \xNN;
 * what does not fit is cut off. */
void status_line_format(const struct services *services, char *text, size_t size);

#endif
