"""Every command of the store as a method with typed arguments, the same for both clients."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Iterable, List, Literal, Mapping, Optional, TypeVar, Union

from . import calls
from .calls import Call, bytes_text, duration, given, moment, policy_json
from .records import Answer, Duration, Json, OwnerLike, owner_json

# What a command gives back: an Answer, or something to await for one.
AnswerT = TypeVar("AnswerT")

Text = Optional[str]
# An exact version, or "none": the saga must not exist.
Version = Union[int, str, None]
AbortThen = Literal["requeue", "fail"]
ClaimAs = Literal["acquire", "dispatch"]
SectionFinal = Literal["completed", "failed"]
EffectScope = Literal["saga", "key"]
CompensationWhen = Literal["unless_completed", "always"]
RecoverDecision = Literal["requeue", "fail", "compensate", "quarantine", "cancel", "complete"]
Gate = Literal["pass", "fail"]
CompensationOutcome = Literal["done", "failed", "waived"]
Verdict = Literal["alive", "dead"]
# A number, or "off".
Limit = Union[int, str, None]


def optional_owner(owner: Optional[OwnerLike]) -> Union[str, Json, None]:
    return None if owner is None else owner_json(owner)


def mapping(values: Optional[Mapping[str, str]]) -> Optional[Json]:
    return None if values is None else dict(values)


class Commands(Generic[AnswerT]):
    """What each command does and is refused with: docs/guarantees.md. Every one takes

    - `request_id`: the same request again gets the same answer. One is made where none is given,
      so that a request whose answer was lost on the way can be sent again;
    - `expected_version`: exact, or "none"; but for those that are about a queue or the store;
    - `actor`: what the caller says of itself; and `traceparent`."""

    def _send(self, call: Call[Answer]) -> AnswerT:
        raise NotImplementedError

    def _saga_command(self, saga_id: str, name: str, arguments: Json) -> AnswerT:
        return self._send(calls.saga_command(saga_id, name, arguments))

    def plan(self, saga_id: str, *, key: Text = None, rerun: Text = None, queue: Text = None,
             priority: Optional[int] = None, not_before: Union[datetime, Duration, None] = None,
             issue: Text = None, repository: Text = None, branch: Text = None,
             worktree: Text = None, stage: Text = None,
             labels: Optional[Mapping[str, str]] = None, payload: Optional[bytes] = None,
             parent: Text = None, depends_on: Optional[Iterable[str]] = None,
             compensations: Optional[Iterable[Mapping[str, Any]]] = None,
             policy: Optional[Mapping[str, Any]] = None, request_id: Text = None,
             expected_version: Version = None, actor: Text = None,
             traceparent: Text = None) -> AnswerT:
        """Plans a saga. A compensation is a mapping of `id`, `kind`, `target` and, where wanted,
        `params`, `when` and `shared`."""
        undo: Optional[List[Json]] = None
        if compensations is not None:
            undo = [dict(compensation) for compensation in compensations]
        return self._send(calls.command("/v1/sagas", given(
            saga_id=saga_id, key=key, rerun=rerun, queue=queue, priority=priority,
            not_before=moment(not_before), issue=issue, repository=repository, branch=branch,
            worktree=worktree, stage=stage, labels=mapping(labels), payload=bytes_text(payload),
            parent=parent, depends_on=None if depends_on is None else list(depends_on),
            compensations=undo, policy=policy_json(policy), request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent)))

    def dispatch(self, saga_id: str, owner: OwnerLike, *, ttl: Optional[Duration] = None,
                 request_id: Text = None, expected_version: Version = None, actor: Text = None,
                 traceparent: Text = None) -> AnswerT:
        """Claims a planned saga without a worker yet. The answer's token is the dispatch token."""
        return self._saga_command(saga_id, "dispatch", given(
            owner=owner_json(owner), ttl=duration(ttl), request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent))

    def abort_dispatch(self, saga_id: str, dispatch_token: int, *, reason: Text = None,
                       then: Optional[AbortThen] = None, owner: Optional[OwnerLike] = None,
                       no_compensation_reason: Text = None, request_id: Text = None,
                       expected_version: Version = None, actor: Text = None,
                       traceparent: Text = None) -> AnswerT:
        """Takes a dispatch back: the saga is planned again, or failed with `then="fail"`."""
        return self._saga_command(saga_id, "abort-dispatch", given(
            dispatch_token=dispatch_token, reason=reason, then=then, owner=optional_owner(owner),
            no_compensation_reason=no_compensation_reason, request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent))

    def acquire(self, saga_id: str, owner: OwnerLike, *, ttl: Optional[Duration] = None,
                dispatch_token: Optional[int] = None, request_id: Text = None,
                expected_version: Version = None, actor: Text = None,
                traceparent: Text = None) -> AnswerT:
        """Makes `owner` the owner. The answer's token goes into everything it does from now on."""
        return self._saga_command(saga_id, "acquire", given(
            owner=owner_json(owner), ttl=duration(ttl), dispatch_token=dispatch_token,
            request_id=request_id, expected_version=expected_version, actor=actor,
            traceparent=traceparent))

    def heartbeat(self, saga_id: str, token: int, *, ttl: Optional[Duration] = None,
                  progress: Text = None, owner: Optional[OwnerLike] = None,
                  request_id: Text = None, expected_version: Version = None, actor: Text = None,
                  traceparent: Text = None) -> AnswerT:
        """Extends the lease. The answer says whether somebody wants the saga cancelled."""
        return self._saga_command(saga_id, "heartbeat", given(
            token=token, ttl=duration(ttl), progress=progress, owner=optional_owner(owner),
            request_id=request_id, expected_version=expected_version, actor=actor,
            traceparent=traceparent))

    def release(self, saga_id: str, token: int, *, reason: Text = None,
                owner: Optional[OwnerLike] = None, request_id: Text = None,
                expected_version: Version = None, actor: Text = None,
                traceparent: Text = None) -> AnswerT:
        """Gives the saga back: it is planned again."""
        return self._saga_command(saga_id, "release", given(
            token=token, reason=reason, owner=optional_owner(owner), request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent))

    def advance_stage(self, saga_id: str, *, expected: str, next: str, token: Optional[int] = None,
                      owner: Optional[OwnerLike] = None, request_id: Text = None,
                      expected_version: Version = None, actor: Text = None,
                      traceparent: Text = None) -> AnswerT:
        """Moves the stage from `expected` ("" = unset) to `next`, or is refused."""
        return self._saga_command(saga_id, "advance-stage", given(
            expected=expected, next=next, token=token, owner=optional_owner(owner),
            request_id=request_id, expected_version=expected_version, actor=actor,
            traceparent=traceparent))

    def enter_section(self, saga_id: str, token: int, name: str, *, expected_stage: Text = None,
                      max_age: Optional[Duration] = None, owner: Optional[OwnerLike] = None,
                      request_id: Text = None, expected_version: Version = None,
                      actor: Text = None, traceparent: Text = None) -> AnswerT:
        """Begins the one critical section of a saga, around irreversible work."""
        return self._saga_command(saga_id, "enter-section", given(
            token=token, name=name, expected_stage=expected_stage, max_age=duration(max_age),
            owner=optional_owner(owner), request_id=request_id, expected_version=expected_version,
            actor=actor, traceparent=traceparent))

    def leave_section(self, saga_id: str, token: int, *, outcome: str,
                      final: Optional[SectionFinal] = None, owner: Optional[OwnerLike] = None,
                      no_compensation_reason: Text = None, request_id: Text = None,
                      expected_version: Version = None, actor: Text = None,
                      traceparent: Text = None) -> AnswerT:
        """Ends the section; `final` ends the saga with it."""
        return self._saga_command(saga_id, "leave-section", given(
            token=token, outcome=outcome, final=final, owner=optional_owner(owner),
            no_compensation_reason=no_compensation_reason, request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent))

    def begin_effect(self, saga_id: str, token: int, effect: str, fingerprint: str, *,
                     scope: Optional[EffectScope] = None, owner: Optional[OwnerLike] = None,
                     request_id: Text = None, expected_version: Version = None, actor: Text = None,
                     traceparent: Text = None) -> AnswerT:
        """Records the intent before the irreversible act. Granted once in the saga's life."""
        return self._saga_command(saga_id, "begin-effect", given(
            token=token, effect=effect, fingerprint=fingerprint, scope=scope,
            owner=optional_owner(owner), request_id=request_id, expected_version=expected_version,
            actor=actor, traceparent=traceparent))

    def settle_effect(self, saga_id: str, effect: str, *, outcome: Text = None,
                      result: Text = None, request_id: Text = None,
                      expected_version: Version = None, actor: Text = None,
                      traceparent: Text = None) -> AnswerT:
        """Says what became of an effect."""
        return self._saga_command(saga_id, "settle-effect", given(
            effect=effect, outcome=outcome, result=result, request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent))

    def record_exit(self, saga_id: str, token: int, exit_code: int, *,
                    owner: Optional[OwnerLike] = None, request_id: Text = None,
                    expected_version: Version = None, actor: Text = None,
                    traceparent: Text = None) -> AnswerT:
        """Evidence that the worker's process has ended; the lease goes on."""
        return self._saga_command(saga_id, "record-exit", given(
            token=token, exit_code=exit_code, owner=optional_owner(owner), request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent))

    def register_compensation(self, saga_id: str, id: str, *, kind: str, target: str,
                              params: Optional[Mapping[str, str]] = None,
                              when: Optional[CompensationWhen] = None,
                              shared: Optional[bool] = None, token: Optional[int] = None,
                              owner: Optional[OwnerLike] = None, request_id: Text = None,
                              expected_version: Version = None, actor: Text = None,
                              traceparent: Text = None) -> AnswerT:
        """One more thing to undo or clean, with all that somebody else needs for it later."""
        return self._saga_command(saga_id, "register-compensation", given(
            id=id, kind=kind, target=target, params=mapping(params), when=when, shared=shared,
            token=token, owner=optional_owner(owner), request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent))

    def complete(self, saga_id: str, token: int, *, result: Text = None,
                 owner: Optional[OwnerLike] = None, request_id: Text = None,
                 expected_version: Version = None, actor: Text = None,
                 traceparent: Text = None) -> AnswerT:
        """Ends the saga as completed."""
        return self._saga_command(saga_id, "complete", given(
            token=token, result=result, owner=optional_owner(owner), request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent))

    def fail(self, saga_id: str, token: int, *, reason: Text = None,
             no_compensation_reason: Text = None, owner: Optional[OwnerLike] = None,
             request_id: Text = None, expected_version: Version = None, actor: Text = None,
             traceparent: Text = None) -> AnswerT:
        """Ends the saga as failed; its compensations are owed."""
        return self._saga_command(saga_id, "fail", given(
            token=token, reason=reason, no_compensation_reason=no_compensation_reason,
            owner=optional_owner(owner), request_id=request_id, expected_version=expected_version,
            actor=actor, traceparent=traceparent))

    def compensate(self, saga_id: str, token: int, *, reason: Text = None,
                   owner: Optional[OwnerLike] = None, request_id: Text = None,
                   expected_version: Version = None, actor: Text = None,
                   traceparent: Text = None) -> AnswerT:
        """Gives the saga up: everything registered is owed now."""
        return self._saga_command(saga_id, "compensate", given(
            token=token, reason=reason, owner=optional_owner(owner), request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent))

    def mark_compensated(self, saga_id: str, *, reason: Text = None, request_id: Text = None,
                         expected_version: Version = None, actor: Text = None,
                         traceparent: Text = None) -> AnswerT:
        """Ends a compensating saga of which nothing is owed any more."""
        return self._saga_command(saga_id, "mark-compensated", given(
            reason=reason, request_id=request_id, expected_version=expected_version, actor=actor,
            traceparent=traceparent))

    def quarantine(self, saga_id: str, *, reason: Text = None, request_id: Text = None,
                   expected_version: Version = None, actor: Text = None,
                   traceparent: Text = None) -> AnswerT:
        """Sets the saga aside for people."""
        return self._saga_command(saga_id, "quarantine", given(
            reason=reason, request_id=request_id, expected_version=expected_version, actor=actor,
            traceparent=traceparent))

    def cancel(self, saga_id: str, *, reason: Text = None, cascade: Optional[bool] = None,
               request_id: Text = None, expected_version: Version = None, actor: Text = None,
               traceparent: Text = None) -> AnswerT:
        """Cancels the saga; with an open section the answer is `deferred`."""
        return self._saga_command(saga_id, "cancel", given(
            reason=reason, cascade=cascade, request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent))

    def park(self, saga_id: str, *, reason: Text = None, request_id: Text = None,
             expected_version: Version = None, actor: Text = None,
             traceparent: Text = None) -> AnswerT:
        """Holds a planned saga back."""
        return self._saga_command(saga_id, "park", given(
            reason=reason, request_id=request_id, expected_version=expected_version, actor=actor,
            traceparent=traceparent))

    def unpark(self, saga_id: str, *, request_id: Text = None, expected_version: Version = None,
               actor: Text = None, traceparent: Text = None) -> AnswerT:
        """Lets a parked saga go."""
        return self._saga_command(saga_id, "unpark", given(
            request_id=request_id, expected_version=expected_version, actor=actor,
            traceparent=traceparent))

    def recover(self, saga_id: str, *, observed: int, decision: RecoverDecision,
                evidence: Text = None, section_outcome: Text = None, gate: Optional[Gate] = None,
                counts: Optional[bool] = None, no_compensation_reason: Text = None,
                request_id: Text = None, expected_version: Version = None, actor: Text = None,
                traceparent: Text = None) -> AnswerT:
        """Decides about a stale saga. `observed` is the version that was seen; if anything happened
        since, this is refused."""
        return self._saga_command(saga_id, "recover", given(
            observed=observed, decision=decision, evidence=evidence,
            section_outcome=section_outcome, gate=gate, counts=counts,
            no_compensation_reason=no_compensation_reason, request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent))

    def claim_compensation(self, saga_id: str, id: str, *, executor: str,
                           ttl: Optional[Duration] = None, request_id: Text = None,
                           expected_version: Version = None, actor: Text = None,
                           traceparent: Text = None) -> AnswerT:
        """Takes one compensation to carry it out. The answer's token settles it."""
        return self._saga_command(saga_id, "claim-compensation", given(
            id=id, executor=executor, ttl=duration(ttl), request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent))

    def settle_compensation(self, saga_id: str, id: str, *, outcome: CompensationOutcome,
                            token: Optional[int] = None, detail: Text = None,
                            request_id: Text = None, expected_version: Version = None,
                            actor: Text = None, traceparent: Text = None) -> AnswerT:
        """Says what became of a compensation. Waiving one needs an actor and a detail, no token."""
        return self._saga_command(saga_id, "settle-compensation", given(
            id=id, outcome=outcome, token=token, detail=detail, request_id=request_id,
            expected_version=expected_version, actor=actor, traceparent=traceparent))

    def report_owner(self, saga_id: str, identity: OwnerLike, *, verdict: Verdict,
                     evidence: Text = None, request_id: Text = None,
                     expected_version: Version = None, actor: Text = None,
                     traceparent: Text = None) -> AnswerT:
        """A probe's verdict on the holder. The answer's outcome is what it proves."""
        return self._saga_command(saga_id, "report-owner", given(
            identity=owner_json(identity), verdict=verdict, evidence=evidence,
            request_id=request_id, expected_version=expected_version, actor=actor,
            traceparent=traceparent))

    def annotate(self, saga_id: str, text: str, *, request_id: Text = None,
                 expected_version: Version = None, actor: Text = None,
                 traceparent: Text = None) -> AnswerT:
        """Adds a remark to the history."""
        return self._saga_command(saga_id, "annotate", given(
            text=text, request_id=request_id, expected_version=expected_version, actor=actor,
            traceparent=traceparent))

    def force_release(self, saga_id: str, *, reason: str, request_id: Text = None,
                      expected_version: Version = None, actor: Text = None,
                      traceparent: Text = None) -> AnswerT:
        """Breaks a lease or a section, loudly. For operators."""
        return self._saga_command(saga_id, "force-release", given(
            reason=reason, request_id=request_id, expected_version=expected_version, actor=actor,
            traceparent=traceparent))

    def claim_next(self, queue: str, owner: OwnerLike, *, ttl: Optional[Duration] = None,
                   as_: Optional[ClaimAs] = None, request_id: Text = None, actor: Text = None,
                   traceparent: Text = None) -> AnswerT:
        """Takes the first saga of a queue that may start; `Empty` when there is none. With
        `as_="dispatch"` it is claimed without a worker yet."""
        arguments = given(owner=owner_json(owner), ttl=duration(ttl), request_id=request_id,
                          actor=actor, traceparent=traceparent)
        if as_ is not None:
            arguments["as"] = as_
        return self._send(calls.queue_command(queue, "claim-next", arguments))

    def report_owners(self, identity: OwnerLike, *, verdict: Verdict, evidence: Text = None,
                      request_id: Text = None, actor: Text = None,
                      traceparent: Text = None) -> AnswerT:
        """One verdict for every saga that this process, or an older boot of its host, holds."""
        return self._send(calls.command("/v1/owners:report", given(
            identity=owner_json(identity), verdict=verdict, evidence=evidence,
            request_id=request_id, actor=actor, traceparent=traceparent)))

    def configure_queue(self, queue: str, *, limit: Limit = None, frozen: Optional[bool] = None,
                        policy: Optional[Mapping[str, Any]] = None, request_id: Text = None,
                        actor: Text = None, traceparent: Text = None) -> AnswerT:
        """What a queue holds its sagas to. What is left out stays as it is."""
        return self._send(calls.command(f"/v1/queues/{calls.segment(queue)}", given(
            limit=limit, frozen=frozen, policy=policy_json(policy), request_id=request_id,
            actor=actor, traceparent=traceparent), method="PUT"))

    def change_policy(self, *, policy: Optional[Mapping[str, Any]] = None, limit: Limit = None,
                      request_id: Text = None, actor: Text = None,
                      traceparent: Text = None) -> AnswerT:
        """The store's own policy, and its limit over all queues."""
        return self._send(calls.command("/v1/policy", given(
            policy=policy_json(policy), limit=limit, request_id=request_id,
            actor=actor, traceparent=traceparent), method="PUT"))
