#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sql/plan/plan.h"
#include "sql/syntax/parse.h"

/* Line 1 of every file here, unless it has its own. */
#define TOPIC                                                                                      \
    "CREATE TABLE riot (id STRING COMMENT 'who', n INT, big BIGINT, small SMALLINT, tiny "         \
    "TINYINT, "                                                                                    \
    "real FLOAT, d DOUBLE, flag BOOLEAN, day DATE, at TIMESTAMP, local TIMESTAMP_NTZ, "            \
    "bytes BINARY, price DECIMAL(10,2), info STRUCT<queueId: INT, deep: STRUCT<x: INT, y: "        \
    "STRING>>, list ARRAY<STRUCT<k: INT>>, tags MAP<STRING, INT>, `odd name` INT, `case` INT, "    \
    "topic STRING, twin INT, Twin INT) USING kafka OPTIONS (subscribe 'matches');\n"

#define DEEP                                                                                       \
    "CREATE TABLE deep (l ARRAY<STRUCT<a: ARRAY<ARRAY<INT>>, b: STRING, c: INT, s: STRUCT<x: "     \
    "INT, y: INT>, m: MAP<STRING, STRUCT<c: INT, d: INT>>>>, o STRUCT<l: ARRAY<INT>, n: INT>) "    \
    "USING kafka OPTIONS (subscribe 'deep');\n"

static bool make(const char *text, struct query_plan *plan, struct error *err) {
    struct sql_file file = {0};
    bool ok = sql_parse("q.sql", text, strlen(text), &file, err);
    if (ok) {
        assert_true(file.table_count > 0);
        ok = plan_make(&file, file.table_count - 1, plan, err);
        sql_file_deinit(&file); // a plan does not need it
    }
    return ok;
}

static void must_make(const char *text, struct query_plan *plan) {
    struct error err = {0};
    if (make(text, plan, &err))
        return;
    fail_msg("%s\n%s", text, err.message);
    abort(); // tells an analyzer that fail_msg() does not return
}

/* The columns, one per line: name, type, what null means, expression, comment. */
static char *columns_of(const struct query_plan *plan) {
    char *text;
    size_t size;
    struct pool pool;
    FILE *out = open_memstream(&text, &size);
    pool_init(&pool);
    for (size_t i = 0; i < plan->column_count; i++) {
        const struct plan_column *column = &plan->columns[i];
        fprintf(out, "%s %s%s%s = %s%s%s\n", column->name, data_type_text(&column->type, &pool),
                column->required ? " NOT NULL" : "", column->expr->can_be_null ? "" : " never",
                expr_text(plan, column->expr, &pool), column->comment != NULL ? " -- " : "",
                column->comment != NULL ? column->comment : "");
    }
    pool_deinit(&pool);
    fclose(out);
    return text;
}

#define KAFKA                                                                                      \
    "kafka_timestamp TIMESTAMP = kafka_timestamp -- The Kafka record's timestamp\n"                \
    "partition INT = partition -- The record's Kafka partition\n"                                  \
    "offset BIGINT = offset -- The record's offset in its partition\n"                             \
    "processing_timestamp TIMESTAMP never = processing_timestamp -- When the micro-batch was "     \
    "planned; the same for all its rows, even if the batch is run again\n"

/* ---- what a file means ---- */

