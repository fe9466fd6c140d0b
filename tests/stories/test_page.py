"""The status page in a real Chromium: what it shows is what the queries did."""

import collections
import gzip
import os
import pathlib
import re
import shutil
import time
import urllib.parse

import axe_playwright_python
import pytest
from rig.broker import Broker, free_ports
from rig.job import Job
from rig.lake import Lake
from rig.page import Browser, number
from rig.paths import ROOT
from rig.program import Program
from rig.web import Web

AXE = (pathlib.Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()

WRITTEN = re.compile(r"batch_id=(\d+) \| rows=(\d+) \| rejects=(\d+)")

PARTITIONS = 3
RECORDS = 3000
SECRET = "hunter2-hunter2-hunter2"

HOSTILE = b'<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
NOT_TEXT = b'\xff\xfe{"match_id":\n\x00\xe2\x80\xae"M"'  # not UTF-8, NUL, right-to-left override
HOSTILE_KEY = "<b onclick=hacked>sponsor</b>"
REJECTED = [HOSTILE, NOT_TEXT, b"[1, 2]", b"{}", None]
REASONS = {
    "malformed_json": 2,
    "not_an_object": 1,
    "missing_identifier": 1,
    "null_value": 1,
}
ODD_ROWS = [
    '{"match_id": "F%d", "match_duration": "long", "team_1_gold": [], "%s": 1}' % (i, HOSTILE_KEY)
    for i in range(7)
]


@pytest.fixture(scope="module")
def browser():
    with Browser() as browser:
        yield browser


@pytest.fixture
def open_page(browser):
    """Opens pages that must not complain and connect only to the program; `expected`: complaints
    that the story causes itself."""
    pages = []

    def open_one(url, expected=None, **options):
        page = browser.open(url, **options)
        pages.append((page, expected))
        return page

    yield open_one
    for page, expected in pages:
        strange = [one for one in page.complaints if not re.search(expected or "^$", one)]
        page.close()
        assert strange == []
        assert all(host.startswith("127.0.0.1:") for host in page.hosts), page.hosts


def start(job, *arguments, **settings):
    """The program and its page's address."""
    settings = {"TRIGGER": "1 second", "SPARK_UI_PORT": free_ports(1)[0], **settings}
    process = job.start(*arguments, **settings)
    return process, f"http://127.0.0.1:{Web(process).port}/"


def started_at(process):
    """As a clock, when the process began to serve."""
    program = Web(process).get("/api/v1/queries").json["program"]
    return program["startedAt"][11:19]


class Scene:
    """Both queries, at rest behind records of every kind; stories that only look share it."""

    def __init__(self, job):
        self.job = job
        self.lake = job.lake
        job.create_topics(PARTITIONS)
        for kind, topic in job.topics.items():
            job.broker.generate(topic, kind, RECORDS, PARTITIONS)
        job.broker.produce(job.topics["matches"], ODD_ROWS, 1)
        self.process, self.url = start(job, "--job", "all", KAFKA_SSL_KEY_PASSWORD=SECRET)
        self.wait_for_all()
        job.produce(REJECTED, partition=2)
        self.wait_for_all()

    def wait_for_all(self):
        for kind, topic in self.job.topics.items():
            self.job.wait_committed(self.process, self.job.broker.end_offsets(topic), kind)


@pytest.fixture(scope="module")
def scene(request, broker, tmp_path_factory):
    directory = tmp_path_factory.mktemp("page")
    program = Program(ROOT / request.config.getoption("--program"), directory / "runs")
    scene = Scene(Job(program, Lake(directory / "lake"), broker))
    yield scene
    scene.process.stop()
    program.end_all()


def open_everything(page):
    """Every detail of the query that is shown."""
    page.wait("#batches", "#")
    page.tab.locator("#numbers summary").click()
    for section in ("#batches", "#rejects"):
        for opener in page.tab.locator(f"{section} .opener").all():
            opener.click()
    for summary in page.tab.locator("#rejects summary").all():
        summary.click()


def test_the_page_shows_what_the_queries_did(scene, open_page):
    page = open_page(scene.url)
    page.wait("#verdict", "Healthy")

    for kind, query in (("matches", "match_stream"), ("players", "player_stream")):
        page.show(query)
        rows = sum(scene.lake.keys(scene.lake.table(kind)).values())
        rejects = sum(scene.lake.keys(scene.lake.rejects(kind)).values())
        files = scene.lake.listed(kind)
        card = page.facts(f"#queries > [data-key={query}]")
        assert (number(card["Rows since start"]), number(card["Rejects since start"].split()[0])) == (rows, rejects)
        assert (card["Trigger"], card["Lost since start"]) == ("1 second", "0")

        lines = scene.process.lines(rf"\| {query} \|.* written successfully")
        written = [tuple(map(int, WRITTEN.search(line).groups())) for line in lines]
        shown = page.rows("Batches")
        assert [
            (number(one["Batch"][1:]), number(one["Rows"]), number(one["Rejects"])) for one in shown
        ] == written[::-1]
        assert sum(number(one["Files"]) for one in shown) == len(files)
        assert sum(number(one["Files"]) for one in page.rows("Files written")) == len(files)

        ends = scene.job.broker.end_offsets(scene.job.topics[kind])
        assert {
            int(one["Partition"]): (number(one["Lag"]), number(one["Position"]))
            for one in page.rows("Lag by partition")
        } == {partition: (0, end) for partition, end in ends.items()}
    page.show("match_stream")
    assert {
        one["Reason"]: number(one["Rejects"]) for one in page.rows("Rejects by reason")
    } == REASONS
    assert {one["Column"]: number(one["Field faults"]) for one in page.rows("Field faults")} == {
        "match_duration": len(ODD_ROWS),
        "team_1_gold": len(ODD_ROWS),
    }
    unknown = {one["Unknown key"]: number(one["Count"]) for one in page.rows("Unknown keys")}
    assert unknown == {HOSTILE_KEY: len(ODD_ROWS)}


def test_a_batch_opens_with_its_ranges_times_and_faults(scene, open_page):
    page = open_page(scene.url)
    page.wait("#batches", "#")
    newest = page.rows("Batches")[0]

    detail = page.open_detail("#batches", newest["Batch"])

    batch = number(newest["Batch"][1:])
    ends = scene.lake.planned_ends("matches", batch)
    before = scene.lake.planned_ends("matches", batch - 1)
    ranges = {
        int(one["Partition"]): (number(one["From"]), number(one["To (exclusive)"]))
        for one in page.rows("Offset ranges")
    }
    assert ranges == {
        part: (before[part], end) for part, end in ends.items() if before[part] != end
    }
    facts = page.facts(detail)
    rejects = {one.split()[0]: number(one.split()[1]) for one in facts["Rejects"].split(", ")}
    assert rejects == REASONS
    assert facts["Written"].startswith("0 files")
    for stage in ("plan", "fetch", "decode", "derive", "encode", "write", "commit"):
        assert re.fullmatch(r"[\d.]+ m?s", facts[stage]), facts


def test_charts_say_in_words_and_in_a_table_what_they_draw(scene, open_page):
    page = open_page(scene.url)
    page.wait("#chart-input-rows", "peak")
    page.tab.locator("#numbers summary").click()
    page.wait("#numbers-table", "From")

    rows = page.rows("The charts as a table")
    assert sum(number(one["Input rows"]) for one in rows) == RECORDS + len(ODD_ROWS) + len(REJECTED)
    for chart in page.tab.locator("#charts figure").all():
        label = chart.locator("canvas").get_attribute("aria-label")
        begin = r"over 15 minutes, since the start at \d\d:\d\d:\d\d: mean .+, peak "
        assert re.search(begin, label), label
        drawn = chart.locator("canvas").evaluate(
            """(canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
                .data.some((value) => value > 0)"""
        )
        assert drawn, label
    assert page.tab.locator("#charts figure").count() == 6
    assert page.text("#time-begin") == "since the start at " + started_at(scene.process)
    legend = page.text("#chart-operation-duration .legend")
    assert all(stage in legend for stage in ("plan", "fetch", "decode", "encode", "commit"))

    page.tab.get_by_label("6 h", exact=True).check()
    page.wait("#numbers-table", "From")
    page.tab.wait_for_selector("canvas[aria-label*='over 6 h']")


def test_numbers_are_rounded_before_their_unit_is_chosen(scene, open_page):
    page = open_page(scene.url)
    table = """(cases) => cases.map(([name, ...values]) =>
        ({formatDuration, formatAge, formatBytes, formatRate, formatShare, formatMoment, formatInstant})
            [name](...values).replaceAll('\u00a0', ' '))"""
    minute, hour, day = 60_000, 3_600_000, 86_400_000
    expected = [
        ("formatDuration", 0, "0 ms"),
        ("formatDuration", 0.04, "0.0 ms"),
        ("formatDuration", 9.94, "9.9 ms"),
        ("formatDuration", 9.96, "10 ms"),
        ("formatDuration", 999.4, "999 ms"),
        ("formatDuration", 999.6, "1.00 s"),
        ("formatDuration", 9994, "9.99 s"),
        ("formatDuration", 9996, "10.0 s"),
        ("formatDuration", 99940, "99.9 s"),
        ("formatDuration", 99960, "1 min 40 s"),
        ("formatDuration", 119400, "1 min 59 s"),
        ("formatDuration", 119600, "2 min 0 s"),
        ("formatDuration", 100 * minute - 600, "99 min 59 s"),
        ("formatDuration", 100 * minute - 400, "1 h 40 min"),
        ("formatDuration", 2 * hour - 29_000, "2 h 0 min"),
        ("formatDuration", 100 * hour - 31_000, "99 h 59 min"),
        ("formatDuration", 100 * hour - 29_000, "4 days"),
        ("formatAge", 99_400, "99 s"),
        ("formatAge", 99_600, "2 min"),
        ("formatAge", 100 * minute - 31_000, "99 min"),
        ("formatAge", 100 * minute - 29_000, "2 h"),
        ("formatAge", 4 * day, "96 h"),
        ("formatAge", 5 * day, "5 days"),
        ("formatBytes", 1023, "1023 B"),
        ("formatBytes", 1024, "1 KiB"),
        ("formatBytes", 10230, "9.99 KiB"),
        ("formatBytes", 10239, "10.0 KiB"),
        ("formatBytes", 102399, "100 KiB"),
        ("formatBytes", 1024 * 1024 - 1, "1.00 MiB"),
        ("formatRate", 9.94, "9.9/s"),
        ("formatRate", 9.96, "10/s"),
        ("formatShare", 9994, 100_000, "9.99 %"),
        ("formatShare", 9996, 100_000, "10 %"),
        ("formatMoment", "-0001-06-01T00:00:00.000Z", "-0001-06-01 00:00:00"),
        ("formatInstant", "+10000-06-01T00:00:00.500Z", "+10000-06-01 00:00:00.500"),
        ("formatInstant", "+292278994-08-17T07:12:55.807Z", "+292278994-08-17T07:12:55.807Z"),
    ]

    shown = page.tab.evaluate(table, [case[:-1] for case in expected])

    assert [(*case[:-1], text) for case, text in zip(expected, shown, strict=True)] == expected


def test_the_input_rate_is_that_of_the_batches_of_the_last_minute(scene, open_page):
    page = open_page(scene.url)
    page.wait("#verdict", "Healthy")
    rate = """([ages, moves]) => {
        knownOf('some').batches = ages.map((age) => (
            {startedAt: new Date(serverNow() - 1000 * age).toISOString(), rows: 590, rejects: 10}));
        return inputRate({name: 'some', rates: {inputRowsPerSecond: moves ? 1e6 : null}});
    }"""

    assert page.tab.evaluate(rate, [[], True]) is None
    assert page.tab.evaluate(rate, [[5], True]) is None
    assert page.tab.evaluate(rate, [[15, 5], False]) is None
    assert round(page.tab.evaluate(rate, [[15, 5], True])) == 60
    assert round(page.tab.evaluate(rate, [[1000, 100], True]), 2) == 0.67
    assert round(page.tab.evaluate(rate, [[200, 80, 20, 19.9], True])) == 20


def test_a_step_whose_batch_is_still_to_come_is_not_drawn_as_nothing(scene, open_page):
    page = open_page(scene.url)
    page.wait("#verdict", "Healthy")
    idle = """(ages) => {
        const points = [90, 80, 70, 60, 50, 40, 30, 20, 10, 0].map((age) => (
            {t: serverNow() / 1000 - age, batches: ages.includes(age) ? 1 : 0}));
        markIdle({points, stepSeconds: 10});
        return points.map(({isIdle}) => isIdle);
    }"""

    assert page.tab.evaluate(idle, [90, 80, 70, 60, 50, 40, 30, 20, 10]) == [False] * 10
    assert page.tab.evaluate(idle, [90, 80, 70, 60, 50, 40]) == [False] * 10
    assert page.tab.evaluate(idle, [90, 80]) == [False] * 2 + [True] * 8  # longer than a line continues


def test_bytes_of_a_rejected_record_are_shown_and_never_become_markup(scene, open_page):
    page = open_page(scene.url)
    page.wait("#rejects", "malformed_json")
    open_everything(page)

    values = page.tab.locator("[aria-label$='as text']").all_inner_texts()
    assert HOSTILE.decode() in values
    assert any("\\xff\\xfe" in one and "\\u{0}\\u{202e}" in one for one in values), values
    assert not any("\u202e" in one or "\0" in one for one in values)
    dumps = page.tab.locator("[aria-label$='as bytes']").all_inner_texts()
    assert any("ff fe 7b 22" in one for one in dumps), dumps
    assert "no value" in page.tab.locator("#rejects").inner_text()
    assert page.tab.locator("main img, main script, main b").count() == 0
    assert page.tab.evaluate("window.hacked") is None


def test_refused_rejects_are_explained_and_the_rest_is_shown(scene, open_page):
    """As from another machine without UI_TOKEN; the program's own refusal is in test_http.py."""
    page = open_page("about:blank", expected="403")
    why = {"error": "set UI_TOKEN to read them from elsewhere"}
    page.tab.route("**/rejects", lambda route: route.fulfill(status=403, json=why))
    page.tab.goto(scene.url)

    told = page.wait("#rejects-summary", "Not shown here")
    assert told.endswith(f"Not shown here: {why['error']}.")
    assert page.text("#verdict-word") == "Healthy"
    assert not page.tab.locator("#rejects button").is_visible()
    assert not page.tab.locator("#lost").is_visible()


def test_only_the_scripts_that_were_built_in_may_run(scene, open_page):
    page = open_page(scene.url, expected="Content Security Policy|TrustedScript|TrustedHTML")
    page.wait("#verdict", "Healthy")

    page.tab.evaluate(
        """() => {
            const image = '<img onerror="hacked=1" src=x>';
            const script = document.createElement('script');
            try { script.textContent = 'window.hacked = 1'; } catch { }
            document.body.append(script);
            try { document.body.insertAdjacentHTML('beforeend', image); } catch { }
        }"""
    )

    assert page.tab.evaluate("window.hacked") is None
    assert page.tab.locator("img").count() == 0


def test_the_document_is_the_same_plain_and_compressed(scene):
    web = Web(scene.process)
    plain = web.get("/", **{"Accept-Encoding": "identity"})
    packed = web.get("/", **{"Accept-Encoding": "gzip, deflate"})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert len(packed.body) < len(plain.body) / 2
    for answer in (plain, packed):
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]


