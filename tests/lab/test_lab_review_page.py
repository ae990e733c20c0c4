"""The page of `egressc diff --format html` in a real browser, without any network."""

from __future__ import annotations

import struct

import lab_browser
import pytest
import review_support as made

from egressc.report_review_html import review_html

HOST = "document.activeElement"
NAME = f"({HOST}.id || {HOST}.className || {HOST}.tagName.toLowerCase())"
SHOWN = "[...document.querySelectorAll('.item')].filter((e) => e.offsetParent !== null).length"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    reason = lab_browser.missing()
    if reason is not None:
        pytest.skip(reason)
    with lab_browser.Browser(tmp_path_factory.mktemp("browser")) as running:
        yield running


def opened(browser, tmp_path, review, title="policies  v1..v2", **look):
    page = tmp_path / "review.html"
    page.write_text(review_html(review, title), encoding="utf-8")
    browser.look(**{"width": 1100, **look})
    browser.open(page.as_uri())
    return browser


def quiet(browser, tmp_path):
    """Nothing was complained of, and nothing was asked for but the page."""
    assert browser.said() == []
    assert browser.requests() == [(tmp_path / "review.html").as_uri()]


def test_the_console_of_a_bad_page_is_heard(browser, tmp_path):
    """The other tests would notice: a script that the policy of the page forbids, and one that fails."""
    page = tmp_path / "bad.html"
    good = review_html(made.RICH, "x")
    page.write_text(
        good.replace("</body>", "<img src='http://192.0.2.1/x.png'><script>alert(1)</script></body>"), "utf-8"
    )
    browser.open(page.as_uri())
    assert len(browser.said()) == 2
    page.write_text(good.replace('"use strict";', '"use strict"; throw new Error("x");'), "utf-8")
    browser.open(page.as_uri())
    assert len(browser.said()) == 1


def test_it_renders(browser, tmp_path):
    opened(browser, tmp_path, made.RICH)
    assert browser.run("document.title") == "Egress policy: policies v1..v2"
    assert browser.run(SHOWN) == 4 + 1 + 1 + 5 + 4 + 1
    assert "anyone can register a name under blob.core.windows.net" in browser.run("document.body.innerText")
    assert browser.run("getComputedStyle(document.querySelector('.bar')).position") == "sticky", "the style counts"
    quiet(browser, tmp_path)


def test_it_filters(browser, tmp_path):
    opened(browser, tmp_path, made.RICH)
    browser.run("document.getElementById('filter').focus()")
    browser.type("Blob core")
    assert browser.run(SHOWN) == 1
    assert browser.run("document.getElementById('shown').value") == "1 of 16"
    assert browser.run("document.querySelectorAll('main section:not([hidden])').length") == 1
    browser.type(" zzz")
    assert browser.run(SHOWN) == 0
    assert browser.run("document.getElementById('none').hidden") is False
    browser.press("Escape")
    assert browser.run(SHOWN) == 16
    assert browser.run("document.getElementById('none').hidden") is True
    quiet(browser, tmp_path)


def test_the_keyboard_alone_will_do(browser, tmp_path):
    opened(browser, tmp_path, made.RICH)
    walked = []
    for _ in range(40):
        browser.press("Tab")
        walked.append(browser.run(NAME))
        if browser.run(f"{HOST}.matches(':focus-visible')"):
            assert browser.run(f"getComputedStyle({HOST}).outlineStyle") != "none", walked[-1]
        if browser.run(f"{HOST} === document.body"):
            break
    assert walked[0] == "skip"
    assert walked.count("summary") == 16
    assert walked.index("filter") < walked.index("fold") < walked.index("summary")
    browser.press("/")
    assert browser.run(NAME) == "filter"
    assert browser.run("document.getElementById('filter').value") == ""
    browser.type("firewall")
    browser.press("Enter")
    where = f"{HOST}.innerText"
    first = browser.run(where)
    assert "hosts/agents" in first
    browser.press("j")
    assert "azure-firewall" in browser.run(where)
    browser.press("j")
    assert "azure-firewall" in browser.run(where), "it stops at the last"
    browser.press("k")
    assert browser.run(where) == first
    browser.press("Enter")
    assert browser.run(f"{HOST}.parentElement.open") is False
    browser.press("Enter")
    assert browser.run(f"{HOST}.parentElement.open") is True
    browser.press("Tab", shift=True)
    assert browser.run(NAME) == "fold"
    browser.press(" ")
    assert browser.run("document.querySelectorAll('details[open]').length") == 0
    browser.press("Enter")
    assert browser.run("document.querySelectorAll('details:not([open])').length") == 0
    quiet(browser, tmp_path)


@pytest.mark.parametrize("width", [320, 400, 1100])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_fits_in_both_themes(browser, tmp_path, width, dark):
    opened(browser, tmp_path, made.RICH, width=width, dark=dark)
    assert browser.run("document.documentElement.scrollWidth") <= width
    image = browser.screenshot()
    wide, high = struct.unpack(">II", image[16:24])
    assert wide in range(width - 20, width + 1)
    assert high < 4000, "no item holds more room than it needs"
    ratios = browser.run("""(() => {
        const light = (c) => {
            const [r, g, b] = c.match(/[0-9.]+/g).map((v) => v / 255)
                .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const back = (e) => {
            for (; e; e = e.parentElement) {
                const c = getComputedStyle(e).backgroundColor;
                if (c !== "rgba(0, 0, 0, 0)") return light(c);
            }
            return 1;
        };
        return [...document.querySelectorAll("h1, h2, code, p, span, a, button, input, label")].map((e) => {
            const [a, b] = [light(getComputedStyle(e).color), back(e)];
            return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        });
    })()""")
    assert len(ratios) > 50
    assert min(ratios) >= 4.5, "WCAG 2.2, 1.4.3: contrast of text"
    back = browser.run("getComputedStyle(document.documentElement).backgroundColor")
    assert back == ("rgb(13, 17, 23)" if dark else "rgb(255, 255, 255)")
    quiet(browser, tmp_path)


@pytest.mark.parametrize("text", made.HOSTILE_TEXTS)
def test_hostile_texts_are_only_texts(browser, tmp_path, text):
    opened(browser, tmp_path, made.hostile(text), text, width=400)
    assert browser.run("document.querySelectorAll('script').length") == 1
    assert browser.run("document.querySelectorAll('img, iframe, object, embed, form, base, link').length") == 0
    assert browser.run("document.documentElement.scrollWidth") <= 400
    assert browser.run("document.querySelectorAll('main section').length") == 5
    quiet(browser, tmp_path)


def test_a_large_review_stays_quick(browser, tmp_path):
    opened(browser, tmp_path, made.many(3000))
    assert browser.run(SHOWN) > 9000
    took = browser.run("""(() => {
        const start = performance.now();
        const filter = document.getElementById("filter");
        filter.value = "h2999.example";
        filter.dispatchEvent(new Event("input"));
        document.body.offsetHeight;
        return performance.now() - start;
    })()""")
    assert browser.run(SHOWN) == 1
    assert took < 3000
    quiet(browser, tmp_path)
