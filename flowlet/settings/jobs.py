"""Every job that beat starts: the one table behind the schedule, the admin's page of jobs and the README."""

from dataclasses import dataclass

from celery.schedules import crontab


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """
    A task on a schedule: every `every_s` seconds, or at `at` (hour and minute, UTC, daily).

    `title` says what it does, `safe` what makes it safe to run twice. A beat that no worker took within `expires_s`
    seconds is dropped: the next one does the same work. `queue` names the workers that take it.
    """

    task: str
    title: str
    safe: str
    every_s: float = 0
    at: tuple[int, int] | None = None
    expires_s: int = 30
    queue: str = "celery"

    @property
    def schedule(self) -> float | crontab:
        """Return the schedule as Celery takes it."""
        return self.every_s if self.at is None else crontab(hour=str(self.at[0]), minute=str(self.at[1]))

    @property
    def schedule_text(self) -> str:
        """Return the schedule in words."""
        if self.at is not None:
            return f"daily at {self.at[0]:02}:{self.at[1]:02} UTC"
        if self.every_s >= 60 and self.every_s % 60 == 0:  # noqa: PLR2004 - seconds of a minute
            return "every minute" if self.every_s == 60 else f"every {self.every_s / 60:g} minutes"  # noqa: PLR2004
        return "every second" if self.every_s == 1 else f"every {self.every_s:g} seconds"


