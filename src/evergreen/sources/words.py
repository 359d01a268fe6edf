"""Names by which code may do more than use what it names, and how it writes them."""

EXPLAINING = frozenset(
    {
        *("help", "inspect", "linecache", "pydoc", "get_type_hints", ".get_type_hints"),
        *("__doc__", ".__doc__", "__annotations__", ".__annotations__", ".__code__"),
        *("pdef", "pdoc", "pfile", "pinfo", "pinfo2", "psource"),  # of IPython, as are f? and f??
    }
)
"""Code reads code: docstrings, comments, annotations or lines."""

TELLING = frozenset(
    {
        *("traceback", ".__traceback__", ".__cause__", ".__context__", "exc_info", ".exc_info"),
        *(".exception", ".excepthook", ".captureWarnings", ".formatwarning", ".showwarning"),
    }
)
"""Code reads the texts of exceptions or warnings."""

OWN_NAMESPACE = frozenset({"eval", "exec", "globals", ".run_line_magic"})
"""Code reads any name of its own module."""

ANYTHING = frozenset(
    {
        *("__import__", "import_module", ".import_module", "sys.modules", "pkgutil", "runpy"),
        *(".__subclasses__", ".run_cell_magic"),
    }
)
"""Code reads what it does not name at all."""
