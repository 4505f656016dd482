#!/usr/bin/env python3
"""A small orchestrator: a pool of worker processes on a real git repository.

    python3 docs/examples/orchestrator.py          plays it in a temporary directory

Tasks are planned, each with what has to be undone if it comes to nothing. The orchestrator
dispatches them: it claims a task, makes its worktree, and starts a worker for it; when the worktree
cannot be made, the dispatch is rolled back. Workers own their task under a lease, commit, and
merge. One of them is killed, one fails. The sweep decides about what is stale, and what is owed is
undone.

Ends with 0 when everything was as expected. Time is moved by hand (sagalog.testing), so that nobody
waits for a lease to run out. Needs git, the package (`pip install tools/python`, or that folder in
$PYTHONPATH), and `sagalog` in the path, or $SAGALOG_PROGRAM: `build/sagalog` in a checkout.

To read: `work` is all that a worker is, `Orchestrator` what stands around it, `play` the story. In
your own, `sagalog.testing.daemon()` becomes `sagalog serve` and a `sagalog.Client`, `jump` becomes
time, and `sweep` may be left to the daemon (`on_stale` in docs/guarantees.md).
"""

import os
import subprocess
import sys
import tempfile
import time

import sagalog
import sagalog.testing

LEASE = "60s"
POOL = 2
TASKS = {  # task: what its worker is told to do
    "apples": "work", "pears": "work", "plums": "fail", "figs": "hang", "dates": "hang",
}


def git(folder: str, *arguments: str) -> str:
    """Runs git and gives what it says; CalledProcessError when it does not succeed."""
    identity = ("-c", "user.name=worker", "-c", "user.email=worker@example.com")
    done = subprocess.run(["git", "-C", folder, *identity, *arguments], check=True,
                          capture_output=True, text=True)
    return done.stdout.strip()


# --- The worker: a process of its own. ------------------------------------------------------------


def work(data: str, task: str, dispatch_token: int, behaviour: str) -> None:
    with sagalog.Client(data) as client:
        owner = f"worker-{os.getpid()}"
        # Heartbeats are sent from here on. An error in here fails the task with its text.
        with client.lease(task, owner=owner, ttl=LEASE, dispatch_token=dispatch_token) as lease:
            saga = lease.saga
            # Empty, or where a predecessor left off.
            lease.advance_stage(saga.stage, "editing")
            with open(os.path.join(saga.worktree, "prices.txt"), "a", encoding="utf-8") as file:
                file.write(f"{task} 3\n")
            if behaviour == "hang":
                time.sleep(3600)  # Until it is killed.
            if behaviour == "fail":
                raise RuntimeError("nobody sells plums in winter")
            git(saga.worktree, "commit", "-q", "-a", "-m", f"sell {task}")
            lease.advance_stage("editing", "committed")
            merge(lease)
            lease.complete("merged")


def merge(lease: sagalog.Lease) -> None:
    """The irreversible part. Inside the section nobody interferes; the effect is granted once in
    the life of the task, whoever owns it; and the lease is checked right before the act."""
    saga = lease.saga
    commit = git(saga.worktree, "rev-parse", "HEAD")
    with lease.section("merge", max_age="5m") as section:
        with lease.effect("merge", fingerprint=commit) as effect:
            lease.check()
            git(saga.repository, "update-ref", f"refs/done/{saga.saga_id}", commit)
            effect.result = commit
        section.outcome = f"merged {commit}"


# --- The orchestrator. ----------------------------------------------------------------------------


