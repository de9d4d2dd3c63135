"""Three ways to make any networks conditional. They differ in D; G always gets the label joined to z.

Concatenation (Mirza & Osindero 2014): D gets the label joined to the sample.
AuxiliaryClassifier (Odena et al. 2017): D does not see the label but predicts it; needs the auxiliary loss Classification.
Projection (Miyato & Koyama 2018): D's logit gains the product of its features with a direction for each class.
"""

from dataclasses import replace
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from ...configuration import config
from ...core import Architecture, Condition, CriticOutput, GeneratorNetwork, Spec
from ...errors import MissingLabelsError
from ..layers.labels import compute_class_shares, make_placeholder_labels, read_condition_names
from ..mlp import MLP


class ConditionalGenerator(GeneratorNetwork):
    """Joins z and the label for a network with a longer z: z [N, z_dim], label [N] or [N, K] -> x."""

    conditions = ("label",)

    def __init__(self, net: nn.Module, label: Condition) -> None:
        super().__init__()
        self.net, self.label = net, label
        self.z_dim = int(net.z_dim) - label.size  # type: ignore[arg-type]

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return self.net(torch.cat([z, encode_label_vectors(label, self.label)], 1))


def encode_label_vectors(label: Tensor, condition: Condition) -> Tensor:
    """Labels as float [N, K]; classes are one-hot."""
    return compute_class_shares(label, condition.size) if condition.kind == "class" else label.float()


class LabelConcatDiscriminator(nn.Module):
    """Joins sample and label for a network with more channels: to an image as a learned plane, to a point as it is."""

    def __init__(self, net: nn.Module, label: Condition, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.net, self.label, self.shape = net, label, shape
        self.plane = nn.Linear(label.size, prod(shape[1:])) if shape[1:] else nn.Identity()

    def forward(self, x: Tensor, label: Tensor) -> CriticOutput:
        plane = self.plane(encode_label_vectors(label, self.label)).view(len(x), -1, *self.shape[1:])
        return self.net(torch.cat([x, plane.to(x.dtype)], 1))


class ClassifierDiscriminator(nn.Module):
    """D that predicts labels: `classify` maps its features to logits [N, K]. Its own logit does not depend on the label."""

    def __init__(self, net: nn.Module, label: Condition, feature_count: int) -> None:
        super().__init__()
        self.net, self.classify = net, nn.Linear(feature_count, label.size)

    def forward(self, x: Tensor, label: Tensor) -> CriticOutput:
        return self.net(x)


class ProjectionDiscriminator(nn.Module):
    """D(x) + V(label)·features."""

    def __init__(self, net: nn.Module, label: Condition, feature_count: int) -> None:
        super().__init__()
        self.net, self.label = net, label
        self.direction = nn.Linear(label.size, feature_count, bias=False)
        nn.init.normal_(self.direction.weight, std=0.02)

    def forward(self, x: Tensor, label: Tensor) -> CriticOutput:
        logit, features = self.net(x)
        return CriticOutput(logit + (self.direction(encode_label_vectors(label, self.label)) * features).sum(1), features)


@config
class Concatenation:
    """Joins the label to z and, as one more channel, to the sample. Mirza & Osindero 2014."""

    nets: Architecture = MLP()

    def build(self, spec: Spec) -> nn.ModuleDict:
        label = require_labels(spec)
        extra_size = 1 if spec.shape[1:] else label.size
        wider_spec = spec._replace(shape=(spec.shape[0] + extra_size, *spec.shape[1:]))
        D = LabelConcatDiscriminator(self.nets.build(drop_conditions(wider_spec))["D"], label, spec.shape)
        return nn.ModuleDict({"G": build_conditional_generator(self.nets, spec, label), "D": D})

    def smallest(self) -> "Concatenation":
        return replace(self, nets=self.nets.smallest())


@config
class AuxiliaryClassifier:
    """Joins the label to z; D predicts it. Odena, Olah & Shlens 2017."""

    nets: Architecture = MLP()

    def build(self, spec: Spec) -> nn.ModuleDict:
        label, nets = require_labels(spec), self.nets.build(drop_conditions(spec))
        return nn.ModuleDict(
            {
                "G": build_conditional_generator(self.nets, spec, label),
                "D": ClassifierDiscriminator(nets["D"], label, count_features(nets, spec)),
            }
        )

    def smallest(self) -> "AuxiliaryClassifier":
        return replace(self, nets=self.nets.smallest())


@config
class Projection:
    """Joins the label to z; D's logit has a part that is linear in the label. Miyato & Koyama 2018, eq. 3."""

    nets: Architecture = MLP()

    def build(self, spec: Spec) -> nn.ModuleDict:
        label, nets = require_labels(spec), self.nets.build(drop_conditions(spec))
        return nn.ModuleDict(
            {
                "G": build_conditional_generator(self.nets, spec, label),
                "D": ProjectionDiscriminator(nets["D"], label, count_features(nets, spec)),
            }
        )

    def smallest(self) -> "Projection":
        return replace(self, nets=self.nets.smallest())


def build_conditional_generator(nets: Architecture, spec: Spec, label: Condition) -> ConditionalGenerator:
    return ConditionalGenerator(lengthen_latents(nets, label.size).build(drop_conditions(spec))["G"], label)


def lengthen_latents(nets: Any, extra_size: int) -> Any:
    """The networks with a z longer by `extra_size`; in wrappers, the innermost networks change."""
    if hasattr(nets, "z_dim"):
        return replace(nets, z_dim=nets.z_dim + extra_size)
    return replace(nets, nets=lengthen_latents(nets.nets, extra_size))


def drop_conditions(spec: Spec) -> Spec:
    """The spec without conditions, so that networks do not use them themselves."""
    return spec._replace(conditions={})


def require_labels(spec: Spec) -> Condition:
    """The condition "label". Raises GanvasError if the data has no labels."""
    if "label" not in spec.conditions:
        raise MissingLabelsError(
            "these networks need labels, and the data has none: give a folder with a subfolder for each class, or with a "
            "labels.csv"
        )
    return spec.conditions["label"]


@torch.no_grad()
def count_features(nets: nn.ModuleDict, spec: Spec) -> int:
    """The number of features that D returns."""
    conditions: dict[str, Tensor] = {}
    if read_condition_names(nets["G"]):
        conditions = {"label": make_placeholder_labels(require_labels(spec))}
    D = nets["D"].eval()
    feature_count = D(torch.zeros(2, *spec.shape), **conditions).features.shape[1]
    D.train()
    return feature_count
