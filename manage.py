#!/usr/bin/env python
"""Run a management command; from a bare checkout it runs in the demo's environment."""

import os
import sys

from console.demo.environment import use_demo_environment


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    if "SECRET_KEY" not in os.environ:
        use_demo_environment()

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