static const struct {
    const char *table, *columns;
} meanings[] = {
    {"t AS SELECT id, n FROM STREAM riot", "id STRING = id -- who\nn INT = n\n" KAFKA},
    // The column list decides order, names, NOT NULL and comments.
    {"t (N INT, Id STRING NOT NULL COMMENT 'the player') AS SELECT id, n FROM STREAM riot",
     "N INT = n\nId STRING NOT NULL = id -- the player\n" KAFKA},
    {"t (x INT, y INT) AS SELECT n AS y, y + 1 AS x FROM STREAM riot",
     "x INT = y + 1\ny INT = n\n" KAFKA},
    // Paths, and the source's name in front.
    {"t AS SELECT riot.n, info.queueId, RIOT.INFO.Deep.X AS x FROM STREAM riot",
     "n INT = n\nqueueId INT = info.queueId\nx INT = info.deep.x\n" KAFKA},
    {"t AS SELECT r.n FROM STREAM(riot) AS r", "n INT = n\n" KAFKA},
    {"t AS SELECT `odd name` AS odd, `case` FROM STREAM riot",
     "odd INT = `odd name`\ncase INT = `case`\n" KAFKA},
    // A field comes before Kafka's name, Kafka's before an alias.
    {"t AS SELECT topic FROM STREAM riot", "topic STRING = topic\n" KAFKA},
    {"t AS SELECT id AS value, value AS bytes FROM STREAM riot",
     "value STRING = id -- who\nbytes BINARY = value\n" KAFKA},
    // Kafka's columns are where they are named.
    {"t AS SELECT offset, n, timestamp AS kafka_timestamp FROM STREAM riot",
     "offset BIGINT = offset -- The record's offset in its partition\nn INT = n\n"
     "kafka_timestamp TIMESTAMP = kafka_timestamp -- The Kafka record's timestamp\n"
     "partition INT = partition -- The record's Kafka partition\n"
     "processing_timestamp TIMESTAMP never = processing_timestamp -- When the micro-batch was "
     "planned; the same for all its rows, even if the batch is run again\n"},
    {"t (partition INT COMMENT 'which', n INT) AS SELECT n FROM STREAM riot",
     "partition INT = partition -- which\nn INT = n\n"
     "kafka_timestamp TIMESTAMP = kafka_timestamp -- The Kafka record's timestamp\n"
     "offset BIGINT = offset -- The record's offset in its partition\n"
     "processing_timestamp TIMESTAMP never = processing_timestamp -- When the micro-batch was "
     "planned; the same for all its rows, even if the batch is run again\n"},
    // Bronze.
    {"t AS SELECT key, value FROM STREAM kafka('raw')",
     "key BINARY = key\nvalue BINARY = value\n" KAFKA},
    {"t AS SELECT * FROM STREAM kafka('raw')",
     "key BINARY = key\nvalue BINARY = value\ntopic STRING = topic\n"
     "partition INT = partition -- The record's Kafka partition\n"
     "offset BIGINT = offset -- The record's offset in its partition\n"
     "timestamp TIMESTAMP = kafka_timestamp\ntimestampType INT = timestampType\n"
     "kafka_timestamp TIMESTAMP = kafka_timestamp -- The Kafka record's timestamp\n"
     "processing_timestamp TIMESTAMP never = processing_timestamp -- When the micro-batch was "
     "planned; the same for all its rows, even if the batch is run again\n"},
    // Literals have Spark's types.
    {"t AS SELECT 1 AS a, 3000000000 AS b, -2147483648 AS c, 1.5 AS d, 1e3 AS e, 99.99D AS f, 1L "
     "AS "
     "g, 1S AS h, 1Y AS i, 1.5F AS j, 0.05 AS k, 9223372036854775808 AS l, 1. AS m, -9223372036854"
     "775808 AS n FROM STREAM riot",
     "a INT never = 1\nb BIGINT never = 3000000000\nc INT never = -2147483648\n"
     "d DECIMAL(2,1) never = 1.5\ne DOUBLE never = 1000.0D\nf DOUBLE never = 99.99D\n"
     "g BIGINT never = 1L\nh SMALLINT never = 1S\ni TINYINT never = 1Y\nj FLOAT never = 1.5F\n"
     "k DECIMAL(2,2) never = 0.05\nl DECIMAL(19,0) never = 9223372036854775808.\n"
     "m DECIMAL(1,0) never = 1.\nn BIGINT never = -9223372036854775808\n" KAFKA},
    {"t AS SELECT TRUE AS a, 'it''s \\n' AS b, DATE '2024-02-29' AS c, "
     "TIMESTAMP '2024-01-02 03:04:05+01:00' AS d, TIMESTAMP_NTZ '2024-01-02T03:04:05.5' AS e, "
     "X'0aFF' AS f, CAST(NULL AS INT) AS g FROM STREAM riot",
     "a BOOLEAN never = TRUE\nb STRING never = 'it\\'s \\u000A'\nc DATE never = DATE '2024-02-29'\n"
     "d TIMESTAMP never = TIMESTAMP '2024-01-02 02:04:05.000000Z'\n"
     "e TIMESTAMP_NTZ never = TIMESTAMP_NTZ '2024-01-02 03:04:05.500000'\n"
     "f BINARY never = X'0AFF'\ng INT = CAST(NULL AS INT)\n" KAFKA},
    // Operators: precedence, and what CASE and BETWEEN stand for.
    {"t AS SELECT (n + 1) * 2 - -n AS a, n - (1 - n) AS b, -(-n) AS c, NOT (flag OR n > 1 AND "
     "flag) "
     "AS d, (n IS NULL) = flag AS e, n BETWEEN 1 AND 2 AS f, CASE n WHEN 1 THEN 'one' END AS g, "
     "n NOT IN (1, 2) AS h FROM STREAM riot",
     "a INT = (n + 1) * 2 - -n\nb INT = n - (1 - n)\nc INT = -(-n)\n"
     "d BOOLEAN = NOT (flag OR n > 1 AND flag)\ne BOOLEAN = (n IS NULL) = flag\n"
     "f BOOLEAN = n >= 1 AND n <= 2\ng STRING = CASE WHEN n = 1 THEN 'one' END\n"
     "h BOOLEAN = n NOT IN (1, 2)\n" KAFKA},
    // Values inside arrays and maps.
    {"t AS SELECT list[0].k AS a, tags['x'] AS b, tags.x AS c, size(list) AS d, "
     "list[n + 1].K + 1 AS e, element_at(list, -1).k AS f, headers[0].key AS g, "
     "exists(list, x -> x.k > n) AS h FROM STREAM riot",
     "a INT = list[0].k\nb INT = tags['x']\nc INT = tags['x']\nd INT never = size(list)\n"
     "e INT = list[n + 1].k + 1\nf INT = element_at(list, -1).k\ng STRING = headers[0].key\n"
     "h BOOLEAN = exists(list, x -> x.k > n)\n" KAFKA},
    // Of a lambda the parameter comes first, then the view's alias, then the field.
    {"t AS SELECT n, size(filter(list, n -> n.k > 1)) AS a, x.n AS b, riot.n AS c, X.N AS d "
     "FROM STREAM riot LATERAL VIEW posexplode(tags) x AS n, key, v",
     "n INT never = n\na INT never = size(filter(list, n -> n.k > 1))\nb INT never = n\n"
     "c INT = n\nd INT never = n\n" KAFKA},
    // Each view's position is a column.
    {"t AS SELECT id, k, v, e.k AS position FROM STREAM riot LATERAL VIEW OUTER explode(tags) x AS "
     "k, v LATERAL VIEW explode(list) y AS e",
     "id STRING = id -- who\nk STRING = k\nv INT = v\nposition INT = e.k\n"
     "position_2 INT = position_2 -- Position of k, from 0\n"
     "position_3 INT never = position_3 -- Position of e, from 0\n" KAFKA},
    {"t (p INT COMMENT 'where', k INT) AS SELECT e.k, p FROM STREAM riot LATERAL VIEW "
     "posexplode(list) x AS p, e",
     "p INT never = p -- where\nk INT = e.k\n" KAFKA},
    // A cast to its own type is none; an implicit one is not written.
    {"t AS SELECT CAST(n AS INT) AS a, big > n AS b, n / 2 AS c FROM STREAM riot",
     "a INT = n\nb BOOLEAN = big > n\nc DOUBLE = n / 2\n" KAFKA},
};

