#!/usr/bin/python3
"""Links between our documents lead somewhere: a relative link in Markdown, and every docs/NAME.md or
docs/NAME.md#heading that any other file mentions, names a file and a heading that exist."""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\(([^)\s]+)\)")
MENTION = re.compile(r"(?<![\w/.-])docs/[\w/.-]+\.(?:md|1)\b(?:#[\w-]+)?")
FENCED = re.compile(r"^```.*?^```", re.M | re.S)
HEADING = re.compile(r"^#{1,6} +(.*?) *$", re.M)
NOT_READ = re.compile(r"tests/(conformance/(matches|players)|fuzz/corpus)/|scripts/check_(links|words)\.py$|.*\.(png|gz|svg)$")


def anchors_of(text):
    """As GitHub makes them: small letters, digits, '-' and '_'; a repeated one gets a number."""
    seen, found = {}, set()
    for heading in HEADING.findall(FENCED.sub("", text)):
        heading = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        number = seen.get(anchor, 0)
        seen[anchor] = number + 1
        found.add(f"{anchor}-{number}" if number else anchor)
    return found


def links_of(place, text):
    """(line, link, path from the root)."""
    if place.endswith(".md"):
        for match in LINK.finditer(text):
            link = match.group(1)
            if not re.match(r"[a-z]+:", link):
                path = (pathlib.PurePosixPath(place).parent / link.partition("#")[0]) if link[0] != "#" else place
                yield text.count("\n", 0, match.start()) + 1, link, str(path)
    else:
        for match in MENTION.finditer(text):
            yield text.count("\n", 0, match.start()) + 1, match.group(), match.group().partition("#")[0]


def faults_of(place, text, read):
    """read(path): the text of a file below the root, "" for a directory, None: there is none."""
    for line, link, path in links_of(place, text):
        target = read(path)
        _, _, anchor = link.partition("#")
        if target is None:
            yield f"{place}:{line}: '{link}' does not exist"
        elif anchor and anchor not in anchors_of(target):
            yield f"{place}:{line}: '{link}': {path} has no such heading"


def check_itself():
    """That a fault would be found: a check that finds nothing looks like a clean tree."""
    read = {"docs/a.md": "# One: two\n## Same\n## Same\n```\n# code\n```\n", "docs": ""}.get
    for place, text in (("docs/b.md", "[x](a.md#one)"), ("docs/b.md", "[x](c.md)"), ("docs/b.md", "[x](a.md#code)"),
                        ("x.yml", "see docs/c.md"), ("x.yml", "docs/a.md#same-2")):
        assert len(list(faults_of(place, text, read))) == 1, text
    for place, text in (("docs/b.md", "[x](a.md#one-two) [y](https://example.com/a#b)"), ("docs/a.md", "[x](#same-1)"),
                        ("x.yml", "docs/a.md#same, /usr/share/docs/c.md")):
        assert not list(faults_of(place, text, read)), text


def read(path):
    full = (ROOT / path).resolve()
    return "" if full.is_dir() else full.read_text(errors="replace") if full.is_file() else None


def main():
    check_itself()
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True)
    places = [place for place in sorted(listed.stdout.split("\n"))
              if place and not NOT_READ.match(place) and (ROOT / place).is_file() and not (ROOT / place).is_symlink()]
    faults = [fault for place in places for fault in faults_of(place, (ROOT / place).read_text(errors="replace"), read)]
    print("\n".join(faults) or f"{len(places)} files: every link to a document leads to it")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
