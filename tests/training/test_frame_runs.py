"""Runs on frames: they resume, are scored, attacked and completed like runs on files."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import ganvas
from ganvas.data import Rows, Windows
from ganvas.data.stored_frames import FRAMES_FOLDER
from ganvas.errors import GanvasError
from ganvas.nets import RowGame
from ganvas.recipe import Recipe
from ganvas.recipes import find_recipe
