"""When the engine counts as standing still, and when it only waits."""

from __future__ import annotations

from syncd.engine.pulse import RUN_PATIENCE_SECONDS, SCAN_PATIENCE_SECONDS, Pulse
from tests.support.clock import FakeClock


def test_an_engine_without_work_is_alive_as_long_as_it_looks_for_some() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    for _ in range(100):
        clock.advance(SCAN_PATIENCE_SECONDS)
        assert pulse.standstill() is None
        pulse.scanned()
    clock.advance(SCAN_PATIENCE_SECONDS + 1)
    assert pulse.standstill() is not None


def test_runs_that_make_no_step_stand_still() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    clock.advance(RUN_PATIENCE_SECONDS * 2)
    pulse.scanned()
    with pulse.run():
        clock.advance(RUN_PATIENCE_SECONDS)
        pulse.scanned()
        assert pulse.standstill() is None
        clock.advance(1)
        assert pulse.standstill() == "no run has made a step"
        pulse.moved()
        assert pulse.standstill() is None
    clock.advance(RUN_PATIENCE_SECONDS * 2)
    pulse.scanned()
    assert pulse.standstill() is None


def test_one_that_steps_is_enough() -> None:
    clock = FakeClock()
    pulse = Pulse(clock)
    with pulse.run():
        clock.advance(RUN_PATIENCE_SECONDS)
        with pulse.run():
            pass
        clock.advance(RUN_PATIENCE_SECONDS)
        pulse.scanned()
        assert pulse.standstill() is None
