"""Contextual attention (paper, 3.2.2, eq. 7): holes are filled with patches of features from outside the mask."""

import torch
import torch.nn.functional as F


def spread_evenly(positions: torch.Tensor, limit: int) -> torch.Tensor:
    """At most `limit` of sorted positions (L,): one from each of equal strata.

    The place within a stratum follows the golden ratio; a constant stride would fall on the same few columns of the
    picture again and again.
    """
    count = positions.numel()
    if count <= limit:
        return positions
    strata = torch.arange(limit + 1, device=positions.device)
    bounds = strata * count // limit
    golden = 0.6180339887498949
    place = (strata[:-1].to(torch.float64) * golden) % 1.0
    return positions[bounds[:-1] + (place * bounds.diff()).floor().to(torch.int64)]


def attend(
    rows: torch.Tensor,
    queries: torch.Tensor,
    keys: torch.Tensor,
    taps: torch.Tensor,
    scale: float,
    chunk: int,
) -> torch.Tensor:
    """Fill of one picture: (P, C) float32, the mean of the patches pasted over each pixel; 0 where none was.

    Parameters
    ----------
    rows : (P, C) features of all pixels, picture with its border flattened
    queries, keys : (Q,), (K,) rows of the patches' centres inside and outside the mask
    taps : (9,) offsets of a patch's pixels from its centre
    """
    patches = rows[(keys[:, None] + taps).flatten()].view(keys.numel(), -1)
    directions = F.normalize(patches.float(), dim=1, eps=1e-6).to(rows.dtype)
    filled = torch.zeros_like(rows, dtype=torch.float32)
    hits = torch.zeros(rows.shape[0], 1, device=rows.device)
    ones = torch.ones(queries.numel(), 1, device=rows.device)
    for tap in taps:
        hits.index_add_(0, queries + tap, ones)
    for start in range(0, queries.numel(), chunk):
        centres = queries[start : start + chunk]
        query = rows[(centres[:, None] + taps).flatten()].view(centres.numel(), -1).float()
        query = F.normalize(query, dim=1, eps=1e-6).to(rows.dtype)
        similarity = torch.matmul(query, directions.t()).float()
        weights = torch.softmax(scale * similarity, dim=1)
        pasted = torch.matmul(weights.to(rows.dtype), patches).float().view(centres.numel(), taps.numel(), -1)
        for i, tap in enumerate(taps):  # the rows of one tap differ, so the order of sums never varies
            filled.index_add_(0, centres + tap, pasted[:, i])
    return filled / hits.clamp(min=1.0)


def contextual_attention(
    features: torch.Tensor, hole: torch.Tensor, patches: int = 1024, scale: float = 10.0, chunk: int = 1024
) -> torch.Tensor:
    """Features with their holes filled from 3 x 3 patches that lie wholly outside the mask.

    Each patch around a hole's pixel is compared with those outside by cosine similarity; the softmax of
    scale * similarity weighs them; their sum is pasted back, and where pasted patches overlap, averaged (a transposed
    convolution). Outside the mask, and in a picture without any patch outside it, features pass through.

    Parameters
    ----------
    features : (N, C, H, W), float32 or bfloat16; similarity's softmax and sums are float32
    hole : (N, 1, H, W), > 0 inside the mask
    patches : how many patches outside the mask are looked at, spread evenly over the picture. With `chunk`, the
        number of queries at a time, it bounds the memory: chunk * (patches + 9 C) numbers besides the features
    """
    count, channels, height, width = features.shape
    padded = F.pad(features, [1, 1, 1, 1])
    stride = width + 2
    inside = F.pad(hole.float(), [1, 1, 1, 1])  # beyond the border nothing is clipped
    near = F.max_pool2d(inside, 3, 1, 0)
    columns = torch.arange(width, device=features.device)
    grid = ((torch.arange(height, device=features.device) + 1)[:, None] * stride + columns + 1).flatten()
    step = torch.arange(-1, 2, device=features.device)
    taps = (step[:, None] * stride + step).flatten()
    results: list[torch.Tensor] = []
    for n in range(count):
        queries = grid[hole[n].flatten() > 0]
        keys = spread_evenly(grid[near[n].flatten() <= 0], patches)
        if queries.numel() > 0 and keys.numel() > 0:
            rows = padded[n].permute(1, 2, 0).reshape(-1, channels)
            filled = attend(rows, queries, keys, taps, scale, chunk)
            filled = filled.view(height + 2, stride, channels)[1:-1, 1:-1].permute(2, 0, 1)
            results.append(torch.where(hole[n] > 0, filled.to(features.dtype), features[n]))
        else:
            results.append(features[n])
    return torch.stack(results).contiguous(memory_format=torch.channels_last)
