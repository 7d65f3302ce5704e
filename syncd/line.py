"""What is seen of the way to a desk while it is asked, for whoever watches, as a port.

A connector's HTTP client tells of each try; nobody listens but `syncd doctor`. It costs no request
of its own. No address beyond the host, no header but the date, no text of an answer.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

#: OpenSSL's own numbers: https://docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_OUT_OF_TIME = {9, 10}
_WRONG_NAME = {62, 64}


class LineFault(StrEnum):
    """Why no answer came."""

    #: The host's name leads nowhere.
    NO_NAME = "no_name"
    #: Nobody listens there.
    REFUSED = "refused"
    #: Nothing came in time.
    SILENT = "silent"
    #: The certificate is over, or not yet good.
    EXPIRED = "expired"
    #: The certificate is another host's.
    WRONG_NAME = "wrong_name"
    #: Nobody whom this machine trusts has signed the certificate.
    UNTRUSTED = "untrusted"
    #: The two ends found no way to encrypt.
    NO_TLS = "no_tls"
    #: The connection broke.
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True, slots=True)
class Contact:
    """One try to reach a desk."""

    host: str
    is_encrypted: bool
    #: When it ended, by our clock, and how long it took.
    at: datetime
    seconds: float
    #: None where an answer came, whatever it said.
    fault: LineFault | None = None
    #: The desk's clock when it answered, whole seconds; None where it did not say.
    date: datetime | None = None
    #: None where nothing is encrypted, or it was not seen.
    certificate_ends_at: datetime | None = None


#: Told about every try of the current task and of those that it starts.
ON_CONTACT: ContextVar[Callable[[Contact], None] | None] = ContextVar("ON_CONTACT", default=None)


def fault_of(error: BaseException) -> LineFault:
    """What is behind a failed try, from the errors that it was made of."""
    causes = tuple(_causes(error, 0))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _of_certificate(cause)
    kinds: tuple[tuple[type[BaseException], LineFault], ...] = (
        (ssl.SSLError, LineFault.NO_TLS),
        (socket.gaierror, LineFault.NO_NAME),
        (ConnectionRefusedError, LineFault.REFUSED),
        (TimeoutError, LineFault.SILENT),
    )
    for kind, fault in kinds:
        if any(isinstance(cause, kind) for cause in causes):
            return fault
    return LineFault.BROKEN


def _of_certificate(error: ssl.SSLCertVerificationError) -> LineFault:
    code = getattr(error, "verify_code", 0)
    if code in _OUT_OF_TIME:
        return LineFault.EXPIRED
    return LineFault.WRONG_NAME if code in _WRONG_NAME else LineFault.UNTRUSTED


def _causes(error: BaseException | None, depth: int) -> Iterator[BaseException]:
    """The error and all that it came from, those in groups included; no deeper than any stack."""
    if error is None or depth > _DEEPEST:
        return
    yield error
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _causes(each, depth + 1)
    # Names that wrap another error keep it in a field of their own.
    reason = getattr(error, "reason", None)
    if isinstance(reason, BaseException):
        yield from _causes(reason, depth + 1)
    yield from _causes(error.__cause__ or error.__context__, depth + 1)


_DEEPEST = 12
