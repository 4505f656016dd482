"""One request each: what is asked, whether it may be sent twice, and how its answer is read. No
input or output; both clients stand on it."""

from __future__ import annotations

import base64
import json
import secrets
import urllib.parse
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, Generic, Iterable, List, Mapping, Optional, Type, TypeVar
from typing import Union

from .errors import Refused, refused
from .records import Answer, Duration, Json, Page, RecordT, Status, duration_text

T = TypeVar("T")
Parameter = Union[str, int, bool, None]


@dataclass(frozen=True)
class Call(Generic[T]):
    method: str
    target: str
    read: Callable[[Json, float], T]
    body: Optional[Json] = None
    # Sent twice it does no more than sent once, so it may be sent again after a broken connection.
    repeatable: bool = True
    request_id: Optional[str] = None
    # Answers that come only when long work is done: the time-out of a call does not hold for it.
    patient: bool = False
    # The answer is plain text; `read` finds it as the field "text".
    as_text: bool = False

    def body_bytes(self) -> Optional[bytes]:
        if self.body is None:
            return None
        return json.dumps(self.body, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def request_id() -> str:
    """A fresh request id: 32 hex digits."""
    return secrets.token_hex(16)


def given(**arguments: Any) -> Json:
    """The arguments that are not None: leaving a field out is how the store is told nothing."""
    return {name: value for name, value in arguments.items() if value is not None}


def duration(value: Optional[Duration]) -> Optional[str]:
    return None if value is None else duration_text(value)


def policy_json(policy: Optional[Mapping[str, Any]]) -> Optional[Json]:
    """A policy; values may be timedeltas."""
    if policy is None:
        return None
    return {name: duration_text(value) if isinstance(value, timedelta) else value
            for name, value in policy.items()}


def moment(value: Union[datetime, Duration, None]) -> Optional[str]:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("not_before: a datetime needs a time zone")
        return value.isoformat()
    return duration(value)


def bytes_text(value: Optional[bytes]) -> Optional[str]:
    if value is None:
        return None
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"payload: bytes are wanted, not {type(value).__name__}; "
                        "json.dumps(…).encode() makes some")
    return base64.b64encode(value).decode("ascii")


def segment(name: str) -> str:
    if not name:
        raise ValueError("an empty id or name")
    return urllib.parse.quote(name, safe="-._~")


def _wanted(json: Json, name: str, kind: type) -> Any:
    """What every answer of this sort has: others speak HTTP and JSON too."""
    value = json[name]
    if not isinstance(value, kind):
        raise TypeError(f"{name} is of another type")
    return value


def read_answer(json: Json, sent_at: float) -> Answer:
    _wanted(json, "outcome", str)
    made = Answer.from_json(json)
    object.__setattr__(made, "sent_at", sent_at)
    return made


def read_json(json: Json, sent_at: float) -> Json:
    return json


def read_record(kind: Type[RecordT]) -> Callable[[Json, float], RecordT]:
    def read(json: Json, sent_at: float) -> RecordT:
        _wanted(json, "sequence", int)
        return kind.from_json(json)
    return read


def read_page(kind: Type[RecordT]) -> Callable[[Json, float], "Page[RecordT]"]:
    def read(json: Json, sent_at: float) -> "Page[RecordT]":
        items = tuple(kind.from_json(item) for item in _wanted(json, "items", list))
        return Page(items, json.get("cursor", ""), json.get("sequence", 0), json)
    return read


def command(target: str, arguments: Json, method: str = "POST") -> Call[Answer]:
    """A command. It gets a request id where the caller gave none, so that it can be sent again
    and is carried out once."""
    body = dict(arguments)
    if body.get("request_id") is None:
        body["request_id"] = request_id()
    return Call(method, target, read_answer, body=body, request_id=body["request_id"])


def saga_command(saga_id: str, name: str, arguments: Json) -> Call[Answer]:
    return command(f"/v1/sagas/{segment(saga_id)}:{name}", arguments)


def queue_command(queue: str, name: str, arguments: Json) -> Call[Answer]:
    return command(f"/v1/queues/{segment(queue)}:{name}", arguments)


