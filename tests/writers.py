"""What goes on while something is installed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg


class Writer:
    """An application that writes a task all the time; a write that fails is an error."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.written = 0
        self.stop = threading.Event()
        self.pool = ThreadPoolExecutor(1)

    def work(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as session:
            while not self.stop.is_set():
                session.execute(
                    "UPDATE django_celery_beat_periodictask SET enabled = NOT enabled"
                    " WHERE id = (SELECT min(id) + %s FROM django_celery_beat_periodictask)",
                    [self.written % 20],
                )
                self.written += 1

    def __enter__(self) -> "Writer":
        self.done = self.pool.submit(self.work)
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop.set()
        self.done.result()
        self.pool.shutdown()
