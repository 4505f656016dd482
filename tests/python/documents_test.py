"""The Python of the documents runs: the blocks of each page are one program."""

from __future__ import annotations

import os
import re
import tempfile
import unittest
from typing import Dict, List, Tuple

DOCUMENTS = os.path.join(os.path.dirname(__file__), "..", "..", "docs")


def blocks(name: str, language: str) -> List[Tuple[int, str]]:
    """Each block of a language, with the line where it begins."""
    with open(os.path.join(DOCUMENTS, name), encoding="utf-8") as file:
        text = file.read()
    found = re.finditer(r"^```%s\n(.*?)^```$" % language, text, re.S | re.M)
    return [(text.count("\n", 0, match.start(1)), match.group(1)) for match in found]


def run(name: str, names: Dict[str, object]) -> int:
    """Runs the page as one program; errors name its lines. Returns how many blocks it has."""
    found = blocks(name, "python")
    for line, block in found:
        exec(compile("\n" * line + block, os.path.join(DOCUMENTS, name), "exec"), names)
    return len(found)


class DocumentsTest(unittest.TestCase):
    def test_the_reference_runs(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            self.assertGreater(run("python.md", {"directory": directory}), 8)

    def test_every_public_method_stands_in_the_reference(self) -> None:
        import sagalog
        with open(os.path.join(DOCUMENTS, "python.md"), encoding="utf-8") as file:
            page = file.read()
        for kind in (sagalog.Client, sagalog.TaskSagaStore):
            for name in dir(kind):
                if not name.startswith("_") and name not in ("send", "begin_compensation"):
                    self.assertIsNotNone(re.search(r"\b%s\b" % name, page), name)


if __name__ == "__main__":
    unittest.main()
