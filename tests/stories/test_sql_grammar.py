"""Query files are read as Spark's own parser reads them: what we take, Spark takes, and sees the same
structure. The texts are those of the unit test (tests/unit/sql/syntax/test_parse.c), and expressions
made at random, always the same ones unless FUZZ_SEED and FUZZ_COUNT choose others."""

import ast
import decimal
import os
import random
import re
import subprocess

import pytest
from pyspark.errors import PySparkException
from rig.paths import ROOT

EXAMPLES = ROOT / "tests" / "unit" / "sql" / "syntax" / "test_parse.c"
SEED = int(os.environ.get("FUZZ_SEED") or 1795394876)
COUNT = int(os.environ.get("FUZZ_COUNT") or 200)

LITERAL = r'"(?:[^"\\]|\\.)*"'
ROW = re.compile(rf"{{\s*({LITERAL}(?:\s*{LITERAL})*)\s*,\s*({LITERAL}(?:\s*{LITERAL})*)\s*}}")
TABLE = re.compile(r"static const struct example (\w+)\[\] = \{(.*?)\n\};", re.S)

# Mistakes here, but not for Spark: it reserves no words, takes "…" for a text and a lambda anywhere, and
# leaves some checks to later steps.
STRICTER = {
    "*", "x -> x", "a = (x -> x)", "a.b(c)", "CAST(a)", "and", "when", '"a"', "``", r"'\ud83d'", r"'\ud83dx'", r"'\U00110000'",
    r"'\udc00'", r"'\ud800\ud800'", r"'\udbff\ue000'", r"'\udfff'",
    "decimal(0)", "map<int, string>", "struct<a: int not null>",
}  # fmt: skip
# Of these, our message names only the first part; all of it is a mistake for Spark, too, or an alias (a:b).
OTHERWISE = {
    "a:b", "a[1:2]", "a ? b", "a /*+ b */", "char", "geometry", "text", "array<>",
    "CREATE OR REFRESH STREAMING TABLE t AS SELECT a FROM STREAM r",
    "CREATE STREAMING TABLE t LOCATION 'x' AS SELECT a FROM STREAM r",
    "CREATE STREAMING TABLE t AS SELECT a FROM STREAM r TABLESAMPLE (10 PERCENT)",
}  # fmt: skip


def join(literals):
    """The text of C's string literals; their escapes are Python's, too."""
    return "".join(ast.literal_eval(one) for one in re.findall(LITERAL, literals))


def examples(name):
    """[(text, expected)] of a table of the unit test."""
    tables = dict(TABLE.findall(EXAMPLES.read_text()))
    rows = [(join(text), join(expected)) for text, expected in ROW.findall(tables[name])]
    assert len(rows) == tables[name].count("\n    {") and rows
    return rows


# ---- trees as nested lists: ["+", ["name", "a"], ["number", "INT", "1"]] ----


def flat(name, parts):
    """AND and OR of any number of conditions: Spark balances them."""
    return [name] + [inner for part in parts for inner in (part[1:] if part[0] == name else [part])]


def number(kind, value):
    return ["number", kind, str(float(value)) if kind in ("FLOAT", "DOUBLE") else str(decimal.Decimal(value).normalize())]


def number_of(text, kind):
    if kind:
        return number(kind, text)
    if not text.isdigit():
        return number("DOUBLE" if "e" in text.lower() else "DECIMAL", text)
    return number("INT" if int(text) < 2**31 else "BIGINT" if int(text) < 2**63 else "DECIMAL", text)


def negative(tree):
    if tree[0] == "number" and not tree[2].startswith("-"):  # Spark's literals have a sign
        return ["number", tree[1], "-" + tree[2]]
    return ["negative", tree]


def field(base, name):
    """A path that begins with a name is one name to Spark; any other is an index with a text."""
    return base + [name] if base[0] == "name" else ["[]", base, ["string", name]]


TOKEN = re.compile(r"\(|\)|`.*?`(?= |\)|$)|(?:[A-Z_]+)?'(?:[^'\\]|\\x..)*'|[^\s()'`]+|\s+")


def unescape(text):
    return re.sub(rb"\\x(..)", lambda match: bytes.fromhex(match.group(1).decode()), text.encode()).decode()


