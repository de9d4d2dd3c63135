"""Make ganvas/data/fashion10k.xz, the Fashion-MNIST that comes with ganvas, from Debian's dataset-fashion-mnist.

    python scripts/make_embedded_fashion.py [FOLDER OF THE IDX FILES]

1,000 training images of each class, drawn with seed 0, as uint8 [10, 1000, 28, 28] in xz: 3.7 MB, unpacked in under
half a second. Sorted by class it is 0.5 MB smaller than with PNG's filters and bzip2 or zlib. Fashion-MNIST is
(c) 2017 Zalando SE, MIT licence; see ganvas/data/FASHION_MNIST_LICENSE.txt.
"""

import lzma
import sys
from pathlib import Path

import numpy as np

from ganvas.data import fashion
from ganvas.data.formats import idx

TARGET = Path(fashion.__file__).with_name(fashion.EMBEDDED_FILE_NAME)


def main(folder: Path) -> None:
    found = idx.read_idx_items(folder / "train-images-idx3-ubyte.gz")
    assert found.array is not None
    assert found.labels is not None
    random = np.random.default_rng(0)
    drawn = [np.sort(random.choice(np.flatnonzero(found.labels == k), 1000, replace=False)) for k in range(10)]
    # lc=4 suits bytes whose neighbour above the last one tells most; there is no alignment to use (pb=0)
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 4, "lp": 0, "pb": 0}]
    TARGET.write_bytes(lzma.compress(np.stack([found.array[d] for d in drawn]).tobytes(), filters=filters))
    print(f"{TARGET}: {TARGET.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else fashion.DEBIAN_FOLDER)
