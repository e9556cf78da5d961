/* Lines, fields and numbers of COMTRADE's text. */
#ifndef NB_COMTRADE_TEXT_H
#define NB_COMTRADE_TEXT_H

#include "comtrade.h"

/* Takes the next line, without its end, which is CR LF or one of them. False: there is none. A
 * Ctrl-Z, which some programs of DOS append, ends the text. */
bool text_line(struct comtrade_text *rest, struct comtrade_text *ret);

/* Takes the next field of a line, without the spaces around it. False: there is none any more. */
bool text_field(struct comtrade_text *rest, struct comtrade_text *ret);

/* A decimal number, perhaps with an exponent; within a few units of the last place. */
bool text_real(struct comtrade_text text, double *ret);

/* A whole number that is not negative. */
bool text_natural(struct comtrade_text text, uint64_t *ret);

/* Whether it is this word, in capital letters or not. */
bool text_is(struct comtrade_text text, const char *word);

#endif
