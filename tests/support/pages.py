"""A browser page with checks: console messages, CSP refusals, axe findings."""

import re
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page

VENDOR = Path(__file__).parent / "vendor"
OUTPUT = Path(__file__).resolve().parents[2] / "test-output"
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}
NOTE_VIOLATIONS = """
window.cspViolations = [];
document.addEventListener("securitypolicyviolation", (event) => {
  window.cspViolations.push(`${event.violatedDirective} ${event.blockedURI}`);
});
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

    def axe_violations(self) -> list[str]:
        """Accessibility violations of the current page, one line each: rule, impact, where."""
        self.page.evaluate(_axe())
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [f"{each['id']} ({each['impact']}): {_where(each['nodes'])}" for each in found["violations"]]

    def overflow(self) -> int:
        """Pixels by which the page is wider than its window; 0 without sideways scrolling."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))

    def shot(self, name: str) -> Path:
        """Save a picture of the whole page in test-output/."""
        OUTPUT.mkdir(exist_ok=True)
        path = OUTPUT / f"{re.sub(r'[^a-z0-9_-]+', '_', name.lower())}.png"
        self.page.screenshot(path=str(path), full_page=True)
        return path

    def assert_clean(self, name: str = "") -> None:
        """No console messages, CSP refusals, axe findings or sideways scrolling. A name saves a picture."""
        if name:
            self.shot(name)
        problems = [*self.complaints, *(f"csp: {each}" for each in self.csp_violations())]
        problems += [f"axe: {each}" for each in self.axe_violations()]
        if (width := self.overflow()) > 0:
            problems.append(f"{width} px wider than the window")
        self.complaints.clear()
        assert not problems, f"{self.page.url}: " + "; ".join(problems)

    def close(self) -> None:
        """Leave."""
        self.context.close()
