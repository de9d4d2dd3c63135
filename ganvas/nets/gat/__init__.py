"""GAT: a generator and a critic of plain transformer blocks, on patches of images. Hyun et al. 2025."""

from .architecture import GAT

__all__ = ["GAT"]