def test_settings_are_shown_with_their_origin_and_secrets_are_not(scene, open_page):
    page = open_page(scene.url)
    page.wait("#settings", "TRIGGER")

    set_here = page.rows("Settings")
    assert {one["Set by"] for one in set_here} == {"environment"}
    assert f"{len(set_here)} settings set, " in page.text("#settings-summary")
    page.tab.get_by_label("show defaults too").check()
    settings = {one["Setting"]: (one["Value"], one["Set by"]) for one in page.rows("Settings")}
    assert len(settings) > len(set_here)
    assert settings["TRIGGER"] == ("1 second", "environment")
    assert settings["PARSE_MODE"] == ("reject", "default")
    assert settings["DATA_LAKE_PATH"] == (str(scene.lake.root), "environment")
    assert settings["KAFKA_SSL_KEY_PASSWORD"] == ("********", "environment")
    assert SECRET not in page.tab.content()

    page.tab.get_by_label("Search all").fill("parse_mode")
    assert "PARSE_MODE" in [one["Setting"] for one in page.rows("Settings")]
    assert str(scene.process.pid) in page.text("#program-summary")


def test_memory_and_disk_space_are_shown_next_to_each_other(scene, open_page):
    page = open_page(scene.url)
    page.wait("#disks", "GiB|MiB")

    assert re.search(r"[\d.]+ MiB of 2 GiB used", page.text("#memory-summary"))
    (disk,) = page.rows("Disk space")
    assert disk["Directory"] == str(scene.lake.root)
    room = os.statvfs(scene.lake.root)
    share = 100 * room.f_bavail / room.f_blocks
    assert abs(float(disk["Free share"].split()[0]) - share) < 1
    assert disk["Free"] in page.text("#disk-summary")
    cards = [page.tab.locator(f"[aria-labelledby={one}-title]") for one in ("memory", "disk")]
    assert cards[0].bounding_box()["y"] == cards[1].bounding_box()["y"]


