/* Hexadecimal digits, in which addresses and other bytes are written. */
#ifndef NB_FRAME_HEX_H
#define NB_FRAME_HEX_H

/* The number that a digit stands for; -1: it is no digit. */
static inline int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

#endif
