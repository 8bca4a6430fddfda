"""Figures as a table for people and as JSON for machines."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number. `goal`: the bound; `most`: whether it bounds from above."""

    name: str
    value: float
    unit: str
    goal: float
    most: bool = True
    detail: str = ""

    @property
    def ok(self) -> bool:
        return self.value <= self.goal if self.most else self.value >= self.goal


def machine() -> str:
    """Cores, memory, processor, kernel, Python."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    model = "processor unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return (
        f"{len(os.sched_getaffinity(0))} cores ({model}), {memory:.0f} GiB, Linux {platform.release()}, "
        f"Python {platform.python_version()}"
    )


def number(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def table(figures: Sequence[Figure]) -> str:
    """Markdown: what, measured, goal, whether it is met, how."""
    lines = ["| what | measured | goal | met | how |", "|---|---|---|---|---|"]
    for figure in figures:
        bound = "at most" if figure.most else "at least"
        lines.append(
            f"| {figure.name} | {number(figure.value)} {figure.unit} | {bound} {number(figure.goal)} {figure.unit} "
            f"| {'yes' if figure.ok else '**no**'} | {figure.detail} |"
        )
    return "\n".join(line.replace("  ", " ") for line in lines)


def merge(path: Path, figures: Sequence[Figure]) -> None:
    """Keep the latest of each figure in a JSON file, with its date and machine."""
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    for figure in figures:
        known[figure.name] = {
            **asdict(figure),
            "ok": figure.ok,
            "measured_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "machine": machine(),
        }
    path.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")


def page(path: Path) -> str:
    """The docs' page from that JSON file."""
    known = json.loads(path.read_text("utf-8"))
    fields = ("name", "value", "unit", "goal", "most", "detail")
    figures = [Figure(**{field: entry[field] for field in fields}) for entry in known.values()]
    machines = sorted({entry["machine"] for entry in known.values()})
    dates = sorted({entry["measured_at"][:10] for entry in known.values()})
    return (
        "# Measured figures\n\n"
        "Made by `nvr bench all --keep docs/reference/figures.json --page docs/reference/figures.md`. Cameras, recorders,\n"
        "server and players of a figure all ran on the one machine at once; ratios compare within one run.\n\n"
        f"Machine: {'; '.join(machines)}. Measured: {', '.join(dates)}.\n\n{table(figures)}\n"
    )


def percentile(values: Sequence[float], share: float) -> float:
    """`share` 0.99 for p99; the nearest measured value above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def say(text: str) -> None:
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)
