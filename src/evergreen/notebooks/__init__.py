"""Every lesson as a notebook of its own, and where readers open it."""
