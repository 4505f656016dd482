"""The store describes its own interface; each of its operations is a method of both clients, with
every parameter and every field."""

from __future__ import annotations

import inspect
import re
import unittest
from typing import Any, Dict, List, Optional, Set, Tuple
from urllib.parse import parse_qs, urlsplit

import sagalog
import sagalog.aio
import sagalog.testing
from sagalog.calls import Call

# What a parameter is given, by its name; all others are text.
SAMPLES: Dict[str, Any] = {
    "owner": "w1", "identity": {"host": "h"}, "commands": [], "labels": {"a": "b"},
    "label": "a=b", "params": {"a": "b"}, "policy": {"max_recoveries": 5}, "payload": b"x",
    "depends_on": ["T2"], "compensations": [{"id": "a", "kind": "k", "target": "t"}],
    "types": ["planned"], "ttl": "30s", "max_age": "30s", "not_before": "30s", "by": "30s",
    "for_": "30s", "older_than": "30s", "quiet_max": 1.0, "expected_version": 1, "at": 5,
    "verdict": "alive", "decision": "fail",
}
NUMBERS = {"token", "dispatch_token", "observed", "exit_code", "priority", "limit", "min_sequence",
           "sequence", "position", "keep", "from_", "to"}
FLAGS = {"follow", "atomic", "frozen", "transitions_only", "refusals", "dry_run", "shared",
         "cascade", "counts"}
# Public, and no operations of the store themselves.
NO_OPERATIONS = {"close", "send", "request", "lease", "each", "clock", "address"}
# What an operation offers that is offered here in another way.
ELSEWHERE = {
    "show_events": {"follow", "from", "type"},  # events(saga=…)
    "follow_events": {"min_sequence"},  # a follower waits as it is
    "export_events": {"min_sequence"},  # its end is asked for before
    "plan": {"not_before_in"},  # not_before takes durations too
}


def sample(name: str) -> Any:
    if name in NUMBERS:
        return 3
    return True if name in FLAGS else SAMPLES.get(name, "x")


class Recording(sagalog.Client):
    """Sends nothing, and remembers what it was to send."""

    def __init__(self) -> None:
        super().__init__("/nowhere")
        self.calls: List["Call[Any]"] = []

    def send(self, call: "Call[Any]", **_: Any) -> Any:
        self.calls.append(call)


def recorded(name: str) -> "Call[Any]":
    """What a method sends that is given all of its arguments."""
    client = Recording()
    method = getattr(client, name)
    arguments = {one: sample(one) for one, parameter in inspect.signature(method).parameters.items()
                 if parameter.kind is not parameter.VAR_KEYWORD}
    result = method(**arguments)
    if isinstance(result, sagalog.event_stream.Stream):
        client.calls.append(result._reader.call())
    return client.calls[-1]


class Description:
    """/openapi.json, as far as it says what can be asked."""

    def __init__(self, document: Dict[str, Any]) -> None:
        self._document = document
        self.operations: Dict[str, Tuple[str, str, Dict[str, Any]]] = {
            said["operationId"]: (method.upper(), path, said)
            for path, methods in document["paths"].items() for method, said in methods.items()}

    def find(self, call: "Call[Any]") -> Optional[str]:
        path = urlsplit(call.target).path
        # A segment is open up to its action; one that is not open goes before.
        for name, (method, template, _) in sorted(
                self.operations.items(), key=lambda operation: operation[1][1].count("{")):
            pattern = re.sub(r"\\\{\w+\\\}", "[^/:]+", re.escape(template))
            if method == call.method and re.fullmatch(pattern, path):
                return name
        return None

    def parameters(self, name: str) -> Set[str]:
        found = [self._resolved(one) for one in self.operations[name][2].get("parameters", ())]
        return {one["name"] for one in found if one["in"] == "query"}

    def fields(self, name: str) -> Set[str]:
        body = self.operations[name][2].get("requestBody")
        if body is None:
            return set()
        schema = self._resolved(body["content"]["application/json"]["schema"])
        # What stands in the path need not be said again.
        in_path = set(re.findall(r"\{(\w+)\}", self.operations[name][1]))
        return set(schema.get("properties", ())) - in_path

    def _resolved(self, value: Dict[str, Any]) -> Dict[str, Any]:
        while "$ref" in value:
            found: Any = self._document
            for part in value["$ref"].split("/")[1:]:
                found = found[part]
            value = found
        return value


class RoutesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        with sagalog.testing.daemon() as store:
            cls.described = Description(store.client.openapi())
        names = [name for name in dir(sagalog.Client)
                 if not name.startswith("_") and name not in NO_OPERATIONS]
        cls.sent = {name: recorded(name) for name in names}

    def test_every_operation_is_a_method(self) -> None:
        found = {name: self.described.find(call) for name, call in self.sent.items()}
        self.assertEqual(set(self.described.operations) - set(found.values()), set())
        strange = {name for name, operation in found.items() if operation is None}
        self.assertEqual(strange, set())

    def test_every_parameter_and_every_field_can_be_given(self) -> None:
        for name, call in self.sent.items():
            operation = self.described.find(call)
            elsewhere = ELSEWHERE.get(operation, set())
            with self.subTest(name):
                self.assertEqual(set(parse_qs(urlsplit(call.target).query)),
                                 self.described.parameters(operation) - elsewhere)
                self.assertEqual(set(call.body or ()),
                                 self.described.fields(operation) - elsewhere)

    def test_what_changes_something_is_sent_again_only_with_a_request_id(self) -> None:
        """Or where twice is the same as once."""
        same = {"batch", "verify", "checkpoint", "place_reader", "remove_reader"}
        for name, call in self.sent.items():
            if call.method != "GET":
                self.assertEqual(call.repeatable, bool(call.request_id) or name in same, name)

    def test_the_client_for_asyncio_has_the_same_methods(self) -> None:
        for name in self.sent:
            blocking = inspect.signature(getattr(sagalog.Client, name)).parameters
            awaited = inspect.signature(getattr(sagalog.aio.AsyncClient, name)).parameters
            self.assertEqual([(one.name, one.kind, one.default) for one in blocking.values()],
                             [(one.name, one.kind, one.default) for one in awaited.values()], name)


if __name__ == "__main__":
    unittest.main()
