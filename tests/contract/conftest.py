"""Failing assertions of the suites show their values, although they are not in test files."""

import pytest

pytest.register_assert_rewrite("tests.contract.connector_suite", "tests.contract.connector_faults")
