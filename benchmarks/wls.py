"""The WLS solver against scipy's sparse LU: python benchmarks/wls.py PHOTOGRAPH [--quick]

CPU seconds of one thread for three channels (setup and solution), the largest difference from the direct solution in
float64, wall seconds on one and two threads, growth per pixel, and the ratio to `scipy.sparse.linalg.splu` (factor and
three solutions) at the same size, all in one run. --quick leaves out everything above 1024 x 540.
"""

import argparse
import resource
import time

import cv2
import numpy as np
import scipy.sparse as sparse
import torch
from scipy.sparse.linalg import splu

from sdr2hdr import device, wls

SIZES = ((540, 1024), (1080, 2048), (2160, 3840))


def picture(path: str, size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Signal (1, 3, H, W) and guide (1, 1, H, W) of a photograph at a size."""
    bgr = cv2.resize(cv2.imread(path, cv2.IMREAD_COLOR), size[::-1], interpolation=cv2.INTER_AREA)
    signal = torch.from_numpy(
        np.ascontiguousarray(bgr[..., ::-1].transpose(2, 0, 1)).astype(np.float32) / 255
    )[None]
    weights = torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None]
    return signal, (signal * weights).sum(1, keepdim=True)


def direct(signal: torch.Tensor, guide: torch.Tensor) -> tuple[np.ndarray, float]:
    """Solution (3, H, W) by splu in float64, and its CPU seconds."""
    across, down = (w[0].double().numpy() for w in wls.edge_weights(guide))
    height, width = guide.shape[-2:]
    index = np.arange(height * width).reshape(height, width)
    first = np.concatenate([index[:, :-1].ravel(), index[:-1].ravel()])
    second = np.concatenate([index[:, 1:].ravel(), index[1:].ravel()])
    weight = np.concatenate([across.ravel(), down.ravel()])
    edges = sparse.coo_matrix((weight, (first, second)), (index.size, index.size)).tocsc()
    edges = edges + edges.T
    matrix = (sparse.diags(1 + np.asarray(edges.sum(0)).ravel()) - edges).tocsc()
    begun = time.process_time()
    factors = splu(matrix)
    solved = [factors.solve(channel.double().numpy().ravel()) for channel in signal[0]]
    return np.stack(solved).reshape(3, height, width), time.process_time() - begun


def timed(signal: torch.Tensor, guide: torch.Tensor, threads: int) -> tuple[torch.Tensor, float, float]:
    """Solution, smallest CPU seconds and smallest wall seconds of three runs."""
    torch.set_num_threads(threads)
    runs = []
    for _ in range(3):
        begun = time.process_time(), time.perf_counter()
        solved = wls.smooth(signal, guide)
        runs.append((time.process_time() - begun[0], time.perf_counter() - begun[1]))
    return solved, min(cpu for cpu, _ in runs), min(wall for _, wall in runs)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("photograph")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    device.tune_allocator()
    base = 0.0
    for size in SIZES[:1] if arguments.quick else SIZES:
        signal, guide = picture(arguments.photograph, size)
        solved, cpu, wall = timed(signal, guide, 1)
        _, _, both = timed(signal, guide, 2)
        per_pixel = cpu / (size[0] * size[1])
        base = base or per_pixel
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        line = f"{size[1]}x{size[0]}: CPU {cpu:.2f} s, wall {wall:.2f} s on 1 thread, {both:.2f} s on 2; "
        line += f"per pixel {per_pixel / base:.2f} times the smallest size; peak {peak:.2f} GB"
        if size != SIZES[-1]:
            exact, seconds = direct(signal, guide)
            error = np.abs(solved[0].double().numpy() - exact).max()
            line += f"; splu CPU {seconds:.1f} s = {seconds / cpu:.1f} times; largest error {error:.1e}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
