"""`chainwright worker`."""

from __future__ import annotations

import asyncio
import signal

import typer

from app import logs
from app.cli import console
from app.jobs.jobs import open_jobs
from app.jobs.work.worker import JobWorker
from app.settings.settings import Settings
from app.web.codes import Code
from app.web.problems import invalid


def worker(settings: Settings) -> None:
    """Work off jobs until a signal; exits with code 2 if the model cannot be loaded or there is no queue."""

    async def work() -> None:
        logs.configure()
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        async with open_jobs(settings) as jobs:
            if jobs is None:
                remedy = "set it, or CHAINWRIGHT_REDIS_URL, to the server that the service uses"
                raise invalid("CHAINWRIGHT_QUEUE_URL", Code.MISSING, "there is no queue to work off", remedy)
            async with console.engine(settings) as engine:
                taking = JobWorker(jobs, engine, settings.worker_items, settings.lease_seconds)
                async with taking.working():
                    typer.echo(f"worker {taking.name}", err=True)
                    await stop.wait()

    console.run(work())
