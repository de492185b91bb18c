"""``python -m dagster_project`` is the ``nightshift`` command."""

from dagster_project.cli import main

if __name__ == "__main__":
    main()
