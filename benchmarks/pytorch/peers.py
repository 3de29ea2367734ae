"""The contenders of compare_pytorch and conv_benchmark: their kinds, where they are found, how they are compiled and spoken to."""
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from pytorch.turns import cpu_seconds

BENCHMARKS = Path(__file__).resolve().parent.parent
ROOT = BENCHMARKS.parent


class Failure(Exception):
    pass


@dataclass(frozen=True)
class Kind:
    peer: str
    flush: bool  # denormal numbers
    mode: str = "eager"
    quick: bool = False  # ready within seconds: part of --quick

    @property
    def setting(self):
        return "compiled" if self.mode == "compiled" else "flushing" if self.flush else "as shipped"

    @property
    def loss(self):
        return "MSE " if self.peer == "MiniDNN" else ""

    def trains(self, network):
        return self.peer != "MiniDNN" or network == "ae-784-256-64"

    def infers(self):
        return self.peer != "MiniDNN"


KINDS = {
    "as-shipped": Kind("PyTorch", False, quick=True),
    "flushing": Kind("PyTorch", True, quick=True),
    "compiled": Kind("PyTorch", True, "compiled"),
    "libtorch": Kind("libtorch", True),
    "minidnn": Kind("MiniDNN", False),
    "minidnn-flushing": Kind("MiniDNN", True),
}


class Process:
    """A worker that runs only while it is asked something."""

    def __init__(self, command, environment):
        ours, theirs = socket.socketpair()
        ours.settimeout(600)
        with theirs:
            self.child = subprocess.Popen(command, stdin=theirs, stdout=subprocess.DEVNULL, env={**os.environ, **environment})
        self.channel, self.lines = ours, ours.makefile("r")
        try:
            self.greeting = self._receive().split("\t")
        except Failure:
            self.close()
            raise

    def ask(self, request):
        self.child.send_signal(signal.SIGCONT)
        self.channel.sendall((request + "\n").encode())
        return self._receive()

    def numbers(self, request):
        return [float(word) for word in self.ask(request).split()]

    def cpu_seconds(self):
        return cpu_seconds(self.child.pid)

    def close(self):
        self.child.kill()
        self.child.wait()
        self.lines.close()
        self.channel.close()

    def _receive(self):
        try:
            line = self.lines.readline().rstrip("\n")
        except socket.timeout:
            raise Failure("a worker did not answer for ten minutes") from None
        if not line:
            raise Failure(f"a worker ended: {' '.join(map(str, self.child.args))}")
        self.child.send_signal(signal.SIGSTOP)
        os.waitpid(self.child.pid, os.WUNTRACED)  # returns when every thread has stopped
        if line.startswith("error "):
            raise Failure(line[len("error ") :])
        return line


def find_program(name, wish):
    """The program `wish`, or that of the name beside the script or in build/release."""
    beside = Path(sys.argv[0]).absolute().parent / name
    for program in [Path(wish)] if wish else [beside, ROOT / "build/release/benchmarks" / name]:
        if os.access(program, os.X_OK) and program.is_file():
            return str(program.resolve())
    raise Failure(f"there is no {wish or name}: build it, or name it with --program")


def peers_folder():
    """Where scripts/install_benchmark_peers leaves what it gets."""
    return Path(os.environ.get("HOURGLASS_PEERS") or ROOT / "build/peers")


@dataclass(frozen=True)
class PyTorch:
    version: str
    folder: Path  # of the package, with headers and libraries
    abi: str  # _GLIBCXX_USE_CXX11_ABI
    python: str
    environment: dict


def find_pytorch(wish):
    """The newest PyTorch of the Python `wish`, or of this Python, the system's and build/peers/pytorch, where
    scripts/install_benchmark_peers --pytorch leaves one; None where there is none."""
    question = "import torch; print(torch.__version__, torch.__path__[0], int(torch._C._GLIBCXX_USE_CXX11_ABI), sep='\\n')"
    local = {"PYTHONPATH": str(peers_folder() / "pytorch")}
    candidates = [(wish, {})] if wish else [
        (python, environment)
        for python in dict.fromkeys([sys.executable, "python3", "/usr/bin/python3"])
        for environment in ([local] if os.path.isdir(local["PYTHONPATH"]) else []) + [{}]
    ]
    found = []
    for python, environment in candidates:
        try:
            answer = subprocess.run([python, "-c", question], capture_output=True, text=True,
                                    env={**os.environ, **environment})
        except OSError:
            continue
        if answer.returncode == 0:
            version, folder, abi = answer.stdout.splitlines()
            number = [int(digits) for digits in re.findall(r"\d+", version)[:3]]
            found.append((number, PyTorch(version, Path(folder), abi, python, environment)))
    return max(found, key=lambda each: each[0])[1] if found else None


def compile_worker(source, program, flags):
    compiler = shlex.split(os.environ.get("CXX") or "c++")
    if not shutil.which(compiler[0]):
        raise Failure(f"there is no compiler '{compiler[0]}'")
    command = [*compiler, "-std=c++20", "-w", str(BENCHMARKS / source), "-o", str(program), *map(str, flags)]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode != 0:
        complaints = [line for line in answer.stderr.splitlines() if "error" in line] or ["no message"]
        raise Failure(f"{source} does not compile: {complaints[0]}")
    return str(program)


def compile_libtorch(pytorch, folder):
    """(program, version) against the headers and libraries of that PyTorch."""
    headers = [pytorch.folder / "include", pytorch.folder / "include/torch/csrc/api/include"]
    libraries = pytorch.folder / "lib"
    program = compile_worker("pytorch/worker.cpp", Path(folder) / "libtorch-worker", [
        "-O2", "-DNDEBUG", f"-D_GLIBCXX_USE_CXX11_ABI={pytorch.abi}", *(f"-isystem{each}" for each in headers),
        f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-Wl,--no-as-needed", "-ltorch_cpu", "-lc10",
        "-Wl,--unresolved-symbols=ignore-in-shared-libs"])  # those of a graphics card's libraries
    return program, pytorch.version


def compile_minidnn(pytorch, folder):
    """(program, commit) of MiniDNN, for this processor and with OpenMP for Eigen's products."""
    source = peers_folder() / "minidnn"
    if not (source / "include/MiniDNN.h").exists():
        raise Failure(f"it is not in {source}, where scripts/install_benchmark_peers leaves it")
    program = compile_worker("minidnn/worker.cpp", Path(folder) / "minidnn-worker", [
        "-O3", "-march=native", "-DNDEBUG", "-fopenmp", "-DMDNN_SCALAR=float", f"-isystem{source / 'include'}",
        "-isystem/usr/local/include/eigen3", "-isystem/usr/include/eigen3"])
    commit = subprocess.run(["git", "-C", source, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return program, commit.stdout.strip() or "unknown"


COMPILE = {"libtorch": compile_libtorch, "MiniDNN": compile_minidnn}