def test_charts_are_of_one_size_and_fill_the_window(scene, open_page):
    page = open_page(scene.url)
    page.wait("#chart-operation-duration .legend", "commit")

    def boxes_of(selector):
        boxes = [one.bounding_box() for one in page.tab.locator(selector).all()]
        return [{name: round(value) for name, value in box.items()} for box in boxes]

    columns = {}
    for width in (400, 1280, 1920, 2560):
        page.tab.set_viewport_size({"width": width, "height": 900})
        page.tab.wait_for_function("(width) => window.innerWidth === width", arg=width)
        boxes, cards = boxes_of("#charts .plot"), boxes_of("#charts figure")
        assert len({(box["width"], box["height"]) for box in boxes}) == 1, boxes
        assert len({box["width"] for box in cards}) == 1, cards
        rows = {box["y"]: box["height"] for box in cards}
        assert all(rows[box["y"]] == box["height"] for box in cards), cards
        assert min(box["x"] for box in cards) < 25
        assert max(box["x"] + box["width"] for box in cards) > width - 40
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= width
        columns[width] = len(cards) // len(rows)
    assert columns == {400: 1, 1280: 3, 1920: 3, 2560: 6}


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_the_page_is_accessible(scene, open_page, scheme, width):
    page = open_page(scene.url, width=width, color_scheme=scheme)
    open_everything(page)

    page.tab.evaluate(AXE)
    found = page.tab.evaluate("axe.run()")
    assert [
        (one["id"], one["impact"], [node["target"] for node in one["nodes"]][:3])
        for one in found["violations"]
    ] == []
    assert len(found["passes"]) > 30
    color = page.tab.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", color)[:3])) / 3
    assert (brightness < 64) if scheme == "dark" else (brightness > 192), color