class Orchestrator:
    def __init__(self, store: sagalog.testing.Daemon, folder: str) -> None:
        self.store = store
        self.client = store.client
        self.repository = os.path.join(folder, "repository")
        self.worktrees = os.path.join(folder, "worktrees")
        self.pool: "dict[str, subprocess.Popen[bytes]]" = {}
        os.makedirs(self.worktrees)

    def make_repository(self) -> None:
        os.makedirs(self.repository)
        git(self.repository, "init", "-q", "-b", "main")
        with open(os.path.join(self.repository, "prices.txt"), "w", encoding="utf-8") as file:
            file.write("bread 2\n")
        git(self.repository, "add", "prices.txt")
        git(self.repository, "commit", "-q", "-m", "sell bread")

    def plan(self, task: str, key: "str | None" = None) -> None:
        worktree, branch = os.path.join(self.worktrees, task), f"fix/{task}"
        self.client.plan(
            task, key=key or f"shop#{task}", repository=self.repository, branch=branch,
            worktree=worktree,
            compensations=[  # Undone in reverse: a branch in use cannot be deleted.
                {"id": "branch", "kind": "delete-branch", "target": branch},
                {"id": "worktree", "kind": "remove-worktree", "target": worktree,
                 "when": "always"}])

    def dispatch_next(self) -> bool:
        """Claims the next task and starts its worker. False when there is none to start."""
        try:
            claim = self.client.claim_next("default", "orchestrator", as_="dispatch", ttl="30s")
        except sagalog.Empty:
            return False
        saga = claim.after
        try:
            self.make_worktree(saga)
        except subprocess.CalledProcessError as error:
            # Between the claim and the start of a worker: nothing may stay "dispatched".
            self.client.abort_dispatch(saga.saga_id, claim.granted, reason=error.stderr.strip())
            say(f"{saga.saga_id}: not dispatched: its folder is taken; set aside")
            os.rename(saga.worktree, saga.worktree + ".aside")
            return True
        arguments = [self.store.directory, saga.saga_id, str(claim.granted),
                     TASKS[saga.saga_id] if saga.recoveries == 0 else "work"]
        self.pool[saga.saga_id] = subprocess.Popen(
            [sys.executable, __file__, "--worker", *arguments], stderr=subprocess.DEVNULL)
        say(f"{saga.saga_id}: dispatched under token {claim.granted}")
        return True

    def make_worktree(self, saga: sagalog.Saga) -> None:
        if saga.recoveries > 0:
            # Its predecessor is gone, but perhaps not its unfinished files.
            git(saga.repository, "worktree", "remove", "--force", saga.worktree)
        # -B: a try before this one may have come as far as the branch.
        git(saga.repository, "worktree", "add", "-q", "-B", saga.branch, saga.worktree, "main")

    def run_pool(self) -> None:
        """Keeps the pool busy until every task has ended or hangs."""
        may_start = True
        while may_start or self.pool:
            while may_start and len(self.pool) < POOL:
                may_start = self.dispatch_next()
            for task, worker in list(self.pool.items()):
                if worker.poll() is not None:
                    del self.pool[task]
                    say(f"{task}: its worker ended with {worker.returncode}")
                elif self.hangs(task):
                    # The machine's way to end a worker: it can tell nobody.
                    worker.kill()
            time.sleep(0.02)

    def hangs(self, task: str) -> bool:
        saga = self.client.saga(task)
        return (saga.stage == "editing" and saga.recoveries == 0 and TASKS[task] == "hang"
                and saga.state == "running")

    def sweep(self) -> None:
        """Decides about every task that is stale, on exactly what was seen of it."""
        for row in self.client.each(self.client.stale):
            reasons = {reason.reason for reason in row.reasons}
            if not reasons & {"lease_expired", "dispatch_expired"}:
                continue
            decision = "compensate" if row.saga_id == "dates" else "requeue"
            try:
                self.client.recover(row.saga_id, observed=row.version, decision=decision,
                                    evidence=f"stale: {', '.join(sorted(reasons))}")
                say(f"{row.saga_id}: {decision}")
            except sagalog.VersionConflict:
                say(f"{row.saga_id}: something happened meanwhile; the next sweep looks again")

    def undo(self) -> None:
        """Carries out what is owed: claimed, so that nobody else is at it, then settled."""
        busy = True
        while busy:
            busy = False
            for row in self.client.each(self.client.compensations):
                if not row.claimable:
                    continue
                what, busy = row.compensation, True
                claim = self.client.claim_compensation(row.saga_id, what.id, executor="sweeper")
                outcome, detail = self.undo_one(what)
                self.client.settle_compensation(row.saga_id, what.id, token=claim.granted,
                                                outcome=outcome, detail=detail)
                say(f"{row.saga_id}: {what.kind} {outcome}")

    def undo_one(self, what: sagalog.Compensation) -> "tuple[str, str]":
        try:
            if what.kind == "delete-branch":
                git(self.repository, "branch", "-q", "-D", what.target)
            elif os.path.exists(what.target):
                git(self.repository, "worktree", "remove", "--force", what.target)
            return "done", ""
        except subprocess.CalledProcessError as error:
            return "failed", error.stderr.strip()


