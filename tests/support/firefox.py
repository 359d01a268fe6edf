"""What JavaScript gives in the system's Firefox, which needs no driver for it."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import queue
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

_PATIENCE = 120  # seconds
_PAGE = """<!doctype html>
<script type="module">
  const tell = (told) => fetch("/told", { method: "POST", body: JSON.stringify(told) });
  try {
    tell([true, await (%s)()]);
  } catch (error) {
    tell([false, String(error)]);
  }
</script>
"""


class _Told(http.server.SimpleHTTPRequestHandler):
    """Serves a folder, and keeps what its page tells."""

    def __init__(self, *arguments: Any, told: queue.Queue[bytes], **kind: Any) -> None:
        self._told = told
        super().__init__(*arguments, **kind)

    def do_POST(self) -> None:
        self._told.put(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        pass


def evaluate(code: str, site: Path, profile: Path) -> Any:
    """Return what a function in JavaScript resolves to, on a page of a folder's own host.

    The folder gets the page as ``index.html``; the profile is an empty folder.
    """
    program = shutil.which("firefox") or shutil.which("firefox-esr")
    if program is None:
        pytest.skip("There is no Firefox; install it (on Debian: apt install firefox-esr).")
    (site / "index.html").write_text(_PAGE % code, "utf-8")
    told: queue.Queue[bytes] = queue.Queue()
    handler = functools.partial(_Told, directory=str(site), told=told)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        command = [program, "--headless", "--no-remote", "--profile", profile, address]
        quiet = subprocess.DEVNULL
        firefox = subprocess.Popen(command, stdout=quiet, stderr=quiet, start_new_session=True)
        try:
            for _ in range(_PATIENCE):
                with contextlib.suppress(queue.Empty):
                    good, value = json.loads(told.get(timeout=1))
                    break
                if firefox.poll() is not None:
                    break
            else:
                pytest.fail(f"{program} said nothing within {_PATIENCE} seconds.")
            if firefox.poll() is not None:
                pytest.skip(f"{program} cannot run here: it ended with {firefox.returncode}.")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(firefox.pid, signal.SIGTERM)
            firefox.wait()
            server.shutdown()
    assert good, value
    return value