def test_a_phone_scrolls_one_way_only(scene, open_page):
    page = open_page(scene.url, width=412, height=780)
    open_everything(page)

    for width in (412, 400, 360, 320):
        page.tab.set_viewport_size({"width": width, "height": 780})
        page.tab.wait_for_function("(width) => window.innerWidth === width", arg=width)
        assert page.tab.evaluate("document.documentElement.scrollWidth") == width


def test_everything_is_reached_and_opened_by_keyboard(scene, open_page):
    page = open_page(scene.url)
    page.wait("#rejects", "malformed_json")
    page.wait("#settings", "TRIGGER")
    describe = """() => {
        const it = document.activeElement;
        const seen = getComputedStyle(it.matches('[name=range]') ? it.nextSibling : it);
        return [it.id || it.name || it.className || it.getAttribute('href') || it.tagName,
                seen.outlineStyle !== 'none'];
    }"""

    reached = []
    for _ in range(200):
        page.tab.keyboard.press("Tab")
        name, is_seen = page.tab.evaluate(describe)
        if name == "BODY":
            break
        assert is_seen, f"no focus ring: {name}"
        reached.append(name)
        if name == "opener":
            page.tab.keyboard.press("Enter")
        if name == "SUMMARY":
            page.tab.keyboard.press("Space")

    for name in ("skip", "name", "range", "SUMMARY", "bytes", "settings-all", "settings-find"):
        assert name in reached, (name, reached)
    openers = page.tab.locator(".opener")
    assert openers.count() > len(REJECTED)
    for opener in openers.all():
        assert opener.get_attribute("aria-expanded") == "true"
    assert page.tab.locator("#numbers[open]").count() == 1

    page.tab.locator("[name=range]:checked").focus()
    page.tab.keyboard.press("ArrowRight")
    page.tab.wait_for_selector("canvas[aria-label*='over 1 h']")
    page.card("player_stream").locator("a").focus()
    page.tab.keyboard.press("Enter")
    page.wait("#detail-title", "player_stream")


