"""Values as logged, made comparable."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from foxhunt.exclusions.patterns import comparable
from foxhunt.indicators import canonical_address, canonical_name, url_key
from foxhunt.tables import Fact

LABELS = st.sampled_from(
    ["a", "A", "evil", "org", "7", "0x7f", "x7", "xn--a", "xn--mnchen-3ya", "_a", "-", "\u212a", ""]
)
NAMES = st.lists(LABELS, min_size=1, max_size=5).map(".".join)


@given(NAMES | st.text(alphabet="aZ09.-_:/@%[] \u212a\u3002", max_size=12))
@settings(max_examples=300, deadline=None)
@example("c2.Evil.org")
@example("1.2.3.0x7f")
@example("1.2.3.x7")
@example("evil.\u212aa")
@example("a" * 300 + ".org")
@example("a." * 200 + "org")
@example("evil.org.")
def test_a_name_is_that_of_its_url_or_its_canonical_form(text: str) -> None:
    key = url_key(text)
    name = key.host if key is not None else canonical_name(text)

    assert comparable(Fact.DOMAIN, text) == (
        name if name and text.strip() and canonical_address(name) is None else None
    )
