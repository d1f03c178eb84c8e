"""SSLBL: addresses are indicators, hashes of certificates are none."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from foxhunt.errors import FeedError

from ..sibling_samples import SSLBL_CERTIFICATES_CSV, SSLBL_IP_CSV, read_sibling


def test_an_address_is_mapped_field_by_field() -> None:
    one = next(i for i in read_sibling(SSLBL_IP_CSV).indicators if i.value == "9.9.9.9:443")

    assert (one.source, one.threat_type, one.malware) == ("sslbl", "botnet_cc", "unknown")
    assert (one.confidence_level, one.last_seen) == (75, None)
    assert one.first_seen == datetime(2024, 12, 30, 6, 17, 52, tzinfo=UTC)


def test_the_hash_of_a_certificate_is_never_taken_for_that_of_a_file() -> None:
    with pytest.raises(FeedError) as caught:
        read_sibling(SSLBL_CERTIFICATES_CSV, "sslblacklist.csv")

    assert str(caught.value) == (
        "sslblacklist.csv: H201: SSLBL's list of certificates: no table shows the hash of a "
        "certificate (take sslipblacklist.csv)"
    )
