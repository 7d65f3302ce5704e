"""Carries a desk's webhooks: at least once if lucky, sometimes twice, late, or never.

Every parcel is signed anew for each attempt. The vendor's rules for trying again come in as a
function; loss, duplicates and reordering are seeded, so that a run can be repeated.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx

from connectors.sandbox.time import SandboxTime


@dataclass(frozen=True, kw_only=True, slots=True)
class Mischief:
    """Probabilities from 0 to 1, each decided once per parcel."""

    loss: float = 0.0
    duplicate: float = 0.0
    # A reordered parcel starts up to `reorder_seconds` (scaled) after later ones.
    reorder: float = 0.0
    reorder_seconds: float = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Parcel:
    """One event on its way to one receiver."""

    parcel_id: str
    url: str
    body: bytes
    # Headers of one attempt, signature included; called for each attempt.
    sign: Callable[[bytes], Mapping[str, str]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """How one try ended. `status` is None when no answer came."""

    number: int
    status: int | None
    retry_after_seconds: float | None
    is_timeout: bool = False


@dataclass(kw_only=True, slots=True)
class Delivery:
    """What became of one parcel, for the desk's state."""

    parcel_id: str
    url: str
    fate: str = "waiting"
    statuses: list[int | None] = field(default_factory=list)
    # When the last try ended, by the sandbox's clock.
    attempted_at: float | None = None


# Vendor seconds to wait before the next attempt, None to give up.
RetryRule = Callable[[Attempt], float | None]


def never_again(_attempt: Attempt) -> float | None:
    """The rule of a desk that tries once."""
    return None


class Courier:
    """Delivers parcels in the background of the running loop."""

    def __init__(
        self,
        *,
        time: SandboxTime,
        mischief: Mischief | None = None,
        retry: RetryRule = never_again,
        timeout_seconds: float = 12.0,
        pause_seconds: Callable[[], float] = lambda: 0.0,
        on_attempt: Callable[[Attempt], None] = lambda _attempt: None,
        seed: int = 0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Without a `transport` parcels go over the machine's own network."""
        self.mischief = mischief or Mischief()
        self.deliveries: list[Delivery] = []
        self._time = time
        self._retry = retry
        self.timeout_seconds = timeout_seconds
        self._pause_seconds = pause_seconds
        self._on_attempt = on_attempt
        self._random = random.Random(seed)  # noqa: S311 - repeatable dice, nothing secret
        self._transport = transport
        self._tasks: dict[asyncio.Task[None], None] = {}
        # In their order: who waits for them is woken in an order that a run can repeat.
        self._first_attempts: dict[asyncio.Event, None] = {}
        self._client: httpx.AsyncClient | None = None

    def post(self, parcel: Parcel) -> None:
        """Take a parcel; needs a running event loop."""
        mischief = self.mischief
        # Always three draws, so that one probability does not shift the others' fates.
        is_lost = self._random.random() < mischief.loss
        is_double = self._random.random() < mischief.duplicate
        is_late = self._random.random() < mischief.reorder
        if is_lost:
            self.deliveries.append(
                Delivery(parcel_id=parcel.parcel_id, url=parcel.url, fate="lost")
            )
            return
        delay = self._random.random() * mischief.reorder_seconds if is_late else 0.0
        self._start(parcel, delay)
        if is_double:
            self._start(parcel, self._random.random() * mischief.reorder_seconds)

    async def first_attempts(self) -> None:
        """Return once every parcel that is not late has been tried once."""
        for attempted in list(self._first_attempts):
            await attempted.wait()

    async def idle(self) -> None:
        """Return once nothing is on its way."""
        while self._tasks:
            await asyncio.wait(list(self._tasks))

    def drop_all(self) -> None:
        """Forget what is on its way and what has been."""
        for task in list(self._tasks):
            task.cancel()
        self.deliveries.clear()

    async def close(self) -> None:
        """Stop delivering."""
        self.drop_all()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _start(self, parcel: Parcel, delay: float) -> None:
        delivery = Delivery(parcel_id=parcel.parcel_id, url=parcel.url)
        self.deliveries.append(delivery)
        attempted = asyncio.Event()
        if delay == 0:
            self._first_attempts[attempted] = None
        task = asyncio.get_running_loop().create_task(
            self._deliver(parcel, delivery, delay, attempted)
        )
        self._tasks[task] = None
        task.add_done_callback(lambda done: self._tasks.pop(done, None))

    async def _deliver(
        self, parcel: Parcel, delivery: Delivery, delay: float, attempted: asyncio.Event
    ) -> None:
        try:
            if delay > 0:
                await self._time.sleep(self._time.shrunk(delay))
            number = 0
            while True:
                number += 1
                while (pause := self._pause_seconds()) > 0:
                    await self._time.sleep(self._time.shrunk(pause))
                attempt = await self._try(parcel, number)
                attempted.set()
                self._first_attempts.pop(attempted, None)
                delivery.statuses.append(attempt.status)
                delivery.attempted_at = self._time.now()
                self._on_attempt(attempt)
                if attempt.status is not None and attempt.status < HTTPStatus.MULTIPLE_CHOICES:
                    delivery.fate = "delivered"
                    return
                again = self._retry(attempt)
                if again is None:
                    delivery.fate = "failed"
                    return
                await self._time.sleep(self._time.shrunk(again))
        finally:
            attempted.set()
            self._first_attempts.pop(attempted, None)

    async def _try(self, parcel: Parcel, number: int) -> Attempt:
        if self._client is None:
            self._client = httpx.AsyncClient(
                transport=self._transport, trust_env=False, follow_redirects=False
            )
        headers = {"content-type": "application/json", **parcel.sign(parcel.body)}
        try:
            answer = await self._client.post(
                parcel.url, content=parcel.body, headers=headers, timeout=self.timeout_seconds
            )
        except httpx.HTTPError as error:
            is_timeout = isinstance(error, httpx.TimeoutException)
            return Attempt(
                number=number, status=None, retry_after_seconds=None, is_timeout=is_timeout
            )
        return Attempt(
            number=number,
            status=answer.status_code,
            retry_after_seconds=_seconds(answer.headers.get("retry-after")),
        )


def _seconds(value: str | None) -> float | None:
    try:
        return None if value is None else float(value)
    except ValueError:
        return None
