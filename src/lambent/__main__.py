"""`python -m lambent`."""

from lambent.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
