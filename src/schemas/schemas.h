/* schemas.h: what the topics' records hold, declared once each. */
#ifndef SCHEMAS_SCHEMAS_H
#define SCHEMAS_SCHEMAS_H

#include "core/schema.h"

extern const struct record_schema match_schema;
extern const struct record_schema player_schema;

#endif
