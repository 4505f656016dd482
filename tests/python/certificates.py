"""Certificates for tests, made by openssl: authorities, and what they sign."""

from __future__ import annotations

import os
import subprocess

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]


class Authority:
    """`ca_file` is what those who trust it are given."""

    def __init__(self, folder: str, name: str) -> None:
        self._folder = os.path.join(folder, name)
        os.mkdir(self._folder)
        self.ca_file = os.path.join(self._folder, "ca.pem")
        self._key = os.path.join(self._folder, "ca.key")
        _openssl("req", "-x509", *KEY, "-keyout", self._key, "-out", self.ca_file, "-days", "2",
                 "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def sign(self, host: str, into: str) -> None:
        """Writes `into`.pem and `into`.key, a certificate for that host name and its key."""
        request = os.path.join(self._folder, f"{host}.csr")
        names = os.path.join(self._folder, f"{host}.names")
        with open(names, "w", encoding="ascii") as file:
            # The second is what Python 3.13 wants to see.
            file.write(f"subjectAltName=DNS:{host}\nauthorityKeyIdentifier=keyid\n")
        _openssl("req", "-new", *KEY, "-keyout", f"{into}.key", "-out", request, "-subj",
                 f"/CN={host}")
        _openssl("x509", "-req", "-in", request, "-CA", self.ca_file, "-CAkey", self._key,
                 "-CAcreateserial", "-days", "2", "-extfile", names, "-out", f"{into}.pem")


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