def test_what_happens_is_shown_without_a_reload(job, open_page):
    job.create_topics(2)
    job.produce(["{}"])
    process, url = start(job, "--job", "all")
    job.wait_committed(process, {0: 1, 1: 0})
    page = open_page(url)
    page.wait("#batches", "#0")
    page.wait("#chart-input-rate", "not known yet: needs two batches")
    page.tab.evaluate("window.mark = 1")
    detail = page.open_detail("#batches", "#0")

    job.produce(['{"match_id": "M1"}'] * 1234)
    page.wait("#queries > [data-key=match_stream]", r"Rows since start\s+1,234")
    page.wait("#batches", "#1")
    job.produce(["broken"] * 5)
    page.wait("#reject-reasons", r"malformed_json\s+5")

    assert page.tab.evaluate("window.mark") == 1
    assert page.tab.locator(detail).count() == 1
    assert page.tab.evaluate("document.activeElement.textContent").startswith("#0")
    process.stop()


def test_each_cause_is_shown_once_with_what_to_do_and_what_comes_next(scene, open_page):
    """The program's answer with other verdicts in it; a real one is in the story below."""
    page = open_page(scene.url)
    page.wait("#verdict", "Healthy")
    show = """(changes) => {
        const answer = structuredClone(known.answer);
        answer.queries.forEach((query, index) => Object.assign(query, changes[index]));
        updateOverview(answer, 'match_stream');
        const plain = (node) => node.textContent.replaceAll('\u00a0', ' ').replace(/ $/, '');
        return {
            title: document.title,
            found: [...document.querySelectorAll('#reasons > li')].map(plain),
            cards: [...document.querySelectorAll('#queries > article')].map((card) =>
                [...card.querySelectorAll('.note:not([hidden])')].map(plain)),
            behind: [...document.querySelectorAll('.behind')].map(plain),
        };
    }"""
    today = time.strftime("%Y-%m-%d")

    def health(state, severity, reason, action):
        return {"state": state, "severity": severity, "reason": reason, "action": action}

    retry = {
        "since": f"{today}T12:00:01Z",
        "attempts": 3,
        "nextAttemptAt": f"{today}T12:00:31Z",
        "until": f"{today}T12:10:01Z",
        "limit": "WRITE_RETRY_TIMEOUT",
    }
    endless = {**retry, "until": None, "limit": None}
    full = {"text": "the disk is full", "at": f"{today}T12:00:02Z", "retrying": True}
    stuck = [
        health("stuck", "critical", f"no progress for {s} s: the disk is full", "Make room.")
        for s in (120, 121)
    ]
    shown = page.tab.evaluate(
        show,
        [
            {"health": stuck[0], "retry": retry, "lastError": full},
            {"health": stuck[1], "retry": endless, "lastError": full},
        ],
    )
    assert {name: shown[name] for name in ("title", "found", "cards")} == {
        "title": "Action needed · esports-stream",
        "found": [
            "match_stream, player_stream: stuck: no progress for 120 s: the disk is full "
            "What to do: Make room."
        ],
        "cards": [
            [
                "3 failed attempts since 12:00:01, next attempt at 12:00:31, "
                "gives up at 12:10:01 (WRITE_RETRY_TIMEOUT)."
            ],
            ["3 failed attempts since 12:00:01, next attempt at 12:00:31, no time limit."],
        ],
    }

    over = {**full, "retrying": False}
    recovered = {
        "from": "retrying",
        "since": f"{today}T12:00:01Z",
        "at": f"{today}T12:02:11Z",
        "lastedMs": 130000,
        "reason": "the disk is full",
    }
    missing = health("degraded", "critical", "2 files of the table are missing: a, b", "Restore.")
    rejecting = health("degraded", "warning", "rejected 55 of 100 records", "Tell the producers.")
    shown = page.tab.evaluate(
        show,
        [
            {"health": missing, "recovered": recovered, "lastError": over},
            {"health": rejecting, "lastError": over},
        ],
    )
    assert {name: shown[name] for name in ("title", "found", "cards")} == {
        "title": "Action needed · esports-stream",
        "found": [
            "match_stream: degraded: 2 files of the table are missing: a, b What to do: Restore.",
            "player_stream: degraded: rejected 55 of 100 records What to do: Tell the producers.",
        ],
        "cards": [
            ["Recovered at 12:02:11 after 2 min 10 s: the disk is full"],
            ["Last error, 12:00:02: the disk is full"],
        ],
    }
    lag = {"records": 9000, "catchUpSeconds": 6, "partitions": []}
    shown = page.tab.evaluate(show, [{"lag": lag}, {"lag": lag, "health": rejecting}])
    assert shown["title"] == "Warning · esports-stream"
    assert shown["behind"] == ["9,000 records behind about 6 s to catch up", "9,000 records behind"]


