"""Every command and every query, on a real store."""

from __future__ import annotations

import base64
import inspect
import os
import re
import tempfile
import unittest
from datetime import datetime, timedelta, timezone

import sagalog
from sagalog.commands import Commands
from store_test_case import StoreTestCase, undo

ROOT = os.path.join(os.path.dirname(__file__), "..", "..")


class CommandsTest(StoreTestCase):
    def test_plan_takes_every_fact(self) -> None:
        parent = self.planned()
        saga = self.client.plan(
            self.fresh(), key="acme/app#1", queue="deploy", priority=7,
            not_before=timedelta(minutes=5), issue="https://x/1", repository="/srv/repo",
            branch="fix/1", worktree="/srv/wt/1", stage="begun", labels={"team": "blue"},
            payload=b"\x00\xff", parent=parent, depends_on=[parent], compensations=undo(),
            policy={"lease_ttl": timedelta(minutes=2), "max_recoveries": "off"},
            actor="planner", traceparent="00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01",
            expected_version="none").after
        self.assertEqual((saga.state, saga.key, saga.queue, saga.priority, saga.stage),
                         ("planned", "acme/app#1", "deploy", 7, "begun"))
        self.assertEqual((saga.issue, saga.repository, saga.branch, saga.worktree),
                         ("https://x/1", "/srv/repo", "fix/1", "/srv/wt/1"))
        self.assertEqual(base64.b64decode(saga.payload), b"\x00\xff")
        self.assertEqual((saga.parent, saga.depends_on, saga.labels),
                         (parent, (parent,), {"team": "blue"}))
        self.assertEqual(saga.policy, {"lease_ttl": "2m", "max_recoveries": "off"})
        self.assertEqual(saga.not_before, saga.planned_at + timedelta(minutes=5))
        self.assertEqual(saga.compensations[0].kind, "remove-worktree")
        planned = self.client.history(saga.saga_id).items[0]
        self.assertEqual((planned.type, planned.actor), ("planned", "planner"))
        self.assertIn("traceparent", planned.json)

    def test_plan_again_after_the_end_is_the_next_generation(self) -> None:
        key, first = self.fresh(), self.planned()
        self.client.cancel(first)
        self.client.cancel(self.planned(key=key))
        self.assertEqual(self.client.plan(self.fresh(), key=key, rerun="again").after.generation,
                         2)

    def test_not_before_may_be_a_moment(self) -> None:
        moment = datetime(2031, 1, 1, tzinfo=timezone(timedelta(hours=2)))
        saga = self.client.plan(self.fresh(), not_before=moment).after
        self.assertEqual(saga.not_before, moment)
        with self.assertRaises(ValueError):
            self.client.plan(self.fresh(), not_before=datetime(2031, 1, 1))

    def test_dispatch_and_its_way_back(self) -> None:
        saga = self.planned(compensations=undo())
        token = self.client.dispatch(saga, "fleet", ttl=20).granted
        back = self.client.abort_dispatch(saga, token, reason="no worktree").after
        self.assertEqual((back.state, back.dispatch_failures), ("planned", 1))
        token = self.client.dispatch(saga, "fleet").granted
        owned = self.client.acquire(saga, "w1", dispatch_token=token).after
        self.assertEqual((owned.state, owned.owner.owner), ("running", "w1"))

    def test_abort_dispatch_may_fail_the_saga(self) -> None:
        saga = self.planned()
        token = self.client.dispatch(saga, "fleet").granted
        failed = self.client.abort_dispatch(saga, token, then="fail", reason="no host",
                                            no_compensation_reason="nothing was made").after
        self.assertEqual(failed.state, "failed")

    def test_acquire_takes_owners_in_every_form(self) -> None:
        process = sagalog.this_process("w1")
        self.assertEqual(process.pid, os.getpid())
        for owner in ("w1", {"owner": "w1", "pid": 4}, sagalog.Owner(owner="w1"), process):
            saga = self.client.acquire(self.planned(), owner).after
            self.assertEqual(saga.owner.owner, "w1")
        self.assertEqual(saga.owner, process)

    def test_claim_next(self) -> None:
        queue = self.fresh()
        self.planned(queue=queue)
        first = self.planned(queue=queue, priority=9)
        self.assertEqual(self.client.claim_next(queue, "w1", ttl="5s").after.saga_id, first)
        self.assertEqual(self.client.claim_next(queue, "w1", as_="dispatch").after.state,
                         "dispatched")

    def test_heartbeat(self) -> None:
        saga, token = self.running(ttl="10s")
        self.store.advance("4s")
        answer = self.client.heartbeat(saga, token, progress="40 of 100", owner="w1")
        self.assertEqual(answer.after.progress, "40 of 100")
        self.assertFalse(answer.cancel_pending)
        self.assertEqual(answer.after.expires_at - answer.after.heartbeat_at,
                         timedelta(seconds=10))
        longer = self.client.heartbeat(saga, token, ttl=timedelta(seconds=90)).after
        self.assertEqual(longer.expires_at - longer.heartbeat_at, timedelta(seconds=90))
        self.assertEqual(self.client.heartbeat(saga, token, ttl=0.5).outcome, "unchanged")

    def test_release(self) -> None:
        saga, token = self.running()
        self.assertEqual(self.client.release(saga, token, reason="shift ends").after.state,
                         "planned")

    def test_advance_stage_by_owner_and_by_actor(self) -> None:
        saga = self.planned()
        self.client.advance_stage(saga, expected="", next="checked", actor="planner")
        token = self.client.acquire(saga, "w1").granted
        after = self.client.advance_stage(saga, token=token, expected="checked", next="built").after
        self.assertEqual(after.stage, "built")

    def test_section(self) -> None:
        saga, token = self.running(compensations=undo())
        inside = self.client.enter_section(saga, token, "deploy", max_age="90s",
                                           expected_stage="").after
        self.assertEqual((inside.section.name, inside.section.max_age), ("deploy", "90s"))
        self.assertEqual([row.saga_id for row in self.client.each(self.client.sections)], [saga])
        cancelled = self.client.cancel(saga, reason="superseded")
        self.assertEqual(cancelled.outcome, "deferred")
        self.assertTrue(self.client.heartbeat(saga, token, progress="x").cancel_pending)
        left = self.client.leave_section(saga, token, outcome="deployed", final="completed").after
        self.assertEqual((left.state, left.section), ("completed", None))

    def test_effect(self) -> None:
        saga, token = self.running()
        begun = self.client.begin_effect(saga, token, "push", "main@1", scope="saga").after
        self.assertEqual((begun.effects[0].effect, begun.effects[0].settled), ("push", False))
        self.assertIn(saga, [row.saga_id for row in
                             self.client.each(self.client.effects_in_doubt)])
        settled = self.client.settle_effect(saga, "push", outcome="done", result="abc").after
        self.assertEqual((settled.effects[0].settled, settled.effects[0].result), (True, "abc"))

    def test_record_exit(self) -> None:
        saga, token = self.running()
        self.assertEqual(self.client.record_exit(saga, token, 3).after.exit.code, 3)

    def test_compensations_are_registered_claimed_and_settled(self) -> None:
        saga, token = self.running()
        self.client.register_compensation(saga, "branch", kind="delete-branch", target="fix/9",
                                          params={"repository": "/r"}, token=token)
        after = self.client.register_compensation(
            saga, "lock", kind="unlock", target="host", when="always", shared=True).after
        self.assertEqual([(c.id, c.when, c.shared) for c in after.compensations],
                         [("branch", "unless_completed", False), ("lock", "always", True)])
        self.assertEqual(self.client.compensate(saga, token, reason="wrong").after.state,
                         "compensating")
        rows = {row.compensation.id: row for row in self.client.each(self.client.compensations)
                if row.saga_id == saga}
        self.assertEqual((rows["lock"].claimable, rows["branch"].claimable), (True, False))
        claim = self.client.claim_compensation(saga, "lock", executor="sweeper", ttl="5s")
        self.client.settle_compensation(saga, "lock", token=claim.granted, outcome="failed",
                                        detail="no route")
        self.client.settle_compensation(saga, "lock", outcome="waived", actor="ada",
                                        detail="the host is gone")
        claim = self.client.claim_compensation(saga, "branch", executor="sweeper")
        done = self.client.settle_compensation(saga, "branch", token=claim.granted,
                                               outcome="done").after
        self.assertEqual((done.state, done.compensation_status), ("compensated", "settled"))
        self.assertEqual(self.client.mark_compensated(saga).outcome, "unchanged")

    def test_complete_and_fail(self) -> None:
        saga, token = self.running()
        self.assertEqual(self.client.complete(saga, token, result="merged").after.result, "merged")
        saga, token = self.running()
        failed = self.client.fail(saga, token, reason="red",
                                  no_compensation_reason="nothing was made").after
        self.assertEqual((failed.state, failed.reason, failed.terminal), ("failed", "red", True))

    def test_quarantine_cancel_and_park(self) -> None:
        self.assertEqual(self.client.quarantine(self.planned(), reason="odd").after.state,
                         "quarantined")
        parent = self.planned()
        child = self.planned(parent=parent)
        self.client.cancel(parent, reason="gone", cascade=True)
        self.assertEqual(self.client.saga(child).state, "cancelled")
        saga = self.planned()
        self.assertTrue(self.client.park(saga, reason="wait").after.parked)
        self.assertFalse(self.client.unpark(saga).after.parked)

    def test_recover(self) -> None:
        saga, _ = self.running(ttl="10s")
        self.store.jump("11s")
        row = next(row for row in self.client.each(self.client.stale) if row.saga_id == saga)
        self.assertEqual([reason.reason for reason in row.reasons], ["lease_expired"])
        recovered = self.client.recover(saga, observed=row.version, decision="requeue",
                                        evidence="no sign of life", counts=False).after
        self.assertEqual((recovered.state, recovered.recoveries), ("planned", 0))

    def test_recover_completes_with_a_gate_and_tells_of_a_section(self) -> None:
        saga, token = self.running(ttl="10s", policy={"section_max_age": "10s"})
        self.client.enter_section(saga, token, "deploy")
        self.store.jump("11s")
        recovered = self.client.recover(
            saga, observed=self.client.saga(saga).version, decision="complete", gate="pass",
            evidence="the site answers", section_outcome="deployed").after
        self.assertEqual(recovered.state, "completed")

    def test_reports_about_owners(self) -> None:
        process = sagalog.Owner(owner="w1", host="h1", boot_id="b1", pid=1, pid_start=5)
        saga = self.fresh()
        self.client.plan(saga)
        self.client.acquire(saga, process)
        self.assertEqual(self.client.report_owner(saga, process, verdict="alive").outcome, "alive")
        self.assertIn(saga, [name for row in self.client.each(self.client.owners)
                             for name in row.sagas if row.owner.host == "h1"])
        answer = self.client.report_owners({"host": "h1", "boot_id": "b2"}, verdict="alive",
                                           evidence="rebooted")
        self.assertEqual([(row.saga_id, row.verdict) for row in answer.reports], [(saga, "dead")])

    def test_annotate_and_force_release(self) -> None:
        saga, _ = self.running()
        self.client.annotate(saga, "looked at it", actor="ada")
        self.assertEqual(self.client.force_release(saga, reason="stuck").after.state, "planned")
        self.assertIn("annotated", self.types(saga))

    def test_queues_and_policy(self) -> None:
        queue = "a/b: c"
        self.client.configure_queue(queue, limit=3, frozen=True,
                                    policy={"lease_ttl": timedelta(seconds=90)})
        found = self.client.queue(queue)
        self.assertEqual((found.limit, found.frozen, found.policy["lease_ttl"]), (3, True, "90s"))
        self.client.configure_queue(queue, limit="off")
        self.assertEqual(self.client.queue(queue).limit, None)
        self.client.change_policy(policy={"max_recoveries": 5}, limit=1000)
        policy = self.client.policy()
        self.assertEqual((policy.policy["max_recoveries"], policy.limit), (5, 1000))

    def test_a_batch_is_all_or_nothing_or_each_by_itself(self) -> None:
        first, second = self.fresh(), self.fresh()
        commands = [{"do": "plan", "saga_id": first, "payload": b"x"},
                    {"do": "acquire", "saga_id": first, "owner": sagalog.Owner(owner="w1"),
                     "ttl": timedelta(seconds=5), "actor": None},
                    {"do": "complete", "saga_id": second, "token": 1}]
        with self.assertRaises(sagalog.NotFound) as refusal:
            self.client.batch(commands, atomic=True)
        self.assertEqual(refusal.exception.index, 2)
        with self.assertRaises(sagalog.NotFound):
            self.client.saga(first)
        result = self.client.batch(commands)
        self.assertEqual([type(item) for item in result.items],
                         [sagalog.Answer, sagalog.Answer, sagalog.NotFound])
        self.assertEqual(self.client.saga(first).state, "running")
        with self.assertRaises(sagalog.NotFound):
            result.answers

    def test_lists_are_filtered_and_come_in_pages(self) -> None:
        queue = self.fresh()
        planned = [self.planned(queue=queue, labels={"n": str(n)}) for n in range(5)]
        page = self.client.sagas(queue=queue, limit=2)
        self.assertEqual(([saga.saga_id for saga in page], len(page)), (planned[:2], 2))
        self.assertTrue(page.cursor)
        found = [saga.saga_id for saga in self.client.each(self.client.sagas, queue=queue, limit=2)]
        self.assertEqual(found, planned)
        one = self.client.sagas(queue=queue, label={"n": "3"}, state="planned")
        self.assertEqual([saga.saga_id for saga in one], [planned[3]])
        self.assertEqual(len(self.client.sagas(queue=queue, label="n=4", owner="nobody")), 0)

    def test_a_saga_is_shown_as_it_was(self) -> None:
        saga = self.planned()
        planned = self.client.saga(saga)
        self.store.advance("10s")
        self.client.cancel(saga)
        self.assertEqual(self.client.saga(saga).state, "cancelled")
        for at in (planned.sequence, planned.planned_at):
            self.assertEqual(self.client.saga(saga, at=at).state, "planned")

    def test_lists_are_shown_as_they_were(self) -> None:
        queue = self.fresh()
        saga, token = self.running(queue=queue)
        self.client.configure_queue(queue, limit=2)
        self.client.enter_section(saga, token, "merge")
        then = self.client.status().last_sequence
        self.store.advance("10s")
        self.client.leave_section(saga, token, outcome="merged")
        self.client.complete(saga, token)
        self.client.configure_queue(queue, limit=3)
        page = self.client.sagas(queue=queue, at=then)
        self.assertEqual([(row.state, row.owner.owner) for row in page], [("running", "w1")])
        self.assertEqual(page.sequence, then)
        self.assertEqual(self.client.queue(queue, at=then).limit, 2)
        self.assertIn(saga, [row.saga_id for row in self.client.sections(at=then)])
        self.assertNotIn(saga, [row.saga_id for row in self.client.sections()])
        self.assertIn(saga, [held for row in self.client.owners(at=then) for held in row.sagas])
        for query in (self.client.stale, self.client.compensations, self.client.effects_in_doubt,
                      self.client.queues):
            self.assertEqual(query(at=then).sequence, then)
        self.assertIsNotNone(self.client.policy(at=then))
        with self.assertRaises(sagalog.InvalidArgument):
            self.client.stale(at="2026-01-01T00:00:00")

    def test_history_tells_of_refusals_too(self) -> None:
        saga, token = self.running()
        self.client.heartbeat(saga, token, progress="x")
        with self.assertRaises(sagalog.LeaseHeld):
            self.client.acquire(saga, "w2")
        self.store.advance("2s")
        self.assertEqual([event.type for event in self.client.history(saga, refusals=True)][-1],
                         "refused")
        self.assertNotIn("heartbeated", [event.type for event in
                                         self.client.history(saga, transitions_only=True)])
        newest = self.client.history(saga, limit=1)
        self.assertEqual((len(newest), newest.items[0].type, newest.items[0].body["progress"]),
                         (1, "heartbeated", "x"))

    def test_operation(self) -> None:
        answer = self.client.plan(self.fresh())
        self.assertGreaterEqual(self.client.status().last_sequence, answer.sequence)
        self.client.saga(answer.after.saga_id, min_sequence=answer.sequence)
        self.assertEqual(self.client.health()["health"], "alive")
        self.assertEqual(self.client.ready()["health"], "ready")
        self.assertTrue(self.client.verify()["ok"])
        self.assertEqual(self.client.rebuild()["outcome"], "ok")
        self.assertEqual(self.client.checkpoint()["outcome"], "ok")
        self.assertTrue(self.client.sweep(limit=1, dry_run=True)["dry_run"])
        self.assertIn("outcome", self.client.compact(older_than="1h", actor="ada"))
        with tempfile.TemporaryDirectory() as folder:
            backup = self.client.backup(os.path.join(folder, "backups"), keep=2)
            self.assertTrue(os.path.isdir(backup["path"]))

    def test_the_clock_moves(self) -> None:
        before = self.client.status().time
        self.client.advance_clock(1.5)
        self.client.suspend_host("2s")
        self.client.step_wall_clock(timedelta(seconds=-30))
        self.assertEqual(self.client.status().time - before, timedelta(seconds=3.5))

    def test_a_payload_is_bytes(self) -> None:
        for payload in ({"a": 1}, "text"):
            with self.assertRaisesRegex(TypeError, "payload: bytes are wanted, not (dict|str)"):
                self.client.plan(self.fresh(), payload=payload)
        self.assertEqual(self.client.saga(self.planned(payload=bytearray(b"x"))).payload, "eA==")

    def test_any_request(self) -> None:
        self.assertEqual(self.client.request("GET", "/healthz")["health"], "alive")
        with self.assertRaises(sagalog.NotFound):
            self.client.request("POST", "/v1/nothing", {})

    def test_unknown_fields_are_kept(self) -> None:
        saga = sagalog.Saga.from_json({"saga_id": "T", "of_a_later_release": [1], "owner": None})
        self.assertEqual((saga["of_a_later_release"], saga.owner), ([1], None))


class ContractTest(unittest.TestCase):
    """The schema is the list of commands: none is missing here, nor any of its arguments."""

    def test_every_command_has_a_method_with_every_argument(self) -> None:
        with open(os.path.join(ROOT, "schema", "commands.fbs"), encoding="utf-8") as file:
            schema = re.sub(r"//[^\n]*", "", file.read())
        names = re.search(r"union Body \{(.*?)\}", schema, re.S).group(1)
        for name in re.findall(r"\w+", names):
            method = getattr(Commands, re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower(), None)
            self.assertIsNotNone(method, name)
            table = re.search(r"table %s \{(.*?)\}" % name, schema, re.S).group(1)
            fields = re.findall(r"(\w+):[^;]*;", re.sub(r"\([^)]*deprecated[^)]*\)", "?", table))
            has = {parameter.rstrip("_") for parameter in inspect.signature(method).parameters}
            wanted = set(fields) - {"unused", "not_before_in"}
            general = {"request_id", "actor", "traceparent"}
            self.assertLessEqual(wanted | general, has, name)
            # Of what is about no saga the store refuses it.
            self.assertEqual("expected_version" in has, "saga_id" in has, name)


if __name__ == "__main__":
    unittest.main()
