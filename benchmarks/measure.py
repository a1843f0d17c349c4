"""The measurements; run.py starts one process for each, with its own number of cores."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SIZES = {"10,000 x 64, 25": (10_000, 64, 25), "10,000 x 100, 200": (10_000, 100, 200),
         "60,000 x 784, 196": (60_000, 784, 196)}  # fmt: skip
# Rows, features, hidden units, and the steps of ours that set the goal.
TRAINING_SIZES = {"10,000 x 64, 25": (10_000, 64, 25, 100),
                  "10,000 x 100, 200": (10_000, 100, 200, 100),
                  "20,000 x 784, 196": (20_000, 784, 196, 50)}  # fmt: skip
DICTIONARY_SIZE = 4096, 256, 2048  # rows of a batch, features, hidden units
TRAINING_ROUNDS = 5
PAUSE, WARM_UP, TURN = 0.04, 0.04, 0.1  # seconds
PATIENCE = 3  # times the time allowed, if others keep the machine busy


def problem(m: int, n: int, n_hidden: int, dtype: str) -> tuple[Any, Any]:
    """Return random data and weights of the given sizes."""
    import numpy as np

    from saelib import Parameters

    X = np.random.default_rng(0).uniform(0.1, 0.9, size=(m, n)).astype(dtype)
    return X, Parameters.random(n, n_hidden, seed=0).ravel().astype(dtype)


def limit_threads(n_threads: int) -> None:
    """Let BLAS and PyTorch use so many threads; XLA goes by the cores of the process."""
    from threadpoolctl import threadpool_limits

    threadpool_limits(n_threads, user_api="blas")
    try:
        import torch

        torch.set_num_threads(n_threads)
    except ImportError:
        pass


def for_so_long(function: Callable[[], Any], seconds: float) -> list[float]:
    """Call again and again until the time is up, at least once; return the times."""
    times: list[float] = []
    while sum(times) < seconds:
        begin = time.perf_counter()
        function()
        times.append(time.perf_counter() - begin)
    return times


def used_by_others() -> float:
    """Return the seconds of processor time that all other processes have used so far."""
    if not Path("/proc/stat").exists():
        return 0.0
    user, nice, system, _, _, irq, softirq, steal = map(
        int, Path("/proc/stat").read_text().split(maxsplit=9)[1:9]
    )
    busy = (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
    own = os.times()
    return busy - own.user - own.system


def alternate(
    functions: dict[str, Callable[[], Any]], seconds: float, least: int = 5
) -> dict[str, list[float]]:
    """Time the functions in turn, round after round, so that all see the same machine.

    A round in which other processes took more than a twentieth of a core does not count.
    """
    rounds: list[tuple[float, list[float]]] = []
    start = time.perf_counter()

    def elapsed() -> float:
        return time.perf_counter() - start

    def quiet() -> list[list[float]]:
        return [times for others, times in rounds if others < 0.05]

    while elapsed() < seconds or (len(quiet()) < least and elapsed() < PATIENCE * seconds):
        begin, others = elapsed(), used_by_others()
        times = []
        for function in functions.values():
            # The idle threads of OpenBLAS, OpenMP and XLA spin for some milliseconds after
            # their last work: let those of the previous contender fall asleep. Then call often
            # enough for one's own to be awake, as they are in the midst of a training.
            time.sleep(PAUSE)
            for_so_long(function, WARM_UP)
            times.append(statistics.median(for_so_long(function, TURN)))
        rounds.append(((used_by_others() - others) / (elapsed() - begin), times))
    # With too few quiet rounds the quietest have to do; the share of the others is reported.
    rounds.sort(key=lambda entry: entry[0])
    kept = rounds[: max(len(quiet()), least)]
    print(f"    {len(rounds)} rounds, {len(kept)} kept, others used up to {kept[-1][0]:.2f} cores",
          file=sys.stderr)  # fmt: skip
    return dict(zip(functions, map(list, zip(*(t for _, t in kept), strict=True)), strict=True))


def check_agreement(results: dict[str, tuple[float, Any]], dtype: str) -> dict[str, float]:
    """Return each contender's relative distance from the textbook; raise if it is too large."""
    import numpy as np

    tolerance = {"float64": 1e-10, "float32": 1e-4}[dtype]
    cost, gradient = results["textbook numpy"]
    distances = {}
    for name, (other_cost, other_gradient) in results.items():
        of_cost = abs(other_cost - cost) / abs(cost)
        of_gradient = np.linalg.norm(other_gradient - gradient) / np.linalg.norm(gradient)
        distances[name] = float(max(of_cost, of_gradient))
        if distances[name] > tolerance:
            raise AssertionError(f"{name} is {distances[name]:.1e} away from the textbook")
    return distances


