"""Jobs: what beat starts, when, what makes it safe to run twice, and how it last went."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe

from flowlet.backoffice.cards import HOUSE, HouseLine, HouseState
from flowlet.backoffice.cells import Badge, Main, ago, minute
from flowlet.backoffice.frame import page
from flowlet.backoffice.jobs import overdue_after
from flowlet.backoffice.lists import Column
from flowlet.backoffice.models import JobRun
from flowlet.backoffice.navigation import Item
from flowlet.backoffice.panels import table_panel
from flowlet.backoffice.people import Person
from flowlet.backoffice.site import register_page
from flowlet.core import clock
from flowlet.settings.jobs import JOBS, Job


@dataclass(frozen=True, slots=True)
class JobState:
    """A job of the table, and its latest run, if there was one."""

    job: Job
    run: JobRun | None
    now: datetime

    @property
    def overdue(self) -> bool:
        """Tell whether the next run should have been seen by now."""
        return self.run is not None and overdue_after(self.job.task, self.run.started_at) < self.now

    @property
    def failed(self) -> bool:
        """Tell whether the latest run failed."""
        return self.run is not None and self.run.outcome == JobRun.Outcome.FAILED

    def badge(self) -> Badge:
        """Return the state as a badge."""
        if self.run is None:
            return Badge("Not run yet")
        if self.failed:
            return Badge("Failed", "bad")
        return Badge("Overdue", "warn") if self.overdue else Badge("Done", "ok")

    def latest(self) -> object:
        """Return when it last ran, over what that run did or why it failed, and how long it took."""
        if self.run is None:
            return ""
        took = f"{self.run.duration_ms:,} ms"
        if self.failed:
            return Main(minute(self.run.started_at), f"{self.run.latest_failure} · {took}")
        done = f"{int(self.run.result):,} handled" if self.run.result.isdecimal() else self.run.result
        return Main(minute(self.run.started_at), f"{done} · {took}" if done else took)

    def counts(self) -> object:
        """Return how often it ran, over how often that failed."""
        if self.run is None:
            return ""
        return Main(f"{self.run.runs:,}", f"{self.run.failures:,} failed")


def job_states(now: datetime) -> Sequence[JobState]:
    """Return every job of the table with its latest run; one query."""
    runs = {run.task: run for run in JobRun.objects.all()}
    return [JobState(job, runs.get(job.task), now) for job in JOBS]


COLUMNS = (
    Column(title="Job", cell=lambda s: Main(s.job.title, s.job.task, mono=True)),
    Column(title="Schedule", cell=lambda s: s.job.schedule_text, width="m"),
    Column(title="State", cell=JobState.badge, width="s"),
    Column(title="Latest run", cell=JobState.latest, width="l"),
    Column(title="Runs", cell=JobState.counts, width="s", right=True, hide="m"),
    Column(title="Why it may run twice", cell=lambda s: s.job.safe[:1].upper() + s.job.safe[1:], hide="m"),
)


@register_page(
    route="jobs/",
    name="jobs",
    permission="backoffice.view_jobrun",
    navigation=Item(
        title="Jobs",
        url_name="admin:jobs",
        group="Control",
        icon="refresh-cw",
        permission="backoffice.view_jobrun",
        order=40,
    ),
)
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """Answer the page of jobs."""
    return page(
        request,
        "admin/change_form.html",
        title="Jobs",
        summary="What the scheduler starts, and how it last went",
        path=[("Control", "")],
        panels=[table_panel("Scheduled jobs", columns=COLUMNS, rows=job_states(clock.now()))],
        side_panels=[],
    )


def _house(_person: Person, now: datetime) -> HouseState:
    states = job_states(now)
    href = reverse("admin:jobs")
    failed = [state for state in states if state.failed]
    late = [state for state in states if state.overdue]
    latest = max((state.run.started_at for state in states if state.run), default=None)
    if failed:
        return HouseState(text="Failing", tone="bad", note=f"{failed[0].job.title}: failed", href=href)
    if latest is None:
        return HouseState(text="Not running", tone="warn", note="No job has run yet", href=href)
    if late:
        return HouseState(
            text="Late", tone="warn", note=f"{len(late)} of {len(states)} jobs are overdue", href=href
        )
    return HouseState(text="Running", tone="ok", note=f"Latest {ago(latest, now)}", href=href)


HOUSE.register("jobs")(HouseLine(title="Jobs", permission="backoffice.view_jobrun", state=_house, order=20))
