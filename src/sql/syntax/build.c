/* build.c: nodes of expressions, made from the bottom up.
 *
 * Each knows its depth and how many nodes are below it, which bounds every later walk. The count is
 * that of a walk, not of the memory: BETWEEN and CASE x WHEN … have one child in several places,
 * and nested in each other a small text could otherwise be an endless tree. */
#include "sql/syntax/build.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* ---- lists ---- */

void *sql_list_grow(struct sql_input *in, struct sql_list *list, size_t size, size_t max,
                    struct sql_place place, const char *things) {
    if (max > 0 && list->count >= max) {
        sql_refuse(in, place, "more than %zu %s", max, things);
        list->count = 0; // the list stays usable
    }
    if (list->count == list->room) {
        size_t room = list->room > 0 ? 2 * list->room : 4;
        void *items = pool_alloc(in->pool, room, size);
        if (list->count > 0)
            memcpy(items, list->items, list->count * size);
        list->items = items;
        list->room = room;
    }
    return (char *)list->items + size * list->count++;
}

struct sql_list sql_list_node(struct sql_input *in, struct sql_list list, struct sql_node *node) {
    struct sql_node **item =
        sql_list_grow(in, &list, sizeof(struct sql_node *), 0, node->place, "expressions");
    *item = node;
    return list;
}

struct sql_list sql_list_word(struct sql_input *in, struct sql_list list, const char *word) {
    const char **item =
        sql_list_grow(in, &list, sizeof word, SQL_COLUMNS_MAX, in->token.place, "names");
    *item = word;
    return list;
}

/* ---- texts ---- */

struct sql_string sql_string_of(const char *text) {
    return (struct sql_string){text, strlen(text)};
}

const char *sql_plain_text(struct sql_input *in, struct sql_place place, struct sql_string string) {
    if (strlen(string.text) != string.length)
        sql_refuse(in, place, "a NUL character is not possible in this text");
    return string.text;
}

void sql_start_string(struct sql_input *in, struct sql_string string) {
    in->string = string;
    in->string_room = 0;
}

void sql_continue_string(struct sql_input *in, struct sql_string string) {
    size_t length = in->string.length + string.length;
    if (length >= in->string_room) {
        in->string_room = 2 * length + 1;
        char *copy = pool_alloc(in->pool, in->string_room, 1);
        memcpy(copy, in->string.text, in->string.length);
        in->string.text = copy;
    }
    char *text = (char *)in->string.text; // ours, as it has room
    memcpy(text + in->string.length, string.text, string.length);
    text[length] = '\0';
    in->string.length = length;
}

struct sql_string sql_whole_string(const struct sql_input *in) {
    return in->string;
}

static const char *lower_case(struct sql_input *in, const char *word) {
    size_t length = strlen(word);
    char *lower = pool_alloc(in->pool, length + 1, 1);
    for (size_t i = 0; i < length; i++)
        lower[i] = (char)tolower((unsigned char)word[i]);
    return lower;
}

/* ---- nodes ---- */

struct sql_node *sql_make_leaf(struct sql_input *in, struct sql_place place,
                               enum sql_node_kind kind) {
    struct sql_node *node = pool_alloc(in->pool, 1, sizeof *node);
    *node = (struct sql_node){.kind = kind, .place = place, .depth = 1, .nodes = 1};
    return node;
}

/* A node above others; a leaf, if it would be too large. */
static struct sql_node *make_above(struct sql_input *in, struct sql_place place,
                                   enum sql_node_kind kind, struct sql_node **children,
                                   size_t count) {
    struct sql_node *node = sql_make_leaf(in, place, kind);
    for (size_t i = 0; i < count; i++) {
        node->nodes += children[i]->nodes;
        if (children[i]->depth >= node->depth)
            node->depth = children[i]->depth + 1;
    }
    if (node->depth > SQL_DEPTH_MAX)
        sql_refuse(in, place, "nested too deeply (limit: %d levels)", SQL_DEPTH_MAX);
    else if (node->nodes > SQL_NODES_MAX)
        sql_refuse(in, place, "the expression is too large (limit: %d parts)", SQL_NODES_MAX);
    if (in->failed)
        return sql_make_leaf(in, place, SQL_NULL);
    node->children = children;
    node->child_count = count;
    return node;
}

static struct sql_node *make_above_one(struct sql_input *in, struct sql_place place,
                                       enum sql_node_kind kind, struct sql_node *child) {
    struct sql_node **children = pool_alloc(in->pool, 1, sizeof(struct sql_node *));
    children[0] = child;
    return make_above(in, place, kind, children, 1);
}

