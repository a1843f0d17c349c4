"""Measure how fast the objective is, next to its lower limit and to its peers.

    python benchmarks/run.py [--quick] [--only PART] [--output FOLDER]

Writes results.json, results.md (tables) and results.svg into the folder, by default
benchmarks/results. `--quick` leaves the large size out and repeats less; `--only` measures one
part anew (trainings, streams or dictionaries) and leaves the other results as they are.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from contenders import CONTENDERS, RULES, STREAMS, TRAININGS
from measure import HERE, SIZES, TRAINING_SIZES, in_process


def collect(quick: bool) -> dict[str, Any]:
    """Run every measurement and return what it gave."""
    seconds = 4.0 if quick else 15.0
    sizes = list(SIZES)[: 2 if quick else 3]
    results: dict[str, Any] = {"machine": in_process("machine"), "evaluations": []}
    # Where OpenBLAS does not know the processor, it uses kernels of an older one. Naming the
    # newer kernels is up to the user, so both are shown.
    settings = [{}]
    about = results["machine"]
    if "AVX-512" in about["processor"] and "Haswell" in about["BLAS"]:
        settings.append({"OPENBLAS_CORETYPE": "SkylakeX"})
    for setting in settings:
        for n_threads in (2,) if setting else (1, 2):
            for size in sizes:
                for dtype in ("float64", "float32"):
                    say(f"{size} {dtype}, {n_threads} threads {setting or ''}")
                    row = in_process(
                        "evaluations", n_threads, size, dtype, seconds,
                        n_cores=n_threads, **setting,
                    )  # fmt: skip
                    results["evaluations"].append(
                        {"size": size, "dtype": dtype, "threads": n_threads, **setting, **row}
                    )
    for part, measure in PARTS.items():
        results[part] = measure(quick)
    say("memory")
    m, n, h = 100_000, 100, 200
    results["memory"] = {
        "size": [m, n, h],
        "bytes": {
            name: in_process("peak_memory", name, m, n, h)
            for name in CONTENDERS
            if name not in ("five products", "PyTorch compiled")
        },
    }
    say("growth")
    results["growth"] = in_process("growth", 2, seconds, n_cores=2)
    say("start-up")
    results["start_up"] = in_process("start_up")
    return results


def trainings(quick: bool) -> list[dict[str, Any]]:
    """Time whole trainings to the same cost."""
    rows = []
    for size in list(TRAINING_SIZES)[: 2 if quick else 3]:
        for dtype in ("float64", "float32"):
            say(f"trainings, {size} {dtype}")
            row = in_process("training", size, dtype, 2, 20.0 if quick else 60.0, n_cores=2)
            rows.append({"size": size, "dtype": dtype, **row})
    return rows


def steps_of_a_stream(quick: bool) -> dict[str, Any]:
    """Time the steps on mini-batches of the network of 2011."""
    say("steps of a stream")
    return dict(in_process("steps_of_a_stream", 2, 4.0 if quick else 15.0, n_cores=2))


def steps_of_dictionaries(quick: bool) -> list[dict[str, Any]]:
    """Time the steps of a dictionary with one thread and two, in both dtypes."""
    seconds = 4.0 if quick else 15.0
    processor = in_process("machine")["processor"]
    rows = []
    for dtype in ("float32", "float64"):
        for n in (1, 2):
            say(f"steps of a dictionary, {dtype}, {n} threads")
            row = in_process("steps_of_a_dictionary", n, dtype, seconds, n_cores=n)
            rows.append({"processor": processor, **row})
    return rows


def say(text: str) -> None:
    """Print with the time of day: the whole takes minutes."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def tables(results: dict[str, Any]) -> str:
    """Return the results as Markdown."""
    about = results["machine"]
    lines = ["# Results", "", *[f"- {key}: {value}" for key, value in about.items()], ""]
    names = list(CONTENDERS)
    for coretype in (None, "SkylakeX"):
        rows = [r for r in results["evaluations"] if r.get("OPENBLAS_CORETYPE") == coretype]
        if not rows:
            continue
        title = "One evaluation of cost and gradient"
        lines += [
            f"## {title}" + (f" with OPENBLAS_CORETYPE={coretype}" if coretype else ""),
            "",
            "Median milliseconds and, in brackets, the median ratio to the five products of the "
            "same round with its quartiles.",
            "",
            "| rows x features, hidden | dtype | threads | " + " | ".join(names) + " |",
            "|---|---|---|" + "---|" * len(names),
        ]
        for row in rows:
            cells = []
            for name in names:
                t = row["times"].get(name)
                if t is None:
                    cells.append("does not work here")
                    continue
                low, high = t["ratio_quartiles"]
                cells.append(f"{1e3 * t['median']:.3g} ({t['ratio']:.2f}; {low:.2f} to {high:.2f})")
            lines.append(
                f"| {row['size']} | {row['dtype']} | {row['threads']} | " + " | ".join(cells) + " |"
            )
        lines.append("")
    failed = {name: why for row in results["evaluations"] for name, why in row["failed"].items()}
    lines += [f"{name} failed: {why}" for name, why in failed.items()]
    worst = max(max(row["distances"].values()) for row in results["evaluations"]
                if row["dtype"] == "float64")  # fmt: skip
    lines += [f"All contenders agree in float64 to {worst:.1e} (cost and gradient).", ""]
    peers = list(TRAININGS)
    lines += ["## Whole trainings on patches of photographs, two threads", "",
              "Median seconds to the cost that so many steps of saelib reach; with > where it was "
              "not reached, with the cost that was.", "",
              "| rows x features, hidden | dtype | steps | cost | " + " | ".join(peers) + " |",
              "|---|---|---|---|" + "---|" * len(peers)]  # fmt: skip
    for row in results["trainings"]:
        cells = []
        for name in peers:
            if name in row["failed"]:
                cells.append(row["failed"][name])
                continue
            s, cost = row["runs"][name]
            cells.append(f"{s:.2f}" if cost <= row["goal"] else f"> {s:.0f} ({cost:.4f})")
        known = f"| {row['size']} | {row['dtype']} | {row['steps']} | {row['goal']:.4f} | "
        lines.append(known + " | ".join(cells) + " |")
    streams = list(STREAMS)
    lines += ["", "## One step on a mini-batch, float64, two threads", "",
              "The median time of ten steps, divided by ten.", "",
              "| batch x features, hidden | " + " | ".join(f"{k}, ms" for k in streams) + " |",
              "|---|" + "---|" * len(streams)]  # fmt: skip
    for size, times in results["streams"].items():
        cells = [f"{1e3 * times[name]:.2f}" for name in streams]
        lines.append(f"| {size} | " + " | ".join(cells) + " |")
    lines += dictionary_table(results["dictionaries"])
    m, n, h = results["memory"]["size"]
    lines += ["", f"## Peak memory beyond X, {m:,} x {n}, {h} hidden, float64", "",
              "| | MB | in units of the hidden activations |", "|---|---|---|"]  # fmt: skip
    lines += [f"| {name} | {b / 1e6:.0f} | {b / (m * h * 8):.2f} |"
              for name, b in results["memory"]["bytes"].items()]  # fmt: skip
    lines += ["", "## Growth of the time of saelib (slope on log-log axes)", "",
              "| what grows | slope | milliseconds |", "|---|---|---|"]  # fmt: skip
    for name, g in results["growth"].items():
        times = ", ".join(f"{k}: {1e3 * t:.1f}" for k, t in g["times"].items())
        lines.append(f"| {name} | {g['slope']:.2f} | {times} |")
    lines += ["", "## Start-up", "", "| | seconds |", "|---|---|"]
    lines += [f"| `{name}` | {s:.2f} |" for name, s in results["start_up"].items()]
    return "\n".join(lines) + "\n"


