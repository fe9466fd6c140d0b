/* sample_draw.h: one column's value for one record, out of its `.sample` text (core/schema.h). */
#ifndef SURFACES_DEMO_SAMPLE_DRAW_H
#define SURFACES_DEMO_SAMPLE_DRAW_H

#include "surfaces/demo/sample.h"

/* Fills drawn[] and present[] of every column. */
void sample_draw(struct sample *sample, uint64_t number);

/* A number that depends on the record's number and a word, and on nothing else. */
uint64_t sample_random(uint64_t number, struct text word);

#endif
