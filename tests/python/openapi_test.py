"""What the daemon answers is what /openapi.json says, and it says nothing that is not so."""

from __future__ import annotations

import http.client
import json
import os
import socket
import tempfile
import unittest
from typing import Any, Dict, List, Optional, Set, Tuple

import jsonschema
import sagalog.testing

from openapi_document import OPENAPI, Document, references


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


class DescribedDaemon(unittest.TestCase):
    """A daemon asked by hand; requests and answers are held against the document."""

    store: sagalog.testing.Daemon
    document: Document
    # What was answered with 200, by the names of the operations, and each other answer there was.
    done: Set[str]
    refused: Set[Tuple[int, str]]
    # Schemas with a value that they let through.
    seen: List[Tuple[Dict[str, Any], Any]]

    @classmethod
    def setUpClass(cls) -> None:
        manager = sagalog.testing.daemon()
        cls.store = manager.__enter__()
        cls.addClassCleanup(manager.__exit__, None, None, None)
        _, _, text = cls.send("GET", "/openapi.json")
        cls.document = Document(text)
        cls.done, cls.refused, cls.seen = set(), set(), []

    @classmethod
    def send(cls, method: str, target: str, body: Optional[str] = None,
             headers: Optional[Dict[str, str]] = None) -> Tuple[int, str, str]:
        connection = UnixConnection(os.path.join(cls.store.directory, "socket"))
        try:
            connection.request(method, target, body, headers or {})
            response = connection.getresponse()
            media = (response.getheader("Content-Type") or "").partition(";")[0]
            return response.status, media, response.read().decode()
        finally:
            connection.close()

    def ask(self, method: str, target: str, body: Any = None, status: int = 200,
            headers: Optional[Dict[str, str]] = None) -> Any:
        """The answer, which has this status and is as the document says."""
        text = None if body is None else json.dumps(body)
        got, media, answer = self.send(method, target, text, headers)
        self.assertEqual(got, status, f"{method} {target} {text}: {answer}")
        operation = self.document.find(method, target)
        if status == 200:
            self.done.add(operation.name)
            request = self.document.request_schema(operation)
            self.assertTrue(body is None or request is not None, f"{operation.name} has no body")
            if request is not None:
                self.fits(request, {} if body is None else body, f"request of {operation.name}")
        schema = self.document.answer_schema(operation, status, media)
        if media in ("application/json", "application/problem+json"):
            document = json.loads(answer)
            self.fits(schema, document, f"{status} of {operation.name}")
            if status != 200:
                self.refused.add((status, document["code"]))
            return document
        if media == "application/x-ndjson":
            lines = [json.loads(line) for line in answer.splitlines() if line]
            for line in lines:
                self.fits(schema, line, f"line of {operation.name}")
            return lines
        self.fits(schema, answer, operation.name)
        return answer

    def fits(self, schema: Dict[str, Any], value: Any, what: str) -> None:
        errors = self.document.errors(schema, value)
        self.assertEqual(errors, [], f"{what}: {json.dumps(value)}")
        self.seen.append((schema, value))

    def command(self, saga: str, name: str, body: Any = None, status: int = 200) -> Any:
        return self.ask("POST", f"/v1/sagas/{saga}:{name}", {} if body is None else body, status)

    def running(self, saga: str, **facts: Any) -> int:
        self.ask("POST", "/v1/sagas", {"saga_id": saga, **facts})
        token: int = self.command(saga, "acquire", {"owner": "w1", "ttl": "30s"})["token"]
        return token


