#!/usr/bin/python3
"""Plain English: what scripts/words.txt lists is in no text that people read.

check_words.py            checks all files, that docs/writing.md has the list's table, and that README.md is short
check_words.py FILE...    checks these files only
check_words.py --write    prints the table into docs/writing.md

It reads Markdown, settings and scripts as a whole; in code, comments, string literals and names of
tests."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LIST = ROOT / "scripts/words.txt"
PAGE = ROOT / "docs/writing.md"
README = ROOT / "README.md"
README_LINES, README_WORDS = 80, 700  # words outside of tables and code
TABLE = re.compile(r"(<!-- words: [^\n]*-->\n)(.*)(<!-- end of words -->\n)", re.S)

# Not ours, not prose, or printed from sources that are read themselves.
NOT_READ = re.compile(
    r"(tests/(conformance/(matches|players)|fuzz/corpus|data)|docs/images)/"
    r"|docs/(configuration|commands|metrics|schema)\.md$|docs/esports-stream\.1$|deploy/debian/copyright$"
    r"|LICENSE|NOTICE|docs/writing\.md$|scripts/(words\.txt|check_words\.py)$"
    r"|.*\.(proto|svg|png|gz|xml|tsv|jsonl|lock)$|(?!deploy/).*\.json$|\.clang-")
QUOTES_THE_PAST = ("CHANGELOG.md", "docs/upgrading.md")  # between backticks, they quote what earlier versions said
TEXT = (".md", ".txt", ".yml", ".yaml", ".env", ".service", ".sh", ".html", ".cmake", ".ini", ".json", ".toml", ".tpl")
C_LIKE = (".c", ".h", ".y", ".re", ".cpp", ".js", ".css")

C_PROSE = re.compile(r"""//(?P<line>[^\n]*)|/\*(?P<block>.*?)\*/|"(?P<text>(?:\\.|[^"\\\n])*)"|'(?:\\.|[^'\\\n])*'"""
                     r"""|`(?P<quoted>(?:\\.|[^`\\])*)`|static void (?P<name>\w+)\(void \*\*""", re.S)
PY_PROSE = re.compile(r"""\#(?P<line>[^\n]*)|(?P<q>\"\"\"|''')(?P<block>.*?)(?P=q)|"(?P<text>(?:\\.|[^"\\\n])*)\""""
                      r"""|'(?P<quoted>(?:\\.|[^'\\\n])*)'|def (?P<name>test_\w+)""", re.S)


def read_list(text):
    """([(heading, [(write, [example], pattern)])], faults)."""
    groups, faults = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            groups.append((line[3:], []))
        elif line and not line.startswith("#"):
            write, examples, *expression = [part.strip() for part in line.split(" | ", 2)]
            examples = [example.strip() for example in examples.split(";")]
            expression = expression or [r"\b" + r"\b|\b".join(map(re.escape, examples)) + r"\b"]
            pattern = re.compile(expression[0], re.I)
            faults += [f"{LIST.name}:{number}: the expression does not find '{example}'"
                       for example in examples if not pattern.search(example)]
            if pattern.search(write):
                faults.append(f"{LIST.name}:{number}: the expression finds '{write}', which is to be written instead")
            groups[-1][1].append((write, examples, pattern))
    return groups, faults


def prose_of_code(source, prose):
    """The source with all code blanked: each line stays where it is. A comment that goes on in the next line, and
    literals that the compiler joins, become one text; any code between two texts parts them."""
    parts, end, kind = [], 0, None
    for match in prose.finditer(source):
        found = {name: text for name, text in match.groupdict().items() if text is not None and name != "q"}
        between = source[end:match.start()]
        (name, text), = found.items() or [(None, "")]
        joins = not between.strip() and name == kind and between.count("\n") < 2
        parts.append("\n" * between.count("\n") if joins else "\0" + "\n" * between.count("\n"))
        if name == "name":
            text = text.replace("_", " ")
        elif name == "block":
            text = re.sub(r"\n[ \t]*\*", "\n", text)
        if name in ("line", "block"):
            text = re.sub(r"`\w+`", "``", text)  # a name of the code
        if name in ("text", "quoted"):
            text = text.replace("\\n", " ").replace('\\"', '"')
        elif joins:
            text = " " + text
        parts.append(text if name else "\n" * match.group().count("\n"))
        end, kind = match.end(), name
    return "".join(parts)


def prose_of(place, source):
    suffix = pathlib.PurePath(place).suffix
    if suffix in C_LIKE:
        return prose_of_code(source, C_PROSE)
    if suffix == ".py":
        return prose_of_code(source, PY_PROSE)
    if place in QUOTES_THE_PAST:
        source = re.sub(r"`[^`\n]*`", "``", source)
    if suffix == ".md":
        return re.sub(r"\n *(#|>|\||[-*] |\d+\. )", "\n\0", source)  # a heading, a row and an item begin a text
    return re.sub(r"\n[ \t]*#+", "\n", "\n" + source)[1:] if suffix != ".html" else source