def get(path: str, read: Callable[[Json, float], T], **parameters: Parameter) -> Call[T]:
    given_ones = {name: str(value).lower() if isinstance(value, bool) else str(value)
                  for name, value in parameters.items() if value is not None}
    separator = "&" if "?" in path else "?"
    query = separator + urllib.parse.urlencode(given_ones) if given_ones else ""
    return Call("GET", path + query, read)


Moment = Union[int, str, datetime, None]


def moment_text(at: Moment) -> Union[int, str, None]:
    """A moment of the past, as a sequence or a time with its zone."""
    return at.isoformat() if isinstance(at, datetime) else at


def label_text(label: Union[str, Mapping[str, str], None]) -> Optional[str]:
    """A filter by one label: "team=blue" or {"team": "blue"}."""
    if label is None or isinstance(label, str):
        return label
    if len(label) != 1:
        raise ValueError("label: a list is filtered by one label")
    return "=".join(next(iter(label.items())))


def work(path: str, arguments: Optional[Json] = None, repeatable: bool = False,
         patient: bool = True) -> Call[Json]:
    """What has no request id: sent once, and never again by itself."""
    return Call("POST", path, read_json, body=arguments or {}, repeatable=repeatable,
                patient=patient)


def clock(action: str, field: str, value: Duration) -> Call[Json]:
    return work(f"/v1/clock:{action}", {field: duration_text(value)}, patient=False)


class BatchResult:
    """The answers of a batch in the order of its commands; where one was refused, its refusal
    stands in its place."""

    def __init__(self, json: Json, sent_at: float) -> None:
        self.json = json
        self.sequence: int = json.get("sequence", 0)
        self.items: List[Union[Answer, Refused]] = [
            refused(item) if "code" in item else read_answer(item, sent_at)
            for item in _wanted(json, "answers", list)]

    @property
    def refusals(self) -> List[Refused]:
        return [item for item in self.items if isinstance(item, Refused)]

    @property
    def answers(self) -> List[Answer]:
        """All answers. The first refusal, if any, is raised."""
        for refusal in self.refusals:
            raise refusal
        return [item for item in self.items if isinstance(item, Answer)]


def batch(commands: Iterable[Mapping[str, Any]], atomic: bool) -> Call[BatchResult]:
    """Each command gets a request id where it has none."""
    bodies: List[Json] = []
    for entry in commands:
        body = _batch_values(entry)
        body.setdefault("request_id", request_id())
        bodies.append(body)
    return Call("POST", "/v1/batch", BatchResult, body={"atomic": atomic, "commands": bodies})


def _batch_values(entry: Mapping[str, Any]) -> Json:
    body: Dict[str, Any] = {}
    for name, value in entry.items():
        if isinstance(value, timedelta):
            value = duration_text(value)
        elif isinstance(value, bytes):
            value = bytes_text(value)
        elif hasattr(value, "to_json"):
            value = value.to_json()
        if value is not None:
            body[name] = value
    return body


def get_text(path: str, **parameters: Parameter) -> Call[str]:
    asked = get(path, lambda json, sent_at: str(json["text"]), **parameters)
    return replace(asked, as_text=True)


def status(min_sequence: Optional[int]) -> Call[Status]:
    return get("/v1/status", read_record(Status), min_sequence=min_sequence)


def audit_checkpoint(min_sequence: Optional[int]) -> Call[str]:
    return get_text("/v1/audit/checkpoint", min_sequence=min_sequence)


def audit_proof(sequence: Optional[int], from_: Optional[int],
                min_sequence: Optional[int]) -> Call[Json]:
    return get("/v1/audit/proof", read_json, sequence=sequence, min_sequence=min_sequence,
               **{"from": from_})


def place_reader(name: str, position: int) -> Call[Json]:
    return Call("PUT", f"/v1/readers/{segment(name)}", read_json, body={"position": position})


def remove_reader(name: str) -> Call[Json]:
    return Call("DELETE", f"/v1/readers/{segment(name)}", read_json)


def redact(sequence: int, reason: str, actor: Optional[str], id: Optional[str]) -> Call[Json]:
    body = given(sequence=sequence, reason=reason, actor=actor, request_id=id or request_id())
    return Call("POST", "/v1/admin/redact", read_json, body=body, request_id=body["request_id"])
