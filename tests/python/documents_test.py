"""The Python and the SQL of the documents run: the blocks of each page are one program."""

from __future__ import annotations

import collections
import contextlib
import io
import os
import re
import sqlite3
import tempfile
import unittest
from typing import Counter, Dict, List, Tuple

DOCUMENTS = os.path.join(os.path.dirname(__file__), "..", "..", "docs")


# What the SQL of a page is about.
PARAMETERS = {"id": "shop-168", "worker": "w1", "now": 1000, "error": "red"}


def blocks(name: str) -> List[Tuple[str, int, str]]:
    """Each block: its language, the line where it begins, its text."""
    with open(os.path.join(DOCUMENTS, name), encoding="utf-8") as file:
        text = file.read()
    found = re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.S | re.M)
    return [(match.group(1), text.count("\n", 0, match.start(2)), match.group(2))
            for match in found]


def run(name: str, names: Dict[str, object]) -> Counter[str]:
    """Runs the page as one program; errors name its lines. Returns how many blocks it ran."""
    ran: Counter[str] = collections.Counter()
    with contextlib.ExitStack() as cleanup, contextlib.redirect_stdout(io.StringIO()):
        # The page closes its store at its end; a page that fails leaves none behind either.
        cleanup.callback(lambda: "store" in names and names["store"].close())
        for language, line, block in blocks(name):
            ran[language] += 1
            if language == "python":
                exec(compile("\n" * line + block, os.path.join(DOCUMENTS, name), "exec"), names)
            elif language == "sql":
                for statement in re.sub(r"--[^\n]*", "", block).split(";"):
                    names["db"].execute(statement, PARAMETERS).fetchall()
    return ran


class DocumentsTest(unittest.TestCase):
    def test_the_reference_runs(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            self.assertGreater(run("python.md", {"directory": directory})["python"], 8)

    def test_the_guide_for_orchestrators_runs(self) -> None:
        database = sqlite3.connect(":memory:")
        self.addCleanup(database.close)
        database.row_factory = sqlite3.Row
        with tempfile.TemporaryDirectory() as directory:
            ran = run("orchestrator.md", {"directory": directory, "db": database})
        self.assertGreater(min(ran["python"], ran["sql"]), 8)
        left = [row["name"] for row in database.execute("PRAGMA table_info(tasks)")]
        self.assertEqual(left, ["id", "issue", "priority", "worktree", "branch", "created_at"])

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
