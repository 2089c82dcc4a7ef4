"""Curves and matrices of the standards, as tensors."""
