/* kafka_inputs.h: the inputs of a row that do not come from the record's value: what Kafka and the
 * batch say of the record. */
#ifndef STREAMING_TASKS_KAFKA_INPUTS_H
#define STREAMING_TASKS_KAFKA_INPUTS_H

#include "core/record.h"
#include "core/rows.h"
#include "sql/plan/plan.h"

/* All is borrowed. */
struct kafka_inputs {
    const struct query_plan *plan;
    const char *topic;
    int64_t batch_time_ms; // when the batch was planned
};

/* Fills them in row rows->count. False: there is no room for texts or headers. */
bool kafka_inputs_fill(const struct kafka_inputs *inputs, const struct record *record,
                       struct rows *rows);

/* The row that was filled last is not kept: gives back what its headers took. Its texts are the
 * caller's. */
void kafka_inputs_take_back(const struct kafka_inputs *inputs, struct rows *rows);

#endif
