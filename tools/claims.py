"""Run the experiments behind the book's claims and print which of them hold.

    python tools/claims.py [NN-chapter ...] [--fresh]     all chapters by default

What is stored already, from the same source and the same versions, is not run again, so that an
interrupted run goes on where it stopped; --fresh runs everything anew. Two runs are done at a
time, each on one thread.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import math
import os
import platform
import sys
import time
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# The folder of the experiments is called as this file is, and must be found first.
sys.path.insert(0, str(ROOT))
sys.path.append(str(ROOT / "tools"))

import claim_register as register  # noqa: E402

PACKAGES = ("numpy", "scipy", "scikit-learn", "scikit-image")
Job = tuple[str, int, int]


def run(job: Job) -> tuple[dict[str, float | None], float]:
    """Run one experiment with one seed and effort; return its numbers and the seconds it took."""
    experiment, seed, effort = job
    module, _, function = experiment.partition(":")
    start = time.perf_counter()
    values = getattr(importlib.import_module(f"claims.{module}"), function)(
        seed=seed, effort=effort
    )
    numbers = {name: float(value) for name, value in values.items()}
    seconds = time.perf_counter() - start
    return {k: v if math.isfinite(v) else None for k, v in numbers.items()}, seconds


def versions() -> dict[str, str]:
    """Return the versions that results are stored with."""
    return {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}


def wanted(claims: list[register.Claim]) -> dict[Job, set[str]]:
    """Return the runs that the claims need, each with the chapters that need it."""
    jobs: dict[Job, set[str]] = {}
    for claim in claims:
        for seed, effort in claim.runs:
            jobs.setdefault((claim.experiment, seed, effort), set()).add(claim.chapter)
    return jobs


def stored(chapter: str, jobs: dict[Job, set[str]], fresh: bool) -> dict[str, Any]:
    """Return the results of a chapter without what is no longer wanted or true."""
    known = {} if fresh else register.read_results(chapter)
    kept: dict[str, Any] = {}
    for experiment in dict.fromkeys(e for (e, _, _), c in jobs.items() if chapter in c):
        entry = known.get(experiment, {})
        digest = register.digest(experiment)
        if entry.get("digest") != digest or entry.get("versions") != versions():
            entry = {"digest": digest, "date": "", "versions": versions(), "runs": []}
        entry["runs"] = [
            run
            for run in entry["runs"]
            if chapter in jobs.get((experiment, run["seed"], run["effort"]), set())
        ]
        kept[experiment] = entry
    return kept


def write(chapter: str, results: dict[str, Any]) -> None:
    """Store the results of a chapter, in one step, so that an interruption leaves them whole."""
    path = register.results_path(chapter)
    path.parent.mkdir(parents=True, exist_ok=True)
    for entry in results.values():
        entry["runs"].sort(key=lambda run: (run["seed"], run["effort"]))
    half = path.with_suffix(".part")
    half.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    half.replace(path)


def table(claims: list[register.Claim]) -> list[str]:
    """Return one line per claim: range allowed, range measured, verdict."""
    lines = []
    for claim in claims:
        values = register.measured(claim, register.read_results(claim.chapter))
        if len(values) < len(claim.runs):
            lines.append(f"{claim.label:44s} {len(values)} of {len(claim.runs)} runs")
            continue
        numbers = [v for v in values.values() if v is not None] or [math.nan]
        lines.append(
            f"{claim.label:44s} allowed {claim.low:g} to {claim.high:g}, "
            f"measured {min(numbers):.4g} to {max(numbers):.4g}: "
            f"{register.verdict(claim, values)}"
        )
    return lines


def main(arguments: list[str]) -> int:
    """Run what is missing, two at a time; return 1 if an experiment failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chapters", nargs="*", help="as 06-training; all of them by default")
    parser.add_argument("--fresh", action="store_true", help="run again what is stored")
    options = parser.parse_args(arguments)
    claims = register.read_register()
    known = sorted({claim.chapter for claim in claims})
    for chapter in options.chapters:
        if chapter not in known:
            parser.error(f"there is no claims/{chapter}.toml; there is {', '.join(known)}")
    claims = [c for c in claims if not options.chapters or c.chapter in options.chapters]
    jobs = wanted(claims)
    results = {c: stored(c, jobs, options.fresh) for c in sorted({c.chapter for c in claims})}
    for chapter, kept in results.items():
        write(chapter, kept)
    missing = [job for job, chapters in jobs.items() if not _is_there(job, chapters, results)]
    print(f"{len(jobs)} runs, of which {len(jobs) - len(missing)} are stored", flush=True)
    # Whole experiments run side by side, so that one thread each is enough.
    os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
    failed = _run_all(missing, jobs, results) if missing else 0
    print("\n".join(table(claims)))
    return 1 if failed else 0


def _is_there(job: Job, chapters: set[str], results: dict[str, Any]) -> bool:
    experiment, seed, effort = job
    return all(
        any((r["seed"], r["effort"]) == (seed, effort) for r in results[c][experiment]["runs"])
        for c in chapters
    )


def _run_all(missing: list[Job], jobs: dict[Job, set[str]], results: dict[str, Any]) -> int:
    failed = 0
    start = time.perf_counter()
    with ProcessPoolExecutor(max_workers=2) as pool:
        futures: dict[Future[Any], Job] = {pool.submit(run, job): job for job in missing}
        try:
            for count, future in enumerate(as_completed(futures), start=1):
                experiment, seed, effort = job = futures[future]
                name = f"{experiment} seed {seed} effort {effort}"
                minutes = (time.perf_counter() - start) / 60
                progress = f"{count} of {len(missing)}, {minutes:.0f} min"
                if error := future.exception():
                    failed += 1
                    print(f"{progress}: {name} FAILED: {error!r}", file=sys.stderr, flush=True)
                    continue
                values, seconds = future.result()
                entry = {"seed": seed, "effort": effort, "seconds": round(seconds, 1)}
                for chapter in jobs[job]:
                    mine = results[chapter][experiment]
                    mine["date"] = datetime.date.today().isoformat()
                    others = [r for r in mine["runs"] if (r["seed"], r["effort"]) != job[1:]]
                    mine["runs"] = [*others, {**entry, "values": values}]
                    write(chapter, results[chapter])
                print(f"{progress}: {name} took {seconds:.0f} s", flush=True)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            print("Stopped; run it again to go on.", file=sys.stderr)
            raise SystemExit(130) from None
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