static struct sql_node *make_above_two(struct sql_input *in, struct sql_place place,
                                       enum sql_node_kind kind, struct sql_node *first,
                                       struct sql_node *second) {
    struct sql_node **children = pool_alloc(in->pool, 2, sizeof(struct sql_node *));
    children[0] = first;
    children[1] = second;
    return make_above(in, place, kind, children, 2);
}

/* ---- leaves ---- */

struct sql_node *sql_make_star(struct sql_input *in, struct sql_place place) {
    return sql_make_leaf(in, place, SQL_STAR);
}

struct sql_node *sql_make_number(struct sql_input *in, struct sql_place place,
                                 struct sql_number number) {
    struct sql_node *node = sql_make_leaf(in, place, SQL_NUMBER);
    node->text = number.text;
    node->text_length = strlen(number.text);
    node->type = number.type;
    return node;
}

struct sql_node *sql_make_string(struct sql_input *in, struct sql_place place,
                                 struct sql_string string) {
    struct sql_node *node = sql_make_leaf(in, place, SQL_STRING);
    node->text = string.text;
    node->text_length = string.length;
    return node;
}

/* DATE '2024-01-02' and the like: which type. -1: none of ours. */
static int literal_type(const char *name) {
    static const struct {
        const char *name;
        enum type type;
    } types[] = {
        {"date", TYPE_DATE},
        {"timestamp", TYPE_TIMESTAMP},
        {"timestamp_ltz", TYPE_TIMESTAMP},
        {"timestamp_ntz", TYPE_TIMESTAMP_NTZ},
        {"x", TYPE_BINARY},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcasecmp(types[i].name, name) == 0)
            return (int)types[i].type;
    return -1;
}

static void refuse_literal(struct sql_input *in, struct sql_place place, const char *name) {
    if (strcasecmp(name, "interval") == 0)
        sql_refuse(in, place, "INTERVAL is not supported: compute with numbers of seconds");
    else if (strcasecmp(name, "both") == 0 || strcasecmp(name, "leading") == 0 ||
             strcasecmp(name, "trailing") == 0)
        sql_refuse(in, place, "%s in a call is not supported: write trim(text)", name);
    else
        sql_refuse(in, place,
                   "a text cannot follow '%s': only DATE, TIMESTAMP, TIMESTAMP_NTZ and X make a "
                   "literal of it",
                   name);
}

struct sql_node *sql_make_literal(struct sql_input *in, struct sql_place place, const char *name,
                                  struct sql_string string) {
    int type = literal_type(name);
    if (type < 0)
        refuse_literal(in, place, name);
    struct sql_node *node = sql_make_leaf(in, place, SQL_LITERAL);
    node->text = string.text;
    node->text_length = string.length;
    node->type = type < 0 ? NULL : sql_plain_type((enum type)type);
    return node;
}

struct sql_node *sql_make_name(struct sql_input *in, struct sql_place place, const char *name) {
    struct sql_node *node = sql_make_leaf(in, place, SQL_NAME);
    node->text = name;
    node->text_length = strlen(name);
    return node;
}

/* ---- paths, calls ---- */

struct sql_node *sql_make_field(struct sql_input *in, struct sql_place place, struct sql_node *of,
                                const char *name) {
    struct sql_node *node = make_above_one(in, place, SQL_FIELD, of);
    node->text = name;
    node->text_length = strlen(name);
    return node;
}

struct sql_node *sql_make_index(struct sql_input *in, struct sql_place place, struct sql_node *of,
                                struct sql_node *index) {
    return make_above_two(in, place, SQL_INDEX, of, index);
}

struct sql_node *sql_make_call(struct sql_input *in, struct sql_place place, const char *name,
                               struct sql_list arguments) {
    struct sql_node *node =
        make_above(in, place, SQL_CALL, (struct sql_node **)arguments.items, arguments.count);
    node->text = lower_case(in, name);
    node->text_length = strlen(name);
    node->written = name;
    return node;
}

struct sql_node *sql_make_cast(struct sql_input *in, struct sql_place place,
                               enum sql_node_kind kind, struct sql_node *of,
                               const struct data_type *type) {
    struct sql_node *node = make_above_one(in, place, kind, of);
    struct data_type *copy = pool_alloc(in->pool, 1, sizeof *copy);
    *copy = *type;
    node->type = copy;
    return node;
}

struct sql_node *sql_make_lambda(struct sql_input *in, struct sql_place place,
                                 struct sql_list names, struct sql_node *body) {
    struct sql_node *node = make_above_one(in, place, SQL_LAMBDA, body);
    node->names = (const char *const *)names.items;
    node->name_count = names.count;
    return node;
}

