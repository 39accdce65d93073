"""The watch over pages must bark: a page with something wrong is not called clean."""

import pytest

pytestmark = pytest.mark.browser
PAGE = '<!doctype html><html lang="en"><head><title>Page</title></head><body><main><h1>Hi</h1>{}</main></body></html>'
POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:"


@pytest.fixture
def show(watch):
    person = watch("http://desk.example")

    def show(body: str):
        def answer(route):
            headers = {"Content-Security-Policy": POLICY}
            route.fulfill(body=PAGE.format(body), content_type="text/html", headers=headers)

        person.page.route("**/*", answer)
        person.visit("/")
        return person

    return show


def test_a_good_page_is_clean(show):
    show("<p>All is well.</p>").assert_clean()


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("<script>1</script>", "csp: script-src"),
        ('<p style="color: red">x</p>', "csp: style-src"),
        ('<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">', "axe: image-alt"),
        ('<input type="checkbox" aria-label="One"><input type="checkbox" aria-label="Two">', "axe: target-size"),
    ],
)
def test_a_page_with_a_fault_is_refused(show, body, complaint):
    with pytest.raises(AssertionError, match=complaint):
        show(body).assert_clean()


def test_a_message_over_a_button_is_noticed_on_a_phone(show):
    person = show('<button>Decide</button><div class="toasty"><button>Dismiss</button></div>')
    assert person.covered() == []
    person.page.evaluate("document.querySelector('.toasty').style.cssText = 'position: absolute; inset: 0'")
    person.page.set_viewport_size({"width": 390, "height": 844})
    assert "Decide" in person.covered()


def test_a_page_wider_than_a_phone_is_noticed(show):
    person = show("<p>" + "x" * 3000 + "</p>")
    assert person.overflow() > 0
