/* What the action table says, as a JSON Schema (draft 2020-12) for programs. */
#ifndef NB_SCHEMA_H
#define NB_SCHEMA_H

#include "json.h"
#include "table.h"

/* Writes the schema that every valid request fulfils: one branch an action, or, where `only` is
 * not ACTION_COUNT, the branch of that action. */
void schema_write(struct json *json, enum action only);

#endif
