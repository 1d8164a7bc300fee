"""From a bare Python to a running program: environments are made once, mended, and never twice at a time.

The packages are one tiny wheel made here, so that no index is asked; ``.ci/run`` does the same with the real ones.
"""

import ast
import base64
import hashlib
import os
import pwd
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = str(Path(sys.base_prefix) / "bin" / "python3")
PROGRAM = """
import os, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from config import bootstrap
bootstrap.NEEDED = ("tiny_package",)
try:
    bootstrap.ensure_packages(Path(__file__).parent, [__file__, *sys.argv[1:]], os.environ, development=False)
except bootstrap.BootstrapError as error:
    sys.exit(f"refused: {{error}}")
import tiny_package
print(sys.prefix, tiny_package.VERSION, sys.argv[1:])
"""


class Checkout:
    """A checkout that needs one package."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.wheels = directory.parent / "wheels"  # pip splits this list at spaces
        self.wheels.mkdir(parents=True)
        (directory / "config").mkdir(parents=True)
        for name in ("__init__.py", "bootstrap.py"):
            (directory / "config" / name).write_text((ROOT / "config" / name).read_text())
        (directory / "run.py").write_text(PROGRAM.format(root=str(directory)))
        self.lock("1.0")

    def lock(self, version: str) -> None:
        """Ask for a version of the package."""
        wheel = self.wheels / f"tiny_package-{version}-py3-none-any.whl"
        info = f"tiny_package-{version}.dist-info"
        files = {
            "tiny_package.py": f"VERSION = {version!r}\n",
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tiny-package\nVersion: {version}\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(
            f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}\n"
            for name, text in files.items()
        )
        with zipfile.ZipFile(wheel, "w") as archive:
            for name, text in {**files, f"{info}/RECORD": record + f"{info}/RECORD,,\n"}.items():
                archive.writestr(name, text)
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        (self.directory / "requirements.lock").write_text(
            f"tiny-package=={version} \\\n    --hash=sha256:{digest}\n"
        )

    @property
    def env(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_CONFIG_FILE": os.devnull,
        }

    def start(self, *arguments: str, python: str = PYTHON, **env: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [python, str(self.directory / "run.py"), *arguments], env={**self.env, **env}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd="/",
        )  # fmt: skip

    def run(self, *arguments: str, python: str = PYTHON, **env: str) -> tuple[int, str, str]:
        process = self.start(*arguments, python=python, **env)
        out, err = process.communicate(timeout=600)
        return process.returncode, out, err


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout after its first start."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout") / "with space")
    code, out, err = checkout.run("--some", "argument")
    assert (code, out) == (0, f"{checkout.directory}/.venv 1.0 ['--some', 'argument']\n"), err
    assert "first start: installing 1 packages" in err
    return checkout


def test_the_second_start_installs_nothing(installed: Checkout) -> None:
    began = time.monotonic()
    assert installed.run("again") == (0, f"{installed.directory}/.venv 1.0 ['again']\n", "")
    print(f"second start: {time.monotonic() - began:.2f} s")
    assert installed.run(python=str(installed.directory / ".venv/bin/python"))[2] == ""


def test_a_changed_lock_is_installed_whichever_python_starts_it(installed: Checkout) -> None:
    installed.lock("2.0")
    code, out, err = installed.run()
    assert (code, out.split()[2]) == (0, "2.0"), err
    assert "packages changed" in err
    installed.lock("3.0")
    code, out, err = installed.run(python=str(installed.directory / ".venv/bin/python"))
    assert (code, out.split()[2]) == (0, "3.0"), err


def test_another_tools_environment_is_left_alone(installed: Checkout, tmp_path: Path) -> None:
    """As under ``uv run``: the packages are there, so nothing is made."""
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", tmp_path / "theirs"], check=True)
    (site,) = (tmp_path / "theirs").glob("lib/python*/site-packages")
    (site / "tiny_package.py").write_text("VERSION = 'theirs'\n")
    code, out, err = installed.run(python=str(tmp_path / "theirs" / "bin" / "python"))
    assert (code, out.split()[1:], err) == (0, ["theirs", "[]"], "")


@pytest.mark.parametrize("damage", ["stamp", "pip", "python", "site-packages"])
def test_an_interrupted_or_damaged_environment_is_mended(installed: Checkout, damage: str) -> None:
    venv = installed.directory / ".venv"
    (site,) = venv.glob("lib/python*/site-packages")
    stamp = venv / ".backsaas-requirements"
    stamp.unlink(missing_ok=True)
    match damage:
        case "pip":
            (site / "pip" / "__init__.py").unlink()
        case "python":
            (venv / "bin" / "python").unlink()
            (venv / "bin" / "python").symlink_to("/nowhere/python")
        case "site-packages":
            for file in site.rglob("*"):
                if file.is_file():
                    file.unlink()
    code, out, err = installed.run()
    assert code == 0, err
    assert out.startswith(str(venv))
    assert stamp.exists()


def test_packages_that_vanished_behind_our_back_are_installed_again(installed: Checkout) -> None:
    installed.run()
    (module,) = (installed.directory / ".venv").glob("lib/python*/site-packages/tiny_package.py")
    module.unlink()
    code, out, err = installed.run()
    assert (code, out.split()[2]) == (0, "3.0"), err
    assert "first start" in err


def test_killed_in_the_middle_of_the_first_start_and_then_started_by_several_at_once(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    for pause in (0.3, 1.0):
        process = checkout.start()
        time.sleep(pause)
        process.kill()
        process.communicate()
    processes = [checkout.start(str(number)) for number in range(3)]
    results = [process.communicate(timeout=600) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], results
    assert sum("installing 1 packages" in err for _, err in results) == 1
    assert sorted(out.split()[-1] for out, _ in results) == ["['0']", "['1']", "['2']"]


def test_a_package_with_another_hash_is_refused_in_one_line(installed: Checkout) -> None:
    installed.lock("4.0")
    lock = installed.directory / "requirements.lock"
    lock.write_text(lock.read_text().replace("sha256:", "sha256:0000")[:-5] + "\n")
    code, out, err = installed.run()
    assert (code, out) == (1, "")
    assert "refused: the packages could not be installed: " in err.splitlines()[-1]


def test_without_ensurepip_the_message_says_what_to_install(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    run = checkout.directory / "run.py"
    run.write_text("import sys\nsys.modules['ensurepip'] = None\n" + run.read_text())
    code, _, err = checkout.run()
    assert code == 1
    assert (
        err
        == "refused: this Python cannot make virtual environments: install python3-venv (or use 'uv run run.py')\n"
    )
    assert not (checkout.directory / ".venv").exists()


def test_an_installed_package_needs_no_environment(tmp_path: Path) -> None:
    checkout = Checkout(tmp_path / "checkout")
    (checkout.directory / "requirements.lock").unlink()
    code, _, err = checkout.run()
    assert code == 1
    assert "No module named 'tiny_package'" in err  # went straight on


@pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/usr/bin/python3").exists(), reason="only root can become somebody else"
)
def test_a_checkout_that_cannot_be_written_uses_the_data_directory(tmp_path: Path) -> None:
    if subprocess.run(
        ["/usr/bin/python3", "-c", "import ensurepip, sys; sys.exit(sys.version_info < (3, 11))"], check=False
    ).returncode:
        pytest.skip("the system's Python has no venv")
    for parent in (tmp_path, *tmp_path.parents):
        if not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    checkout = Checkout(tmp_path / "checkout")
    nobody = pwd.getpwnam("nobody")
    data = tmp_path / "data"
    data.mkdir()
    os.chown(data, nobody.pw_uid, nobody.pw_gid)

    def run(**env: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["/usr/bin/python3", str(checkout.directory / "run.py")], env={**checkout.env, "HOME": str(data), **env},
            capture_output=True, text=True, cwd="/", user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[],
        )  # fmt: skip

    assert "cannot be written; set BACKSAAS_DATA_DIR" in run().stderr
    done = run(BACKSAAS_DATA_DIR=str(data))
    assert done.stdout.startswith(f"{data}/.venv 1.0"), done.stderr


@pytest.mark.parametrize("version", [(3, 6), (3, 8), (3, 10)])
def test_an_old_python_can_read_it_and_says_that_it_is_too_old(version: tuple[int, int]) -> None:
    source = (ROOT / "run.py").read_text()
    ast.parse(source, feature_version=version)
    program = f"import sys; sys.version_info = {(*version, 0, 'final', 0)}; sys.version = '{version[0]}.{version[1]}.0 (x)'\n"
    program += f"exec(compile(open({str(ROOT / 'run.py')!r}).read(), 'run.py', 'exec'), {{'__name__': '__main__', '__file__': 'run.py'}})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr == f"BackSaas needs Python 3.11 or newer; this is {version[0]}.{version[1]}.0\n"
    assert done.returncode == 1
