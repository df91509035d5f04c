"""`lambent demo`: from nothing to an invoked function, told step by step, then cleaned up."""

from lambent.platform.demo.run import demonstrate

__all__ = ["demonstrate"]
