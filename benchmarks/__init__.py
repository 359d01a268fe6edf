"""How fast the course trains and builds, beside other ways to do the same work."""
