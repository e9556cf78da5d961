/* What a relay tells the service of itself, about once a second, so that 'netbroker link list' and
 * others show it (TELL_LINK). The relay goes on as ever where no service answers, and tells again
 * when one does: nothing here waits for anybody. */
#ifndef NB_LINK_NEWS_H
#define NB_LINK_NEWS_H

#include "cli.h"
#include "link.h"

struct link_news;

/* Begins to tell, in the link's loop; tap: borrowed, the interface's name. NULL: there is no
 * memory, and nothing is told. */
struct link_news *link_news_start(struct link *link, const struct command_line *line,
                                  const char *tap);

/* A client is there, or gone; why is a sentence without its full stop. news: NULL is allowed. */
void link_news_attached(struct link_news *news);
void link_news_detached(struct link_news *news, const struct link_port *port, const char *why);

/* After link_run, and before link_free, which tells of the last clients: they are nobody's news, so
 * the place is NULL afterwards. It may be before. */
void link_news_end(struct link_news **place);

#endif
