"""What holds for every test."""

from hypothesis import settings

# A busy machine is no failure: pytest's own limit per test bounds the time.
settings.register_profile("lambent", deadline=None)
settings.load_profile("lambent")
