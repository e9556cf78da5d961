/* The policy as the administrator writes it: policy.conf and the drop-ins beside it. */
#ifndef NB_POLICY_FILE_H
#define NB_POLICY_FILE_H

#include "mistakes.h"
#include "policy.h"

#include <stdio.h>

/* Reads the file at path, and then, in the order of their names, the files NAME.conf of the folder
 * of the same name with .d for .conf. A missing file or folder has no rules; a missing file that is
 * required is a mistake. Every file must be a regular one, reached by no link as its last step,
 * that nobody but root can write; so must the folder. On a mistake it adds to *mistakes where it is
 * and what would be right, returns false and leaves *policy as it was; else *policy, which
 * policy_clear releases, is replaced. */
bool policy_load(struct policy *policy, const char *path, bool required, struct mistakes *mistakes);

/* Reads rules out of one open file; name is what *mistakes call it. What it adds to *policy stays
 * there also on a mistake. */
bool policy_parse(struct policy *policy, FILE *file, const char *name, struct mistakes *mistakes);

void policy_clear(struct policy *policy);

#endif