# --- The play, and what is expected of it. --------------------------------------------------------

failures = 0


def say(text: str) -> None:
    print(f"  {text}", flush=True)


def expect(what: str, actual: object, wanted: object) -> None:
    global failures
    if actual != wanted:
        failures += 1
        print(f"EXPECTED {what} to be {wanted!r}, but it is {actual!r}", flush=True)


def states(client: sagalog.Client) -> "dict[str, str]":
    return {saga.saga_id: saga.state for saga in client.each(client.sagas)}


def play(store: sagalog.testing.Daemon, folder: str) -> None:
    orchestrator = Orchestrator(store, folder)
    client = store.client
    orchestrator.make_repository()
    for task in TASKS:
        orchestrator.plan(task)
    # A plan that is delivered twice finds the first.
    try:
        client.plan("apples-again", key="shop#apples")
        expect("the second plan", "accepted", "refused")
    except sagalog.AlreadyExists as refusal:
        expect("the holder of the key", refusal.saga_id, "apples")

    print("The pool works; something stands in the way of pears:")
    os.makedirs(os.path.join(orchestrator.worktrees, "pears", "somebody's"))
    orchestrator.run_pool()
    expect("the states", states(client), {"apples": "completed", "pears": "completed",
                                          "plums": "failed", "figs": "running",
                                          "dates": "running"})
    expect("what happened to pears", [event.type for event in client.history("pears").items[:4]],
           ["planned", "dispatched", "dispatch_aborted", "dispatched"])
    expect("why plums failed", client.saga("plums").reason,
           "RuntimeError: nobody sells plums in winter")

    print("Nobody hears of two workers any more; the sweep decides:")
    expect("what is stale of them", stale(client) & {"figs", "dates"}, set())
    store.jump("61s")
    expect("what is stale of them", stale(client) & {"figs", "dates"}, {"figs", "dates"})
    orchestrator.sweep()

    print("What is owed is undone, and plums get another try:")
    orchestrator.undo()
    expect("what is still owed", len(client.compensations()), 0)
    TASKS["plums-again"] = "work"
    orchestrator.plan("plums-again", key="shop#plums")
    orchestrator.run_pool()
    orchestrator.undo()

    expect("the states", states(client), {
        "apples": "completed", "pears": "completed", "plums": "failed", "figs": "completed",
        "dates": "compensated", "plums-again": "completed"})
    expect("the generation of plums", client.saga("plums-again").generation, 2)
    expect("what is still owed", len(client.compensations()), 0)
    expect("what is in doubt", len(client.effects_in_doubt()), 0)
    expect("what is stale", stale(client), set())
    expect("what was merged", git(orchestrator.repository, "for-each-ref",
                                  "--format=%(refname:lstrip=2)", "refs/done").split(),
           ["apples", "figs", "pears", "plums-again"])
    expect("the worktrees", os.listdir(orchestrator.worktrees), ["pears.aside"])
    expect("the branches", git(orchestrator.repository, "branch", "--format=%(refname:short)")
           .split(), ["fix/apples", "fix/figs", "fix/pears", "fix/plums-again", "main"])
    expect("the log", client.verify()["ok"], True)


def stale(client: sagalog.Client) -> "set[str]":
    return {row.saga_id for row in client.each(client.stale)}


def main() -> int:
    if sys.argv[1:2] == ["--worker"]:
        data, task, token, behaviour = sys.argv[2:]
        work(data, task, int(token), behaviour)
        return 0
    # Neither the user's settings nor a repository around us have a part in this.
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        del os.environ[name]
    os.environ.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1")
    with tempfile.TemporaryDirectory() as folder, sagalog.testing.daemon() as store:
        play(store, folder)
    print("Everything was as expected." if failures == 0 else f"{failures} expectations failed.")
    return 0 if failures == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
