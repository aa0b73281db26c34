"""Which certificates are trusted and shown: one SSL context for each choice of files, made when it is first needed.

aiohttp's own context is made when aiohttp is imported, too early for `SSL_CERT_FILE` out of a `.env` file.
"""

import asyncio
import os
import ssl
from pathlib import Path

from dynaspark_core.errors import ConfigError

VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
"""Environment variables that OpenSSL reads when a context is made."""


async def tls_context(ca_file: str | None = None, client_cert: str | None = None) -> ssl.SSLContext:
    """The context that trusts the system's authorities and those of `ca_file`, and shows `client_cert`.

    Both are paths of PEM files; the second holds a certificate and its key. Raises `ConfigError` that names the file
    which cannot be used.
    """
    key = tuple(map(os.environ.get, VARIABLES)), ca_file, _changed(ca_file), client_cert, _changed(client_cert)
    if key not in _made:
        _made[key] = await asyncio.to_thread(_context, ca_file, client_cert)
    return _made[key]


_made: dict[object, ssl.SSLContext] = {}


def _changed(path: str | None) -> int | None:
    """When the file was last changed, in nanoseconds: a renewed certificate is read anew."""
    try:
        return Path(path).stat().st_mtime_ns if path else None
    except OSError:
        return None


def _context(ca_file: str | None, client_cert: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except (OSError, ValueError) as exc:
            raise ConfigError(f"ca_file is {ca_file!r}; it must be a PEM file of certificates: {exc}") from exc
    if client_cert:
        try:
            context.load_cert_chain(client_cert, password=lambda: "")  # without one, OpenSSL asks on the terminal
        except (OSError, ValueError) as exc:
            wanted = "a PEM file of a certificate and its key, without a passphrase"
            raise ConfigError(f"client_cert is {client_cert!r}; it must be {wanted}: {exc}") from exc
    return context
