#include "scan.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void scan_in_string(struct scan *scan, char c)
{
    if (scan->escaped)
        scan->escaped = false;
    else if (c == '\\')
        scan->escaped = true;
    else if (c == '"')
        scan->in_string = false;
}

static void scan_outside(struct scan *scan, char c)
{
    if (c == '"')
        scan->in_string = true;
    else if (c == '{' || c == '[')
        scan->depth++;
    else if (c == '}' || c == ']')
        scan->depth--;
}

enum scan_result scan_bytes(struct scan *scan, const char *bytes, size_t n, size_t *ret_used)
{
    for (size_t i = 0; i < n; i++) {
        char c = bytes[i];

        if (scan->in_string) {
            scan_in_string(scan, c);
            continue;
        }
        if (scan->depth == 0) {
            if (is_space(c))
                continue;
            if (c != '{') {
                *ret_used = i;
                return SCAN_GARBAGE;
            }
        }
        scan_outside(scan, c);
        if (scan->depth == 0) {
            *ret_used = i + 1;
            return SCAN_COMPLETE;
        }
    }
    *ret_used = n;
    return SCAN_MORE;
}
