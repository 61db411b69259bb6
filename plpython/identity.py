"""Whose schedule is it?  What a periodic task's own row says about its identity.

Pure functions of their arguments; installed like ``next_run.py``.  The name of the pipeline, and
better ids, come from the pipeline's row by key; that join is SQL.

And can it be run?  Arguments are read as Beat reads them: by kombu's rules, and then whatever is
empty is nothing, and all that can be iterated is positional arguments.
"""

import hashlib
import json
import re
import uuid
from itertools import accumulate, islice
from typing import Any

# Names that are a UUID the way Postgres and Python print one.  Other spellings of the same number
# are other names, so two names never claim one mirror row.
CANONICAL_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
# The version-5 UUIDs of all other names live in this namespace.
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://pypi.org/project/django-celery-beat/").bytes
EMPTY: dict[type, str] = {list: "[]", dict: "{}"}
KINDS: dict[type, str] = {str: "text", bool: "true or false", list: "an array", dict: "an object"}
KINDS |= {int: "a number", float: "a number"}
# Tasks whose positional arguments are [workflow_id, organization_id, ...].
POSITIONAL_TASKS = (
    "scheduler.tasks.execute_pipeline_task",
    "scheduler.tasks.execute_pipeline_task_v2",
)
POSITIONS = 2
# Lists and objects in each other.  Python gives up at about a thousand, sooner where more has been
# called, so what can be read here need not be readable for Beat.
LEVELS = 900
NO_BRACKETS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[^]["{}]+', re.DOTALL)


def pipeline_id_of(name: str) -> str:
    """The mirror's key: the name itself if it is a UUID, else the version-5 UUID of the name."""
    if CANONICAL_UUID.fullmatch(name):
        return name
    digits = hashlib.sha1(NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digits[16], 16) % 4]
    return (  # uuid.uuid5(), without its detours
        f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"
    )


class MarkedError(Exception):
    """A value with a __type__ that kombu cannot read.  Without words: they would quote it."""


def unmarked(found: dict[str, Any]) -> Any:
    """Of an object of JSON that kombu has marked with its own type: the value."""
    if found.keys() != {"__type__", "__value__"}:
        return found
    try:
        return value_of(found["__type__"], found["__value__"])
    except Exception:  # what Beat calls fails in as many ways
        raise MarkedError from None


def value_of(kind: Any, value: Any) -> Any:
    """As kombu.utils.json.  What it need not import for other schedules is imported here."""
    import base64
    import datetime
    import decimal

    if kind == "bytes":
        return value.encode()
    if kind == "base64":
        return base64.b64decode(value.encode())
    if kind == "datetime":
        return datetime.datetime.fromisoformat(value)
    if kind == "date":
        return datetime.datetime.fromisoformat(value).date()
    if kind == "time":
        return datetime.time.fromisoformat(value)
    if kind == "decimal":
        return decimal.Decimal(value)
    if kind == "uuid":
        found = uuid.UUID(**value)
        str(found)  # as whoever sends it does; of a fraction it cannot be done
        return found
    raise MarkedError


def load_json(text: str | None, column: str, kind: type, errors: list[str]) -> Any:
    """What Beat makes of the column, of an array no more than is read here; or the empty value,
    with the reason kept why it would not send it."""
    if not text or text == EMPTY[kind]:  # Beat reads NULL and '' as empty
        return kind()
    # Most have none, and without it takes two thirds of the time.
    hook = unmarked if "__type__" in text or "\\u" in text else None
    try:
        if text.count("[") + text.count("{") > LEVELS and is_too_deep(text):
            raise RecursionError
        value = json.loads(text, object_hook=hook)
    except MarkedError:
        errors.append(f"{column} has a __type__ that cannot be read")
        return kind()
    except RecursionError:
        errors.append(f"{column} is nested more than {LEVELS} levels deep")
        return kind()
    except ValueError as error:
        errors.append(f"{column} is not JSON: {in_words(error)}")
        return kind()
    if isinstance(value, kind):
        return value
    if column != "headers":  # Beat writes into those
        if not value:
            return kind()
        if kind is list and hasattr(value, "__iter__"):
            return list(islice(value, POSITIONS))
    wanted = "an object" if kind is dict else "an array"
    errors.append(f"{column} is JSON but not {wanted}")
    return kind()


