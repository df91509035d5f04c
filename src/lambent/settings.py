"""Settings: nested frozen dataclasses; `a.b` in a file is `LAMBENT_A_B` in the environment and `--a-b` as a flag.

(Filled by the packages' needs; see docs/reference/settings.md.)
"""
