"""Measure training and building side by side with their peers, on this machine.

Writes ``benchmarks/results.json``, which the page "How fast, and why" shows, once every part
is measured. Until then results are kept in ``results.part`` as they come: after an
interruption, ``--only`` measures what is not there yet.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchmarks import builds, inference, machine, rungs, training
from bnlab import catalogue

LESSONS = (20, 40)


def rounded(value: Any) -> Any:
    """Round every number in a tree to six digits: more is noise."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, dict):
        return {key: rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(inner) for inner in value]
    return value


def table(rows: Iterable[Sequence[str]]) -> str:
    rows = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in rows
    )


def summary(results: dict[str, Any]) -> str:
    """Return the results as text: medians, ratios, bound and limits."""
    parts = []
    if part := results.get("training"):
        header = ("", "seconds", "ratio", "CPU s", "GiB", *catalogue.NOTEBOOK)
        rows = [
            (
                part["titles"][name],
                f"{row['seconds']:.1f}",
                f"{row['ratio']:.2f}",
                f"{row['cpu_seconds']:.1f}",
                f"{row['peak_gib']:.2f}",
                *(f"{seconds:.2f}" for seconds in row["epoch_seconds"].values()),
            )
            for name, row in part["summary"].items()
        ]
        if "bound" in part:
            bound = part["bound"]["all_cores"]
            total = part["epochs"] * sum(bound.values())
            ratio = total / part["summary"][training.REFERENCE]["seconds"]
            each = (f"{seconds:.2f}" for seconds in bound.values())
            rows.append(("The bound", f"{total:.1f}", f"{ratio:.2f}", "", "", *each))
        parts.append(table([header, *rows]))
        parts += [f"  missing: {part['titles'][n]}: {why}" for n, why in part["missing"].items()]
    if part := results.get("builds"):
        rows = [(part["titles"][name], f"{value:.1f} s") for name, value in part["seconds"].items()]
        sizes = part.get("kib_per_run", {})
        rows += [(f"Stored run, {name}", f"{value:.0f} KiB") for name, value in sizes.items()]
        parts.append(table(rows))
    if part := results.get("growth"):
        header = ("lessons", "first build", "nothing changed")
        rows = [
            (str(row["count"]), f"{row['first']:.1f} s", f"{row['unchanged']:.1f} s")
            for row in part["lessons"]
        ]
        parts.append(table([header, *rows]))
    limits = [limit for part in results.values() for limit in part.get("limits", [])]
    rows = [
        (
            limit["what"],
            f"{limit['value']:.2f} {limit['unit']}",
            f"at most {limit['at_most']:g}",
            "kept" if limit["kept"] else "NOT KEPT",
        )
        for limit in limits
    ]
    return "\n\n".join([*parts, table(rows)] if rows else parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", choices=("training", "builds", "rungs", "inference", "growth"), action="append"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=Path, help="instead of benchmarks/results.json")
    parser.add_argument(
        "--quick",
        action="store_true",
        help="two epochs, one round, stored runs: shows that all works, and measures nothing",
    )
    chosen = parser.parse_args()
    epochs, rounds = (2, 1) if chosen.quick else (10, chosen.rounds)
    output = chosen.output or (
        machine.ROOT / "_build" / "quick.json" if chosen.quick else machine.RESULTS
    )
    # The site is built meanwhile, with the page that shows the output of the last time.
    draft = output.with_suffix(".part")
    results: dict[str, Any] = {}
    for path in (output, draft):
        if path.is_file():
            results |= json.loads(path.read_text("utf-8"))

    def say(line: str) -> None:
        print(line, flush=True)

    parts = {
        "training": lambda write: training.run(rounds, epochs, write, say),
        "builds": lambda write: builds.run(rounds, epochs, write, say, trained=chosen.quick),
        "rungs": lambda write: rungs.run(2 if chosen.quick else rungs.ROUNDS, write, say),
        "inference": lambda write: inference.run(write, say),
        "growth": lambda write: builds.grow((18,) if chosen.quick else LESSONS, write, say),
    }
    for part in chosen.only or parts:

        def write(content: dict[str, Any], part: str = part) -> None:
            results[part] = rounded(content)
            draft.parent.mkdir(exist_ok=True)
            draft.write_text(json.dumps(results, indent=1) + "\n", "utf-8")

        say(f"{part.capitalize()}:")
        try:
            parts[part](write)
        except machine.BenchmarkError as error:
            sys.exit(f"benchmarks: {error}")
    say(f"\n{summary(results)}\n")
    if left := parts.keys() - results.keys():
        say(f"Kept in {draft}. Not measured yet: {', '.join(sorted(left))}.")
    else:
        draft.replace(output)
        say(f"Written to {output}.")


if __name__ == "__main__":
    main()
