"""The set-up installs what its target needs and no more, takes nothing away, and looks for packages where pip does."""

from __future__ import annotations

import importlib.util
import sys
from fnmatch import fnmatch
from importlib.metadata import files
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


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
    return module


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
    assert (commands[-1][-4:] == ["--quiet", "--python", str(bootstrap.VENV / "bin" / "python"), "uv"]) is has_uv, (
        "a run does not need it"
    )


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


def test_a_run_is_spared_what_packages_bring_for_their_developers(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = bootstrap.VENV / "lib" / "python3.11" / "site-packages"
    dropped = ["pandas/tests/a.py", "scipy/stats/tests/data/b.npy", "pyarrow/include/c.h", "numpy/_core/lib/d.a"]
    kept = ["pandas/core/a.py", "numpy/testing/a.py", "dbt/tests/a.py", "jinja2/tests.py", "pyarrow/libarrow.so"]
    for name in [*dropped, *kept]:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).touch()
    monkeypatch.setattr(bootstrap, "_runs", lambda *_: True)
    monkeypatch.setattr(bootstrap, "_run", lambda *_, **__: None)
    monkeypatch.setattr(bootstrap, "_index_of_pip", lambda _python: {})
    bootstrap._install_packages(bootstrap.LOCKS)
    assert all((site / name).exists() for name in [*dropped, *kept]), "tests keep all of it"
    bootstrap._install_packages(bootstrap.LOCKS[:1])
    assert [name for name in dropped if (site / name).exists()] == []
    assert [name for name in kept if not (site / name).exists()] == []


def test_what_is_dropped_is_what_packages_bring(bootstrap: ModuleType) -> None:
    """A package that moves its test suite or headers shows here, and not as a set-up that has grown. By what it lists: it may be dropped here too."""
    for pattern in bootstrap.UNUSED:
        brought = [str(file) for file in files(pattern.partition("/")[0]) or ()]
        like = pattern.replace("**/", "*")
        assert any(fnmatch(name, like) or fnmatch(name, f"{like}/*") for name in brought), pattern
