/* scan.h: looking for what ends or interrupts plain text, sixteen bytes at a time. */
#ifndef PIPELINE_JSON_SCAN_H
#define PIPELINE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Moves over bytes that are neither `quote`, backslash nor control character; `*ascii` becomes
 * false when one of them is not ASCII. Never reads at or behind `end`. */
static inline const char *json_skip_plain(const char *at, const char *end, char quote,
                                          bool *ascii) {
#ifdef __SSE2__
    const __m128i quotes = _mm_set1_epi8(quote);
    const __m128i backslashes = _mm_set1_epi8('\\');
    const __m128i last_control = _mm_set1_epi8(0x1F);
    for (; end - at >= 16; at += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
        __m128i stop =
            _mm_or_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(bytes, backslashes));
        stop = _mm_or_si128(stop, _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes));
        unsigned stops = (unsigned)_mm_movemask_epi8(stop);
        unsigned high = (unsigned)_mm_movemask_epi8(bytes);
        if (stops != 0) {
            unsigned before = (stops & -stops) - 1;
            *ascii = *ascii && (high & before) == 0;
            return at + __builtin_ctz(stops);
        }
        *ascii = *ascii && high == 0;
    }
#endif
    for (; at < end; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == (unsigned char)quote || byte == '\\' || byte < ' ')
            break;
        *ascii = *ascii && byte < 0x80;
    }
    return at;
}

static inline bool json_is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

#endif