class Ours:
    """The tree that sql_tree has printed."""

    def __init__(self, text):
        self.tokens = [token for token in TOKEN.findall(text) if not token.isspace()]
        assert "".join(TOKEN.findall(text)) == text
        self.at = 0

    def next(self):
        self.at += 1
        return self.tokens[self.at - 1]

    def tree(self):
        token = self.next()
        if token == "(":
            return self.list()
        if token in ("NULL", "TRUE", "FALSE"):
            return [token]
        if token.startswith("'"):
            return ["string", unescape(token[1:-1])]
        if token.endswith("'"):
            return ["literal", token[: token.index("'")]]
        match = re.fullmatch(r"(\d[\d.]*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)(?::([A-Z]+))?", token)
        return number_of(*match.groups()) if match else ["name", token.strip("`")]

    def rest(self):
        parts = []
        while self.tokens[self.at] != ")":
            parts.append(self.tree())
        self.at += 1
        return parts

    def list(self):
        head = self.next()
        if head == ".":
            base, name = self.tree(), self.next()
            assert self.next() == ")"
            return field(base, name.strip("`"))
        if head in ("cast", "try_cast"):
            of, kind, depth = self.tree(), "", 0
            while depth > 0 or self.tokens[self.at] != ")":
                kind += self.next()
                depth += {"(": 1, ")": -1}.get(kind[-1], 0)
            self.at += 1
            return [head, of, kind.lower()]
        if head == "lambda":
            assert self.next() == "("
            names = [part[1] for part in self.rest()]
            return ["lambda", names, self.rest()[0]]
        parts = self.rest()
        if head in ("and", "or"):
            return flat(head, parts)
        if head == "like" and parts[2:] == [["string", "\\"]]:  # Spark's default
            return [head, *parts[:2]]
        return negative(parts[0]) if head == "negative" else [head, *parts]


OPERATORS = {
    "Not": "not", "EqualTo": "=", "EqualNullSafe": "<=>", "LessThan": "<", "LessThanOrEqual": "<=", "GreaterThan": ">",
    "GreaterThanOrEqual": ">=", "Add": "+", "Subtract": "-", "Multiply": "*", "Divide": "/", "Remainder": "%",
    "IntegralDivide": "div", "IsNull": "isnull", "IsNotNull": "isnotnull", "In": "in", "Concat": "concat", "CaseWhen": "case",
    "UnresolvedExtractValue": "[]",
}
TYPES = {"byte": "TINYINT", "short": "SMALLINT", "integer": "INT", "long": "BIGINT", "float": "FLOAT", "double": "DOUBLE"}


def sequence(java):
    return [java.apply(i) for i in range(java.size())]


def literal(node):
    kind, value = node.dataType().typeName(), node.value()
    if value is None:
        return ["NULL"]
    if kind == "boolean":
        return [str(value).upper()]
    if kind == "string":
        return ["string", node.value().toString()]
    if kind.startswith("decimal"):
        return number("DECIMAL", node.value().toString())
    return number(TYPES[kind], str(value)) if kind in TYPES else ["literal", kind.upper()]


def spark_tree(node):
    kind = node.getClass().getSimpleName() or node.getClass().getSuperclass().getSimpleName()
    if kind == "Literal":
        return literal(node)
    if kind in ("UnresolvedAttribute", "UnresolvedNamedLambdaVariable"):
        return ["name", *sequence(node.nameParts())]
    parts = [spark_tree(child) for child in sequence(node.children())]
    if kind == "UnresolvedFunction":
        (name,) = sequence(node.nameParts())
        if name == "between":  # Spark writes the operator as a function
            return flat("and", [[">=", parts[0], parts[1]], ["<=", parts[0], parts[2]]])
        return [name.lower(), *parts]
    if kind == "LambdaFunction":
        return ["lambda", [name for _, name in parts[1:]], parts[0]]
    if kind == "Cast":
        head = "try_cast" if node.evalMode().toString() == "TRY" else "cast"
        return [head, parts[0], node.dataType().catalogString()]
    if kind == "Like":
        escape = node.escapeChar()
        return ["like", *parts] + ([["string", escape]] if escape != "\\" else [])
    if kind in ("And", "Or"):
        return flat(kind.lower(), parts)
    if kind == "UnaryMinus":
        return negative(*parts)
    if kind == "UnaryPositive":
        return parts[0]
    return [OPERATORS[kind], *parts]


# ---- the comparison ----


@pytest.fixture
def parser(spark):
    spark.conf.set("spark.sql.variable.substitute", False)  # else ${…} is replaced in all of a text
    yield spark._jsparkSession.sessionState().sqlParser()
    spark.conf.unset("spark.sql.variable.substitute")


@pytest.fixture
def ask(request):
    """What our parser says of texts: {text: tree, or "! " and why it is refused}."""
    program = ROOT / request.config.getoption("--program")
    tool = program.parent / "tests" / "tools" / "sql_tree"

    def ask(kind, texts):
        found = subprocess.run([tool, kind], input="\x1e".join(texts), check=True, capture_output=True, text=True).stdout
        answers = found.split("\x1e")[:-1]
        assert len(answers) == len(texts)
        return dict(zip(texts, answers))

    return ask


