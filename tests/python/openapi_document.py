"""/openapi.json as a validator reads it: which operation a request is, and its possible answers."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Iterator, List, Optional, Tuple

import jsonschema

METHODS = {"get", "put", "post", "delete"}

_TEXT = {"type": "string", "minLength": 1}
_MEDIA = {"type": "object", "minProperties": 1,
          "additionalProperties": {
              "type": "object", "required": ["schema"], "additionalProperties": False,
              "properties": {"schema": {"type": "object"}, "example": {}}}}
_REFERENCE = {"type": "object", "required": ["$ref"], "additionalProperties": False,
              "properties": {"$ref": {"type": "string", "pattern": "^#/components/"}}}
_RESPONSE = {"type": "object", "required": ["description", "content"],
             "additionalProperties": False,
             "properties": {"description": _TEXT, "content": _MEDIA}}
_OPERATION = {
    "type": "object", "required": ["operationId", "summary", "responses"],
    "additionalProperties": False,
    "properties": {
        "operationId": {"type": "string", "pattern": "^[a-z_]+$"}, "summary": _TEXT,
        "security": {"type": "array"},
        "x-sagalog-roles": {"type": "array", "minItems": 1, "uniqueItems": True},
        "parameters": {"type": "array", "items": _REFERENCE},
        "requestBody": {"type": "object", "required": ["content", "required"],
                        "additionalProperties": False,
                        "properties": {"required": {"type": "boolean"}, "content": _MEDIA}},
        "responses": {"type": "object", "required": ["200", "400"], "additionalProperties": False,
                      "patternProperties": {"^[2-5][0-9]{2}$": {
                          "oneOf": [_REFERENCE, _RESPONSE]}}}}}
_PARAMETER = {
    "type": "object", "required": ["name", "in", "schema"], "additionalProperties": False,
    "properties": {"name": _TEXT, "in": {"enum": ["path", "query"]},
                   "required": {"type": "boolean"}, "description": _TEXT,
                   "schema": {"type": "object"}, "style": {"const": "form"},
                   "explode": {"type": "boolean"}},
    "if": {"properties": {"in": {"const": "path"}}},
    "then": {"required": ["required"], "properties": {"required": {"const": True}}}}
# What of OpenAPI 3.1.0 this document uses: everything else in it is a mistake.
OPENAPI = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object", "required": ["openapi", "info", "paths", "components"],
    "additionalProperties": False,
    "properties": {
        "openapi": {"const": "3.1.0"},
        "info": {"type": "object", "required": ["title", "version"],
                 "additionalProperties": False,
                 "properties": {"title": _TEXT, "version": _TEXT, "description": _TEXT,
                                "license": {"type": "object", "required": ["name"],
                                            "additionalProperties": False,
                                            "properties": {"name": _TEXT, "identifier": _TEXT}}}},
        "servers": {"type": "array", "items": {"type": "object", "required": ["url"]}},
        "security": {"type": "array", "items": {"type": "object", "additionalProperties": {
            "type": "array", "maxItems": 0}}},
        "paths": {"type": "object", "additionalProperties": False, "patternProperties": {
            "^/": {"type": "object", "minProperties": 1, "additionalProperties": False,
                   "properties": {method: _OPERATION for method in METHODS}}}},
        "components": {
            "type": "object", "additionalProperties": False,
            "properties": {
                "securitySchemes": {"type": "object", "additionalProperties": {
                    "type": "object", "required": ["type", "scheme"],
                    "properties": {"type": {"const": "http"}, "scheme": {"const": "bearer"}}}},
                "parameters": {"type": "object", "additionalProperties": _PARAMETER},
                "responses": {"type": "object", "additionalProperties": _RESPONSE},
                "schemas": {"type": "object", "propertyNames": {"pattern": "^[A-Za-z0-9._-]+$"},
                            "additionalProperties": {"type": "object"}}}}}}


class Operation:
    def __init__(self, path: str, method: str, said: Dict[str, Any]) -> None:
        self.path, self.method, self.said = path, method, said
        self.name: str = said["operationId"]
        # A segment is open up to its action.
        pattern = re.sub(r"\\\{[a-z_]+\\\}", "[^/:]+", re.escape(path))
        self.pattern = re.compile(pattern + r"\Z")


class Document:
    """The document, with a validator for any part of it."""

    def __init__(self, text: str) -> None:
        self.said: Dict[str, Any] = json.loads(text)
        self.operations: List[Operation] = [
            Operation(path, method, operation)
            for path, methods in self.said["paths"].items()
            for method, operation in methods.items()]

    def find(self, method: str, target: str) -> Operation:
        path = target.partition("?")[0]
        found = [one for one in self.operations
                 if one.method == method.lower() and one.pattern.match(path)]
        if len(found) != 1:
            raise AssertionError(f"{method} {path} is {len(found)} operations of the document")
        return found[0]

    def resolve(self, part: Dict[str, Any]) -> Dict[str, Any]:
        while "$ref" in part:
            at: Any = self.said
            for name in part["$ref"].removeprefix("#/").split("/"):
                at = at[name]
            part = at
        return part

    def errors(self, schema: Dict[str, Any], value: Any) -> List[str]:
        """What is wrong with a value, each in a line."""
        # The components beside it make every reference one within the same document.
        whole = {"allOf": [schema], "components": self.said["components"]}
        validator = jsonschema.Draft202012Validator(whole)
        return [f"{error.json_path}: {error.message[:300]}"
                for error in validator.iter_errors(value)]

    def request_schema(self, operation: Operation) -> Optional[Dict[str, Any]]:
        body = operation.said.get("requestBody")
        return None if body is None else body["content"]["application/json"]["schema"]

    def answer_schema(self, operation: Operation, status: int, media: str) -> Dict[str, Any]:
        responses = operation.said["responses"]
        if str(status) not in responses:
            raise AssertionError(f"{operation.name} has no answer {status}")
        content = self.resolve(responses[str(status)])["content"]
        if media not in content:
            raise AssertionError(f"{operation.name} answers {status} with no {media}")
        return content[media]["schema"]

    def schemas(self) -> Iterator[Tuple[str, Dict[str, Any]]]:
        """Every schema there is, by where it stands."""
        yield from self.said["components"]["schemas"].items()
        for name, parameter in self.said["components"]["parameters"].items():
            yield f"parameter {name}", parameter["schema"]
        for operation in self.operations:
            schema = self.request_schema(operation)
            if schema is not None:
                yield f"request of {operation.name}", schema


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from references(one)
