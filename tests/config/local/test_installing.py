import json
import shutil
import subprocess
import sys
import zipfile

import pytest

from config.local import installing

NAME = "meterbook_sample"


def _wheel(folder, version="1.0"):
    """A package made by hand, so that nothing is fetched."""
    path = folder / f"{NAME}-{version}-py3-none-any.whl"
    about = f"{NAME}-{version}.dist-info"
    files = {
        f"{NAME}.py": f"VERSION = {version!r}\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{about}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


@pytest.fixture
def bare(tmp_path, monkeypatch):
    """A checkout with requirements files only, whose one package lies in a folder beside it."""
    _set_up(tmp_path, monkeypatch)
    return tmp_path / "checkout"


@pytest.fixture(scope="module")
def made_once(tmp_path_factory):
    """A checkout whose .venv was made under an environment that would lead pip astray."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        _set_up(folder, patch)
        for name in ("PIP_TARGET", "PIP_PREFIX", "PYTHONPATH"):
            patch.setenv(name, str(folder / "elsewhere"))
        patch.setenv("PIP_USER", "1")
        installing.ensure(has_dev=False, checkout=folder / "checkout")
    return folder


@pytest.fixture
def complete(made_once, tmp_path, monkeypatch):
    """A checkout with a complete .venv, at a place of its own."""
    shutil.copytree(made_once, tmp_path, symlinks=True, dirs_exist_ok=True)
    _set_up(tmp_path, monkeypatch)
    _write_stamp(tmp_path / "checkout", checkout=str(tmp_path / "checkout"))
    return tmp_path / "checkout"


def _set_up(folder, patch):
    packages, checkout = folder / "packages", folder / "checkout"
    packages.mkdir(exist_ok=True)
    checkout.mkdir(exist_ok=True)
    _wheel(packages)
    for name in (*installing.RUNTIME, installing.DEV):
        (checkout / name).touch()
    (checkout / "requirements.txt").write_text(f"{NAME}==1.0\n")
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("PIP_FIND_LINKS", str(packages))
    patch.setenv("PIP_CONFIG_FILE", "/dev/null")


def _write_stamp(at, **changed):
    stamp = at / ".venv" / installing.STAMP
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | changed))


def _installed(checkout):
    program = f"import {NAME}; print({NAME}.VERSION)"
    return subprocess.run(
        [checkout / ".venv/bin/python", "-I", "-c", program], capture_output=True, text=True
    ).stdout.strip()


class TestEnsure:
    def test_makes_and_fills_it_whatever_the_environment_says(self, made_once):
        assert _installed(made_once / "checkout") == "1.0"
        assert not (made_once / "elsewhere").exists()

    def test_leaves_a_complete_one_alone(self, complete, capfd):
        (complete / ".venv" / "untouched").touch()
        installing.ensure(has_dev=False, checkout=complete)
        assert (complete / ".venv" / "untouched").exists()
        assert capfd.readouterr() == ("", "")

    def test_makes_a_half_made_one_again(self, complete):
        (complete / ".venv" / installing.STAMP).unlink()
        (complete / ".venv" / "bin" / "python").unlink()
        (complete / ".venv" / "half-made").touch()
        installing.ensure(has_dev=False, checkout=complete)
        assert _installed(complete) == "1.0"
        assert not (complete / ".venv" / "half-made").exists()

    def test_takes_one_of_another_place_or_python_for_half_made(self, complete):
        wanted = installing._wanted(complete, installing.RUNTIME)
        assert installing._is_complete(complete, wanted)
        _write_stamp(complete, checkout="/elsewhere")
        assert not installing._is_complete(complete, wanted)
        _write_stamp(complete, checkout=str(complete), python="3.11.0rc0")
        assert not installing._is_complete(complete, wanted)

    def test_brings_it_up_to_date_when_the_requirements_change(self, complete):
        _wheel(complete.parent / "packages", "2.0")
        (complete / "requirements.txt").write_text(f"{NAME}==2.0\n")
        installing.ensure(has_dev=False, checkout=complete)
        assert _installed(complete) == "2.0"

    def test_leaves_no_stamp_when_pip_failed(self, complete):
        (complete / "requirements.txt").write_text("meterbook-has-no-such-package\n")
        with pytest.raises(
            installing.PackagesCannotBeInstalled, match="meterbook-has-no-such-package"
        ) as failure:
            installing.ensure(has_dev=False, checkout=complete)
        assert "\n" not in str(failure.value)
        assert not (complete / ".venv" / installing.STAMP).exists()

    def test_says_that_the_network_is_away(self, complete, monkeypatch):
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:1/simple")
        monkeypatch.setenv("PIP_RETRIES", "1")
        (complete / "requirements.txt").write_text("meterbook-has-no-such-package\n")
        with pytest.raises(installing.PackagesCannotBeInstalled, match="is there a network"):
            installing.ensure(has_dev=False, checkout=complete)

    def test_unpacks_its_own_pip_where_ensurepip_is_missing(self, bare):
        # The module is hidden from this one process, as on a Debian without python3-venv.
        program = (
            "import sys; sys.path.insert(0, sys.argv[1])\n"
            "from pathlib import Path\n"
            "from config.local import installing\n"
            "installing._has_ensurepip = lambda: False\n"
            "installing.ensure(has_dev=False, checkout=Path(sys.argv[2]))\n"
        )
        root = installing.places.CHECKOUT
        done = subprocess.run([sys.executable, "-c", program, root, bare], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert _installed(bare) == "1.0"