def in_words(error: ValueError) -> str:
    """Python 3.13 has other words for a comma too many: those of before, since they are stored."""
    if not isinstance(error, json.JSONDecodeError) or not error.msg.startswith("Illegal trailing"):
        return str(error)
    left = error.doc[error.pos + 1 :].lstrip(" \t\n\r")
    fault = "Expecting property name enclosed in double quotes"
    if left.startswith("]"):
        fault = "Expecting value"
    return str(json.JSONDecodeError(fault, error.doc, len(error.doc) - len(left)))


def is_too_deep(text: str) -> bool:
    """By its brackets outside strings; of what is no JSON nobody need know more."""
    brackets = NO_BRACKETS.sub("", text)
    return max(accumulate(1 if c in "[{" else -1 for c in brackets), default=0) > LEVELS


def kind_of(value: Any) -> str:
    """In words: who reads ``sync_error`` may not be one to read arguments, which may be secret.

    Text is quoted that is too short for that, or is what ``str(None)`` left.
    """
    if isinstance(value, str) and (len(value) <= 2 or value == "None"):
        return json.dumps(value)
    return KINDS.get(type(value), f"a {type(value).__name__}")


def uuid_or_none(value: Any, where: str, errors: list[str]) -> str | None:
    """NULL stays NULL; what is there but no UUID is an error, never a placeholder."""
    if value is None:
        return None
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, str) and CANONICAL_UUID.fullmatch(value):
        return value
    try:
        return str(uuid.UUID(value))
    except (ValueError, TypeError, AttributeError):
        errors.append(f"{where} is {kind_of(value)}, which is not a UUID")
        return None


def text_or_empty(value: Any, where: str, errors: list[str]) -> str:
    """Text or a number as text; ``str(None)`` and structures are errors."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (str, int, uuid.UUID)) or value == "None":
        errors.append(f"{where} is {kind_of(value)}, which is not an id or a name")
        return ""
    # JSON can hold what Postgres text cannot: NUL and lone surrogates
    return str(value).replace("\x00", "").encode("utf-8", "replace").decode()


Identity = tuple[str, str | None, str, str, str, str | None, bool]


def identity_of(
    name: str, task: str, args_text: str, kwargs_text: str, headers_text: str | None
) -> Identity:
    """(pipeline_id, workflow_id, organization_id, pipeline_name, identity_source, error, runnable)

    Not runnable is what Beat disables when it loads the row, or fails to load, or to send.
    """
    errors: list[str] = []
    args = load_json(args_text, "args", list, errors)
    kwargs = load_json(kwargs_text, "kwargs", dict, errors)
    load_json(headers_text, "headers", dict, errors)
    runnable = not errors
    workflow, organization, pipeline_name, source = None, "", "", "none"
    if kwargs.keys() & {"pipeline_id", "workflow_id", "organization_id", "pipeline_name"}:
        source = "kwargs"
        uuid_or_none(kwargs.get("pipeline_id"), "kwargs.pipeline_id", errors)
        workflow = uuid_or_none(kwargs.get("workflow_id"), "kwargs.workflow_id", errors)
        organization = text_or_empty(
            kwargs.get("organization_id"), "kwargs.organization_id", errors
        )
        pipeline_name = text_or_empty(kwargs.get("pipeline_name"), "kwargs.pipeline_name", errors)
    elif args and task in POSITIONAL_TASKS:
        source = "args"
        workflow = uuid_or_none(args[0], "args[0] (workflow_id)", errors)
        if len(args) > 1:
            organization = text_or_empty(args[1], "args[1] (organization_id)", errors)
    return (
        pipeline_id_of(name),
        workflow,
        organization,
        pipeline_name,
        source,
        "; ".join(errors).replace("\x00", "") or None,
        runnable,
    )


def identities_of(
    names: list[str],
    tasks: list[str],
    args: list[str],
    kwargs: list[str],
    headers: list[str | None],
) -> tuple[list[Any], ...]:
    """Many identities in one call: one list for each element of Identity."""
    rows = [identity_of(*row) for row in zip(names, tasks, args, kwargs, headers, strict=True)]
    return tuple([row[column] for row in rows] for column in range(7))
