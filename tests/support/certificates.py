"""Certificates for servers of tests, made by the openssl program."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_CONFIG = """\
[ca]
default_ca = ours
[ours]
new_certs_dir = {folder}
database = {folder}/index.txt
serial = {folder}/serial
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = supplied
"""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A certificate with its key; the first of a folder signs all others."""

    certificate: Path
    key: Path


def an_authority(folder: Path) -> Certificate:
    """Who signs; name it in SSL_CERT_FILE to be believed."""
    for name, content in (("index.txt", ""), ("serial", "1000\n"), ("ca.cnf", _CONFIG)):
        (folder / name).write_text(content.format(folder=folder), encoding="ascii")
    made = Certificate(certificate=folder / "ca.pem", key=folder / "ca.key")
    _openssl(
        *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", made.key, "-out", made.certificate, "-subj", "/CN=tests", "-days", "400"),
    )
    return made


def a_certificate(
    folder: Path, *, begins: str, ends: str, names: str = "IP:127.0.0.1"
) -> Certificate:
    """One that the folder's authority signed; the moments as in `20270115080000Z`."""
    made = Certificate(certificate=folder / f"{ends}.pem", key=folder / f"{ends}.key")
    asked, more = folder / "asked.pem", folder / "names.cnf"
    more.write_text(f"subjectAltName = {names}\n", encoding="ascii")
    _openssl(
        *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
        *("-keyout", made.key, "-out", asked, "-subj", "/CN=desk"),
    )
    _openssl(
        *("ca", "-batch", "-config", folder / "ca.cnf", "-in", asked, "-out", made.certificate),
        *("-cert", folder / "ca.pem", "-keyfile", folder / "ca.key", "-notext"),
        *("-startdate", begins, "-enddate", ends, "-extfile", more),
    )
    return made


def _openssl(*words: str | Path) -> None:
    done = subprocess.run(
        ["openssl", *map(str, words)],  # noqa: S607 - as it is installed
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
