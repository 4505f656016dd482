"""Exports, read by nothing of ours: what a person with Python, a spreadsheet or SQL gets."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import os
import sqlite3
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any, Dict, List

PROGRAM = os.environ.get("SAGALOG_PROGRAM", "sagalog")


class Exported(unittest.TestCase):
    """One store in which something of everything has happened."""

    directory: tempfile.TemporaryDirectory
    root: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.directory.cleanup)
        cls.root = Path(cls.directory.name)
        cls.run_program("plan", "T1", "--key", "acme/app#1", "--queue", "deploy")
        token = cls.token("acquire", "T1", "--owner", "w1", "--traceparent",
                          "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
        cls.run_program("compensation", "register", "T1", "--id", "wt", "--kind", "remove-worktree",
                        "--target", "/srv/wt/1", "--token", token)
        cls.run_program("heartbeat", "T1", "--token", token, "--ttl", "90s",
                        "--progress", "half, \"so to speak\"\nand on")
        cls.run_program("fail", "T1", "--token", token, "--reason", "=1+1")
        cls.run_program("heartbeat", "T1", "--token", token, code=1)
        claimed = cls.token("compensation", "claim", "T1", "--id", "wt", "--executor", "janitor")
        cls.run_program("compensation", "settle", "T1", "--id", "wt", "--token", claimed,
                        "--outcome", "done")
        cls.run_program("plan", "T2")
        cls.token("acquire", "T2", "--owner", "w1")
        cls.run_program("force-release", "T2", "--reason", "stuck", "--actor", "me")
        cls.token("acquire", "T2", "--owner", "w2")

    @classmethod
    def run_program(cls, *words: str, code: int = 0) -> str:
        done = subprocess.run([PROGRAM, "--data", str(cls.root / "data"), "--json", *words],
                              capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{words}: {done.returncode} {done.stdout}{done.stderr}"
        return done.stdout

    @classmethod
    def token(cls, *words: str) -> str:
        return str(json.loads(cls.run_program(*words))["token"])

    def export(self, form: str) -> Path:
        out = self.root / form
        self.run_program("audit", "export", "--out", str(out), "--format", form)
        return out

    def history(self) -> List[Dict[str, Any]]:
        """The events as the command line shows them."""
        return [json.loads(line) for line in self.run_program("events").splitlines()]

    def test_the_manifest_names_every_file_with_its_checksum(self) -> None:
        for form in ("ndjson", "csv", "cloudevents", "sqlite"):
            out = self.export(form)
            manifest = json.loads((out / "manifest.json").read_text())
            self.assertEqual((manifest["format"], manifest["version"], manifest["data"]),
                             ("sagalog export", 1, form))
            for file in manifest["files"]:
                content = (out / file["name"]).read_bytes()
                self.assertEqual(len(content), file["size_bytes"])
                self.assertEqual(hashlib.sha256(content).hexdigest(), file["sha256"])
            self.assertEqual({file["name"] for file in manifest["files"]} | {"manifest.json"},
                             {path.name for path in out.iterdir()})
            self.assertEqual(manifest["events"], len(self.history()))
            last = self.history()[-1]
            self.assertEqual((manifest["range"]["through"], manifest["range"]["last_time"]),
                             (last["sequence"], last["time"]))

    def test_a_line_is_the_event_with_its_bytes(self) -> None:
        lines = (self.export("ndjson") / "events.ndjson").read_text().splitlines()
        events = [json.loads(line) for line in lines]
        stored = [base64.b64decode(event.pop("bytes"), validate=True) for event in events]
        self.assertEqual(events, self.history())
        for content in stored:
            self.assertEqual(content[4:8], b"SGE1")
        leaf = base64.b64encode(hashlib.sha256(b"\0" + stored[-1]).digest()).decode()
        manifest = json.loads((self.root / "ndjson" / "manifest.json").read_text())
        self.assertEqual(manifest["range"]["through_leaf"], leaf)

    def test_csv_is_read_by_any_reader(self) -> None:
        with (self.export("csv") / "events.csv").open(newline="") as file:
            rows = list(csv.DictReader(file, strict=True))
        self.assertEqual(len(rows), len(self.history()))
        for row, event in zip(rows, self.history()):
            self.assertEqual(int(row["sequence"]), event["sequence"])
            for name in ("saga_id", "time", "type"):
                self.assertEqual(row[name], event[name])
            for name in ("actor", "principal", "request_id", "traceparent"):
                self.assertEqual(row[name], event.get(name, ""))
            self.assertEqual(json.loads(row["body"]), event["body"])
            self.assertIn(b"SGE1", base64.b64decode(row["bytes"], validate=True)[:8])

    def test_cloudevents_have_what_the_specification_requires(self) -> None:
        lines = (self.export("cloudevents") / "events.cloudevents.ndjson").read_text().splitlines()
        store = json.loads((self.root / "cloudevents" / "manifest.json").read_text())["store_id"]
        names = set()
        self.assertEqual(len(lines), len(self.history()))
        for line, event in zip(lines, self.history()):
            cloud = json.loads(line)
            names |= set(cloud)
            self.assertEqual(cloud["specversion"], "1.0")
            self.assertEqual(cloud["id"], str(event["sequence"]))
            self.assertTrue(cloud["source"].startswith(f"sagalog/{store}/"))
            self.assertEqual(cloud["type"], "sagalog." + event["type"])
            self.assertEqual(cloud.get("subject", ""), event["saga_id"])
            self.assertEqual(cloud["time"], event["time"])
            self.assertEqual(cloud["datacontenttype"], "application/json")
            self.assertEqual(cloud["data"], event)
            self.assertEqual(int(cloud["sequence"]), event["sequence"])
            self.assertEqual(cloud.get("traceparent"), event.get("traceparent"))
            base64.b64decode(cloud["sagalogbytes"], validate=True)
        for name in names:  # of attributes: lower-case letters and digits
            self.assertRegex(name, "^[a-z0-9]{1,20}$")
        self.assertIn("traceparent", names)

    def test_sqlite_answers_questions(self) -> None:
        database = sqlite3.connect(self.export("sqlite") / "events.sqlite")
        self.addCleanup(database.close)

        def ask(sql: str) -> List[Any]:
            return database.execute(sql).fetchall()

        self.assertEqual(ask("PRAGMA integrity_check"), [("ok",)])
        self.assertEqual([row[0] for row in ask("SELECT sequence FROM events ORDER BY sequence")],
                         [event["sequence"] for event in self.history()])
        self.assertEqual(ask("SELECT saga_id, key, queue, state, reason, leases FROM sagas"),
                         [("T1", "acme/app#1", "deploy", "failed", "=1+1", 1),
                          ("T2", None, "default", "running", None, 2)])
        self.assertEqual(
            ask("SELECT saga_id, owner, how, heartbeats, ended_by FROM leases ORDER BY sequence"),
            [("T1", "w1", "first", 1, "terminal"), ("T2", "w1", "first", 0, "force_released"),
             ("T2", "w2", "first", 0, None)])
        self.assertEqual(ask("SELECT saga_id, owner FROM held_leases"), [("T2", "w2")])
        self.assertEqual(ask("SELECT id, target, state, attempts, executor, outcome "
                             "FROM compensations"),
                         [("wt", "/srv/wt/1", "done", 1, "janitor", "done")])
        self.assertEqual(ask("SELECT * FROM owed_compensations"), [])
        self.assertEqual(ask("SELECT saga_id, command, code FROM refusals"),
                         [("T1", "heartbeat", "terminal")])
        self.assertEqual(ask("SELECT code, token_owner, ended_by FROM late_calls"),
                         [("terminal", "w1", "terminal")])
        self.assertEqual(ask("SELECT * FROM recoveries"), [])
        self.assertEqual(ask("SELECT json_extract(body, '$.reason') FROM histories "
                             "WHERE key = 'acme/app#1' AND type = 'terminal'"), [("=1+1",)])
        for (view,) in ask("SELECT name FROM sqlite_master WHERE type = 'view'"):
            ask(f"SELECT * FROM {view}")

    def test_sqlite_goes_on_to_the_same_rows(self) -> None:
        out = self.root / "grown"
        words = ["audit", "export", "--out", str(out), "--format", "sqlite"]
        for end in range(1, len(self.history()) + 1):
            self.run_program(*words, "--to", str(end))
        grown = sqlite3.connect(out / "events.sqlite")
        whole = sqlite3.connect(self.export("sqlite") / "events.sqlite")
        self.addCleanup(grown.close)
        self.addCleanup(whole.close)
        for table in ("events", "sagas", "leases", "refusals", "compensations", "recoveries"):
            rows = [sorted(database.execute(f"SELECT * FROM {table}").fetchall(), key=repr)
                    for database in (grown, whole)]
            self.assertEqual(rows[0], rows[1], table)


if __name__ == "__main__":
    unittest.main()
