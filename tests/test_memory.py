"""Training where memory is limited."""

from __future__ import annotations

import pytest

from bnlab.runs import memory


@pytest.mark.parametrize(
    ("gib", "workers"), [(1, 1), (2, 1), (3, 1), (3.5, 2), (8, 5), (1000, 768)]
)
def test_as_many_networks_train_as_fit_into_a_container_s_memory(
    gib: float, workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_CGROUPS", ())
    monkeypatch.setenv("MEM_LIMIT", str(int(gib * memory.GIB)))
    assert memory.workers() == workers


def test_the_smaller_of_two_limits_counts(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = tmp_path_factory.mktemp("cgroup") / "memory.max"
    monkeypatch.setattr(memory, "_CGROUPS", (control,))
    monkeypatch.delenv("MEM_LIMIT", raising=False)
    assert memory.limit() is None
    control.write_text("max\n", "ascii")
    assert memory.limit() is None
    control.write_text(f"{3 * memory.GIB}\n", "ascii")
    assert memory.limit() == 3 * memory.GIB
    monkeypatch.setenv("MEM_LIMIT", str(2 * memory.GIB))
    assert memory.limit() == 2 * memory.GIB
