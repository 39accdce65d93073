"""A browser page with checks: console messages, CSP refusals, axe findings."""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Route

VENDOR = Path(__file__).parent / "vendor"
OUTPUT = Path(__file__).resolve().parents[2] / "test-output"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
LAPTOP_WIDTH = 1024  # narrower screens have their navigation at the bottom, where wider ones show messages
# Target sizes and the rest of WCAG 2.2 are off by default; naming the tags turns them on.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
NOTE_VIOLATIONS = """
window.cspViolations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.cspViolations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
"""


# Texts of links, buttons and fields that a message lies over.
COVERED = """
() => {
  const boxes = [...document.querySelectorAll(".toasty")].map((each) => each.getBoundingClientRect());
  return [...document.querySelectorAll("a[href], button, input, select, textarea, summary")].filter((each) => {
    const own = each.getBoundingClientRect();
    if (!own.width || each.closest(".toasty") || !each.checkVisibility()) return false;
    return boxes.some((box) => own.left < box.right && own.right > box.left && own.top < box.bottom && own.bottom > box.top);
  }).map((each) => each.textContent.trim() || each.name);
}
"""


# What is cut or has to be scrolled sideways, of the parts that must be whole on a laptop. A matrix may scroll: its first
# column, which names the row, stays.
CUT = """
() => [...document.querySelectorAll("h1, .ttl, .crumbs, .tabs, .views, .table-responsive:not(:has(.mx))")]
  .filter((each) => each.checkVisibility() && each.clientWidth && each.scrollWidth > each.clientWidth + 1)
  .map((each) => `${each.className || each.tagName}: ${each.textContent.trim().replace(/\\s+/g, " ").slice(0, 60)}`)
"""


@cache
def _axe() -> str:
    return (VENDOR / "axe.min.js").read_text(encoding="utf-8")


def _where(nodes: list[dict[str, Any]]) -> str:
    return ", ".join(" ".join(map(str, node["target"])) for node in nodes[:4])


class Watched:
    """A person at a screen: a separate browser context, one page, and its faults."""

    def __init__(self, browser: Browser, base_url: str, *, viewport: dict[str, int] | None = None) -> None:
        self.base_url = base_url.rstrip("/")
        size: Any = viewport or DESKTOP
        self.context: BrowserContext = browser.new_context(base_url=self.base_url, viewport=size, timezone_id="UTC")
        self.context.add_init_script(NOTE_VIOLATIONS)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("response", self._note_failure)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text} ({self.page.url})")

    def _note_failure(self, response: Any) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.status}: {response.url}")

    def visit(self, path: str) -> Page:
        """Open a path of the desk (or a full URL) and wait until the network is quiet."""
        self.page.goto(path, wait_until="networkidle")
        return self.page

    def sign_in(self, email: str, password: str) -> Page:
        """Sign in through the page, like a person."""
        self.visit("/auth/login/")
        self.page.locator("input[name=login]").fill(email)
        self.page.locator("input[name=password]").fill(password)
        self.press(self.page.locator("main form button[type=submit], form button[type=submit]").first)
        assert "/auth/login" not in self.page.url, f"{email} could not sign in"
        return self.page

    def press(self, button: Locator) -> Page:
        """Click a link or button that loads a page, and wait until it has loaded."""
        with self.page.expect_navigation(wait_until="networkidle"):
            button.click()
        return self.page

    def csp_violations(self) -> list[str]:
        """The refusals of the content security policy on the current page."""
        return list(self.page.evaluate("window.cspViolations || []"))

    def axe_violations(self, rules: Sequence[str] = RULES) -> list[str]:
        """Violations of WCAG 2.2 AA on the current page, and of good practice, one line each: rule, impact, where. `rules`
        are tags or names of rules.
        """
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(_axe())
        found = self.page.evaluate(
            "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", list(rules)
        )
        return [f"{each['id']} ({each['impact']}): {_where(each['nodes'])}" for each in found["violations"]]

    def overflow(self) -> int:
        """Pixels by which the page is wider than its window; 0 without sideways scrolling."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def cut(self) -> list[str]:
        """Titles, tabs and tables that are cut or scroll sideways: their kind and first words."""
        return list(self.page.evaluate(CUT))

    def covered(self) -> list[str]:
        """What a message lies over on the current screen: the texts of links, buttons and fields."""
        return list(self.page.evaluate(COVERED))

    def shot(self, name: str) -> Path:
        """Save a picture of the whole page in test-output/."""
        OUTPUT.mkdir(exist_ok=True)
        path = OUTPUT / f"{re.sub(r'[^a-z0-9_-]+', '_', name.lower())}.png"
        self.page.screenshot(path=str(path), full_page=True)
        return path

    def assert_clean(self, name: str = "") -> None:
        """No console messages, CSP refusals, axe findings, sideways scrolling, or messages over buttons on a phone. A name
        saves a picture.
        """
        if name:
            self.shot(name)
        problems = [*self.complaints, *(f"csp: {each}" for each in self.csp_violations())]
        problems += [f"axe: {each}" for each in self.axe_violations()]
        if self.page.evaluate("innerWidth") < LAPTOP_WIDTH:
            problems += [f"a message lies over “{each}”" for each in self.covered()]
        if (width := self.overflow()) > 0:
            problems.append(f"{width} px wider than the window")
        self.complaints.clear()
        assert not problems, f"{self.page.url}: " + "; ".join(problems)

    def close(self) -> None:
        """Leave."""
        self.context.close()


class Answer(NamedTuple):
    """What the desk answered."""

    status: int
    headers: dict[str, str]
    body: bytes


def _asked(client: Client, path: str, **headers: str) -> Answer:
    given = client.get(path, headers=headers)
    kept = {name: value for name, value in given.headers.items() if name.lower() != "content-length"}
    return Answer(given.status_code, kept, given.content)


class Served(Watched):
    """A person who is shown what the desk answers in this process, with its headers and static files."""

    def __init__(self, browser: Browser, *, viewport: dict[str, int] | None = None) -> None:
        super().__init__(browser, "http://localhost", viewport=viewport)
        self._answers: dict[str, Answer] = {}
        self.page.route("**/*", self._answer)

    def show(self, client: Client, path: str) -> Page:
        """Open a path as the person that is signed in to `client`."""
        self._answers = {path: _asked(client, path)}
        # What the page loads later; the desk cannot be asked while the browser waits.
        for later in re.findall(r'hx-get="([^"]+[?]pane)"', self._answers[path].body.decode()):
            self._answers[later] = _asked(client, later, **{"HX-Request": "true"})
        self.page.goto(path, wait_until="networkidle" if len(self._answers) > 1 else "load")
        return self.page

    def _answer(self, route: Route) -> None:
        wanted = urlsplit(route.request.url)
        if wanted.path.startswith("/static/"):
            route.fulfill(path=str(finders.find(wanted.path.removeprefix("/static/"))))
            return
        given = self._answers[f"{wanted.path}?{wanted.query}".rstrip("?")]
        route.fulfill(status=given.status, body=given.body, headers=given.headers)