def test_a_lost_connection_is_shown_and_restored(job, open_page):
    job.create_topics()
    job.produce(['{"match_id": "M1"}'] * 10)
    process, url = start(job, "--job", "all")
    job.wait_committed(process, {0: 10})
    page = open_page(url, expected="ERR_CONNECTION|Failed to load resource")
    page.wait("#verdict", "Healthy")
    page.wait("#batches", "#0")
    assert page.tab.title() == "Healthy · esports-stream"
    icon = page.tab.locator("#icon").get_attribute("href")
    # Headless tabs are always visible; one in the background must notice, too.
    page.tab.evaluate(
        """Object.defineProperty(document, 'hidden', {get: () => window.inBackground ?? true})"""
    )

    before = time.strftime("%H:%M:%S", time.gmtime(time.time() - 15))
    process.kill()
    alert = page.wait("#lost", "Retrying")

    since = re.search(r"Disconnected since (\d\d:\d\d:\d\d)\.", alert).group(1)
    assert "All figures on this page are the last known ones." in alert
    assert before <= since <= time.strftime("%H:%M:%S", time.gmtime())
    assert page.tab.title() == "Disconnected · esports-stream"
    assert page.tab.locator("#icon").get_attribute("href") != icon
    assert page.tab.locator("#verdict").get_attribute("data-level") == "bad"
    assert page.text("#verdict-word") == "Disconnected"
    assert page.text("#verdict-text") == f"since {since}"
    assert page.text("#link") == f"figures as of {since}"
    assert page.tab.locator("html.stale").count() == 1
    assert "last known: " in page.text("#queries > [data-key=match_stream] .state")
    card = page.facts("#queries > [data-key=match_stream]")
    assert re.fullmatch(r"#0, at \d\d:\d\d:\d\d", card["Newest batch"])
    assert card["Rows since start"] == "10"
    page.tab.evaluate(
        """window.inBackground = false, document.dispatchEvent(new Event('visibilitychange'))"""
    )

    again, _ = start(job, "--job", "all", SPARK_UI_PORT=urllib.parse.urlsplit(url).port)
    page.wait("#link", "live")
    page.wait("#program-summary", rf"process {again.pid}\b")
    assert not page.tab.locator("#lost").is_visible()
    assert page.tab.locator("html.stale").count() == 0
    page.wait("#verdict", "Healthy")
    assert page.tab.title() == "Healthy · esports-stream"

    card = page.facts("#queries > [data-key=match_stream]")
    assert re.fullmatch(r"#0, \d+ s ago", card["Newest batch"])  # by the checkpoint
    assert card["Rows since start"] == "0"
    assert re.fullmatch(r"committed \d+ s ago, before the start", card["Newest record"])
    assert "No record yet since the start." in page.text("#rejects-summary")
    assert page.text("#faults") == page.text("#unknown") == "No record yet since the start."
    page.wait("#batches-summary", r"From the checkpoint: batch #0, committed \d+ s ago\.")
    status = job.program.run("status", "--job", "matches", **job.settings).log()
    assert re.search(r"batch +0, committed at 2\S+Z, before the start\n", status)
    assert re.search(r"freshness +not known yet since the start; the newest .* at 2\S+Z\n", status)

    again.pause()  # answers nothing, but is there
    page.wait("#lost", "No answer within")
    assert page.tab.title() == "Disconnected · esports-stream"
    again.resume()
    page.wait("#link", "live")
    again.stop()


