/* derive_in_c.c: the built-in queries' expressions as functions in C, for expressions.c: Spark's
 * rules for null in each, and its order of arithmetic, since doubles round at each step. */
#include "derive_in_c.h"

#include "base/check.h"
#include "core/double_text.h"

enum { ROUND_PLACES = 2 };

static void set_double(struct vector *out, size_t row, bool valid, double value) {
    out->valid[row] = valid;
    out->doubles[row] = valid ? value : 0;
}

static void copy_double(struct vector *out, size_t row, const struct vector *from) {
    set_double(out, row, from->valid[row] != 0, from->doubles[row]);
}

bool derive_duration_minutes(const struct vector *const inputs[], size_t first, size_t count,
                             struct vector *out, struct arena *strings) {
    (void)strings;
    const struct vector *seconds = inputs[0];
    // Spark divides as double and cuts the fraction off; C's division cuts toward zero, too, and
    // gives the same for every int32.
    for (size_t row = first; row < first + count; row++) {
        out->valid[row] = seconds->valid[row];
        out->int32s[row] = seconds->valid[row] ? seconds->int32s[row] / 60 : 0;
    }
    return true;
}

bool derive_is_completed(const struct vector *const inputs[], size_t first, size_t count,
                         struct vector *out, struct arena *strings) {
    (void)strings;
    const struct vector *status = inputs[0];
    for (size_t row = first; row < first + count; row++) {
        out->valid[row] = status->valid[row];
        out->booleans[row] =
            status->valid[row] && text_equals(status->texts[row], TEXT("finished"));
    }
    return true;
}

bool derive_calculated_win_rate(const struct vector *const inputs[], size_t first, size_t count,
                                struct vector *out, struct arena *strings) {
    (void)strings;
    const struct vector *games = inputs[0], *wins = inputs[1], *win_rate = inputs[2];
    for (size_t row = first; row < first + count; row++) {
        bool played = games->valid[row] && games->int32s[row] > 0;
        if (!played || win_rate->valid[row]) {
            copy_double(out, row, win_rate);
            continue;
        }
        bool valid = wins->valid[row] != 0;
        // The quotient first, then times 100, each rounded to a double, as in Spark.
        double share = valid ? (double)wins->int32s[row] / (double)games->int32s[row] : 0;
        set_double(out, row, valid, double_round(share * 100, ROUND_PLACES));
    }
    return true;
}

/* In Spark NaN is greater than every number. */
static bool is_positive(double value) {
    return !(value <= 0);
}

bool derive_calculated_kda(const struct vector *const inputs[], size_t first, size_t count,
                           struct vector *out, struct arena *strings) {
    (void)strings;
    const struct vector *ratio = inputs[0], *kills = inputs[1];
    const struct vector *deaths = inputs[2], *assists = inputs[3];
    for (size_t row = first; row < first + count; row++) {
        if (ratio->valid[row] || !deaths->valid[row]) {
            copy_double(out, row, ratio);
        } else if (is_positive(deaths->doubles[row])) {
            bool valid = kills->valid[row] && assists->valid[row];
            double kda =
                valid ? (kills->doubles[row] + assists->doubles[row]) / deaths->doubles[row] : 0;
            set_double(out, row, valid, double_round(kda, ROUND_PLACES));
        } else {
            set_double(out, row, deaths->doubles[row] == 0, 99.99);
        }
    }
    return true;
}

bool derive_activity_status(const struct vector *const inputs[], size_t first, size_t count,
                            struct vector *out, struct arena *strings) {
    (void)strings;
    const struct vector *active = inputs[0];
    for (size_t row = first; row < first + count; row++) {
        out->valid[row] = 1;
        if (!active->valid[row])
            out->texts[row] = TEXT("unknown");
        else
            out->texts[row] = active->booleans[row] ? TEXT("active") : TEXT("inactive");
    }
    return true;
}

static bool join_names(struct text first_name, struct text last_name, struct arena *strings,
                       struct text *out) {
    size_t size = (size_t)first_name.length + 1 + last_name.length;
    char *bytes = arena_alloc_bytes(strings, size);
    if (bytes == NULL)
        return false;
    memcpy(bytes, first_name.bytes, first_name.length);
    bytes[first_name.length] = ' ';
    memcpy(bytes + first_name.length + 1, last_name.bytes, last_name.length);
    *out = (struct text){bytes, (uint32_t)size};
    return true;
}

bool derive_full_name(const struct vector *const inputs[], size_t first, size_t count,
                      struct vector *out, struct arena *strings) {
    const struct vector *given = inputs[0], *family = inputs[1];
    for (size_t row = first; row < first + count; row++) {
        out->valid[row] = 1; // nulls are left out, and nothing at all is the empty string
        if (given->valid[row] && family->valid[row]) {
            if (!join_names(given->texts[row], family->texts[row], strings, &out->texts[row]))
                return false;
        } else if (given->valid[row]) {
            out->texts[row] = given->texts[row];
        } else {
            out->texts[row] = family->valid[row] ? family->texts[row] : TEXT("");
        }
    }
    return true;
}

bool derive_has_activity(const struct vector *const inputs[], size_t first, size_t count,
                         struct vector *out, struct arena *strings) {
    (void)strings;
    const struct vector *games = inputs[0];
    for (size_t row = first; row < first + count; row++) {
        out->valid[row] = games->valid[row];
        out->booleans[row] = games->valid[row] && games->int32s[row] > 0;
    }
    return true;
}
