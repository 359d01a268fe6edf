"""The same training, written by hand for one library a module; each is run as a process."""
