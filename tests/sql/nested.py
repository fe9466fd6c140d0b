"""Rows with arrays, maps and structs, and expressions over them, for record.py."""

import base64
import json
import math
import random

from sql.expressions import INT_MAX, LONG_MAX, NAN

# Types as trees: a name, ("ARRAY", of), ("MAP", of), or ("STRUCT", {name: type}).
ITEM = ("STRUCT", {
    "unused": "STRING",
    "k": "INT",
    "name": "STRING",
    "tags": ("ARRAY", "STRING"),
    "inner": ("STRUCT", {"x": "INT", "far": ("ARRAY", ("STRUCT", {"y": "BIGINT", "z": "DOUBLE"}))}),
    "ok": "BOOLEAN",
})  # fmt: skip
COLUMNS = {
    "a": ("ARRAY", "INT"),
    "b": ("ARRAY", "STRING"),
    "d": ("ARRAY", "DOUBLE"),
    "l": ("ARRAY", "BIGINT"),
    "q": ("ARRAY", "DECIMAL(10,2)"),
    "bo": ("ARRAY", "BOOLEAN"),
    "by": ("ARRAY", "BINARY"),
    "ti": ("ARRAY", "TINYINT"),
    "f": ("ARRAY", "FLOAT"),
    "s": ("ARRAY", ITEM),
    "aa": ("ARRAY", ("ARRAY", "INT")),
    "m": ("MAP", "INT"),
    "ms": ("MAP", ITEM),
    "i": "INT",
    "j": "BIGINT",
    "x": "STRING",
    "e": "DOUBLE",
}

SCALARS = {
    "INT": [None, 0, 1, 2, 3, -1, 5, 100, INT_MAX, -INT_MAX - 1],
    "BIGINT": [None, 0, 1, 2, -1, 4294967296, LONG_MAX, -LONG_MAX - 1, 9 * 10**18],
    "TINYINT": [None, 0, 1, 127, -128],
    "DOUBLE": [None, 0.0, -0.0, 1.5, NAN, math.inf, -math.inf, 1e300, 2.0],
    "FLOAT": [None, 0.0, -0.0, 1.5, NAN, 0.25],
    "STRING": [None, "", "a", "b", "abc", "é", "a,b", "10", "-", "abcdefghijklm"],
    "BOOLEAN": [None, True, False],
    "BINARY": [None, b"", b"abc", b"\x00\xff"],
    "DECIMAL(10,2)": [None, 0, 150, -150, 9999999999],  # unscaled
}
KEYS = ["a", "b", "", "key", "é"]


def draw_value(draw, kind):
    if isinstance(kind, str):
        return draw.choice(SCALARS[kind])
    if draw.random() < 0.12:
        return None
    count = draw.choice([0, 1, 1, 2, 3, 5])
    if kind[0] == "ARRAY":
        return [draw_value(draw, kind[1]) for _ in range(count)]
    if kind[0] == "MAP":  # a key can be there twice
        return [(draw.choice(KEYS), draw_value(draw, kind[1])) for _ in range(count)]
    return {name: draw_value(draw, of) for name, of in kind[1].items()}


def rows():
    draw = random.Random(16)
    made = [{name: draw_value(draw, kind) for name, kind in COLUMNS.items()} for _ in range(60)]
    for row in made:  # Spark's process ends for element_at(a, -2147483648)
        row["i"] = -5 if row["i"] == -INT_MAX - 1 else row["i"]
    made[0] = dict.fromkeys(COLUMNS)
    made[1] = {name: None if isinstance(kind, str) else [] for name, kind in COLUMNS.items()}
    made[2] |= {"a": list(range(2500)), "b": ["a", "b"] * 40, "i": 0, "j": 2, "x": "key"}
    return made


def ddl(kind):
    if isinstance(kind, str):
        return kind
    if kind[0] == "STRUCT":
        return "STRUCT<" + ", ".join(f"{name}: {ddl(of)}" for name, of in kind[1].items()) + ">"
    return ("ARRAY<" if kind[0] == "ARRAY" else "MAP<STRING, ") + ddl(kind[1]) + ">"