static void a_file_becomes_columns_with_types_and_expressions(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++) {
        struct query_plan plan;
        char *text = text_format(TOPIC "CREATE STREAMING TABLE %s", meanings[i].table);
        must_make(text, &plan);
        char *columns = columns_of(&plan);
        assert_string_equal(columns, meanings[i].columns);
        assert_string_equal(plan.columns[plan.kafka_timestamp].name, "kafka_timestamp");
        assert_string_equal(plan.columns[plan.partition].name, "partition");
        assert_string_equal(plan.columns[plan.offset].name, "offset");
        assert_string_equal(plan.columns[plan.processing_timestamp].name, "processing_timestamp");
        free(columns);
        free(text);
        plan_deinit(&plan);
    }
}

static void a_plan_has_what_a_table_says_of_itself(void **state) {
    (void)state;
    struct query_plan plan;
    must_make("CREATE TABLE r (a INT, b STRING) USING kafka OPTIONS (subscribe = '${T:-x}');\n"
              "CREATE STREAMING TABLE rows (a INT, b STRING, s BOOLEAN)\n"
              "PARTITIONED BY (b, s) COMMENT 'all of them'\n"
              "TBLPROPERTIES (queryname = 'q', trigger '10 seconds')\n"
              "AS SELECT *, a > 1 AS s FROM STREAM r WHERE b = 'x' AND a IS NOT NULL",
              &plan);
    struct pool pool;
    pool_init(&pool);
    assert_string_equal(plan.name, "rows");
    assert_string_equal(plan.path, "q.sql");
    assert_string_equal(plan.topic, "${T:-x}");
    assert_string_equal(plan.comment, "all of them");
    assert_int_equal(plan.place.line, 2);
    assert_int_equal(plan.partition_column_count, 2);
    assert_int_equal(plan.partition_columns[0], 1);
    assert_int_equal(plan.partition_columns[1], 2);
    assert_int_equal(plan.property_count, 2);
    assert_string_equal(plan.properties[0].key, "queryName");
    assert_string_equal(plan.properties[0].value, "q");
    assert_string_equal(plan.properties[1].key, "trigger");
    assert_string_equal(plan.properties[1].value, "10 seconds");
    assert_string_equal(expr_text(&plan, plan.where, &pool), "b = 'x' AND a IS NOT NULL");
    pool_deinit(&pool);
    plan_deinit(&plan);
}

