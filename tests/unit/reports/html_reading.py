"""An HTML file as a browser's parser reads it, and what no file of ours may hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = frozenset({"meta", "br"})
_STRUCTURE = {
    "html",
    "head",
    "meta",
    "title",
    "style",
    "body",
    "header",
    "main",
    "section",
    "footer",
}
_TEXT = {
    "footer",
    "div",
    "p",
    "h1",
    "h2",
    "h3",
    "small",
    "span",
    "b",
    "i",
    "br",
    "code",
    "pre",
    "a",
}
_LISTS = {"ul", "li", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td"}
_FOLDS = {"details", "summary"}
_SVG = {"svg", "g", "rect", "line", "text"}
_ALLOWED = _STRUCTURE | _TEXT | _LISTS | _FOLDS | _SVG
_URL_ATTRIBUTES = frozenset({"src", "href", "action", "data", "poster", "srcset", "xlink:href"})


@dataclass
class Page(HTMLParser):
    """Elements of a page in order, with the text in each; raises on one that is not closed.

    Attributes:
        elements: Name and attributes.
        texts: Text by the innermost element that holds it, in order.
    """

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))

    def text(self, tag: str) -> list[str]:
        """Texts directly within the elements called ``tag``."""
        return [data for name, data in self.texts if name == tag]

    def all_text(self) -> str:
        """What can be read on the page, the style left out."""
        return "\n".join(data for name, data in self.texts if name != "style")


def read_page(text: str) -> Page:
    """Parse ``text``, a whole file, and check that it is closed."""
    page = Page()
    page.feed(text)
    page.close()
    assert not page._open
    return page


def assert_inert(page: Page, *, links: frozenset[str] = frozenset()) -> None:
    """Nothing in ``page`` runs, loads or leads anywhere but ``links``, and a policy forbids it."""
    for tag, attributes in page.elements:
        assert tag in _ALLOWED, tag
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name in _URL_ATTRIBUTES & attributes.keys():
            assert tag == "a"
            assert attributes[name] in links
    policies = [
        attributes["content"]
        for tag, attributes in page.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert len(policies) == 1
    policy = policies[0] or ""
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert [tag for tag, _ in page.elements].count("style") == 1