JOBS: tuple[Job, ...] = (
    # --- events -----------------------------------------------------------------------------------------------------
    Job(
        task="events.relay",
        title="Hands new events to their receivers",
        safe="takes rows with SKIP LOCKED; each receiver ignores an event it has seen",
        every_s=1,
        expires_s=5,
    ),
    # --- integrations -----------------------------------------------------------------------------------------------
    Job(
        task="integrations.process_vendor_events",
        title="Works on webhooks that vendors sent",
        safe="one row per vendor event id, locked while it is worked on, final once done",
        every_s=5,
    ),
    Job(
        task="integrations.give_back_links",
        title="Gives back access to banks that customers unlinked",
        safe="only links that wait for it; giving access back twice does no harm",
        every_s=300,
        expires_s=280,
    ),
    # --- notifications ----------------------------------------------------------------------------------------------
    Job(
        task="notifications.send_due",
        title="Sends messages that wait",
        safe="a message is claimed before it is sent and has one id at the vendor",
        every_s=5,
    ),
    Job(
        task="notifications.send_codes",
        title="Sends one-time codes",
        safe="a code is claimed before it is sent; one whose worker died ends, and a new one can be asked for",
        every_s=2,
        expires_s=10,
    ),
    # --- payments ---------------------------------------------------------------------------------------------------
    Job(
        task="payments.send_attempts",
        title="Sends planned payments and refunds to their rail",
        safe="our reference is the vendor's idempotency key; SENT is written before the call",
        every_s=2,
        expires_s=10,
    ),
    Job(
        task="payments.check_attempts",
        title="Asks the rails about payments without a known outcome",
        safe="only reads at the vendor; settling locks the payment and final states stay",
        every_s=15,
    ),
    Job(
        task="payments.cancel_unconfirmed",
        title="Cancels payments that were not confirmed in time",
        safe="locks the payment; only one that still waits is canceled",
        every_s=60,
        expires_s=50,
    ),
    # --- approvals --------------------------------------------------------------------------------------------------
    Job(
        task="backoffice.expire_approvals",
        title="Closes requests that no second person decided in time",
        safe="only a waiting request expires; the update is conditional",
        every_s=60,
        expires_s=50,
    ),
    Job(
        task="payments.read_transfer_events",
        title="Reads what became of bank transfers",
        safe="a place in the vendor's list that only goes forward; settling ignores what it knows",
        every_s=300,
        expires_s=280,
    ),
    # --- ledger and wallets -----------------------------------------------------------------------------------------
    Job(
        task="ledger.expire_holds",
        title="Gives back held money whose time is over",
        safe="an expired hold is final; the database refuses a second expiry",
        every_s=10,
    ),
    Job(
        task="ledger.issue_statements",
        title="Issues the official statements of months that are over",
        safe="a day has one statement, numbers continue; the database refuses any other",
        at=(1, 10),
        expires_s=3_600,
    ),
    Job(
        task="ledger.run_exports",
        title="Makes the exports that were asked for",
        safe="each export is claimed; files that are finished stay, others are written anew",
        every_s=5,
    ),
    Job(
        task="ledger.expire_exports",
        title="Deletes exports that were kept long enough",
        safe="an expired export is final; what is gone is gone",
        every_s=3_600,
        expires_s=3_000,
    ),
    Job(
        task="ledger.realise_results",
        title="Books what currency deals earned or lost",
        safe="goes on after the last posting that was worked out; the database refuses to work one out twice",
        every_s=300,
        expires_s=280,
    ),
    Job(
        task="wallets.expire_quotes",
        title="Closes exchange quotes whose time is over",
        safe="only an open quote expires; the database refuses to open it again",
        every_s=60,
        expires_s=50,
    ),
    Job(
        task="ledger.make_periods",
        title="Makes the months of the books ahead",
        safe="each month follows the one before and is made once; the database refuses gaps and overlaps",
        at=(0, 20),
        expires_s=3_600,
    ),
    Job(
        task="ledger.continue_closes",
        title="Does the steps of a close that has begun",
        safe="each step is recorded with its own postings in one transaction and done once for each attempt",
        every_s=20,
    ),
    Job(
        task="ledger.accept_bank_files",
        title="Reads bank files that wait",
        safe="what was accepted stays; what was interrupted goes on at the line where it stopped",
        every_s=20,
    ),
    Job(
        task="ledger.match_lines",
        title="Matches bank lines with postings",
        safe="a line is matched once, as the database sees to; what somebody settled meanwhile is left out",
        every_s=900,
        expires_s=600,
    ),
    Job(
        task="ledger.age_breaks",
        title="Raises breaks for postings that no bank shows",
        safe="one live break per posting, as a constraint sees to",
        at=(5, 30),
        expires_s=3600,
    ),
    Job(
        task="ledger.prove_safeguarding",
        title="Proves yesterday's client money",
        safe="the same standing makes no second proof",
        at=(6, 0),
        expires_s=3600,
    ),
    Job(
        task="ledger.read_processor_lines",
        title="Fetches what moved our balance at Stripe",
        safe="a line is stored once, under the processor's own id",
        at=(4, 10),
        expires_s=3_600,
    ),
    Job(
        task="ledger.post_queued",
        title="Posts what waits in the queue, a hundred in one call",
        safe="takes rows with SKIP LOCKED; the ledger posts each key once",
        every_s=5,
    ),
    Job(
        task="ledger.open_shards",
        title="Opens the shards of busy accounts that the setting asks for",
        safe="an account has each shard once",
        at=(0, 20),
        expires_s=3600,
    ),
    Job(
        task="ledger.make_partitions",
        title="Makes the months ahead where postings are parted by month, or says that it is time to part them",
        safe="a month that is there is left alone",
        at=(0, 10),
        expires_s=3600,
    ),
    Job(
        task="wallets.run_movements",
        title="Carries out deposits and withdrawals that wait for the next run",
        safe="each is locked and ends once; its posting has its own key",
        every_s=60,
        expires_s=50,
    ),
    Job(
        task="ledger.seal",
        title="Seals what was booked into blocks",
        safe="one sealer at a time; a transaction is in one block, the database refuses a second",
        every_s=1,
        expires_s=5,
    ),
    Job(
        task="ledger.anchor",
        title="Signs the latest block and writes it outside the database",
        safe="a block has one anchor; a place keeps the first of two equal files",
        every_s=3_600,
        expires_s=3_000,
    ),
    Job(
        task="ledger.verify_nightly",
        title="Proves the ledger: the last day, on Sundays all of it",
        safe="only reads; one check at a time",
        at=(4, 10),
        expires_s=3_600,
    ),
    # --- cards ------------------------------------------------------------------------------------------------------
    Job(
        task="cards.expire_authorizations",
        title="Gives back what card authorisations hold beyond their time",
        safe="an expiry is one message under the authorisation's reference, taken once",
        every_s=60,
        expires_s=50,
    ),
    # --- identities -------------------------------------------------------------------------------------------------
    Job(
        task="compliance.check_identities",
        title="Runs identity checks that could not run",
        safe="each run locks the customer and has a number; only a waiting file is checked",
        every_s=60,
        expires_s=50,
    ),
    # --- monitoring -------------------------------------------------------------------------------------------------
    Job(
        task="compliance.run_scenarios",
        title="Looks at new movements by every scenario",
        safe="takes windows with SKIP LOCKED; alerts are keyed by the movements, not by the run",
        every_s=300,
        expires_s=240,
    ),
    Job(
        task="compliance.sweep_activities",
        title="Finds movements that monitoring missed",
        safe="a movement is stored once per transaction, wallet and side",
        at=(3, 40),
        expires_s=3_600,
    ),
    # --- reports to authorities -------------------------------------------------------------------------------------
    Job(
        task="compliance.build_currency_reports",
        title="Sums up each person's cash of a day and makes the reports that are due",
        safe="a person and day has one report; amounts change only until it is in a file",
        at=(1, 30),
        expires_s=3600,
    ),
    # --- fraud ------------------------------------------------------------------------------------------------------
    Job(
        task="fraud.train_queued",
        title="Trains the fraud models that were asked for",
        safe="a run is taken with SKIP LOCKED, makes at most one model and is final once done",
        every_s=60,
        expires_s=50,
        queue="training",
    ),
    # --- assistant --------------------------------------------------------------------------------------------------
    Job(
        task="assistant.delete_old_chats",
        title="Deletes support chats that were kept long enough",
        safe="only chats whose time is over; what is gone is gone",
        at=(2, 40),
        expires_s=3600,
    ),
    # --- analytics --------------------------------------------------------------------------------------------------
    Job(
        task="analytics.refresh_slices",
        title="Works out again the figures of days that events touched",
        safe="takes marks with SKIP LOCKED and replaces a whole day from its sources",
        every_s=10,
    ),
    Job(
        task="analytics.reconcile_facts",
        title="Compares the figures with the books",
        safe="replaces the differences it found before",
        at=(2, 30),
        expires_s=3_600,
    ),
    Job(
        task="analytics.send_points",
        title="Sends points to InfluxDB, if there is one",
        safe="a point sent twice overwrites itself",
        every_s=5,
    ),
)


JOBS_BY_TASK = {job.task: job for job in JOBS}


def beat_schedule() -> dict[str, dict[str, object]]:
    """Return the schedule as Celery's `beat_schedule` takes it, with options as the scheduler in the database names them."""
    return {
        job.task: {
            "task": job.task,
            "schedule": job.schedule,
            "options": {"expire_seconds": job.expires_s, "queue": job.queue},
        }
        for job in JOBS
    }
