"""Failing assertions of the suites show their values, although they are not in test files.

Fixtures of real servers.
"""

import pytest

pytest.register_assert_rewrite("tests.contract.connector_suite", "tests.contract.connector_faults")

from tests.support.request_tracker import request_tracker, rt_seed  # noqa: E402

__all__ = ["request_tracker", "rt_seed"]
