"""Random walks: what the small book computes with."""
