"""Run a management command of the sandbox: prepare, register, serve or one of Django's."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    # Set, not defaulted: the shell may hold the console's own settings module.
    os.environ["DJANGO_SETTINGS_MODULE"] = "sandbox.settings"
    execute_from_command_line(["python -m sandbox", *sys.argv[1:]])
