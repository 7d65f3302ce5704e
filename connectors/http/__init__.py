"""The one HTTP client of all connectors: budget, credential, read retries, errors by what to do.

A connector describes a `Request`, says how its answer is decoded, and calls `HttpClient.read` or
`HttpClient.write`; what it gets is a decoded answer or one of the errors of `syncd.core.errors`.
httpx does not show through. Reading order: request.py, meaning.py, quota.py, client.py.
"""

from connectors.http.client import HttpClient
from connectors.http.download import Downloads
from connectors.http.meaning import MEANINGS, Explanation, Meaning
from connectors.http.request import Answered, Credential, FixedCredential, OnRequest, Request

__all__ = [
    "MEANINGS",
    "Answered",
    "Credential",
    "Downloads",
    "Explanation",
    "FixedCredential",
    "HttpClient",
    "Meaning",
    "OnRequest",
    "Request",
]
