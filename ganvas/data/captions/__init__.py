"""Captions of pictures, as they lie on a disk: tables, files of texts beside pictures, COCO's JSON, Parquet."""
