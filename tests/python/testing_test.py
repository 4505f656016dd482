"""What the package offers for tests of one's own."""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import types
import unittest
import zipfile
from datetime import timedelta
from unittest import mock

import sagalog
import sagalog.testing

EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "examples")
PACKAGE = os.path.join(os.path.dirname(__file__), "..", "..", "tools", "python")


def has_annotations_to_run(tree: ast.AST) -> bool:
    """Annotations with a "|", which before 3.10 would be an error as soon as they are reached."""
    found = [node.annotation for node in ast.walk(tree)
             if isinstance(node, (ast.arg, ast.AnnAssign))]
    found += [node.returns for node in ast.walk(tree)
              if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    return any(isinstance(part, ast.BinOp) for annotation in found if annotation is not None
               for part in ast.walk(annotation))


class DaemonTest(unittest.TestCase):
    def test_time_moves_only_when_told(self) -> None:
        with sagalog.testing.daemon() as store:
            before = store.client.status().time
            self.assertEqual(store.client.status().time, before)
            store.advance("90s")
            self.assertEqual(store.client.status().time - before, timedelta(seconds=90))
            store.jump(0.5)
            self.assertEqual(store.time, before + timedelta(seconds=90.5))

    def test_what_it_kept_is_there_after_every_kind_of_end(self) -> None:
        with sagalog.testing.daemon() as store:
            store.client.plan("T1")
            for end in (store.stop, store.kill):
                end()
                with self.assertRaises(sagalog.SagalogError):
                    store.pid
                store.restart(down_for="10s")
                self.assertEqual(store.client.saga("T1").state, "planned")
            self.assertGreaterEqual(store.client.status().time, store.time)
            first = store.pid
            store.restart()
            self.assertNotEqual(store.pid, first)
            with self.assertRaises(sagalog.SagalogError):
                store.start()

    def test_nothing_is_left_behind(self) -> None:
        with sagalog.testing.daemon() as store:
            directory, pid = store.directory, store.pid
        self.assertFalse(os.path.exists(directory))
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)

    def test_it_ends_with_the_process_that_started_it(self) -> None:
        for end in ("raise SystemExit(3)", "1 / 0", "os._exit(3)", "os.kill(os.getpid(), 9)",
                    "store.restart(); os._exit(3)"):
            with self.subTest(end), tempfile.TemporaryDirectory() as folder:
                program = ("import os, sagalog.testing\n"
                           f"store = sagalog.testing.Daemon({folder!r})\n"
                           f"store.start()\nprint(store.pid)\n{end}")
                # Whoever reads what it prints waits until nobody can print any more.
                done = subprocess.run([sys.executable, "-u", "-c", program], capture_output=True,
                                      text=True, timeout=60, check=False)
                self.assertNotEqual(done.returncode, 0)
                self.assertGreater(int(done.stdout), 1)

    def test_a_directory_of_ones_own_stays(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            with sagalog.testing.daemon(directory=folder, arguments=["--no-reaper"]) as store:
                self.assertFalse(store.client.status()["reaper"]["running"])
            self.assertTrue(os.path.exists(os.path.join(folder, "HEAD")))

    def test_a_daemon_that_does_not_start_says_so(self) -> None:
        with self.assertRaisesRegex(sagalog.SagalogError, "did not start"):
            with contextlib.redirect_stderr(None), \
                    mock.patch.dict(os.environ, {"SAGALOG_PROGRAM": "/bin/false"}):
                with sagalog.testing.daemon():
                    self.fail("it did")
        with mock.patch.dict(os.environ, {"PATH": "/nowhere"}, clear=True):
            with self.assertRaisesRegex(sagalog.SagalogError, "SAGALOG_PROGRAM"):
                sagalog.testing.program()


class PackageTest(unittest.TestCase):
    def test_the_pytest_fixture_gives_a_daemon(self) -> None:
        # pytest itself need not be installed: it is told of the function, no more.
        pytest = types.ModuleType("pytest")
        pytest.fixture = lambda function: function
        with mock.patch.dict(sys.modules, {"pytest": pytest}):
            from sagalog.pytest_fixtures import sagalog_daemon
            store = sagalog_daemon()
            self.assertEqual(next(store).client.health()["health"], "alive")
            store.close()

    def test_it_needs_nothing_but_python(self) -> None:
        names = subprocess.run(
            [sys.executable, "-S", "-c", "import sagalog, sagalog.aio, sagalog.testing, sys; "
             "print(sagalog.__version__)"],
            env={**os.environ, "PYTHONPATH": PACKAGE}, check=True, capture_output=True, text=True)
        self.assertEqual(names.stdout.strip(), sagalog.__version__)

    def test_the_wheel_holds_all_that_is_needed(self) -> None:
        build = [sys.executable, "-c", "import wheel_backend as b, sys; d = sys.argv[1]; "
                 "print(b.build_wheel(d)); b.build_sdist(d)"]
        with tempfile.TemporaryDirectory() as folder:
            name = subprocess.run([*build, folder], cwd=PACKAGE, check=True, capture_output=True,
                                  text=True).stdout.strip()
            wheel = os.path.join(folder, name)
            with zipfile.ZipFile(wheel) as archive:
                held = set(archive.namelist())
                self.assertIn(b"sagalog.pytest_fixtures",
                              archive.read(f"sagalog-{sagalog.__version__}.dist-info/"
                                           "entry_points.txt"))
            sources = {f"sagalog/{name}" for name in os.listdir(os.path.join(PACKAGE, "sagalog"))
                       if not name.startswith("__pycache")}
            self.assertLessEqual(sources, held)
            # Python imports from a wheel as it lies there.
            found = subprocess.run(
                [sys.executable, "-S", "-c", "import sagalog.aio; print(sagalog.__file__)"],
                cwd=folder, env={"PYTHONPATH": wheel}, check=True, capture_output=True, text=True)
            self.assertTrue(found.stdout.startswith(wheel))

    @unittest.skipUnless(importlib.util.find_spec("pip"), "this Python has no pip")
    def test_pip_installs_it_from_the_checkout_without_a_network(self) -> None:
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("PYTHON", "PIP_"))}

        def run(*words: str) -> str:
            return subprocess.run(words, cwd=folder, env=environment, check=True,
                                  capture_output=True, text=True).stdout

        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(PACKAGE, os.path.join(folder, "checkout"))
            run(sys.executable, "-m", "venv", "--without-pip", "venv")
            python = os.path.join(folder, "venv", "bin", "python")
            run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index",
                "--disable-pip-version-check", os.path.join(folder, "checkout"))
            found = run(python, "-c", "import sagalog.aio, sagalog.testing as installed; "
                        "print(sagalog.__version__, installed.__file__)").split()
            self.assertEqual(found[0], sagalog.__version__)
            self.assertIn("site-packages", found[1])

    def test_all_of_it_is_python_3_9(self) -> None:
        """As far as the syntax goes; what is looked up when it runs is in the annotations, which
        are text."""
        for folder in (os.path.join(PACKAGE, "sagalog"), PACKAGE, EXAMPLES):
            for name in sorted(os.listdir(folder)):
                if name.endswith(".py"):
                    with open(os.path.join(folder, name), encoding="utf-8") as file:
                        text = file.read()
                    tree = ast.parse(text, name, feature_version=(3, 9))
                    annotations_are_text = "from __future__ import annotations" in text
                    self.assertTrue(annotations_are_text or not has_annotations_to_run(tree), name)

    def test_version_and_names_of_the_project_agree(self) -> None:
        with open(os.path.join(PACKAGE, "pyproject.toml"), encoding="utf-8") as file:
            project = file.read()
        self.assertIn(f'version = "{sagalog.__version__}"', project)
        with open(os.path.join(PACKAGE, "..", "..", "CMakeLists.txt"), encoding="utf-8") as file:
            self.assertIn(f"project(sagalog VERSION {sagalog.__version__} ", file.read())
        self.assertTrue(os.path.exists(os.path.join(PACKAGE, "sagalog", "py.typed")))


if __name__ == "__main__":
    unittest.main()