/* ---- what is read ---- */

static const struct {
    const char *query, *cut, *inputs;
} readings[] = {
    {"SELECT n FROM STREAM riot", "STRUCT<n: INT>", "n kafka1 kafka2 kafka3 kafka4"},
    // In declared order, each once, nested ones cut.
    {"SELECT flag, n + n AS m, info.deep.y, id FROM STREAM riot",
     "STRUCT<id: STRING, n: INT, flag: BOOLEAN, info: STRUCT<deep: STRUCT<y: STRING>>>",
     "id n flag info.deep.y kafka1 kafka2 kafka3 kafka4"},
    {"SELECT info.deep.y, info.deep.x, info.queueId FROM STREAM riot",
     "STRUCT<info: STRUCT<queueId: INT, deep: STRUCT<x: INT, y: STRING>>>",
     "info.queueId info.deep.x info.deep.y kafka1 kafka2 kafka3 kafka4"},
    // Inside arrays and maps, those fields that are named; where none is, the first scalar one.
    {"SELECT l[0].c AS x FROM STREAM deep", "STRUCT<l: ARRAY<STRUCT<c: INT>>>",
     "l kafka1 kafka2 kafka3 kafka4"},
    {"SELECT l[0].s.y AS x, filter(l, e -> e.c > 1)[0].m['k'].d AS y FROM STREAM deep",
     "STRUCT<l: ARRAY<STRUCT<c: INT, s: STRUCT<y: INT>, m: MAP<STRING, STRUCT<d: INT>>>>>",
     "l kafka1 kafka2 kafka3 kafka4"},
    {"SELECT size(l) AS x, size(l[0].m) AS y, l[0].s IS NULL AS z FROM STREAM deep",
     "STRUCT<l: ARRAY<STRUCT<s: STRUCT<x: INT>, m: MAP<STRING, STRUCT<c: INT>>>>>",
     "l kafka1 kafka2 kafka3 kafka4"},
    {"SELECT size(l) AS x FROM STREAM deep", "STRUCT<l: ARRAY<STRUCT<b: STRING>>>",
     "l kafka1 kafka2 kafka3 kafka4"},
    {"SELECT e.a[0][1] AS a, v.d FROM STREAM deep LATERAL VIEW explode(l) x AS e LATERAL VIEW "
     "OUTER explode(e.m) y AS k, v",
     "STRUCT<l: ARRAY<STRUCT<a: ARRAY<ARRAY<INT>>, m: MAP<STRING, STRUCT<d: INT>>>>>",
     "l kafka1 kafka2 kafka3 kafka4"},
    {"SELECT o.l[0] AS a, o.n, h.value FROM STREAM deep LATERAL VIEW explode(headers) x AS h",
     "STRUCT<o: STRUCT<l: ARRAY<INT>, n: INT>>", "o.l o.n kafka1 kafka2 kafka3 headers kafka4"},
    // WHERE reads, too; Kafka's are last, in the order of Spark's columns.
    {"SELECT id FROM STREAM riot WHERE n > 1 AND key IS NOT NULL", "STRUCT<id: STRING, n: INT>",
     "id n key kafka1 kafka2 kafka3 kafka4"},
    {"SELECT value FROM STREAM kafka('raw')", "STRUCT<>", "value kafka1 kafka2 kafka3 kafka4"},
};

