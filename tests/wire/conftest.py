"""Fixtures of real servers."""

from tests.support.request_tracker import private_request_tracker, request_tracker, rt_seed

__all__ = ["private_request_tracker", "request_tracker", "rt_seed"]