def test_the_title_changes_only_with_the_verdict(job, open_page):
    job.create_topics()
    process, url = start(job, "--job", "all")
    page = open_page(url)
    page.wait("#verdict", "Healthy")
    page.tab.evaluate(
        """() => {
            window.titles = [document.title];
            new MutationObserver(() => window.titles.push(document.title)).observe(
                document.querySelector('title'), {childList: true});
        }"""
    )

    for number in range(3):
        job.produce(['{"match_id": "M1"}'] * 1000)
        page.wait("#batches", f"#{number}")
    assert page.tab.evaluate("window.titles") == ["Healthy · esports-stream"]
    process.stop()


def test_without_kafka_the_lag_is_unknown_and_the_error_appears_once(tmp_path, job, open_page):
    with Broker(tmp_path / "kafka") as broker:
        own = Job(job.program, job.lake, broker)
        own.create_topics()
        own.produce(['{"match_id": "M1"}'] * 10)
        process, url = start(own, "--job", "all", LAG_INTERVAL="1 second")
        own.wait_committed(process, {0: 10})
        page = open_page(url)
        page.wait("#queries > [data-key=match_stream]", r"10\s+Rejects since|Rows since start\s+10\b")
        assert re.search(r"\b0 records behind\s+up to date", page.text("#queries"))
        card = page.facts("#queries > [data-key=match_stream]")
        assert re.fullmatch(r"\d+ (s|min) ago", card["Newest record"])

        broker.kill()
        page.wait("#queries > [data-key=match_stream]", r"Lag unknown\s+since \d\d:\d\d:\d\d")
        reasons = page.wait("#reasons", "retrying")
        assert page.text("#verdict-text") == "lag unknown"
        assert re.match(r"Unknown since \d\d:\d\d:\d\d", page.text("#lag-summary"))
        card = page.facts("#queries > [data-key=match_stream]")
        assert (card["Input"], card["Capacity"]) == ("–", "–")
        assert re.fullmatch(r"#0, \d+ (s|min) ago", card["Newest batch"])
        error = f"topic '{own.topics['matches']}': no answer from Kafka"
        assert error in reasons and "What to do: " in reasons
        assert page.tab.locator("main").inner_text().count(error) == 1
        process.stop()


def test_a_query_that_is_stuck_is_shown_with_its_reason(job, open_page):
    job.create_topic("players")
    process, url = start(job, "--job", "all")
    page = open_page(url)

    reason = page.wait("#reasons", "match_stream")
    assert job.topics["matches"] in reason
    assert page.text("#verdict-word") == "Warning"
    assert "match_stream: retrying: " in reason and "the query retries by itself" in reason  # and what to do
    assert "retrying" in page.text("#queries > [data-key=match_stream] .state")
    assert page.tab.title() == "Warning · esports-stream"

    job.create_topic("matches")
    page.wait("#verdict-word", "Healthy")
    page.wait("#announcement", "Healthy")
    assert not page.tab.locator("#reasons").is_visible()
    process.stop()


def test_missing_files_are_shown_with_what_to_do(job, open_page):
    job.create_topic()
    job.produce(['{"match_id": "M1"}'])
    job.run()
    (path,) = job.lake.files(job.lake.table("matches"))
    path.unlink()
    process, url = start(job, "--job", "matches")
    reason = open_page(url).wait("#reasons", "1 file of the table is missing: ")
    assert path.name in reason and "Restore the files from a backup" in reason
    process.stop()