static void only_the_paths_that_are_used_are_decoded(void **state) {
    (void)state;
    static const char *const kafka[] = {
        [INPUT_KEY] = "key",
        [INPUT_VALUE] = "value",
        [INPUT_TIMESTAMP] = "kafka3",
        [INPUT_PARTITION] = "kafka1",
        [INPUT_OFFSET] = "kafka2",
        [INPUT_HEADERS] = "headers",
        [INPUT_PROCESSING_TIMESTAMP] = "kafka4",
    };
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++) {
        struct query_plan plan;
        struct pool pool;
        pool_init(&pool);
        must_make(
            pool_format(&pool, TOPIC DEEP "CREATE STREAMING TABLE t AS %s", readings[i].query),
            &plan);
        assert_string_equal(data_type_text(&plan.cut, &pool), readings[i].cut);
        const char *inputs = "";
        for (size_t k = 0; k < plan.input_count; k++) {
            const struct plan_input *input = &plan.inputs[k];
            const char *name = input->kind == INPUT_RECORD ? input->path[0] : kafka[input->kind];
            for (size_t part = 1; part < input->path_length; part++)
                name = pool_format(&pool, "%s.%s", name, input->path[part]);
            inputs = pool_format(&pool, "%s%s%s", inputs, k > 0 ? " " : "", name);
        }
        assert_string_equal(inputs, readings[i].inputs);
        pool_deinit(&pool);
        plan_deinit(&plan);
    }
}

/* name argument level outer position element value column */
static const struct {
    const char *query, *views;
} exploded[] = {
    {"SELECT p, e.k FROM STREAM riot LATERAL VIEW posexplode(list) x AS p, e",
     "x list 0 p e - p\n"},
    {"SELECT n, k FROM STREAM riot LATERAL VIEW OUTER explode(tags) x AS k, v",
     "x tags 0 outer - k v position\n"},
    {"SELECT q AS place, e.c, p + 1 AS p FROM STREAM deep LATERAL VIEW posexplode(l) x AS p, e "
     "LATERAL VIEW OUTER posexplode(filter(e.a, z -> size(z) > p)) y AS q, f WHERE f[0] > 1",
     "x l 0 p e - position\ny filter(e.a, z -> size(z) > p) 1 outer q f - place\n"},
};

static void there_can_be_32_views(void **state) {
    (void)state;
    for (size_t count = PLAN_VIEWS_MAX; count <= PLAN_VIEWS_MAX + 1; count++) {
        struct query_plan plan;
        struct error err = {0};
        char *text = text_copy(TOPIC "CREATE STREAMING TABLE t AS SELECT id FROM STREAM riot");
        for (size_t i = 0; i < count; i++) {
            char *longer = text_format("%s LATERAL VIEW explode(list) v%zu AS e%zu", text, i, i);
            free(text);
            text = longer;
        }
        bool made = make(text, &plan, &err);
        assert_int_equal(made, count == PLAN_VIEWS_MAX);
        if (made)
            plan_deinit(&plan);
        else
            assert_non_null(strstr(err.message, "more than 32 LATERAL VIEWs"));
        free(text);
    }
}

static void a_plan_has_the_views_in_their_order(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof exploded / sizeof exploded[0]; i++) {
        struct query_plan plan;
        struct pool pool;
        pool_init(&pool);
        must_make(
            pool_format(&pool, TOPIC DEEP "CREATE STREAMING TABLE t AS %s", exploded[i].query),
            &plan);
        const char *views = "";
        for (size_t k = 0; k < plan.view_count; k++) {
            const struct plan_view *view = &plan.views[k];
            views = pool_format(&pool, "%s%s %s %zu %s%s %s %s %s\n", views, view->name,
                                expr_text(&plan, view->argument, &pool), view->argument->level,
                                view->is_outer ? "outer " : "",
                                view->position != NULL ? view->position : "-", view->element,
                                view->value != NULL ? view->value : "-",
                                plan.columns[view->position_column].name);
            assert_int_equal(plan.columns[view->position_column].expr->part, VIEW_POSITION);
            assert_int_equal(plan.columns[view->position_column].expr->index, k);
        }
        assert_string_equal(views, exploded[i].views);
        pool_deinit(&pool);
        plan_deinit(&plan);
    }
}

