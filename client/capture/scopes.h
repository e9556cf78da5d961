/* What of an interface may be captured, as SHOW_CAPTURE_INTERFACES tells it, in few words. */
#ifndef NB_CAPTURE_SCOPES_H
#define NB_CAPTURE_SCOPES_H

#include "netbroker.h"

enum { SCOPES_TEXT_MAX = 512 }; /* bytes; a text that is longer is cut */

/* "0x88ba,0x88b8", of as many EtherTypes as one request may have. Returns text. */
const char *scope_types_text(const struct nb_value *types, char *text, size_t size);

/* "0x88ba (in); all but 0x0800"; "all" where nothing is narrowed; with "(to this host)" where it
 * may not be promiscuous. Returns text. */
const char *scopes_text(const struct nb_value *scopes, char text[SCOPES_TEXT_MAX]);

#endif
