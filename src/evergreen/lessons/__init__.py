"""Lessons: what their outputs depend on, and executing those whose outputs are missing."""