static void an_expression_says_which_views_it_needs(void **state) {
    (void)state;
    struct query_plan plan;
    must_make(TOPIC "CREATE STREAMING TABLE t AS SELECT n, e.k AS a, size(filter(list, i -> i.k = "
                    "g.k)) AS b, a + 1 AS c, exists(list, i -> i.k = n) AS d FROM STREAM riot "
                    "LATERAL VIEW explode(list) x AS e LATERAL VIEW explode(list) y AS g WHERE "
                    "g.k > 1",
              &plan);
    static const size_t levels[] = {0, 1, 2, 1, 0, 1, 2, 0, 0, 0, 0};
    for (size_t i = 0; i < plan.column_count; i++)
        assert_int_equal(plan.columns[i].expr->level, levels[i]);
    assert_int_equal(plan.where->level, 2);
    plan_deinit(&plan);
}

static void columns_are_computed_in_the_order_of_the_select_list(void **state) {
    (void)state;
    struct query_plan plan;
    must_make(TOPIC
              "CREATE STREAMING TABLE t (c INT, b INT, a INT) AS SELECT n AS a, a + 1 AS b, a + "
              "b AS c FROM STREAM riot",
              &plan);
    static const size_t order[] = {2, 1, 0, 3, 4, 5, 6};
    assert_int_equal(plan.column_count, 7);
    assert_memory_equal(plan.order, order, sizeof order);
    const struct expr *sum = plan.columns[0].expr;
    assert_int_equal(sum->arguments[0]->kind, EXPR_COLUMN);
    assert_int_equal(sum->arguments[0]->index, 2);
    assert_int_equal(sum->arguments[1]->index, 1);
    plan_deinit(&plan);
}

/* ---- files in the shapes of real providers ---- */

static void must_parse(const char *path, struct sql_file *file) {
    char *text = NULL;
    size_t room = 0;
    struct error err = {0};
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    ssize_t length = getdelim(&text, &room, '\0', in);
    assert_true(length > 0);
    if (!sql_parse(path, text, (size_t)length, file, &err))
        fail_msg("%s", err.message);
    free(text);
    (void)fclose(in);
}

static void files_in_the_shapes_of_providers_have_plans(void **state) {
    (void)state;
    static const char *const paths[] = {
        TEST_DATA "/sql/queries/leaguepedia.sql",   TEST_DATA "/sql/queries/pandascore.sql",
        TEST_DATA "/sql/queries/riot-matches.sql",  TEST_DATA "/sql/queries/opendota-players.sql",
        TEST_DATA "/sql/queries/riot-league.sql",   TEST_DATA "/sql/queries/riot-participants.sql",
        TEST_DATA "/sql/queries/riot-timeline.sql", TEST_DATA "/sql/queries/riot-to-matches.sql"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        struct sql_file file;
        must_parse(paths[i], &file);
        for (size_t table = 0; table < file.table_count; table++) {
            struct query_plan plan;
            struct error err = {0};
            if (!plan_make(&file, table, &plan, &err))
                fail_msg("%s", err.message);
            plan_deinit(&plan);
        }
        sql_file_deinit(&file);
    }
}

/* ---- what is refused ---- */

/* The message behind "q.sql:". In the text, `@` stands for the topic and `#` for the beginning of a
 * table, so that its columns are those of line 2. */
static const struct {
    const char *text, *message;
} refusals[] = {
#include "refusals.h"
};

static char *expanded(const char *text) {
    char *result;
    size_t size;
    FILE *out = open_memstream(&result, &size);
    for (; *text != '\0'; text++) {
        if (*text == '@')
            fputs(TOPIC, out);
        else if (*text == '#')
            fputs(TOPIC "CREATE STREAMING TABLE ", out);
        else
            fputc(*text, out);
    }
    fclose(out);
    return result;
}

