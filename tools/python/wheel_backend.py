"""Builds the wheel of this package for pip (PEP 517 and 660), with nothing but Python: so that
`pip install tools/python` works on a machine without a network."""

import base64
import hashlib
import io
import os
import re
import tarfile
import zipfile

ROOT = os.path.dirname(os.path.abspath(__file__))


def _project(name):
    """A value of the table [project] in pyproject.toml; tomllib is younger than Python 3.9."""
    with open(os.path.join(ROOT, "pyproject.toml"), encoding="utf-8") as file:
        found = re.search(r'^%s = "(.*)"$' % re.escape(name), file.read(), re.M)
    return found.group(1)


def _text(name):
    with open(os.path.join(ROOT, name), encoding="utf-8") as file:
        return file.read()


NAME, VERSION = "sagalog", _project("version")


def _metadata():
    return (f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n"
            f"Summary: {_project('description')}\nLicense: MIT\n"
            f"Requires-Python: {_project('requires-python')}\n"
            f"Description-Content-Type: text/markdown\n\n{_text('README.md')}")


def _entry_points():
    return f"[pytest11]\nsagalog = {_project('sagalog')}\n"


def _sources():
    """The files of the package, by their path in it."""
    folder = os.path.join(ROOT, NAME)
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py") or name == "py.typed":
            with open(os.path.join(folder, name), "rb") as file:
                yield f"{NAME}/{name}", file.read()


def _write_wheel(directory, sources):
    information = f"{NAME}-{VERSION}.dist-info"
    files = dict(sources)
    files[f"{information}/METADATA"] = _metadata().encode()
    files[f"{information}/entry_points.txt"] = _entry_points().encode()
    files[f"{information}/WHEEL"] = (b"Wheel-Version: 1.0\nGenerator: sagalog\n"
                                     b"Root-Is-Purelib: true\nTag: py3-none-any\n")
    record = ""
    for path, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(data)}\n"
    files[f"{information}/RECORD"] = f"{record}{information}/RECORD,,\n".encode()
    name = f"{NAME}-{VERSION}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, name), "w", zipfile.ZIP_DEFLATED) as wheel:
        for path, data in files.items():
            wheel.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data)
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return _write_wheel(wheel_directory, _sources())


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _write_wheel(wheel_directory, [(f"_{NAME}.pth", f"{ROOT}\n".encode())])


def build_sdist(sdist_directory, config_settings=None):
    files = dict(_sources())
    for name in ("pyproject.toml", "README.md", "wheel_backend.py"):
        files[name] = _text(name).encode()
    files["PKG-INFO"] = _metadata().encode()
    name = f"{NAME}-{VERSION}.tar.gz"
    with tarfile.open(os.path.join(sdist_directory, name), "w:gz") as archive:
        for path, data in files.items():
            entry = tarfile.TarInfo(f"{NAME}-{VERSION}/{path}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return name