def is_taken(parse, text):
    """Whether Spark reads the text; `a b`, with a name, is not an expression here."""
    try:
        return parse(text).getClass().getSimpleName() not in ("Alias", "MultiAlias")
    except PySparkException:
        return False


def assert_agrees(parse, text, ours):
    theirs = spark_tree(parse(text))
    assert ours == theirs, f"{text}\nours:  {ours}\nSpark: {theirs}"


def wrong_refusals(parse, kind, are_mistakes):
    return [(text, message) for text, message in examples(f"refused_{kind}")
            if ("not supported" not in message) == are_mistakes and text not in STRICTER | OTHERWISE
            and is_taken(parse, text) == are_mistakes]  # fmt: skip


def test_expressions_have_the_structure_that_sparks_parser_gives_them(parser):
    for text, expected in examples("expressions"):
        assert_agrees(parser.parseExpression, text, Ours(expected).tree())


def test_types_are_the_ones_that_sparks_parser_reads(parser):
    for text, expected in examples("types"):
        spark = parser.parseDataType(text).catalogString()
        assert parser.parseDataType(expected).catalogString() == spark


def test_statements_are_taken_by_sparks_parser(parser):
    for text, _ in examples("statements"):
        for statement in text.split(";"):
            if re.sub(r"--.*", "", statement).strip():
                parser.parsePlan(statement)


def test_what_is_refused_as_a_mistake_is_one_for_spark_too(parser):
    assert wrong_refusals(parser.parseExpression, "expressions", True) == []
    assert wrong_refusals(parser.parseDataType, "types", True) == []


def test_what_is_refused_as_not_supported_is_taken_by_spark(parser):
    assert wrong_refusals(parser.parseExpression, "expressions", False) == []
    assert wrong_refusals(parser.parseDataType, "types", False) == []
    assert wrong_refusals(parser.parsePlan, "statements", False) == []


# ---- expressions at random ----

INFIX = "+ - * / % DIV || = == <> != <=> < <= > >= AND OR".split()
LEAVES = ["a", "b.c", "`d e`.end", "order", "1", "2.5", ".5e1", "3L", "'x'", "NULL", "TRUE", "DATE '2024-01-02'", "-1", "f()"]


def random_expression(draw, depth):
    """Text without parentheses where chance leaves them out, so that precedence decides. The body of a lambda has
    them: Spark reads `x -> a IS NULL IS TRUE` as `(x -> a IS NULL) IS TRUE`, which no later step takes."""
    if depth == 0:
        return draw.choice(LEAVES)
    inner = [random_expression(draw, draw.randrange(depth)) for _ in range(4)]
    a, b, c, d = [f"({one})" if draw.random() < 0.3 else one for one in inner]
    negation = draw.choice(["", "", "NOT "])
    return draw.choice([
        f"{a} {draw.choice(INFIX)} {b}", f"{a} {draw.choice(INFIX)} {b}", f"{a} {draw.choice(INFIX)} {b} {draw.choice(INFIX)} {c}",
        f"NOT {a}", f"! {a}", f"- {a}", f"({a})[{b}]", f"({a}).end", f"f({a}, {b})", f"f(x -> ({a}), (x, y) -> ({b}))",
        f"{a} IS {negation}NULL", f"{a} IS {negation}TRUE", f"{a} IS {negation}DISTINCT FROM {b}",
        f"{a} {negation}BETWEEN {b} AND {c}", f"{a} {negation}IN ({b}, {c})", f"{a} {negation}LIKE {b}", f"{a} LIKE {b} ESCAPE '/'",
        f"CAST({a} AS DECIMAL(10, 2))", f"CASE WHEN {a} THEN {b} END", f"CASE {a} WHEN {b} THEN {c} ELSE {d} END",
    ])


def test_expressions_made_at_random_have_the_same_structure_or_are_refused_by_both(parser, ask, capsys):
    draw = random.Random(SEED)
    texts = list({random_expression(draw, draw.randrange(1, 5)) for _ in range(COUNT)})
    taken = 0
    for text, answer in ask("expression", texts).items():
        if answer.startswith("! "):
            assert "NOT is written in parentheses" in answer or not is_taken(parser.parseExpression, text), f"{text}\n{answer}"
        else:
            assert_agrees(parser.parseExpression, text, Ours(answer).tree())
            taken += 1
    with capsys.disabled():  # the seed is wanted of every run
        print(f"\n{taken} of {len(texts)} expressions are read, by both alike (seed {SEED})")
    assert taken > len(texts) / 4
