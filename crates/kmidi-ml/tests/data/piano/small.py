"""Makes small.json: what the package's own code computes with small weights that `src/convert/piano/tests.rs` makes as well.

Needs PyPI's transkun 2.0.1 and torch. Run it in this folder.
"""

import json
import math

import torch
import torch.nn.functional as F
from torch import nn

from transkun import LayersTransformer as layers

torch.set_grad_enabled(False)
if not hasattr(F, "scaled_dot_product_attention"):  # torch 1
    F.scaled_dot_product_attention = lambda q, k, v: torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1) @ v
FRAMES, BANDS, WINDOWS, PLANES, HEADS, LAYERS, HIDDEN, WINDOW = 12, 21, 6, 8, 2, 2, 16, 64
WIDTH = 4 * PLANES


class Network(nn.Module):
    """The package's TransKun without its spectra, which has no such small form."""

    def __init__(self):
        super().__init__()
        self.backbone = layers.Backbone(
            inputSize=WINDOWS, baseSize=PLANES, posEmbedInitGamma=1, nHead=HEADS, fourierSize=64, hiddenFactor=4,
            hiddenFactorAttn=1, expansionFactor=4, dropoutProb=0.0, nLayers=LAYERS, enabledAttn=["F", "T"],
            downsampleF=True)
        self.scorer = layers.ScaledInnerProductIntervalScorer(WIDTH, 1)
        head = lambda outputs: nn.Sequential(
            nn.Linear(3 * WIDTH, HIDDEN), nn.GELU(), nn.Dropout(0.0), nn.Linear(HIDDEN, outputs))
        self.velocityPredictor, self.refinedOFPredictor = head(128), head(4)


def chance(seed):
    state = seed
    while True:
        state = (state * 1664525 + 1013904223) % 2**32
        yield (state >> 8) / 2**24 - 0.5


def numbers(source, shape):
    return torch.tensor([next(source) for _ in range(math.prod(shape))]).view(*shape)


network = Network().eval()
shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
front = "framewiseFeatureExtractor."
shapes[front + "freq2mels"] = (WINDOW // 2 + 1, BANDS)
shapes[front + "spectrogramExtractor.win"] = (WINDOW,)
shapes[front + "spectrogramExtractor.winGen.sigma"] = (WINDOWS - 1,)
shapes[front + "spectrogramExtractor.winGen.center"] = (WINDOWS - 1,)
weights = chance(1)
state = {name: numbers(weights, shapes[name]) for name in sorted(shapes)}
network.load_state_dict({name: tensor for name, tensor in state.items() if not name.startswith(front)})

spectra = numbers(chance(2), (1, WINDOWS, FRAMES, BANDS))
tracks = torch.tensor([-64, -67] + list(range(21, 109)))
context = network.backbone(spectra.permute(0, 2, 3, 1), outputIndices=tracks)
scores, _ = network.scorer(context)
pairs = numbers(chance(3), (3, 3 * WIDTH))


def told(tensor):
    return [float(f"{number:.7g}") for number in tensor.flatten().tolist()]


some = [0, 89]
json.dump(
    {
        "tensors": len(shapes),
        "tracks": some,
        "context": [told(context[0, track]) for track in some],
        # Of intervals from each frame to each, as the package has them: multiplied by their length.
        "scores": [told(scores[:, :, 0, track].t()) for track in some],
        "velocities": told(network.velocityPredictor(pairs)),
        "times": told(network.refinedOFPredictor(pairs)),
    },
    open("small.json", "w"),
)
