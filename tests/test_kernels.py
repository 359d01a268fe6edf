"""What runs in the reader's browser is what its source says, and gives the same everywhere."""

from __future__ import annotations

import json
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest
from website import ROOT

LIVE = ROOT / "book" / "_static" / "live"


def in_node(code: str) -> str:
    """Return what JavaScript prints, which finds the page's modules in its folder."""
    command = ["node", "--input-type=module", "--eval", code]
    done = subprocess.run(command, cwd=LIVE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_committed_kernels_are_what_their_source_compiles_to(
    node: None, tmp_path: Path
) -> None:
    if not (ROOT / "node_modules" / "assemblyscript").is_dir():
        pytest.skip("The compiler is not there; run `npm ci`.")
    command = json.loads((ROOT / "package.json").read_text("utf-8"))["scripts"]["kernels"]
    binary = "book/_static/live/kernels.wasm"
    assert command.count(binary) == 1
    compiled = tmp_path / "kernels.wasm"
    words = command.replace(binary, str(compiled)).split()
    program = ROOT / "node_modules" / ".bin" / words[0]
    subprocess.run([program, *words[1:]], cwd=ROOT, check=True)
    assert compiled.read_bytes() == (ROOT / binary).read_bytes()


def test_the_kernels_use_nothing_that_differs_between_machines() -> None:
    binary = (LIVE / "kernels.wasm").read_bytes()
    assert len(binary) < 16 * 1024
    relaxed = bytes([0xFD, 0x80, 0x02])  # the first opcode of relaxed SIMD, as LEB128
    assert relaxed[:1] in binary, "no SIMD at all"
    assert not any(bytes([0xFD, 0x80 | low, 0x02]) in binary for low in range(0x14))


# The generator


def test_the_random_numbers_are_those_of_the_reference_implementation(node: None) -> None:
    # SplitMix64 from seed 1234567 (Rosetta Code), and xoshiro128** from a given state, as Vigna's
    # C code gives them.
    code = """
        import { Random, splitmix64 } from "./random.js";
        const seeds = splitmix64(1234567);
        const words = [0x964d4a0c, 0xd40ab895, 0xad7fdecb, 0x3006f0f0];
        const random = new Random(words);
        console.log([1, 2, 3].map(() => String(seeds.next().value)).join(" "));
        console.log(words.map(() => random.next()).join(" "));
    """
    seeds, numbers = in_node(code).splitlines()
    assert seeds.split() == ["6457827717110365317", "3203168211198807973", "9817491932198370423"]
    assert list(map(int, numbers.split())) == [0xF1391922, 0x6FE53806, 0xA5BE2840, 0xF510EE70]


def test_a_seed_s_streams_differ_and_repeat(node: None) -> None:
    code = """
        import { Random } from "./random.js";
        const drawn = [[1, 0], [1, 0], [1, 1], [2, 0], [4294967295, 0]].map(([seed, stream]) => {
            const random = Random.of(seed, stream);
            return [1, 2, 3].map(() => random.next()).join(" ");
        });
        console.log(JSON.stringify(drawn));
    """
    first, again, *others = json.loads(in_node(code))
    assert first == again
    assert len({first, *others}) == 4


def test_drawn_numbers_have_the_distributions_that_keras_draws_from(node: None) -> None:
    count = 200_000
    code = f"""
        import {{ Random }} from "./random.js";
        const random = Random.of(7);
        const draw = (one) => Array.from({{ length: {count} }}, one);
        console.log(JSON.stringify({{
            normal: draw(() => random.truncatedNormal()),
            uniform: draw(() => random.uniform()),
            below: draw(() => random.below(7)),
            order: [...random.permutation(1000)],
        }}));
    """
    drawn = {name: np.array(numbers) for name, numbers in json.loads(in_node(code)).items()}
    error = 5 / math.sqrt(count)
    assert np.abs(drawn["normal"]).max() <= 2
    assert abs(drawn["normal"].mean()) < error
    assert abs(drawn["normal"].std() - 0.87962566103423978) < error
    assert drawn["uniform"].min() >= 0
    assert drawn["uniform"].max() < 1
    assert abs(drawn["uniform"].mean() - 0.5) < error
    assert abs(drawn["uniform"].std() - math.sqrt(1 / 12)) < error
    shares = np.bincount(drawn["below"]) / count
    assert len(shares) == 7
    assert np.abs(shares - 1 / 7).max() < error
    assert sorted(drawn["order"]) == list(range(1000))
    assert (drawn["order"] != np.arange(1000)).mean() > 0.9


def test_exponentials_and_logarithms_are_good_to_the_last_bits(node: None) -> None:
    code = """
        import { exp, log } from "./elementary.js";
        const numbers = Array.from({ length: 5001 }, (_, place) => place / 100);
        console.log(JSON.stringify({
            exp: numbers.map((number) => exp(-number)),
            log: numbers.map((number) => log(1 + number)),
            far: [exp(-708), exp(-1e6), exp(-Infinity)],
        }));
    """
    found = json.loads(in_node(code))
    numbers = np.arange(5001) / 100
    np.testing.assert_allclose(found["exp"], np.exp(-numbers), rtol=4e-16)
    np.testing.assert_allclose(found["log"], np.log(1 + numbers), rtol=1e-15)
    assert found["far"] == [pytest.approx(math.exp(-708)), 0, 0]