struct sql_node *sql_make_case(struct sql_input *in, struct sql_place place, struct sql_node *of,
                               struct sql_list branches, struct sql_node *otherwise) {
    struct sql_node **items = (struct sql_node **)branches.items;
    for (size_t i = 0; of != NULL && i < branches.count; i += 2)
        items[i] = sql_make_binary(in, items[i]->place, "=", of, items[i]);
    if (otherwise != NULL)
        branches = sql_list_node(in, branches, otherwise);
    return make_above(in, place, SQL_CASE, (struct sql_node **)branches.items, branches.count);
}

/* ---- operators ---- */

struct sql_node *sql_make_unary(struct sql_input *in, struct sql_place place, const char *name,
                                struct sql_node *of) {
    struct sql_node *node = make_above_one(in, place, SQL_CALL, of);
    node->text = name;
    node->text_length = strlen(name);
    return node;
}

struct sql_node *sql_make_binary(struct sql_input *in, struct sql_place place, const char *name,
                                 struct sql_node *left, struct sql_node *right) {
    struct sql_node *node = make_above_two(in, place, SQL_CALL, left, right);
    node->text = name;
    node->text_length = strlen(name);
    return node;
}

/* Spark keeps the sign as a call of `positive`, which makes a DOUBLE of a text. */
struct sql_node *sql_make_plus(struct sql_input *in, struct sql_place place, struct sql_node *of) {
    if (of->kind != SQL_NUMBER)
        sql_refuse(in, place, "a '+' in front of a value is not supported: leave it out");
    return of;
}

struct sql_node *sql_negate(struct sql_input *in, struct sql_place place, struct sql_node *of) {
    return sql_make_unary(in, place, "not", of);
}

struct sql_node *sql_make_between(struct sql_input *in, struct sql_place place, struct sql_node *of,
                                  struct sql_node *low, struct sql_node *high) {
    return sql_make_binary(in, place, "and", sql_make_binary(in, place, ">=", of, low),
                           sql_make_binary(in, place, "<=", of, high));
}

struct sql_node *sql_make_in(struct sql_input *in, struct sql_place place, struct sql_node *of,
                             struct sql_list choices) {
    struct sql_node **children = pool_alloc(in->pool, choices.count + 1, sizeof(struct sql_node *));
    children[0] = of;
    memcpy(children + 1, choices.items, choices.count * sizeof(struct sql_node *));
    struct sql_node *node = make_above(in, place, SQL_CALL, children, choices.count + 1);
    node->text = "in";
    node->text_length = strlen(node->text);
    return node;
}

/* LIKE ANY (…) looks like a call of a function `any`. */
static void check_pattern(struct sql_input *in, const struct sql_node *pattern) {
    static const char *const quantifiers[] = {"any", "some", "all"};
    for (size_t i = 0; i < sizeof quantifiers / sizeof quantifiers[0]; i++)
        if (pattern->kind == SQL_CALL && strcmp(pattern->text, quantifiers[i]) == 0)
            sql_refuse(in, pattern->place,
                       "LIKE ANY and LIKE ALL are not supported: join several LIKE with OR or AND");
}

struct sql_node *sql_make_like(struct sql_input *in, struct sql_place place, struct sql_node *of,
                               struct sql_node *pattern) {
    check_pattern(in, pattern);
    return sql_make_binary(in, place, "like", of, pattern);
}

/* As Java counts them: a character beyond U+FFFF is two. */
static bool is_one_character(struct sql_string string) {
    size_t characters = 0;
    for (size_t i = 0; i < string.length; i++) {
        unsigned char byte = (unsigned char)string.text[i];
        characters += (byte & 0xC0) == 0x80 ? 0 : byte >= 0xF0 ? 2 : 1;
    }
    return characters == 1;
}

struct sql_node *sql_make_like_escape(struct sql_input *in, struct sql_place place,
                                      struct sql_node *of, struct sql_node *pattern,
                                      struct sql_place escape_place, struct sql_string escape) {
    check_pattern(in, pattern);
    if (!is_one_character(escape))
        sql_refuse(in, escape_place, "ESCAPE needs a text of one character");
    struct sql_node **children = pool_alloc(in->pool, 3, sizeof(struct sql_node *));
    children[0] = of;
    children[1] = pattern;
    children[2] = sql_make_string(in, escape_place, escape);
    struct sql_node *node = make_above(in, place, SQL_CALL, children, 3);
    node->text = "like";
    node->text_length = strlen(node->text);
    return node;
}

struct sql_node *sql_make_is(struct sql_input *in, struct sql_place place, bool is,
                             struct sql_node *left, struct sql_node *right) {
    struct sql_node *node = sql_make_binary(in, place, "<=>", left, right);
    return is ? node : sql_negate(in, place, node);
}
