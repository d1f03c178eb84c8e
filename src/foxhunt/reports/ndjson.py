"""One finding a line, each the object of ``findings`` in ``foxhunt.hunt/1``; exact, ASCII."""

from __future__ import annotations

from foxhunt.findings import HuntResult
from foxhunt.reports.json_report import coverage_object, finding_object, line
from foxhunt.reports.summary import gaps


def render(result: HuntResult) -> str:
    """See `Report.render`.

    A hunt that looked everywhere and found nothing is the empty text. One that did not look
    is not: what `gaps` names follows the findings as objects of ``coverage``, which have a
    ``status`` and no ``id``.
    """
    lines = [line(finding_object(finding)) for finding in result.findings]
    lines += [line(coverage_object(entry)) for entry in gaps(result)]
    return "".join(lines)