static void what_cannot_be_is_refused_with_its_place_and_reason(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct query_plan plan;
        struct error err = {0};
        char *text = expanded(refusals[i].text);
        if (make(text, &plan, &err))
            fail_msg("not refused: %s", refusals[i].text);
        assert_int_equal(err.kind, ERROR_CONFIG);
        if (strncmp(err.message, "q.sql:", 6) != 0 ||
            strcmp(err.message + 6, refusals[i].message) != 0)
            print_error("    {\"%s\",\n     \"%s\"},\n", refusals[i].text, err.message + 6);
        free(text);
    }
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct query_plan plan;
        struct error err = {0};
        char *text = expanded(refusals[i].text);
        assert_false(make(text, &plan, &err));
        assert_string_equal(err.message + 6, refusals[i].message);
        free(text);
    }
}

static void a_table_whose_expressions_double_with_each_level_is_refused(void **state) {
    (void)state;
    struct query_plan plan;
    struct error err = {0};
    char *part = text_copy("flag");
    for (int i = 0; i < 13; i++) { // below the limit that one expression has
        char *next = text_format("(%s) BETWEEN TRUE AND TRUE", part);
        free(part);
        part = next;
    }
    char *text = text_format(TOPIC "CREATE STREAMING TABLE t AS SELECT %s AS a, %s AS b, %s AS c "
                                   "FROM STREAM riot",
                             part, part, part);
    assert_false(make(text, &plan, &err));
    if (strstr(err.message, "more than 100000 parts") == NULL)
        fail_msg("%s", err.message);
    free(part);
    free(text);
}

static void an_expression_that_is_too_large_for_spark_is_refused(void **state) {
    (void)state;
    struct query_plan plan;
    struct error err = {0};
    char *part = text_copy("day");
    for (int i = 0; i < 15; i++) { // each cast to TIMESTAMP has a guard, which repeats its value
        char *next = text_format("CAST(CAST(%s AS TIMESTAMP) AS DATE)", part);
        free(part);
        part = next;
    }
    char *text =
        text_format(TOPIC "CREATE STREAMING TABLE t AS SELECT %s AS a FROM STREAM riot", part);
    assert_false(make(text, &plan, &err));
    assert_non_null(strstr(err.message, "the expression is too large"));
    free(part);
    free(text);
}

/* ---- expressions as text ---- */

static bool equals(const struct expr *a, const struct expr *b) {
    if (a->kind != b->kind || !data_type_equals(&a->type, &b->type) ||
        a->can_be_null != b->can_be_null || a->can_fault != b->can_fault ||
        a->is_implicit != b->is_implicit || a->index != b->index || a->function != b->function ||
        a->kernel != b->kernel || a->argument_count != b->argument_count)
        return false;
    if (a->kind == EXPR_LITERAL && type_is_text(a->type.kind) && a->constant.present)
        return text_equals(a->constant.text, b->constant.text);
    if (a->kind == EXPR_LITERAL)
        return a->constant.present == b->constant.present &&
               a->constant.decimal == b->constant.decimal; // the widest that there is
    for (size_t i = 0; i < a->argument_count; i++)
        if (!equals(a->arguments[i], b->arguments[i]))
            return false;
    return true;
}

/* The plan of a table whose column x is the expression. */
static void make_expression(const char *expression, struct query_plan *plan) {
    char *text =
        text_format(TOPIC "CREATE STREAMING TABLE t AS SELECT n AS alias, %s AS x FROM STREAM riot",
                    expression);
    must_make(text, plan);
    free(text);
}

static void print_and_read_again(const char *expression) {
    struct query_plan plan, again;
    struct pool pool;
    pool_init(&pool);
    make_expression(expression, &plan);
    const char *text = expr_text(&plan, plan.columns[1].expr, &pool);
    make_expression(text, &again);
    if (!equals(plan.columns[1].expr, again.columns[1].expr))
        fail_msg("%s\n%s", expression, text);
    assert_string_equal(expr_text(&again, again.columns[1].expr, &pool), text);
    pool_deinit(&pool);
    plan_deinit(&plan);
    plan_deinit(&again);
}

