"""Writes what PyPI's transkun 2.0.1 hears in recordings, as NAME.notes beside NAME.flac, the recording as it heard it.

python golden.py NAME.wav...   (needs torch, torchaudio, soundfile and the package)

A line is an event: start and end in seconds, key (below 0: the controller of a pedal), velocity.
"""

import importlib.resources
import pathlib
import sys

import moduleconf
import numpy as np
import soundfile
import torch
import torch.nn.functional as F

torch.set_grad_enabled(False)
if not hasattr(F, "scaled_dot_product_attention"):  # torch 1
    F.scaled_dot_product_attention = lambda q, k, v: torch.softmax(q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5, -1) @ v

folder = importlib.resources.files("transkun") / "pretrained"
configuration = moduleconf.parseFromFile(str(folder / "2.0.conf"))["Model"]
model = configuration.module.TransKun(conf=configuration.config)
checkpoint = torch.load(str(folder / "2.0.pt"), map_location="cpu")
model.load_state_dict(checkpoint["state_dict"], strict=False)
model.eval()
for path in map(pathlib.Path, sys.argv[1:]):
    samples, rate = soundfile.read(path, dtype="int16")
    assert rate == 44100
    if samples.ndim == 2:
        samples = np.round(samples.astype("f8").mean(1)).astype("i2")
    soundfile.write(path.with_suffix(".flac").name, samples, rate, subtype="PCM_16")
    sound = torch.from_numpy(samples.astype("f4") / 2**15).unsqueeze(1)
    events = model.transcribe(sound)
    with open(path.with_suffix(".notes").name, "w") as out:
        for it in events:
            print(f"{it.start:.5f} {it.end:.5f} {it.pitch} {it.velocity}", file=out)
    print(path, len(events))
