"""Which test holds which finding. A row may have several tests; all of them run on both databases.

`report N` is the N-th report about another help desk or approval system that was played on this one, `first day` what a
first-time buyer met, `coverage` what was found while the features were counted.
"""

from tests.findings.met import COVERAGE, FIRST_DAY
from tests.findings.reported import REPORTS

ROWS = (*REPORTS, *FIRST_DAY, *COVERAGE)
TESTS = frozenset(f"{file}::{name}" for each in ROWS for file, name in each.tests)
FILES = frozenset(file for each in ROWS for file, _ in each.tests)
