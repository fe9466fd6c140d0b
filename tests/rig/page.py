"""The status page in a real browser: Debian's Chromium, headless."""

import re
import urllib.parse

from playwright.sync_api import sync_playwright

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 30_000


class Browser:
    """`with Browser() as browser: page = browser.open(url)`; each page has a profile of its own."""

    def __enter__(self):
        self._playwright = sync_playwright().start()
        self._chromium = self._playwright.chromium.launch(
            executable_path=CHROMIUM, headless=True, args=FLAGS
        )
        return self

    def __exit__(self, *_):
        self._chromium.close()
        self._playwright.stop()

    def open(self, url, width=1280, height=900, **options):
        context = self._chromium.new_context(
            viewport={"width": width, "height": height}, timezone_id="UTC", **options
        )
        context.set_default_timeout(PATIENCE_MS)
        return Page(context, url)


class Page:
    """One tab, what it shows as a reader sees it, and what it did behind the reader's back."""

    def __init__(self, context, url):
        self.context = context
        self.tab = context.new_page()
        self.complaints = []  # console errors and warnings, exceptions
        self.hosts = set()  # that were asked for anything
        self.tab.on("console", self._note_console)
        self.tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.tab.on("request", lambda request: self._note_request(request.url))
        self.tab.goto(url)

    def _note_console(self, message):
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _note_request(self, url):
        parts = urllib.parse.urlsplit(url)
        if parts.scheme != "data":  # the tab's icon
            self.hosts.add(parts.netloc)

    def close(self):
        self.context.close()

    def text(self, selector):
        """With plain spaces, where the page has some that do not break."""
        return plain(self.tab.locator(selector).first.inner_text())

    def wait(self, selector, pattern):
        """Until the text there matches."""
        self.tab.wait_for_function(
            """([selector, pattern]) => new RegExp(pattern).test(
                (document.querySelector(selector)?.innerText ?? '').replaceAll('\\u00a0', ' '))""",
            arg=[selector, pattern],
        )
        return self.text(selector)

    def facts(self, selector):
        """{name: value} of the names and values below the selector."""
        return {
            plain(one.locator("dt").inner_text()): plain(one.locator("dd").inner_text())
            for one in self.tab.locator(selector).locator("dl > div").all()
        }

    def rows(self, caption):
        """The table with that caption: a list of {column: text}, without rows of details."""
        return self.tab.evaluate(
            """(caption) => {
                const table = [...document.querySelectorAll('table')].find(
                    (one) => one.caption.textContent.startsWith(caption));
                const heads = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
                const rows = [...table.tBodies[0].rows].filter((row) => row.className !== 'detail');
                return rows.map((row) => Object.fromEntries([...row.cells].map((cell, index) => [
                    heads[index], (cell.querySelector('.opener > span') ?? cell).textContent
                        .replaceAll('\\u00a0', ' ')])));
            }""",
            caption,
        )

    def card(self, query):
        return self.tab.locator(f"#queries > article:has(a:text-is('{query}'))")

    def show(self, query):
        self.card(query).locator("a").click()
        self.wait("#detail-title", f"^{query}$")

    def open_detail(self, section, row):
        """Opens a row by what its first column shows, and gives the detail's selector."""
        self.tab.locator(f"{section} .opener", has_text=re.compile(rf"^{re.escape(row)},")).click()
        return f"{section} tr.detail"


def plain(text):
    return text.replace("\u00a0", " ").strip()


def number(text):
    """1,234,567 as a number."""
    return int(text.replace(",", ""))
