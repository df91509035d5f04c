"""The objects and their history in memory and in one SQLite file; group commit, and nothing shown before it."""
