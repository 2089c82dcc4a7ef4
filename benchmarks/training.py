"""How many megapixels a second go through the training: python benchmarks/training.py --data DIR [--seconds 40]

R-net's stage with a U-Net of 44 kMAC per pixel, forward and backward and everything else (reading, windows, B-net's
coarse scale, the frozen nets B and D, loss, AdamW, moving average). Every row is a measure added to the row above it;
every figure comes from processes of its own, on a pool of the pictures in DIR. Megapixels are those of the windows.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

WIDTHS = [16, 32, 64, 128, 240]
BAR = 1.5  # megapixels a second, two cores with AMX


@dataclass(frozen=True)
class Setting:
    """What is measured.

    processes, threads : how many of them, and of each
    pool : windows of the pool; else every view is simulated and decomposed when it is needed
    windows : out of each view
    """

    title: str
    processes: int = 1
    threads: int = 2
    allocator: bool = False
    pool: bool = False
    windows: int = 1
    precision: str = "fp32"
    channels_last: bool = False
    lean: bool = False


PLAIN = Setting("as it comes: views made when needed, one window each, float32")
SETTINGS = [
    PLAIN,
    (a := replace(PLAIN, title="+ the pool", pool=True)),
    (b := replace(a, title="+ eight windows a view", windows=8)),
    (c := replace(b, title="+ allocator keeps its memory", allocator=True)),
    (d := replace(c, title="+ channels_last", channels_last=True)),
    (e := replace(d, title="+ bfloat16 bodies", precision="bf16")),
    (
        f := replace(
            e, title="+ two processes of one thread (torchrun) for one of two", processes=2, threads=1
        )
    ),
    replace(f, title="the U-Net alone: the frozen nets' results left out", lean=True),
]


def child(setting: Setting, data: Path, folder: Path, seconds: float) -> None:
    """Measure one setting; prints the log's row."""
    from sdr2hdr import device

    if setting.allocator:
        device.tune_allocator()
    import torch
    from torch import nn

    torch.set_num_threads(setting.threads)
    torch.set_flush_denormal(True)
    from sdr2hdr.networks import ROLES
    from sdr2hdr.training import archives, stages, trainer
    from sdr2hdr.training.chain import Chain
    from sdr2hdr.training.distributed import join, leave
    from sdr2hdr.training.filling import draw, made
    from sdr2hdr.training.meter import Meter
    from sdr2hdr.training.pictures import load_pictures
    from sdr2hdr.training.pool import CHUNK
    from sdr2hdr.training.run import Run
    from sdr2hdr.training.shots import Sampling, Shots

    def nets(run: Run) -> tuple[Chain, dict[str, dict[str, Any]]]:
        base, detail, refine = (
            net(**({"widths": WIDTHS} if role == "refine" else {})) for role, net in ROLES.items()
        )
        return Chain(base, detail, refine).eval(), {role: {} for role in ROLES}

    def lean(chain: Chain, layers: Any, adversary: object = None) -> stages.Terms:
        result = chain.refine(layers.start, layers.mapped, layers.mask)
        return {"refine": stages.weighted(result, layers.hdr, layers.signal)}

    archives.chain = nets
    stage = replace(stages.STAGES["refine"], views=16 // setting.windows, windows=setting.windows, crop=128)
    stages.STAGES["refine"] = replace(stage, loss=lean) if setting.lean else stage
    run = Run(
        "refine", data, folder, steps=10**6, device="cpu", precision=setting.precision, every=10**6, pool_views=64,
        pool=folder / "pool", refresh=0,
    )  # fmt: skip
    world = join(torch.device("cpu"))
    pictures = load_pictures(data)[:60]
    if not setting.channels_last:
        nn.Module.to = _without_layout(nn.Module.to)  # type: ignore[method-assign]
    job = trainer.Trainer(run, pictures, world)
    if not setting.pool:
        shots = Shots(pictures, CHUNK, 0, Sampling())

        class Fresh(trainer.Crops):
            def batch(self, number: int) -> dict[str, torch.Tensor]:
                drawn = [
                    made(draw(self.pool, shots, (number % 2, 1000 + 10 * number + i, 0)), torch.device("cpu"))
                    for i in range(self.views // CHUNK)
                ]
                maps = {
                    name: torch.cat([torch.from_numpy(m.fields[name]) for m in drawn])
                    for name in drawn[0].fields
                }
                maps["real"] = torch.zeros(self.views, dtype=torch.bool)
                maps["places"] = torch.zeros(self.views, self.windows, 2, dtype=torch.long)
                return maps

        trainer.Crops = Fresh  # type: ignore[misc]
    meter = Meter()
    batches = job._batches(meter)
    macs = _macs_per_pixel(job.learner.chain.refine)
    for step in range(10**6):
        meter.add(job.learner.learn(next(batches), 1e-4, step, meter))
        if step == 2:
            meter.reset()  # without the start
        if step > 2 and world.largest(sum(meter.seconds.values())) > seconds:
            break
    if world.first:
        print(json.dumps({**meter.row(), "kmac": macs / 1e3}))
    leave(world)


def _without_layout(to: Any) -> Any:
    def plain(self: Any, *arguments: Any, memory_format: object = None, **more: Any) -> Any:
        return to(self, *arguments, **more)

    return plain


def _macs_per_pixel(net: Any) -> float:
    """Multiplications per pixel of the convolutions, counted on a picture of 128 x 128."""
    import torch
    from torch import nn

    total = 0

    def count(layer: Any, inputs: Any, output: Any) -> None:
        nonlocal total
        total += layer.weight[0].numel() * output[0].numel()

    hooks = [m.register_forward_hook(count) for m in net.modules() if isinstance(m, nn.Conv2d)]
    with torch.no_grad():
        net(*(torch.zeros(1, 3, 128, 128) for _ in range(3)))
    for hook in hooks:
        hook.remove()
    return total / 128**2


def measure(setting: Setting, data: Path, folder: Path, seconds: float) -> dict[str, Any]:
    """One setting in processes of its own."""
    words = [
        __file__,
        "--data",
        str(data),
        "--seconds",
        str(seconds),
        "--child",
        str(SETTINGS.index(setting)),
    ]
    launch = [sys.executable]
    if setting.processes > 1:
        launch += ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={setting.processes}"]
    done = subprocess.run(
        [*launch, *words, "--folder", str(folder)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": str(setting.threads)},
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main() -> None:
    """Measure all settings and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--child", type=int)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    if given.child is not None:
        child(SETTINGS[given.child], given.data, given.folder, given.seconds)
        return
    print("| measure | Mpx/s | data | layers | forward | backward |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for setting in SETTINGS:
            row = measure(setting, given.data, Path(folder), given.seconds)
            shares = [
                f"{row['shares'].get(name, 0):.0%}" for name in ("data", "layers", "forward", "backward")
            ]
            print(
                f"| {setting.title} | {row['megapixels_per_second']:.2f} | {' | '.join(shares)} |", flush=True
            )
    print(f"\nU-Net of {row['kmac']:.1f} kMAC per pixel; bar: {BAR} Mpx/s.")


if __name__ == "__main__":
    main()