class Everything(DescribedDaemon):
    """One long run through every operation; afterwards nothing of the document was left out."""

    def test_every_operation_answers_as_described(self) -> None:
        self.plan_and_work()
        self.irreversible()
        self.ends()
        self.stale_and_compensations()
        self.lists()
        self.refusals()
        self.streams()
        self.keeping()
        self.assertEqual(self.done, {one.name for one in self.document.operations})
        self.closed()

    def plan_and_work(self) -> None:
        facts = {"key": "acme/app#1", "queue": "deploy", "priority": -3, "not_before": "1ms",
                 "issue": "I", "repository": "R", "branch": "B", "worktree": "W", "stage": "s",
                 "labels": {"team": "blue", "env": ""}, "payload": "aGk=", "depends_on": [],
                 "compensations": [{"id": "wt", "kind": "k", "target": "/t", "params": {"a": "b"},
                                    "when": "always", "shared": True}],
                 "policy": {"lease_ttl": "1.5m", "max_running": "off", "max_recoveries": 7,
                            "on_stale": "report", "compensation_order": "registered"},
                 "actor": "me", "request_id": "00112233445566778899AABBCCDDEEFF",
                 "expected_version": "none"}
        self.ask("POST", "/v1/sagas", {"saga_id": "T1", **facts})
        self.assertTrue(self.ask("POST", "/v1/sagas", {"saga_id": "T1", **facts})["replayed"])
        self.store.jump("1s")
        self.command("T1", "park", {"reason": "wait"})
        self.command("T1", "unpark")
        token = self.command("T1", "dispatch", {"owner": "o", "ttl": "1h"})["token"]
        self.command("T1", "abort-dispatch", {"dispatch_token": token, "reason": "r"})
        owner = {"owner": "w1", "host": "h", "boot_id": "b", "pid_namespace": "n", "pid": 1,
                 "pid_start": 18446744073709551615}
        token = self.command("T1", "acquire", {"owner": owner, "expected_version": 5})["token"]
        self.command("T1", "heartbeat", {"token": token, "progress": "half", "ttl": "3m"})
        self.command("T1", "advance-stage", {"token": token, "expected": "s", "next": ""})
        self.command("T1", "annotate", {"text": "seen"})
        self.command("T1", "report-owner", {"identity": owner, "verdict": "alive"})
        self.command("T1", "release", {"token": token})
        self.ask("PUT", "/v1/queues/deploy", {"limit": 4, "policy": {"lease_ttl": "2m"}})
        self.ask("PUT", "/v1/queues/deploy", {"limit": "off", "frozen": False})
        self.ask("POST", "/v1/queues/deploy:claim-next", {"owner": "w2", "as": "dispatch"})
        self.ask("PUT", "/v1/policy", {"policy": {"progress_timeout": "5m"}, "limit": 100})
        self.ask("POST", "/v1/owners:report", {"identity": {"owner": "nobody"}, "verdict": "dead"})

    def irreversible(self) -> None:
        token = self.running("T2", queue="deploy", parent="T1")
        self.command("T2", "begin-effect", {"token": token, "effect": "push", "fingerprint": "f"})
        self.ask("GET", "/v1/effects?in_doubt=true")
        self.command("T2", "settle-effect", {"effect": "push", "outcome": "pushed", "result": "r"})
        self.command("T2", "enter-section", {"token": token, "name": "merge", "max_age": "5m"})
        self.assertEqual(len(self.ask("GET", "/v1/sections")["items"]), 1)
        self.command("T2", "cancel", {"reason": "late"})
        self.command("T2", "leave-section", {"token": token, "outcome": "o", "final": "completed"})
        token = self.running("T3")
        self.command("T3", "force-release", {"reason": "hangs"})
        self.command("T3", "quarantine", {"reason": "odd"})

    def ends(self) -> None:
        token = self.running("T4")
        self.command("T4", "record-exit", {"token": token, "exit_code": -1})
        self.command("T4", "complete", {"token": token, "result": "{}"})
        token = self.running("T5")
        self.command("T5", "fail", {"token": token, "no_compensation_reason": "nothing"})
        token = self.running("T6")
        self.command("T6", "register-compensation", {"id": "a", "kind": "k", "target": "/a"})
        self.command("T6", "compensate", {"token": token})
        claim = self.command("T6", "claim-compensation", {"id": "a", "executor": "x"})
        self.assertIn("token", claim)
        self.command("T6", "settle-compensation",
                     {"id": "a", "actor": "me", "outcome": "waived", "detail": "gone"})
        self.command("T6", "mark-compensated")

    def stale_and_compensations(self) -> None:
        self.running("T7", compensations=[{"id": "wt", "kind": "k", "target": "/x"}])
        self.store.jump("1h")
        rows = self.ask("GET", "/v1/stale?limit=1")
        self.ask("GET", f"/v1/stale?cursor={rows['cursor']}")
        version = self.ask("GET", "/v1/sagas/T7")["version"]
        self.ask("POST", "/v1/admin/sweep", {"limit": 10, "dry_run": True})
        self.ask("POST", "/v1/admin/sweep")
        self.command("T7", "recover", {"observed": version, "decision": "fail", "evidence": "e"})
        self.assertGreater(len(self.ask("GET", "/v1/compensations")["items"]), 0)

    def lists(self) -> None:
        self.running("T8", labels={"team": "red"})
        first = self.ask("GET", "/v1/sagas?limit=2")
        self.ask("GET", f"/v1/sagas?limit=2&cursor={first['cursor']}")
        self.ask("GET", "/v1/sagas?state=running&label=team%3Dred&owner=w1&queue=default")
        self.ask("GET", "/v1/sagas?state=completed&key=none&stage=x")
        self.ask("GET", "/v1/sagas/T1?at=9")
        for path in ("sagas?", "stale?", "compensations?", "effects?in_doubt=true&", "owners?",
                     "sections?", "queues?", "queues/deploy?", "policy?"):
            self.assertIn("time", self.ask("GET", f"/v1/{path}at=9"))
        for saga in ("T1", "T2", "T6", "T7"):
            self.ask("GET", f"/v1/sagas/{saga}")
            self.ask("GET", f"/v1/sagas/{saga}/events?refusals=true&transitions_only=true")
        self.ask("GET", "/v1/owners?limit=1")
        self.ask("GET", "/v1/queues/deploy")
        self.ask("GET", "/v1/queues?limit=1")
        self.ask("GET", "/v1/queues/never%2Fseen?min_sequence=1")
        self.ask("GET", "/v1/policy")
        self.ask("GET", "/v1/status")
        self.ask("GET", "/healthz")
        self.ask("GET", "/readyz")
        self.ask("GET", "/metrics")
        self.ask("GET", "/openapi.json")
        self.ask("GET", "/v1/audit/checkpoint")
        self.ask("GET", "/v1/audit/proof?sequence=2")
        self.ask("GET", "/v1/audit/proof?from=2")

    def refusals(self) -> None:
        self.command("T8", "acquire", {"owner": {"owner": "w2"}}, 409)
        self.command("T8", "complete", {"token": 1}, 409)
        self.command("T8", "complete", {"token": "1"}, 400)
        self.command("T4", "annotate", {}, 400)
        self.command("T4", "acquire", {"owner": "w1"}, 409)
        self.command("T9", "park", {}, 404)
        self.ask("POST", "/v1/sagas", {"saga_id": "T8"}, 409)
        self.ask("POST", "/v1/queues/empty:claim-next", {"owner": "w1"}, 409)
        self.ask("GET", "/v1/sagas/T9", status=404)
        self.ask("GET", "/v1/stale?limit=0", status=400)
        self.ask("GET", "/v1/status?min_sequence=1000000", status=429)
        commands = [{"do": "plan", "saga_id": "B1"}, {"do": "park", "saga_id": "B1"},
                    {"do": "claim-next", "queue": "nothing", "owner": "w1"},
                    {"do": "heartbeat", "saga_id": "B1", "token": 4}]
        answers = self.ask("POST", "/v1/batch", {"commands": commands})["answers"]
        self.assertEqual([one.get("code", "ok") for one in answers],
                         ["ok", "ok", "empty", "stale_token"])
        self.ask("POST", "/v1/batch", {"atomic": True, "commands": commands}, 409)
        self.assertLessEqual({(400, "invalid_argument"), (404, "not_found"), (409, "terminal"),
                              (409, "lease_held"), (409, "stale_token"), (409, "already_exists"),
                              (409, "empty"), (429, "overloaded")}, self.refused)

    def streams(self) -> None:
        # The refusals of before are noted with the next command behind their second.
        self.store.jump("2s")
        self.command("T8", "annotate", {"text": "later"})
        self.ask("GET", "/v1/sagas/T8/events?refusals=true")
        types = {event["type"] for event in self.ask("GET", "/v1/events?from=1")}
        self.assertLessEqual({"planned", "leased", "terminal", "refusals_noted", "store_opened"},
                             types)
        self.ask("GET", "/v1/events?type=leased,terminal&saga=T1")
        self.ask("GET", "/v1/events?from=5", headers={"Accept": "text/event-stream"})
        exported = self.ask("GET", "/v1/audit/export?format=ndjson&from=2&to=6")
        self.assertEqual([event["sequence"] for event in exported], [2, 3, 4, 5, 6])
        self.ask("GET", "/v1/audit/export?format=csv", status=400)

    def keeping(self) -> None:
        for what in ("verify", "rebuild", "checkpoint"):
            self.ask("POST", f"/v1/admin/{what}")
        with tempfile.TemporaryDirectory() as directory:
            self.ask("POST", "/v1/admin/backup", {"directory": directory + "/b", "keep": 2})
        self.ask("GET", "/v1/audit/proof", status=400)
        self.ask("PUT", "/v1/readers/mirror", {"position": 3})
        self.assertEqual([reader["position"] for reader in self.ask("GET", "/v1/readers")["items"]],
                         [3])
        self.ask("DELETE", "/v1/readers/mirror")
        self.ask("POST", "/v1/admin/redact", {"sequence": 3, "reason": "a password"})
        self.ask("POST", "/v1/admin/compact", {"older_than": "0s", "actor": "me"})
        self.ask("POST", "/v1/clock:advance", {"by": "30s"})
        self.ask("POST", "/v1/clock:step-wall", {"by": "-30s"})
        self.ask("POST", "/v1/clock:suspend", {"for": "30s"})
        self.ask("POST", "/v1/clock:suspend", {"for": "-30s"}, 400)
        self.ask("GET", "/v1/events?from=1")

    def closed(self) -> None:
        """Of all that came nothing may be called otherwise: the schemas name every member."""
        renamed = 0
        for schema, value in self.seen:
            if not isinstance(value, dict) or "openapi" in value:
                continue
            for name in value:
                other = {key if key != name else key + "_": one for key, one in value.items()}
                self.assertNotEqual(self.document.errors(schema, other), [], f"{name} in {value}")
                renamed += 1
            if renamed > 400:  # They repeat themselves, and a validator is slow.
                break
        self.assertGreater(renamed, 400)


