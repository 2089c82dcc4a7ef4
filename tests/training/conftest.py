"""A folder of small HDR pictures, and pairs to validate on; a pool, untrained nets, and a run over all of them."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from small_training import SMALL, SMALL_NETS, scene, write_exr

from sdr2hdr import checkpoint
from sdr2hdr.camera import Camera, shoot
from sdr2hdr.networks import ROLES
from sdr2hdr.training.filling import fill
from sdr2hdr.training.pictures import load_pictures
from sdr2hdr.training.pool import Pool
from sdr2hdr.training.run import Run


@pytest.fixture(scope="session")
def hdr_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hdr")
    for i in range(4):
        write_exr(folder / f"photo{i}.exr", scene(i, (96, 128)))
    write_exr(folder / "round.exr", scene(9, (64, 128)))
    return folder


@pytest.fixture(scope="session")
def validation_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("validation")
    for i in range(2):
        shot = shoot(scene(20 + i, (64, 96)), np.random.default_rng(i), Camera(unclipped=0))
        cv2.imwrite(str(folder / f"p{i}_sdr.png"), shot.codes[..., ::-1])
        write_exr(folder / f"p{i}_hdr.exr", shot.light)
    return folder


@pytest.fixture(scope="session")
def pool(hdr_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Pool:
    made = Pool(tmp_path_factory.mktemp("pool"), views=8, long_side=64)
    assert list(fill(made, load_pictures(hdr_folder), SMALL)) == [4, 8, 12, 16]
    return made


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained archives of small nets."""
    folder = tmp_path_factory.mktemp("start")
    torch.manual_seed(0)
    for role, net in ROLES.items():
        arguments = SMALL_NETS[role]
        metadata = {"role": role, "look": "scene", "arguments": arguments}
        checkpoint.save(folder / f"scene-{role}.pt", net(**arguments), metadata)
    return folder


@pytest.fixture
def run(hdr_folder: Path, validation_folder: Path, pool: Pool, start: Path, tmp_path: Path) -> Run:
    return Run(
        "base",
        hdr_folder,
        tmp_path,
        weights=start,
        validation=(validation_folder,),
        steps=2,
        every=2,
        precision="fp32",
        device="cpu",
        pool=pool.folder,
        pool_views=8,
        pool_side=64,
        side=64,
        refresh=0,
        workers=0,
    )
