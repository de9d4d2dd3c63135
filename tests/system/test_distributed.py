"""Several processes equal one; one that dies ends the others; their number may change. On gloo, as torchrun starts them."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import ganvas

HERE = Path(__file__).parents[1]
DATA = HERE / "data" / "fashion_test_200.npz"
SMALL = [
    *("--data", str(DATA), "--nets.g-width", "2", "--nets.d-width", "2", "--nets.z-dim", "2", "--nets.cap", "4"),
    *("--train.batch", "8", "--train.snapshots", "1", "--evaluation.samples", "20", "--evaluation.snapshot-samples", "20"),
]


def ranks(count: int, words: list[str], environment: dict[str, str], cache: Path) -> list[subprocess.Popen[str]]:
    """Start `count` processes of `python WORDS`, told of each other as torchrun tells them."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    shared = environment | {
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "WORLD_SIZE": str(count),
        "GANVAS_CACHE": str(cache),
    }
    return [
        subprocess.Popen(
            [sys.executable, *words],
            env=shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]


def finished(processes: list[subprocess.Popen[str]]) -> list[str]:
    """What each said on stderr, when all have ended well."""
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * len(processes), said
    return said


@pytest.mark.parametrize("recipe", ["grid", "cyclegan_small", "letters"])
def test_two_ranks_equal_one_process_in_two_parts(recipe: str, tmp_path: Path, child_environment: dict[str, str]) -> None:
    """Lazy penalties' phases too, which a wrapper around the networks gets wrong; pools of past fakes; a policy's baseline."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    finished(ranks(1, [str(HERE / "rank.py"), recipe, "2", str(one)], child_environment, tmp_path))
    finished(ranks(2, [str(HERE / "rank.py"), recipe, "1", str(two)], child_environment, tmp_path))
    alone, first, second = (load_file(path) for path in (one / "rank0.safetensors", *sorted(two.iterdir())))
    for key, value in alone.items():
        torch.testing.assert_close(first[key], value, rtol=1e-5, atol=1e-6)
        assert torch.equal(first[key], second[key])  # both ranks took the same steps


SHOW_ROWS = f"""
import hashlib, sys
from dataclasses import replace
import torch
from ganvas import recipes
from ganvas.data import Files
from ganvas.system import distributed
from ganvas.training.preparation import prepare_data_and_evaluator
recipe = replace(recipes.find_recipe("auto"), data=Files(path={str(DATA)!r}))
with distributed.join_ranks():
    _, training_set, held_out, _ = prepare_data_and_evaluator(recipe, None, torch.device("cpu"))
    rows = [data.columns["x"].numpy().tobytes() for data in (training_set, held_out)]
    print(len(training_set), len(held_out), *(hashlib.blake2b(part).hexdigest() for part in rows))
"""


def test_two_ranks_hold_out_the_same_samples(tmp_path: Path, child_environment: dict[str, str]) -> None:
    processes = ranks(2, ["-c", SHOW_ROWS], child_environment, tmp_path)
    shown = [process.communicate(timeout=120)[0].split() for process in processes]
    assert shown[0][:2] == ["190", "10"]
    assert shown[0] == shown[1]


GATHER = """
import torch
from ganvas.methods.image_pool import ImagePool
from ganvas.system import distributed
with distributed.join_ranks():
    rank = distributed.get_rank()
    fakes = torch.full((2 + rank, 1), float(rank)) + torch.arange(2 + rank)[:, None] / 10
    pool = ImagePool(4, (1,))
    pool.store(distributed.gather_rows(fakes), distributed.gather_rows(torch.tensor([3, 3, 2][: len(fakes)])))
    print(distributed.gather_rows(fakes)[:, 0].tolist(), pool.fakes[:, 0].tolist(), sep=";")
"""


def test_ranks_gather_samples_so_that_all_keep_one_image_pool(tmp_path: Path, child_environment: dict[str, str]) -> None:
    """Rank 0 has two fakes, rank 1 three; the last one takes slot 2 of the full pool."""
    processes = ranks(2, ["-c", GATHER], child_environment, tmp_path)
    shown = [process.communicate(timeout=120)[0].strip() for process in processes]
    gathered = [round(float(number), 3) for number in shown[0].split(";")[0].strip("[]").split(",")]
    held = [round(float(number), 3) for number in shown[0].split(";")[1].strip("[]").split(",")]
    assert gathered == [0.0, 0.1, 1.0, 1.1, 1.2]
    assert held == [0.0, 0.1, 1.2, 1.1]
    assert shown[0] == shown[1]


def test_train_in_two_ranks_and_go_on_in_one(tmp_path: Path, child_environment: dict[str, str]) -> None:
    out = tmp_path / "run"
    words = ["-m", "ganvas", "train", *SMALL, "--out", str(out)]
    said = finished(ranks(2, [*words, "--samples", "64"], child_environment, tmp_path))
    assert "200 samples" in said[0]
    assert not said[1].strip()  # rank 0 alone speaks
    run = ganvas.load(out)
    assert run.meta["environment"]["ranks"] == 2
    assert [card["kind"] for card in run.score_cards].count("final") == 1
    assert run.read_lines("log.jsonl")[-1]["samples"] == 64
    said = finished(ranks(1, [*words, "--samples", "96"], child_environment, tmp_path))
    assert "note: ranks was 2, is 1: training continues, but not bit for bit" in said[0]
    assert ganvas.load(out).find_checkpoint("last").name == "000000096"


@pytest.mark.parametrize("victim", [0, 1])
def test_a_rank_that_dies_ends_the_others_with_a_sentence(
    victim: int, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    out = tmp_path / "run"
    words = ["-m", "ganvas", "train", *SMALL, "--out", str(out), "--samples", "10000000"]
    processes = ranks(2, words, child_environment, tmp_path)
    deadline = time.monotonic() + 60
    while not (out / "log.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    processes[victim].send_signal(signal.SIGKILL)
    survivor = processes[1 - victim]
    said = survivor.communicate(timeout=60)[1]
    processes[victim].communicate()
    assert survivor.returncode == 1
    assert f"rank {1 - victim} of 2 lost another rank" in said
    assert "Traceback" not in said


def test_ctrl_c_under_torchrun_saves_once(tmp_path: Path, child_environment: dict[str, str]) -> None:
    """torchrun passes the signal on a second time: that is no second Ctrl-C."""
    out = tmp_path / "run"
    command = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    process = subprocess.Popen(
        [*command, "-m", "ganvas", "train", *SMALL, "--out", str(out), "--samples", "10000000"],
        env={k: v for k, v in child_environment.items() if k != "PYTHONWARNINGS"} | {"GANVAS_CACHE": str(tmp_path)},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 90
    while not (out / "log.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=60)[1]
    assert "all saved; go on with" in said
    assert ganvas.load(out).checkpoints
