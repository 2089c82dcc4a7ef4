"""The nets: eager modules, all of them scriptable. Only training and the checkpoint's rebuilding name them."""

from torch import nn

from sdr2hdr.networks.base import BaseNet
from sdr2hdr.networks.inpaint import DetailNet
from sdr2hdr.networks.unet import RefineNet

ROLES: dict[str, type[nn.Module]] = {"base": BaseNet, "detail": DetailNet, "refine": RefineNet}
