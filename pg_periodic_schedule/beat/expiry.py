"""How long a message lives in the broker: by the database's clock, as its ``expires``."""

from typing import Any

LIFE = "life_by_database"  # the option of an entry that says it, in seconds


def by_database(producer: Any) -> Any:
    """Celery computes it by the clock of this host; RabbitMQ drops a message whose life is over."""

    class Producer(producer):  # type: ignore[misc]
        def publish(self, *args: Any, **properties: Any) -> Any:
            if (life := properties.pop(LIFE, None)) is not None:
                properties["expiration"] = life
            return super().publish(*args, **properties)

    return Producer