def test_files_of_the_table_compactions_and_changes_by_others_are_shown(job, open_page):
    job.create_topics(1)
    job.broker.generate(job.topics["matches"], "matches", 240, 1, "--malformed", "3")
    job.run(MAX_OFFSETS_PER_TRIGGER=10)
    table, rejects = job.lake.table("matches"), job.lake.rejects("matches")
    before, of_rejects = job.lake.files(table), job.lake.files(rejects)
    process, url = start(job, "--job", "matches", TRIGGER="1 hour")
    page = open_page(url, expected="ERR_CONNECTION_REFUSED")
    summary = page.wait("#care-summary", "counted at")
    assert process.lines(r"Table care \| compact=off \| target_file_size=134217728 \| retention=off")
    directories = collections.Counter(path.parent.name for path in before)
    assert f"{len(before)} files" in summary and f"in {len(directories)} directories" in summary
    facts = page.facts("#care-facts")
    assert facts | {
        "Files": f"{len(before)}",
        "Small files": f"{len(before)}",
        "If compacted now": f"{len(directories)}",
        "Files of rejects": f"{len(of_rejects)}",
        "Missing files": "0",
        "Changed by others": "0",
        "Compaction": "off (COMPACT)",
        "Forecast": "unknown",
        "Last compaction": "none since the start",
        "Expiry": "off (RETENTION)",
    } == facts
    assert sum(number(one["Files"]) for one in page.rows("Files of the table, by size")) == len(before)
    assert [number(one["Files"]) for one in page.rows("Files of the table, by age")] == [len(before), 0, 0, 0]
    unknown = page.tab.evaluate("""() => {
        const [query] = known.answer.queries;
        const care = {...query.care, files: null, rejectFiles: null, forecast: null};
        return careFacts({...query, care, missingFiles: null, changedFiles: null});
    }""")
    assert [value for _, value, *_ in unknown[:6]] == ["unknown"] * 6  # never 0
    shown = [(one["Directory"], number(one["Small"])) for one in page.rows("Directories with")]
    assert dict(shown) == directories and [small for _, small in shown] == sorted(directories.values())[::-1]

    job.program.run("compact", "--job", "matches", **job.settings)
    page.wait("#care-facts", r"files \(.*\) became \d+ \(.*\), \d+ rows?, in")
    after = job.lake.files(table)
    assert len(after) < len(before)
    page.wait("#care-summary", f"^{len(after)} files")
    care = Web(process).query()["care"]
    page.wait("#care-facts", "by command")
    gain = care["compactions"]["filesBefore"] - care["compactions"]["filesAfter"]
    assert gain == len(before) - len(after) + len(of_rejects) - len(job.lake.files(rejects))
    assert f"{len(after)} in the table" in job.program.run("status", "--job", "matches", **job.settings).log()
    process.stop()

    stranger = after[0].with_name("part-merged-by-hand.parquet")
    shutil.copy(after[0], stranger)
    os.utime(stranger, (0, 0))  # a new file with listed rows is taken for one that a crash of Spark left
    process, url = start(job, "--job", "matches")
    page = open_page(url)
    reason = page.wait("#reasons", "another program has changed 1 file of the table: ")
    assert stranger.name in reason and "Find out which program changes the table" in reason
    assert page.facts("#care-facts")["Changed by others"] == "1"
    job.program.run("status", "--job", "matches", exit_code=13, **job.settings)
    process.stop()


def test_a_token_is_asked_for_once_and_kept_for_the_tab(job, open_page):
    job.create_topic()
    process, url = start(job, UI_TOKEN=SECRET)
    page = open_page(url, expected="401")
    page.tab.wait_for_selector("dialog[open]")
    assert "match_stream" not in page.tab.content()

    page.tab.keyboard.type("wrong")
    page.tab.keyboard.press("Enter")
    page.wait("#token-refused", "refused")
    page.tab.keyboard.type(SECRET)
    page.tab.keyboard.press("Enter")
    page.wait("#queries", "match_stream")

    page.tab.reload()
    page.wait("#queries", "match_stream")
    assert SECRET not in page.tab.url
    assert SECRET not in page.tab.content()
    process.stop()


def test_records_are_not_shown_to_another_machine_without_a_token(job, browser, open_page):
    """A name that is not this machine's stands for the other machine; the rest is shown."""
    job.create_topic()
    job.produce(["not JSON", '{"match_id": "M1"}'])
    process, url = start(job, SPARK_UI_HOST="0.0.0.0", UI_HOSTS="elsewhere.localhost")
    job.wait_committed(process, {0: 2})
    page = browser.open(url.replace("127.0.0.1", "elsewhere.localhost"))
    page.wait("#rejects-summary", "^1 record since the start. Not shown here: .*set UI_TOKEN")
    page.wait("#queries", "match_stream")
    assert page.complaints and all("403" in one for one in page.complaints)
    page.close()
    open_page(url).wait("#rejects-summary", "The newest 1 are listed here; all are in")
    process.stop()