PARTS: dict[str, Callable[[bool], Any]] = {
    "trainings": trainings,
    "streams": steps_of_a_stream,
    "dictionaries": steps_of_dictionaries,
}


def dictionary_table(rows: list[dict[str, Any]]) -> list[str]:
    """Return the table of the steps of a dictionary, a line per rule."""
    batch, n, n_hidden = rows[0]["size"]
    lines = ["", f"## One step of a dictionary, {batch:,} x {n}, {n_hidden} hidden", "",
             "Median milliseconds and, in brackets, the median ratio to the five products of the "
             "same round. Gated needs seven; of TopK and BatchTopK, which keep 32 units, saelib "
             f"computes two in full. Measured on {rows[0]['processor']}.", "",
             "| dtype | threads | five products | rule | saelib | PyTorch |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    for row in rows:
        floor = f"{1e3 * row['times']['five products']:.0f}"
        for rule in RULES:
            cells = [
                f"{1e3 * row['times'][k]:.0f} ({row['ratios'][k]:.2f})"
                if k in row["times"]
                else "does not work here"
                for k in (f"saelib, {rule}", f"PyTorch, {rule}")
            ]
            lines.append(
                f"| {row['dtype']} | {row['threads']} | {floor} | {rule} | {' | '.join(cells)} |"
            )
    failed = {name: why for row in rows for name, why in row["failed"].items()}
    return lines + [f"{name} failed: {why}" for name, why in failed.items()]


def plot(results: dict[str, Any], path: Path) -> None:
    """Draw the ratios to the floor, one panel per number of threads."""
    import matplotlib.pyplot as plt

    colours = {"saelib": "#009E73", "textbook numpy": "#999999", "PyTorch": "#D55E00",
               "PyTorch compiled": "#E69F00", "jax.jit": "#0072B2"}  # fmt: skip
    figure, axes = plt.subplots(1, 2, figsize=(11, 5), sharex=True, sharey=True)
    for axis, n_threads in zip(axes, (1, 2), strict=True):
        rows = [r for r in results["evaluations"]
                if r["threads"] == n_threads and "OPENBLAS_CORETYPE" not in r]  # fmt: skip
        for k, row in enumerate(rows):
            for name, colour in colours.items():
                if name in row["times"]:
                    t = row["times"][name]
                    axis.plot(t["ratio_quartiles"], [k, k], color=colour, lw=3, alpha=0.4)
                    axis.plot(t["ratio"], k, "o", color=colour, label=name if k == 0 else None)
        axis.axvline(1, color="black", lw=1)
        axis.set(
            xscale="log",
            title=f"{n_threads} thread{'s' * (n_threads > 1)}",
            xlabel="time / time of the five matrix products",
        )
        axis.set_yticks(range(len(rows)), [f"{r['size']}\n{r['dtype']}" for r in rows])
        axis.set_xticks([1, 1.5, 2, 3, 5], ["1", "1.5", "2", "3", "5"])
        axis.minorticks_off()
    axes[0].invert_yaxis()
    axes[1].legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path)


def main() -> None:
    """Measure, write and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, few repetitions")
    parser.add_argument("--only", choices=PARTS, help="measure this part anew")
    parser.add_argument("--output", type=Path, default=HERE / "results")
    arguments = parser.parse_args()
    begin = time.perf_counter()
    stored = arguments.output / "results.json"
    if arguments.only:
        results = json.loads(stored.read_text())
        results[arguments.only] = PARTS[arguments.only](arguments.quick)
    else:
        results = collect(arguments.quick)
    arguments.output.mkdir(parents=True, exist_ok=True)
    stored.write_text(json.dumps(results, indent=1) + "\n")
    (arguments.output / "results.md").write_text(tables(results))
    plot(results, arguments.output / "results.svg")
    print(tables(results))
    say(f"done in {time.perf_counter() - begin:.0f} s; see {arguments.output}")


if __name__ == "__main__":
    main()