def evaluations(n_threads: int, size: str, dtype: str, seconds: float) -> dict[str, Any]:
    """Time one evaluation of cost and gradient by every contender."""
    import numpy as np
    from contenders import CONTENDERS

    m, n, n_hidden = SIZES[size]
    X, theta = problem(m, n, n_hidden, dtype)
    functions, failed = {}, {}
    for name, make in CONTENDERS.items():
        try:
            functions[name] = make(X, n_hidden)
        except Exception as error:  # a peer that does not work here is reported, not hidden
            failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
    limit_threads(n_threads)
    results = {name: f(theta.copy()) for name, f in functions.items() if name != "five products"}
    distances = check_agreement(results, dtype)
    timed = {name: partial(f, theta.copy()) for name, f in functions.items()}
    times = {name: np.array(values) for name, values in alternate(timed, seconds).items()}
    base = times["five products"]
    return {
        "failed": failed,
        "distances": distances,
        "times": {
            name: {
                "median": float(np.median(values)),
                "quartiles": np.percentile(values, [25, 75]).tolist(),
                "ratio": float(np.median(values / base)),
                "ratio_quartiles": np.percentile(values / base, [25, 75]).tolist(),
                "rounds": len(values),
            }
            for name, values in times.items()
        },
    }


def training(size: str, dtype: str, n_threads: int, limit: float) -> dict[str, Any]:
    """Time whole trainings to the cost that so many steps of `saelib.train` reach, in turn."""
    from contenders import TRAININGS

    m, n, n_hidden, n_steps = TRAINING_SIZES[size]
    X, theta0 = patches(m, n, n_hidden, dtype)
    limit_threads(n_threads)
    goal, failed, runs = None, {}, {}
    for name, make in TRAININGS.items():
        try:
            runs[name] = make(X, n_hidden, n_steps)
            if goal is None:  # the first is ours, and says how far the others have to come
                goal = runs[name](theta0, -float("inf"), limit)
                goal += 1e-6 * abs(goal)
            else:
                runs[name](theta0, float("inf"), limit)  # whatever is compiled is compiled now
        except Exception as error:  # a peer that does not work here is reported, not hidden
            runs.pop(name, None)
            failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
    found: dict[str, list[list[float]]] = {name: [] for name in runs}
    for _ in range(TRAINING_ROUNDS):
        for name, run in runs.items():
            if found[name] and found[name][0][0] > limit / 2:
                continue  # once is enough for what is that slow
            time.sleep(PAUSE)
            begin = time.perf_counter()
            cost = run(theta0, goal, limit)
            found[name].append([time.perf_counter() - begin, cost])
    median = {name: sorted(times)[(len(times) - 1) // 2] for name, times in found.items()}
    return {"goal": goal, "steps": n_steps, "runs": median, "failed": failed}


def patches(m: int, n: int, n_hidden: int, dtype: str) -> tuple[Any, Any]:
    """Return normalized patches of whitened photographs, and first weights."""
    import math

    from saelib import (
        Parameters,
        natural_images,
        normalize_patches,
        sample_patches,
        whiten,
    )

    images = [whiten(image) for image in natural_images().values()]
    X = normalize_patches(sample_patches(images, m, math.isqrt(n), seed=0)).astype(dtype)
    return X, Parameters.random(n, n_hidden, seed=0).ravel().astype(dtype)


def steps_of_a_stream(n_threads: int, seconds: float) -> dict[str, Any]:
    """Time a step of `partial_fit` beside one of Adam in PyTorch, on the same batches."""
    import numpy as np
    from contenders import STEPS, STREAMS

    limit_threads(n_threads)
    found = {}
    for batch, n, n_hidden in ((256, 64, 25), (256, 100, 200), (1024, 784, 196)):
        X, _ = problem(batch, n, n_hidden, "float64")
        functions = {name: make(X, n_hidden) for name, make in STREAMS.items()}
        times = alternate(functions, seconds)
        key = f"{batch} x {n}, {n_hidden}"
        found[key] = {name: float(np.median(values)) / STEPS for name, values in times.items()}
    return found


def steps_of_a_dictionary(n_threads: int, dtype: str, seconds: float) -> dict[str, Any]:
    """Time a step of `train_dictionary`, the five products of it, and the step in PyTorch."""
    import numpy as np
    from contenders import DICTIONARIES, RULES

    batch, n, n_hidden = DICTIONARY_SIZE
    X = np.random.default_rng(0).normal(size=(batch, n)).astype(dtype)
    limit_threads(n_threads)
    functions, failed = {}, {}
    for name, make in DICTIONARIES.items():
        try:
            functions[name] = make(X, n_hidden)
        except Exception as error:  # a peer that does not work here is reported, not hidden
            failed[name] = f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
    # Both start from the same weights, and so their first costs must agree.
    for rule in RULES:
        mine, theirs = (functions.get(f"{who}, {rule}") for who in ("saelib", "PyTorch"))
        if mine and theirs:
            costs = np.array([(mine(), theirs()) for _ in range(2)])
            if not np.allclose(costs[:, 0], costs[:, 1], rtol=1e-3):
                raise AssertionError(f"{rule}: the costs of two steps are {costs.tolist()}")
    times = {name: np.array(values) for name, values in alternate(functions, seconds).items()}
    base = times["five products"]
    return {
        "size": DICTIONARY_SIZE,
        "dtype": dtype,
        "threads": n_threads,
        "failed": failed,
        "times": {name: float(np.median(values)) for name, values in times.items()},
        "ratios": {name: float(np.median(values / base)) for name, values in times.items()},
    }


def peak_memory(contender: str, m: int, n: int, n_hidden: int) -> float:
    """Return by how many bytes one evaluation raises the peak of the process."""
    from contenders import CONTENDERS

    def status(key: str) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(key)) * 1024

    X, theta = problem(m, n, n_hidden, "float64")
    CONTENDERS[contender](X[:2000].copy(), n_hidden)(theta)
    evaluate = CONTENDERS[contender](X, n_hidden)
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = status("VmRSS")
    evaluate(theta)
    return float(status("VmHWM") - before)


def growth(n_threads: int, seconds: float) -> dict[str, Any]:
    """Time evaluations while one of the three sizes grows; return the slopes on log-log axes."""
    import numpy as np
    from contenders import saelib

    series = {
        "rows": [(m, 100, 100) for m in (5_000, 10_000, 20_000, 40_000, 80_000)],
        "features": [(10_000, n, 100) for n in (50, 100, 200, 400, 800)],
        "hidden units": [(10_000, 100, h) for h in (50, 100, 200, 400, 800)],
    }
    limit_threads(n_threads)
    answer = {}
    for position, (name, sizes) in enumerate(series.items()):
        functions = {}
        for size in sizes:
            X, theta = problem(*size, "float64")
            functions[str(size[position])] = partial(saelib(X, size[2]), theta)
        times = {key: float(np.median(t)) for key, t in alternate(functions, seconds).items()}
        slope = np.polyfit(np.log([float(key) for key in times]), np.log(list(times.values())), 1)
        answer[name] = {"times": times, "slope": float(slope[0])}
    return answer


def start_up() -> dict[str, float]:
    """Return the median times that a fresh interpreter takes, less those of an empty one."""
    programs = {
        "import saelib": "import saelib",
        "from saelib import SparseObjective, train": "from saelib import SparseObjective, train",
        "import numpy": "import numpy",
        "import torch": "import torch",
        "import jax": "import jax",
    }

    def seconds(program: str) -> float:
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", program], check=True)
            times.append(time.perf_counter() - begin)
        return sorted(times)[2]

    seconds("import torch, jax, saelib")  # read the files into the system's cache
    empty = seconds("pass")
    return {name: seconds(program) - empty for name, program in programs.items()}


def machine() -> dict[str, str]:
    """Return what the numbers depend on: processor, system, versions and the kernels of BLAS."""
    import importlib.metadata
    import platform

    import numpy as np  # noqa: F401 - loads BLAS
    from threadpoolctl import threadpool_info

    cpu = platform.processor() or "unknown"
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.split(": ")[1] for line in lines if line.startswith("model name"))
        flags = next(line for line in lines if line.startswith("flags"))
        cpu += " with AVX-512" if "avx512f" in flags else ""
    blas = threadpool_info()[0] if threadpool_info() else {}
    names = ("numpy", "scipy", "torch", "jax", "optax")
    kernels = blas.get("architecture", "unknown")
    return {
        "processor": cpu,
        "cores": str(len(os.sched_getaffinity(0)) if "linux" in sys.platform else os.cpu_count()),
        "system": platform.platform(),
        "Python": platform.python_version(),
        "BLAS": f"{blas.get('internal_api', '')} {blas.get('version', '')}, kernels for {kernels}",
        **{name: importlib.metadata.version(name) for name in names},
    }


def in_process(
    function: str, *arguments: Any, n_cores: int | None = None, **environment: str
) -> Any:
    """Return the result of a function of this module, run in a process of its own."""
    program = f"import measure, json; print(json.dumps(measure.{function}(*{arguments!r})))"
    cores = {str(k): str(n_cores) for k in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        cwd=HERE,
        env={**os.environ, **(cores if n_cores else {}), **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        # XLA sizes its threads by the cores that the process may use.
        preexec_fn=(lambda: os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:n_cores]))
        if n_cores and hasattr(os, "sched_setaffinity")
        else None,
    )
    return json.loads(done.stdout.splitlines()[-1])
