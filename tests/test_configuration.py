"""Components to JSON and back, and what a file may not make ganvas do."""

import importlib
import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import ganvas
from ganvas import configuration
from ganvas.configuration import allow_components, from_json, public_name, to_json
from ganvas.errors import GanvasError
from ganvas.losses import R1, R2
from ganvas.methods import Adversarial
from ganvas.optim.optimisers import Adam
from ganvas.optim.schedules import Cosine


def test_round_trip_through_text() -> None:
    method = Adversarial(penalties=(R1(gamma=0.5, every=16), R2()), critic_steps=5)
    assert from_json(json.loads(json.dumps(to_json(method)))) == method


def test_nested_and_scalar_fields() -> None:
    adam = Adam(lr=1e-3, betas=(0.0, 0.99), schedule=Cosine(final=0.1))
    again = from_json(to_json(adam))
    assert again == adam
    assert isinstance(again.betas, tuple)


@pytest.mark.parametrize(
    "name",
    ["os:system", "subprocess:Popen", "builtins:eval", "ganvas.cli:main", "ganvas.errors:GanvasError", "ganvasx.a:B",
     "torch.nn:Linear",     "ganvas.losses.r1:squared_gradient", "ganvas.nosuch:R1", "ganvas..config:R1", "", 3, None],
)  # fmt: skip
def test_only_components_of_ganvas_are_made(name: object) -> None:
    with pytest.raises(GanvasError, match="not a ganvas component"):
        from_json({"is": name, "args": ["touch /tmp/pwned"]})


def test_importing_for_a_refused_name_does_not_run_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil.py").write_text("raise SystemExit('ran')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(GanvasError, match="not a ganvas component"):
        from_json({"is": "evil:Evil"})


def test_unknown_field_names_the_remedy() -> None:
    with pytest.raises(GanvasError, match="newer ganvas"):
        from_json({"is": "ganvas.losses:R1", "gama": 1.0})


@pytest.mark.parametrize("value", ["1", [1.0], True, None, {"x": 1}])
def test_wrong_types_are_refused_where_they_stand(value: object) -> None:
    with pytest.raises(GanvasError, match=r"recipe\.gamma"):
        from_json({"is": "ganvas.losses:R1", "gamma": value})


def test_a_setting_out_of_range_is_located_in_the_file() -> None:
    data = {"is": "ganvas.methods:Adversarial", "penalties": [to_json(R1()), to_json(R2()) | {"gamma": -1.0}]}
    with pytest.raises(GanvasError, match=r"^recipe\.penalties\[1\]: gamma must be 0 or more, got -1\.0: correct the file$"):
        from_json(data)


def test_a_component_must_hold_components_where_it_asks_for_them() -> None:
    with pytest.raises(GanvasError, match="objective"):
        from_json({"is": "ganvas.methods:Adversarial", "objective": 3})


def test_code_has_no_place_in_a_configuration() -> None:
    with pytest.raises(TypeError, match="no place in a configuration"):
        to_json(print)


OWN = """
import ganvas
@ganvas.config
class Mine:
    weight: float = 2.0
"""


def test_a_component_of_ones_own_is_read_once_it_is_allowed(tmp_path: Path, child_environment: dict[str, str]) -> None:
    """A file alone imports nothing; the caller's word, or an installed entry point, allows it."""
    (tmp_path / "mine.py").write_text(OWN)
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[ganvas.components]\ntheirs = theirs\n")
    (tmp_path / "theirs.py").write_text(OWN.replace("Mine", "Theirs"))
    code = (
        "from ganvas.configuration import allow_components, from_json\n"
        "from ganvas.errors import GanvasError\n"
        "import sys\n"
        "try: from_json({'is': 'mine:Mine'})\n"
        "except GanvasError as error: assert '--components mine' in str(error), error\n"
        "assert 'mine' not in sys.modules\n"
        "assert from_json({'is': 'theirs:Theirs', 'weight': 3.0}).weight == 3.0\n"
        "allow_components(['mine'])\n"
        "assert from_json({'is': 'mine:Mine', 'weight': 3.0}).weight == 3.0\n"
    )
    environment = child_environment | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_what_is_no_component_is_refused_though_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "plain_classes.py").write_text("class Plain:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    allow_components(["plain_classes"])
    with pytest.raises(GanvasError, match=r"made with @ganvas\.config"):
        from_json({"is": "plain_classes:Plain"})
    with pytest.raises(GanvasError, match="is not a module name"):
        allow_components(["../x"])


def test_files_name_components_by_a_public_place(subtests: pytest.Subtests) -> None:
    """By a package, never by a file in one: files may move, and runs are still read."""
    for module in pkgutil.walk_packages(ganvas.__path__, "ganvas."):
        if module.name != "ganvas.__main__":
            importlib.import_module(module.name)
    ours = [cls for cls in configuration._component_classes if cls.__module__.startswith("ganvas.")]
    assert len(ours) > 70
    for cls in ours:
        with subtests.test(cls.__name__):
            place = public_name(cls).partition(":")[0]
            assert place.count(".") == 1, f"export {cls.__name__} from the __init__.py of its package"
