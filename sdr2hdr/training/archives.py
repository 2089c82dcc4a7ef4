"""Archives of the nets: what the former stages left, and what a stage leaves."""

import itertools
from dataclasses import asdict
from typing import Any

from torch import nn

from sdr2hdr import checkpoint
from sdr2hdr.image import SDR_WHITE_NITS
from sdr2hdr.networks import ROLES
from sdr2hdr.networks.base import BaseNet
from sdr2hdr.networks.inpaint import DetailNet
from sdr2hdr.networks.unet import RefineNet
from sdr2hdr.training.chain import Chain
from sdr2hdr.training.run import Run
from sdr2hdr.training.stages import Stage
from sdr2hdr.wls import DEFAULT

INPUTS = {"base": "Sb, s, M", "detail": "D'(s) / D'(Sb), M", "refine": "J, D'(s), M"}
MASK = "max(0, S - tau) / (1 - tau) per channel of the signal; tau by the share of clipped pixels"


def _former(run: Run, role: str) -> tuple[nn.Module, dict[str, Any]]:
    """The net of a role as the former stages left it, and its constructor's arguments; untrained if there is none.

    The display look begins with the scene look's D and the coarse scale of its B; residuals it has to earn.
    """
    own = {"display": True} if run.look == "display" and role == "base" else {}
    looks = [run.look] if role == "refine" else dict.fromkeys((run.look, "scene"))
    for look, folder in itertools.product(looks, (run.out, run.weights or checkpoint.shipped())):
        path = folder / f"{look}-{role}.pt"
        if path.exists():
            former, arguments = checkpoint.rebuild(path), checkpoint.describe(path)["arguments"] | own
            if look == run.look:
                return former, arguments
            net, tensors = ROLES[role](**arguments), former.state_dict()
            kept = {name: t for name, t in tensors.items() if not name.startswith("fine_net.")}
            net.load_state_dict(kept, strict=False)
            return net, arguments
    return ROLES[role](**own), own


def chain(run: Run) -> tuple[Chain, dict[str, dict[str, Any]]]:
    """The three nets before this stage, and the constructor's arguments of each."""
    (base, a), (detail, b), (refine, c) = (_former(run, role) for role in ROLES)
    assert isinstance(base, BaseNet)
    assert isinstance(detail, DetailNet)
    assert isinstance(refine, RefineNet)
    return Chain(base, detail, refine).eval(), dict(zip(ROLES, (a, b, c), strict=True))


def save(
    run: Run,
    stage: Stage,
    nets: Chain,
    arguments: dict[str, dict[str, Any]],
    step: int,
    figures: dict[str, dict[str, float]],
) -> None:
    """Write the nets that the stage trains to `run.out`, with all that makes them usable."""
    multiples = {
        "base": nets.base.fine_net.body.multiple,
        "detail": nets.detail.multiple,
        "refine": nets.refine.unet.body.multiple,
    }
    settings = {k: v for k, v in asdict(stage).items() if k != "loss"}
    for role in stage.roles:
        metadata = {
            "role": role,
            "look": run.look,
            "arguments": arguments[role],
            "input": INPUTS[role],
            "multiple_of": multiples[role],
            "white_nits": SDR_WHITE_NITS,
            "wls": asdict(DEFAULT),
            "mask": {"rule": MASK},
            "training": {"stage": run.stage, "step": step, "seed": run.seed, "settings": settings},
            "validation": {
                folder: {name: round(value, 3) for name, value in row.items()}
                for folder, row in figures.items()
            },
        }
        checkpoint.save(run.out / f"{run.look}-{role}.pt", getattr(nets, role), metadata)
