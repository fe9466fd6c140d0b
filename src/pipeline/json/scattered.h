/* scattered.h: records whose keys come in another order each time.
 *
 * Which type comes next can't be foreseen there, and a wrong guess at each second member costs more
 * than reading it. So the members are only found first, which is the same for all types, and then
 * read in the order of the columns. This took such records from 820 to 580 ns. */
#ifndef PIPELINE_JSON_SCATTERED_H
#define PIPELINE_JSON_SCATTERED_H

#include "pipeline/json/members.h"

struct place;
struct reading;

/* A whole record, from its first member on, which is at *place; then *place stands at its closing
 * brace. False: not all of it is in the usual form, in compact or Python's style, each key once and
 * a column's: it has to be read in another way from the start. */
bool json_scattered_read(struct json_members *members, struct reading *reading,
                         struct json_members_run *run, struct place *place);

#endif
