"""The table of a run, as ratios, and the goals it is held against."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_BEGIN, _END = "<!-- bench/post.py begins -->", "<!-- bench/post.py ends -->"
_CPU_GOAL, _ORM_GOAL, _HORDAK_GOAL = 5.0, 2.0, 2.0


@dataclass(frozen=True)
class Line:
    """One way: CPU seconds of client and server per transaction, transactions per second."""

    key: str
    title: str
    client: float
    server: float
    rate: float

    @property
    def cpu(self) -> float:
        """Client and server together."""
        return self.client + self.server


def _goals(lines: Sequence[Line]) -> list[tuple[str, float, float]]:
    by_key = {line.key: line for line in lines}
    naive, function = by_key["naive"], by_key["function"]
    return [
        ("CPU of the naive ORM / of the function", naive.cpu / function.cpu, _CPU_GOAL),
        ("CPU of the naive ORM / of the ORM through our guards", naive.cpu / by_key["orm"].cpu, _ORM_GOAL),
        (
            "postings per second of the function / of django-hordak",
            function.rate / by_key["hordak"].rate,
            _HORDAK_GOAL,
        ),
    ]


def goals_met(lines: Sequence[Line]) -> bool:
    """Tell whether each ratio reaches its goal."""
    return all(ratio >= goal for _, ratio, goal in _goals(lines))


def table(lines: Sequence[Line], load: str) -> str:
    """Return Markdown: ratios to the naive way, then the goals."""
    naive = lines[0]
    rows = [
        f"| {line.title} | {line.cpu / naive.cpu:.2f} | {line.client / naive.cpu:.2f} | {line.server / naive.cpu:.2f} "
        f"| {line.rate / naive.rate:.1f} |"
        for line in lines
    ]
    goals = [f"| {what} | {ratio:.1f} | {goal:.1f} |" for what, ratio, goal in _goals(lines)]
    return "\n".join(
        [
            f"Load: transfers of two legs between 1,000 accounts; {load}.",
            "",
            "| way | CPU | of it client | of it server | transactions per second |",
            "|---|---|---|---|---|",
            *rows,
            "",
            "| goal | measured | wanted at least |",
            "|---|---|---|",
            *goals,
        ]
    )


def write(path: Path, text: str) -> None:
    """Replace the marked part of the page."""
    page = path.read_text()
    head, _, rest = page.partition(_BEGIN)
    _, _, tail = rest.partition(_END)
    path.write_text(f"{head}{_BEGIN}\n{text}\n{_END}{tail}")
