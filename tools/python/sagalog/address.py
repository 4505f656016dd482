"""Where a store is reached: a data directory, a Unix socket, or a URL."""

from __future__ import annotations

import os
import ssl
import stat
import urllib.parse
from dataclasses import dataclass
from typing import Optional, Union

PathLike = Union[str, "os.PathLike[str]"]


@dataclass(frozen=True)
class Address:
    """`path` is a data directory or a socket; without it, `host` and `port` are connected to."""

    path: str = ""
    host: str = "localhost"
    port: int = 0
    tls: Optional[ssl.SSLContext] = None

    @property
    def name(self) -> str:
        """What requests name as their host, and errors as the store."""
        if self.path:
            return "localhost"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def socket_path(self) -> str:
        """The socket: the path itself, or the one inside of the data directory."""
        try:
            if stat.S_ISSOCK(os.stat(self.path).st_mode):
                return self.path
        except OSError:
            pass
        return os.path.join(self.path, "socket")

    def __str__(self) -> str:
        return self.socket_path() if self.path else self.name


def find_address(where: Optional[PathLike], ca_file: Optional[PathLike] = None,
                 tls: Optional[ssl.SSLContext] = None) -> Address:
    """`where` is a data directory, the path of a socket, or a URL http:// or https://; None is
    $SAGALOG_DATA, else ./.sagalog."""
    text = os.fspath(where) if where is not None else os.environ.get("SAGALOG_DATA") or ".sagalog"
    scheme, separator, _ = text.partition("://")
    if not separator:
        if ca_file is not None or tls is not None:
            raise ValueError(f"{text}: a CA file is for an https:// address")
        return Address(path=os.path.abspath(text))
    url = urllib.parse.urlsplit(text)
    if scheme not in ("http", "https") or not url.hostname:
        raise ValueError(f"{text}: give a data directory, a socket, http://… or https://…")
    if url.path.strip("/") or url.query or url.fragment or url.username:
        raise ValueError(f"{text}: only a host and a port, nothing behind or before them")
    if scheme == "http":
        if ca_file is not None or tls is not None:
            raise ValueError(f"{text}: a CA file is for an https:// address")
        return Address(host=url.hostname, port=url.port or 80)
    context = tls or ssl.create_default_context(
        cafile=None if ca_file is None else os.fspath(ca_file))
    return Address(host=url.hostname, port=url.port or 443, tls=context)