def faults_of(place, source, rows):
    """place:line: what was found, and what to write."""
    line = 1
    for text in prose_of(place, source).split("\0"):
        lines, plain = [], ""
        for part in re.split(r"(\s+)", text):
            plain += " " if part.isspace() else part
            lines += [line] * (len(plain) - len(lines))
            line += part.count("\n")
        for write, _, pattern in rows:
            for match in pattern.finditer(plain):
                place_line = lines[match.start()]
                yield place_line, f"{place}:{place_line}: '{match.group().strip()}': write '{write}'"


def length_faults(place, text):
    """A page that is read first stays short: README_LINES lines, README_WORDS words outside of tables and code."""
    lines = text.splitlines()
    prose = re.sub(r"^(```.*?^```$|    .*?$|\|.*?$)", "", text, flags=re.M | re.S)
    words = [word for word in prose.split() if re.search(r"\w", word)]
    if len(lines) > README_LINES:
        yield f"{place}: {len(lines)} lines; at most {README_LINES} (move details to docs/)"
    if len(words) > README_WORDS:
        yield f"{place}: {len(words)} words outside of tables and code; at most {README_WORDS} (move details to docs/)"


def check_itself(rows):
    """That a fault would be found: a check that finds nothing looks like a clean tree."""
    some = [("silently", [], re.compile(r"\bin silence\b", re.I)), ("is not a", [], re.compile(r"(?<!there )\bis no [a-z]+"))]
    for place, source, line in (
            ("a.c", "int in_silence;\n// Lost in\n// silence.\n", 2),
            ("a.c", 'say("lost in "\n    "silence");', 1),
            ("a.h", "/* Lost\n * in silence. */", 2),
            ("a.c", "static void lost_in_silence(void **state)\n{\n}", 1),
            ("a.py", 'def test_lost_in_silence():\n    pass\n', 1),
            ("a.py", 'x = 1\n"""Lost\nin\nsilence."""\n', 3),
            ("a.js", "say(`lost in silence`);", 1),
            ("a.md", "# Title\nlost\nIn Silence\n", 3),
            ("a.md", "lost `in silence`", 1),
            ("docs/upgrading.md", "`x`: lost in silence: `y`", 1),
            ("a.yaml", "key: value\n# lost in\n# silence\n", 2),
            ("a.html", "<p>lost in\n silence</p>", 1)):
        found = [number for number, _ in faults_of(place, source, some)]
        assert found == [line], (place, source, found)
    for place, source in (
            ("a.c", "int in_silence = in (silence);"), ("a.c", 'say("in"); say("silence");'), ("a.h", "/* `is` no row: lost `in` silence */"), ("a.c", "// in\n\nint x;\n// silence"),
            ("a.py", "in_silence = 1  # in\n\nsilence = 2"), ("a.md", "in\n# silence"), ("a.md", "where there\nis no row"),
            ("docs/upgrading.md", "| `lost in silence` | `lost silently` |")):
        assert not list(faults_of(place, source, some)), source
    assert rows
    full = " ".join(["word"] * README_WORDS)
    for text, count in ((full + " -", 0), (full + " word", 1), (full + "\n| a | b |\n\n    code\n```\ncode\n\ncode\n```\n", 0),
                        (full + "\n```\ncode\n```\nword\n", 1), (full + "\n  word", 1), ("\n" * README_LINES, 0), ("|\n" * (README_LINES + 1), 1)):
        assert len(list(length_faults("README.md", text))) == count, text[-60:]


def table_of(groups):
    lines = []
    for heading, rows in groups:
        lines += ["", f"### {heading}", "| write | not |", "|---|---|"]
        lines += [f"| {write} | {'; '.join(example.lstrip('. ') for example in examples)} |" for write, examples, _ in rows]
    return "\n".join(lines[1:]).replace("%", "\\%") + "\n"


def check_page(groups, write):
    text = PAGE.read_text()
    printed = TABLE.sub(lambda match: match.group(1) + table_of(groups) + match.group(3), text)
    if write:
        PAGE.write_text(printed)
    return [] if write or printed == text else ["docs/writing.md: its table differs from scripts/words.txt; see check_words.py --write"]


def files():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True)
    named = TEXT + C_LIKE + (".py",)
    return [place for place in sorted(listed.stdout.split("\n"))
            if place and not NOT_READ.match(place) and (ROOT / place).is_file() and not (ROOT / place).is_symlink()
            and (place.endswith(named) or "." not in pathlib.PurePath(place).name.lstrip("."))]


def main():
    groups, faults = read_list(LIST.read_text())
    rows = [row for _, of_group in groups for row in of_group]
    check_itself(rows)
    words = sys.argv[1:]
    places = [word for word in words if not word.startswith("--")] or files()
    for place in places:
        found = sorted(faults_of(place, (ROOT / place).read_text(errors="replace"), rows))
        faults += [fault for _, fault in found]
    faults += [*check_page(groups, "--write" in words), *length_faults(README.name, README.read_text())]
    print("\n".join(faults) or f"{len(places)} files read: none of the words of {LIST.name} found")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