/* A story asks Spark for the types of the same expressions. */
static void an_expression_printed_and_read_again_is_the_same(void **state) {
    (void)state;
    FILE *file = fopen(TEST_DATA "/sql/expressions.txt", "r");
    assert_non_null(file);
    char *line = NULL;
    size_t room = 0, count = 0;
    ssize_t length;
    while ((length = getline(&line, &room, file)) > 0) {
        line[length - 1] = '\0';
        print_and_read_again(line);
        count++;
    }
    assert_true(count > 90);
    free(line);
    fclose(file);
}

static const struct {
    const char *expression, *sql;
} printed[] = {
    {"n > 1", "`r`.`n` > 1"},
    {"big > 1", "`r`.`big` > CAST(1 AS BIGINT)"},
    {"alias + 1", "`alias` + 1"},
    {"'it\\'s\\\\ \\u0000é😀\\n'", "'it\\'s\\\\ \\u0000\\u00E9\\uD83D\\uDE00\\u000A'"},
    {"1.50", "1.50BD"},
    {"1e100", "1.0E100D"},
    {"1.1F", "1.1F"},
    {"-5Y", "-5Y"},
    {"(n + 1) * 2", "(`r`.`n` + 1) * 2"},
    {"n + 1 * 2", "`r`.`n` + 1 * 2"},
    {"-(-n)", "-(-`r`.`n`)"},
    {"- -5", "-(-5)"},
    {"list[0].k + 1", "`r`.`list`[0].`k` + 1"},
    {"tags.a", "`r`.`tags`['a']"},
    {"element_at(list, n).k",
     "(element_at(`r`.`list`, nullif(nullif(`r`.`n`, 0), -2147483648))).`k`"},
    {"size(filter(list, (x, i) -> x.k > i AND exists(list, y -> y.k = x.k)))",
     "size(filter(`r`.`list`, (`lambda0`, `lambda1`) -> `lambda0`.`k` > `lambda1` AND "
     "exists(`r`.`list`, `lambda2` -> `lambda2`.`k` = `lambda0`.`k`)))"},
    {"aggregate(list, 0L, (a, x) -> a + x.k)",
     "aggregate(`r`.`list`, 0L, (`lambda0`, `lambda1`) -> `lambda0` + CAST(`lambda1`.`k` AS "
     "BIGINT))"},
    {"info.deep.y || 'x'", "concat(`r`.`info`.`deep`.`y`, 'x')"},
};

static void text_for_spark_has_every_name_in_quotes_and_every_cast(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof printed / sizeof printed[0]; i++) {
        struct query_plan plan;
        struct pool pool;
        pool_init(&pool);
        make_expression(printed[i].expression, &plan);
        const char **names = pool_alloc(&pool, plan.input_count, sizeof *names);
        for (size_t k = 0; k < plan.input_count; k++) {
            names[k] = "`r`";
            for (size_t part = 0; part < plan.inputs[k].path_length; part++)
                names[k] = pool_format(&pool, "%s.%s", names[k],
                                       name_quoted(plan.inputs[k].path[part], &pool));
        }
        assert_string_equal(expr_sql(&plan, plan.columns[1].expr, names, &pool), printed[i].sql);
        pool_deinit(&pool);
        plan_deinit(&plan);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_becomes_columns_with_types_and_expressions),
        cmocka_unit_test(a_plan_has_what_a_table_says_of_itself),
        cmocka_unit_test(only_the_paths_that_are_used_are_decoded),
        cmocka_unit_test(a_plan_has_the_views_in_their_order),
        cmocka_unit_test(there_can_be_32_views),
        cmocka_unit_test(an_expression_says_which_views_it_needs),
        cmocka_unit_test(columns_are_computed_in_the_order_of_the_select_list),
        cmocka_unit_test(files_in_the_shapes_of_providers_have_plans),
        cmocka_unit_test(what_cannot_be_is_refused_with_its_place_and_reason),
        cmocka_unit_test(a_table_whose_expressions_double_with_each_level_is_refused),
        cmocka_unit_test(an_expression_that_is_too_large_for_spark_is_refused),
        cmocka_unit_test(an_expression_printed_and_read_again_is_the_same),
        cmocka_unit_test(text_for_spark_has_every_name_in_quotes_and_every_cast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