def as_json(value, kind):
    """As from_json reads it."""
    if value is None:
        return "null"
    if kind == "BINARY":
        return json.dumps(base64.b64encode(value).decode())
    if kind == "DECIMAL(10,2)":
        return f"{value / 100:.2f}"
    if isinstance(value, float) and not math.isfinite(value):
        return '"NaN"' if math.isnan(value) else '"+INF"' if value > 0 else '"-INF"'
    if isinstance(kind, str):
        return json.dumps(value)
    if kind[0] == "ARRAY":
        return "[" + ",".join(as_json(item, kind[1]) for item in value) + "]"
    pairs = value if kind[0] == "MAP" else value.items()
    of = (lambda name: kind[1]) if kind[0] == "MAP" else kind[1].get
    return "{" + ",".join(f"{json.dumps(name)}:{as_json(item, of(name))}" for name, item in pairs) + "}"


def as_text(value):
    """As the unit test reads it: [a,b], {a,b} for a STRUCT's fields, [k:v,k:v] for a MAP, \\E for an empty text."""
    if value is None:
        return r"\N"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (str, bytes)):
        plain = "".join(chr(c) if 32 <= c < 127 and chr(c) not in "\\,:[]{}" else f"\\x{c:02x}" for c in (value.encode() if isinstance(value, str) else value))
        return plain or r"\E"
    if isinstance(value, dict):
        return "{" + ",".join(as_text(item) for item in value.values()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(as_text(item) for item in value) + "]"
    if isinstance(value, tuple):
        return f"{as_text(value[0])}:{as_text(value[1])}"
    return repr(value)


EXPRESSIONS = """
a[0]
a[1]
a[-1]
a[5]
a[i]
a[j]
a[i + 1]
l[j]
a[NULL]
a['0']
a[1.0]
a[1Y]
a[1L]
a[4294967296L]
b[0]
b[i]
d[0]
d[0] + d[1]
q[0]
q[1]
bo[0] AND bo[1]
f[0]
ti[0]
length(by[0])
by[0] = by[1]
s[0].k
s[i].name
s[0].inner.x
s[1].inner.far[0].y
s[0].inner.far[i].z
s[0].tags[0]
s[0].tags[size(s[0].tags) - 1]
s[0].ok
s[0] IS NULL
s[0].inner IS NULL
s[0].tags IS NOT NULL
s IS NULL
aa[0][0]
aa[0][1]
aa[i][i]
aa[1] IS NULL
size(aa[0])
m['a']
m['b']
m['']
m['none']
m[x]
m[NULL]
m[1]
m.a
m.key
m.`é`
ms['a'].k
ms.a.name
ms.a.inner.far[0].y
ms['b'].tags[0]
ms[x].k
ms.a IS NULL
size(a)
size(b)
size(s)
size(m)
size(ms)
size(NULL)
size(i)
cardinality(a)
cardinality(m)
size(s[0].tags)
size(s[0].inner.far)
element_at(a, 1)
element_at(a, -1)
element_at(a, i)
element_at(a, 0)
element_at(a, 7)
element_at(a, j)
element_at(a, 1L)
element_at(a, 1Y)
element_at(a, '1')
element_at(a, NULL)
element_at(b, i)
element_at(s, 1).k
element_at(s, -1).name
element_at(s, i).inner.x
element_at(m, 'a')
element_at(m, x)
element_at(m, 1)
element_at(m, NULL)
element_at(ms, 'a').k
element_at(aa, -1)[0]
array_contains(a, 1)
array_contains(a, i)
array_contains(a, 1Y)
array_contains(a, '1')
array_contains(a, NULL)
array_contains(l, 1L)
array_contains(l, i)
array_contains(b, 'a')
array_contains(b, x)
array_contains(b, '')
array_contains(b, 'abcdefghijklm')
array_contains(b, 1)
array_contains(d, e)
array_contains(d, CAST('NaN' AS DOUBLE))
array_contains(d, 0.0D)
array_contains(d, -0.0D)
array_contains(f, 1.5F)
array_contains(bo, true)
array_contains(bo, false)
array_contains(by, X'616263')
array_contains(ti, 1Y)
array_contains(q, 1.50)
array_contains(s[0].tags, 'a')
array_contains(map_keys(m), x)
array_contains(map_values(m), 1)
map_keys(m)[0]
map_keys(ms)[1]
map_values(m)[0]
map_values(m)[i]
map_values(ms)[0].k
size(map_keys(m))
size(map_values(ms))
concat_ws(',', b)
concat_ws(',', x, b, 'z')
concat_ws(x, b, map_keys(m))
concat_ws('-', s[0].tags, s[1].tags)
concat_ws(',', b, NULL)
concat_ws(NULL, b)
transform(a, y -> y + 1)[0]
transform(a, y -> y * i)[1]
transform(a, (y, p) -> p)[2]
transform(a, (y, p) -> y + p)[i]
size(transform(a, y -> 1))
transform(a, y -> CAST(NULL AS INT))[0]
transform(a, y -> y / 2)[0]
length(concat_ws(',', transform(a, y -> CAST(y AS STRING))))
concat_ws('|', transform(b, y -> concat(y, x)))
concat_ws('|', transform(s, y -> y.name))
concat_ws('|', transform(s, (y, p) -> concat(y.name, CAST(p AS STRING), y.tags[0])))
concat_ws('|', transform(map_keys(m), y -> substring(y, 1, 1)))
transform(s, y -> y.inner.x)[0]
transform(s, y -> y.inner.far[0].y)[0]
transform(s, y -> size(y.tags))[0]
transform(s, y -> size(filter(y.tags, z -> z = x)))[0]
transform(s, y -> size(filter(y.inner.far, z -> z.y > y.k)))[1]
transform(aa, y -> size(y))[0]
transform(aa, y -> y[0])[0]
transform(aa, y -> aggregate(y, i, (u, v) -> u + v))[0]
transform(d, y -> CASE WHEN y > 1 THEN 1 ELSE 0 END)[0]
transform(l, y -> timestamp_millis(y))[0] IS NULL
transform(l, y -> element_at(a, CAST(y AS INT)))[0]
transform(i, y -> y)[0]
transform(s, y -> y.inner)[0].x
transform(s, y -> y)[i].name
transform(s, y -> y.tags)[0][1]
transform(s, y -> y.inner.far[0])[1].z
transform(aa, y -> y)[0][1]
size(transform(s, y -> y.inner.far)[0])
s.inner.far[0][0].y
s.tags[1][0]
s.k[0]
s.inner.x[1]
concat_ws('|', s.name)
array_contains(s.k, 2)
size(filter(s.name, y -> y > 'a'))
aggregate(s.k, 0, (u, v) -> u + v)
s.none[0]
a.k
transform(a, (y, p, r) -> y)[0]
size(filter(a, y -> y > 1))
size(filter(a, y -> y IS NULL))
size(filter(a, y -> y > i))
size(filter(a, (y, p) -> p > 0))
size(filter(a, (y, p) -> y = p))
filter(a, y -> y > 0)[0]
filter(b, y -> length(y) > 1)[0]
filter(s, y -> y.k > 1)[0].name
filter(s, y -> y.ok)[0].inner.x
filter(s, y -> y.inner.x IS NOT NULL)[0].inner.far[0].z
filter(aa, y -> size(y) > 1)[0][1]
filter(filter(a, y -> y > 0), y -> y < 100)[0]
filter(transform(a, y -> y + 1), y -> y > 1)[0]
size(filter(l, y -> timestamp_millis(y) IS NULL))
size(filter(a, y -> y + 1))
size(filter(a, y -> 'true'))
size(filter(b, y -> exists(s, z -> z.name = y)))
size(filter(s, y -> array_contains(b, y.name)))
size(filter(s, y -> element_at(a, i) = 1))
exists(a, y -> y > 1)
exists(a, y -> y IS NULL)
exists(a, y -> y = i)
exists(b, y -> y = x)
exists(bo, y -> y)
exists(s, y -> y.k > 2)
exists(s, y -> exists(y.tags, z -> z = 'a'))
exists(s, y -> exists(y.inner.far, z -> z.y > y.k AND z.z > e))
exists(l, y -> timestamp_millis(y) > timestamp_millis(0))
exists(d, y -> y = e)
exists(a, (y, p) -> y > p)
NOT exists(a, y -> y > 1)
aggregate(a, 0, (u, v) -> u + v)
aggregate(a, 0, (u, v) -> u + coalesce(v, 0))
aggregate(a, i, (u, v) -> u + v)
aggregate(a, 0L, (u, v) -> u + v)
aggregate(l, 0, (u, v) -> u + v)
aggregate(l, 0L, (u, v) -> u + v)
aggregate(d, 0.0D, (u, v) -> u + v)
aggregate(a, 0, (u, v) -> u + v, u -> u * 2)
aggregate(a, 0, (u, v) -> u + v, u -> u / size(a))
aggregate(a, 0, (u, v) -> u + v, u -> concat(x, CAST(u AS STRING)))
aggregate(b, '', (u, v) -> concat(u, v))
aggregate(b, x, (u, v) -> concat_ws(',', u, v))
aggregate(a, CAST(NULL AS INT), (u, v) -> v)
aggregate(a, 0, (u, v) -> greatest(u, v))
aggregate(s, 0, (u, v) -> u + v.k)
aggregate(s, 0, (u, v) -> u + v.inner.x)
aggregate(s, true, (u, v) -> u AND v.ok)
aggregate(filter(s, y -> y.ok), 0, (u, v) -> u + v.k)
aggregate(filter(s, y -> y.k > 0), 0, (u, v) -> u + v.k)
aggregate(transform(s, y -> y.k), 0, (u, v) -> u + v)
aggregate(s, 0, (u, v) -> u + size(v.tags))
aggregate(s, 0, (u, v) -> u + aggregate(v.inner.far, 0, (w, z) -> w + 1))
aggregate(map_values(m), 0, (u, v) -> u + v)
aggregate(a, 0, (u, v) -> u)
reduce(a, 0, (u, v) -> u + v)
aggregate(a, NULL, (u, v) -> v)
aggregate(ti, 0Y, (u, v) -> u + v)
aggregate(a, 0, u -> u)
CASE WHEN i > 0 THEN a[0] ELSE s[0].k END
CASE WHEN i > 0 THEN size(filter(a, y -> y > 0)) ELSE aggregate(a, 0, (u, v) -> u + v) END
coalesce(a[0], s[0].k, m['a'])
if(size(a) > 0, element_at(a, -1), element_at(a, i))
a[0] + a[1] * s[0].k
a[0] IN (a[1], a[2])
"""


def expressions():
    return [line for line in EXPRESSIONS.splitlines() if line]


# What is exploded, the positions' names, and expressions over it.
VIEWS = [
    ("LATERAL VIEW posexplode(a) x AS p, y", "p", "p | y | y + i | size(a) + p | y = a[p] | x.y"),
    ("LATERAL VIEW OUTER posexplode(a) x AS p, y", "p", "p | y | y IS NULL | p IS NULL | coalesce(y, i)"),
    ("LATERAL VIEW posexplode(m) x AS p, k, v", "p", "p | k | v | m[k] | concat(k, '-', CAST(v AS STRING))"),
    ("LATERAL VIEW OUTER posexplode(ms) x AS p, k, v", "p", "k | v.k | v.inner.far[0].z | size(v.tags) | v IS NULL"),
    (
        "LATERAL VIEW posexplode(s) x AS p, y",
        "p",
        "y.k | y.inner.x | y.tags[p] | exists(y.inner.far, z -> z.y > y.k) | y.k + s[p].k | size(filter(s, z -> z.k = y.k))",
    ),
    (
        "LATERAL VIEW OUTER posexplode(s) x AS p, y LATERAL VIEW OUTER posexplode(y.inner.far) z AS o, w",
        "p o",
        "p | o | w.y | w.z + e | y.k | y.name | w IS NULL",
    ),
    (
        "LATERAL VIEW posexplode(aa) x AS p, y LATERAL VIEW posexplode(y) z AS o, w",
        "p o",
        "w | p * 10 + o | y[o] = w | aa[p][o]",
    ),
    (
        "LATERAL VIEW OUTER posexplode(filter(s, z -> z.ok)) x AS p, y LATERAL VIEW posexplode(b) z AS o, w",
        "p o",
        "y.k | concat(y.name, w) | y.inner.far[0].y",
    ),
    ("LATERAL VIEW posexplode(transform(a, (z, n) -> z * n)) x AS p, y", "p", "y | y = a[p] * p"),
    ("LATERAL VIEW posexplode(map_values(ms)) x AS p, y", "p", "y.k | y.tags[0]"),
    ("LATERAL VIEW posexplode(b) x AS p, y WHERE p > 0", "p", "y | p"),
]