class TheDocument(DescribedDaemon):
    def test_is_openapi(self) -> None:
        validator = jsonschema.Draft202012Validator(OPENAPI)
        self.assertEqual([f"{error.json_path}: {error.message[:300]}"
                          for error in validator.iter_errors(self.document.said)], [])
        names = [one.name for one in self.document.operations]
        self.assertEqual(len(names), len(set(names)))
        for reference in set(references(self.document.said)):
            self.document.resolve({"$ref": reference})

    def test_has_schemas_that_are_schemas(self) -> None:
        for name, schema in self.document.schemas():
            with self.subTest(name):
                jsonschema.Draft202012Validator.check_schema(schema)

    def test_names_the_parameters_of_its_paths(self) -> None:
        for one in self.document.operations:
            given = [self.document.resolve(parameter)
                     for parameter in one.said.get("parameters", [])]
            open_segments = [part for part in given if part["in"] == "path"]
            self.assertEqual([f"{{{part['name']}}}" for part in open_segments],
                             [one.path[one.path.index("{"):one.path.index("}") + 1]]
                             if "{" in one.path else [], one.path)

    def test_has_examples_that_fit(self) -> None:
        examples = 0
        for one in self.document.operations:
            schema = self.document.request_schema(one)
            if schema is None:
                continue
            media = one.said["requestBody"]["content"]["application/json"]
            self.fits(schema, media["example"], f"example of {one.name}")
            examples += 1
        self.assertGreater(examples, 30)

    def test_knows_what_a_command_cannot_do_without(self) -> None:
        def required(path: str) -> List[str]:
            schema = self.document.request_schema(self.document.find("POST", path))
            assert schema is not None
            return sorted(schema["required"])

        self.assertEqual(required("/v1/sagas"), ["saga_id"])
        self.assertEqual(required("/v1/sagas/T1:acquire"), ["owner"])
        self.assertEqual(required("/v1/sagas/T1:recover"), ["decision", "observed"])
        self.assertEqual(required("/v1/sagas/T1:settle-compensation"), ["id", "outcome"])
        self.assertEqual(required("/v1/sagas/T1:advance-stage"), [])
        self.assertEqual(required("/v1/queues/q:claim-next"), ["owner"])

    def test_names_the_codes_of_refusals(self) -> None:
        codes = self.document.said["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
        self.assertNotIn("none", codes)
        self.assertIn("lease_held", codes)
        self.assertEqual(self.document.errors(
            {"$ref": "#/components/responses/NotFound/content/application~1problem+json/schema"},
            {"type": "about:blank", "title": "Not Found", "status": 404, "code": "not_found",
             "sequence": 1}), [])


if __name__ == "__main__":
    unittest.main()
