"""Pages: one build at a time, and what an incremental build forgets."""
