"""The sample project's settings, and those that a test gives as JSON."""

import json
import os

from sample.settings import *  # noqa: F403

globals().update(json.loads(os.environ["DJANGO_SETTINGS"]))
