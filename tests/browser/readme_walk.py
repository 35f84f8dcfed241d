"""The five-minute walk of README.md, step by step, with hands that count."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser import wizard
from tests.browser.hands import Hands
from tests.servers import ConsoleDemo

#: At most so many presses and fields for the whole walk.
MOST_PRESSES, MOST_FIELDS = 50, 12
#: A walk is long, and other programs may use the machine.
PATIENCE_MS = 60_000
CONNECTION, FUNCTION = "Customers and orders", "Find customers"


def link(page: Page, name: str | re.Pattern[str]) -> Locator:
    return page.get_by_role("link", name=name, exact=isinstance(name, str)).first


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


class Walk:
    """A person who follows README.md, in one browser, with scripts or without."""

    def __init__(self, page: Page, console: ConsoleDemo, hands: Hands, *, scripts: bool) -> None:
        self.page, self.console, self.hands, self.scripts = page, console, hands, scripts

    def all_steps(self) -> None:
        self.sign_in()
        self.authorize()
        self.run()
        self.publish()
        self.make_it_fail()
        self.ask_for_more_permissions()
        self.call_from_a_program()
        self.ship()

    def sign_in(self) -> None:
        page, hands = self.page, self.hands
        page.goto(self.console.url)
        hands.fill(page.get_by_label("E-mail address"), "developer@studio.example")
        self._tab_to(page.get_by_label("Password"))
        hands.fill(page.get_by_label("Password"), self.console.password)
        hands.key(page, "Enter")
        page.get_by_role("heading", name="Home").wait_for()
        hands.press(link(page, "Field Service"))
        page.get_by_role("heading", name="Map").wait_for()

    def authorize(self) -> None:
        page, hands = self.page, self.hands
        hands.press(page.locator(".connection-list").get_by_role("link", name=CONNECTION))
        page.get_by_role("heading", name=CONNECTION, level=1).wait_for()
        hands.press(link(page, "Authorize"))
        self.page = self._consent("alice")

    def run(self) -> None:
        page, hands = self.page, self.hands
        hands.press(link(page, f"Run {FUNCTION}"))
        self._run("lumen")
        expect(page.locator("#run-result")).to_contain_text("Chiara Rossi", timeout=PATIENCE_MS)

    def publish(self) -> None:
        page, hands = self.page, self.hands
        hands.press(link(page, "not in Stage yet"))
        expect(page.get_by_role("checkbox", name=FUNCTION, exact=True)).to_be_checked(
            timeout=PATIENCE_MS
        )
        expect(page.get_by_role("main")).to_contain_text(CONNECTION, timeout=PATIENCE_MS)
        hands.press(button(page, "Publish to Stage"))
        hands.press(link(page, f"Run {FUNCTION} in Stage"))
        expect(page.get_by_role("radio", name="Stage")).to_be_checked(timeout=PATIENCE_MS)
        self._run("lumen")
        expect(page.locator("#run-result")).to_contain_text(
            "It worked in Stage", timeout=PATIENCE_MS
        )

    def make_it_fail(self) -> None:
        page, hands = self.page, self.hands
        sandbox = page.context.new_page()
        hands.open(sandbox, f"{self.console.sandbox_url}/switches/")
        hands.press(button(sandbox, "Let the API answer 500"))
        sandbox.get_by_text("The API answers 500 now.").wait_for()
        page.bring_to_front()
        hands.press(button(page, "Run"))
        expect(page.locator("#run-result")).to_contain_text(
            "It stopped in Stage", timeout=PATIENCE_MS
        )
        hands.press(link(page, CONNECTION))
        page.get_by_role("heading", name=CONNECTION, level=1).wait_for()
        hands.press(button(page, "Test"))
        page.get_by_role("alert").first.wait_for()
        hands.press(button(sandbox, "Make everything work again"))
        button(sandbox, "Let the API answer 500").wait_for()
        sandbox.close()
        expect(wizard.by_alice(page)).to_be_visible(timeout=PATIENCE_MS)

    def ask_for_more_permissions(self) -> None:
        page, hands = self.page, self.hands
        hands.press(link(page, "Place order"))
        hands.fill(page.get_by_label("What is ordered"), "A pump")
        self._tab_to(page.get_by_label("How many"))
        hands.fill(page.get_by_label("How many"), "1")
        hands.key(page, "Enter")
        expect(page.locator("#run-result")).to_contain_text("403", timeout=PATIENCE_MS)
        hands.press(link(page, "Change permissions"))
        expect(page.get_by_role("checkbox", name="Write Orders")).to_be_checked(timeout=PATIENCE_MS)
        hands.press(button(page, "Save permissions"))
        hands.press(link(page, "not in Stage yet"))
        expect(page.get_by_role("main")).to_contain_text(
            "Missing in Stage: orders.write", timeout=PATIENCE_MS
        )
        link(page, f"Reauthorize {CONNECTION}").wait_for()
        hands.press(button(page, "Publish to Stage"))
        expect(page.get_by_role("main")).to_contain_text(
            "Changes since Release 1", timeout=PATIENCE_MS
        )
        hands.press(link(page, "Roll back to Release 1"))
        hands.press(button(page, "Roll back"))
        page.get_by_text("is in Stage, with the content of").wait_for()

    def call_from_a_program(self) -> None:
        page, hands = self.page, self.hands
        hands.press(link(page, "Field Service"))
        hands.press(link(page, "Keys"))
        hands.press(button(page, "Create key"))
        key = page.locator("#key-text").inner_text()
        if self.scripts:
            hands.press(button(page, "Copy"))
        url = f"{self.console.url}/api/v1/connections/customers_and_orders/proxy/contacts"
        answer = page.context.request.get(url, headers={"Authorization": f"Bearer {key}"})
        assert answer.ok, answer.text()
        hands.press(link(page, f"calls through {CONNECTION}"))
        expect(page.get_by_role("main")).to_contain_text("/contacts", timeout=PATIENCE_MS)

    def ship(self) -> None:
        page, hands = self.page, self.hands
        self._continue_as("superadmin@studio.example")
        hands.press(link(page, "Share Field Service with Client"))
        hands.press(button(page, "Share"))
        page.get_by_role("heading", name=re.compile("Field Service"), level=1).wait_for()
        self._continue_as("superadmin@client.example")
        hands.press(link(page, "Install Field Service"))
        hands.press(button(page, "Install"))
        hands.press(link(page, f"Authorize {CONNECTION}"))
        self.page = page = self._consent("bob", another=True)
        self._continue_as("user@client.example")
        hands.press(link(page, f"Run {FUNCTION}"))
        hands.fill(page.get_by_label("Name, e-mail address or company"), "lumen")
        hands.key(page, "Enter")
        expect(page.locator("#run-result")).to_contain_text("It worked", timeout=PATIENCE_MS)

    def _continue_as(self, email: str) -> None:
        """Change to another account of the demo."""
        self.hands.press(button(self.page, email))
        self.page.get_by_role("heading", name="Home").wait_for()

    def _run(self, words: str) -> None:
        """Fill the first input of the Run panel, which has the focus, and run."""
        page = self.page
        self.hands.fill(page.get_by_label("Name, e-mail address or company"), words)
        self.hands.key(page, "Enter")
        page.locator("#run-result").wait_for()

    def _consent(self, who: str, *, another: bool = False) -> Page:
        """Authorize in the service's window; return the page in which the person goes on."""
        page, hands = self.page, self.hands
        with page.expect_popup() as opened:
            hands.press(button(page, "Authorize"))
        popup = opened.value
        popup.set_default_timeout(PATIENCE_MS)
        if another:
            hands.press(button(popup, "Sign out"))
        hands.fill(popup.get_by_label("User name"), who)
        self._tab_to(popup.get_by_label("Password"))
        hands.fill(popup.get_by_label("Password"), self.console.password)
        hands.key(popup, "Enter")
        if not self.scripts:
            hands.press(button(popup, "Allow"))
            expect(wizard.by(who, popup)).to_be_visible(timeout=PATIENCE_MS)
            return popup  # without scripts the window does not close
        button(popup, "Allow").wait_for()
        with popup.expect_event("close"):
            hands.press(button(popup, "Allow"))
        result = page.get_by_text(re.compile(f"uthorized as {who}@example.com")).first
        expect(result).to_be_visible(timeout=PATIENCE_MS)
        page.wait_for_load_state()
        return page

    def _tab_to(self, target: Locator) -> None:
        """Press Tab once, with the hands still on the keyboard."""
        self.hands.key(target.page, "Tab")
        expect(target).to_be_focused(timeout=PATIENCE_MS)
