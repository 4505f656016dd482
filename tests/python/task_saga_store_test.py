"""The store interface of orchestrators, on a real store."""

from __future__ import annotations

import unittest

import sagalog
from sagalog import LeaseConflictError, TaskSagaStore, TerminalTaskMutationError
from store_test_case import StoreTestCase


class TaskSagaStoreTest(StoreTestCase):
    def setUp(self) -> None:
        self.tasks = TaskSagaStore(self.client, queue=self.fresh(), ttl="30s")

    def created(self, **facts: object) -> str:
        return self.tasks.create(self.fresh(), **facts).task_id

    def owned(self, **facts: object) -> str:
        task = self.created(**facts)
        self.tasks.acquire_lease(task, "w1")
        return task

    def undo(self, *ids: str) -> tuple:
        return tuple({"id": id, "kind": "k", "target": self.fresh()} for id in ids)

    def stale(self, task: str) -> sagalog.TaskSaga:
        return next(row for row in self.tasks.list_stale() if row.task_id == task)

    def test_a_task_from_its_creation_to_its_end(self) -> None:
        task = self.created(key=self.fresh(), payload=b"plan", stage="new", labels={"a": "b"})
        self.assertEqual(self.tasks.get(task).status, "planned")
        held = self.tasks.acquire_lease(task, "w1")
        self.assertEqual((held.status, held.lease.owner), ("running", "w1"))
        self.store.advance("10s")
        beat = self.tasks.heartbeat(task, "w1", progress="half")
        self.assertGreater(beat.lease.expires_at, held.lease.expires_at)
        self.assertIn(task, [row.task_id for row in self.tasks.list_in_flight()])
        done = self.tasks.mark_completed(task, "w1", "merged")
        self.assertEqual((done.status, done.result, done.lease), ("completed", "merged", None))
        self.assertNotIn(task, [row.task_id for row in self.tasks.list_in_flight()])

    def test_get_of_nothing_is_none(self) -> None:
        self.assertIsNone(self.tasks.get("nobody"))
        task = self.created()
        with self.assertRaises(sagalog.TaskExistsError) as error:
            self.tasks.create(task)
        self.assertEqual((error.exception.refusal.code, error.exception.refusal.saga_id),
                         ("already_exists", task))
        # Whatever else is refused is an error of the store too.
        with self.assertRaises(sagalog.TaskStoreError) as error:
            self.tasks.create("a/b")
        self.assertEqual(error.exception.refusal.code, "invalid_argument")

    def test_a_lease_is_held_by_one(self) -> None:
        task = self.owned()
        for attempt in (lambda: self.tasks.acquire_lease(task, "w2"),
                        lambda: self.tasks.heartbeat(task, "w2"),
                        lambda: self.tasks.mark_completed(task, sagalog.Owner(owner="w2"))):
            with self.assertRaises(LeaseConflictError):
                attempt()
        with self.assertRaises(LeaseConflictError) as error:
            self.tasks.acquire_lease(task, "w2")
        self.assertEqual(error.exception.refusal.holder.owner, "w1")

    def test_a_token_is_never_taken_from_the_store(self) -> None:
        task = self.owned()
        other = TaskSagaStore(self.client)
        with self.assertRaises(LeaseConflictError):
            other.mark_completed(task, "w1")
        token = self.tasks.get(task).lease.token
        self.assertEqual(other.mark_completed(task, "w1", token=token).status, "completed")

    def test_a_worker_that_was_replaced_changes_nothing(self) -> None:
        task = self.owned()
        self.store.jump("31s")
        late = TaskSagaStore(self.client, ttl="30s")
        late.acquire_lease(task, "w2")
        for attempt in (lambda: self.tasks.heartbeat(task, "w1"),
                        lambda: self.tasks.mark_completed(task, "w1"),
                        lambda: self.tasks.mark_failed(task, "x", owner="w1"),
                        lambda: self.tasks.append_compensation(task, "c", kind="k", target="t",
                                                               owner="w1")):
            with self.assertRaises(LeaseConflictError):
                attempt()
        self.assertEqual(self.tasks.get(task).lease.owner, "w2")

    def test_an_end_never_changes(self) -> None:
        task = self.owned()
        token = self.tasks.get(task).lease.token
        self.tasks.mark_completed(task, "w1")
        for attempt in (lambda: self.tasks.mark_failed(task, "x", token=token),
                        lambda: self.tasks.mark_quarantined(task, "x"),
                        lambda: self.tasks.acquire_lease(task, "w2"),
                        lambda: self.tasks.append_compensation(task, "c", kind="k", target="t")):
            with self.assertRaises(TerminalTaskMutationError):
                attempt()

    def test_the_owner_fails_its_task(self) -> None:
        self.assertEqual(self.tasks.mark_failed(self.owned(), "red", owner="w1").reason, "red")

    def test_a_stale_task_is_decided_on_what_was_seen(self) -> None:
        task = self.owned()
        self.assertNotIn(task, [row.task_id for row in self.tasks.list_stale()])
        self.store.jump("31s")
        seen = self.stale(task)
        self.assertEqual(seen.stale, ("lease_expired",))
        self.assertEqual(len(self.tasks.list_stale(limit=1)), 1)
        self.client.annotate(task, "somebody was here")
        with self.assertRaises(LeaseConflictError):
            self.tasks.mark_failed(task, "no sign of life", observed=seen.version)
        failed = self.tasks.mark_failed(task, "no sign of life",
                                        observed=self.stale(task).version)
        self.assertEqual((failed.status, failed.reason), ("failed", "no sign of life"))

    def test_compensations_of_a_task_that_is_given_up(self) -> None:
        task = self.owned(compensations=self.undo("branch"))
        self.tasks.append_compensation(task, "wt", kind="k", target=self.fresh(), owner="w1")
        self.tasks.append_compensation(task, "log", kind="k", target=self.fresh(), always=True)
        with self.assertRaises(LeaseConflictError):
            self.tasks.mark_compensated(task, "sweeper")
        begun = self.tasks.begin_compensation(task, "wrong turn", owner="w1")
        self.assertEqual([entry.id for entry in begun.compensations], ["branch", "wt", "log"])
        stuck = self.tasks.mark_compensated(task, "sweeper", failures={"wt": "locked"})
        self.assertEqual((stuck.status, [entry.state for entry in stuck.compensations]),
                         ("compensating", ["owed", "failed", "done"]))
        done = self.tasks.mark_compensated(task, "sweeper")
        self.assertEqual((done.status, done.saga.compensation_status), ("compensated", "settled"))
        self.assertEqual(self.tasks.mark_compensated(task, "sweeper").status, "compensated")

    def test_compensations_in_the_order_of_registration(self) -> None:
        task = self.owned(compensations=self.undo("a", "b", "c"),
                          policy={"compensation_order": "registered"})
        self.store.jump("31s")
        self.tasks.begin_compensation(task, "gone", observed=self.stale(task).version)
        self.assertEqual(self.tasks.mark_compensated(task, "sweeper").status, "compensated")
        settled = [event.body["id"] for event in self.client.history(task)
                   if event.type == "compensation_settled"]
        self.assertEqual(settled, ["a", "b", "c"])

    def test_compensations_of_a_failed_task_are_settled_too(self) -> None:
        task = self.owned(compensations=self.undo("a"))
        self.tasks.mark_failed(task, "red", owner="w1")
        done = self.tasks.mark_compensated(task, "sweeper")
        self.assertEqual((done.status, done.saga.compensation_status), ("failed", "settled"))

    def test_a_task_is_set_aside_whoever_holds_it(self) -> None:
        self.assertEqual(self.tasks.mark_quarantined(self.owned(), "odd").status, "quarantined")

    def test_who_says_nothing_about_the_lease_decides_nothing(self) -> None:
        with self.assertRaises(ValueError):
            self.tasks.mark_failed(self.owned(), "x")


if __name__ == "__main__":
    unittest.main()
