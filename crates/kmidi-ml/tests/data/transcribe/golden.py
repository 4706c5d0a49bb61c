"""Makes the golden notes beside this file with basic-pitch's own code. See README.md."""

import hashlib
import pathlib
import sys
import types

import numpy as np

PACKAGE, MODEL_FOLDER = pathlib.Path(sys.argv[1]), "basic_pitch/saved_models/icassp_2022/nmp.onnx"
HERE = pathlib.Path(__file__).parent

# The package's __init__ looks for runtimes that are not needed: its modules are used without it.
package = types.ModuleType("basic_pitch")
package.__path__ = [str(PACKAGE / "basic_pitch")]
sys.modules["basic_pitch"] = package
import basic_pitch.note_creation as note_creation  # noqa: E402


class Chance:
    """The same numbers as the tests make."""

    def __init__(self, seed):
        self.state = seed

    def below(self, bound):
        self.state = (self.state * 1664525 + 1013904223) % (1 << 32)
        return (self.state >> 8) % bound


def activations(seed, frames):
    """What a network might say, in 255ths: noise, and notes that fade, bend and are interrupted."""
    chance = Chance(seed)
    notes = [[chance.below(24) for _ in range(88)] for _ in range(frames)]
    onsets = [[chance.below(16) for _ in range(88)] for _ in range(frames)]
    contours = [[chance.below(20) for _ in range(264)] for _ in range(frames)]
    for _ in range(frames // 4):
        start, length, key, level = chance.below(frames), 3 + chance.below(60), chance.below(88), 90 + chance.below(150)
        has_onset, onset = chance.below(4) > 0, 100 + chance.below(155)
        onset = onset if has_onset else 0
        gap, gap_length = chance.below(60), chance.below(14)
        for n in range(length):
            frame = start + n
            if frame >= frames:
                break
            if gap <= n < gap + gap_length:
                continue
            value = max(level - n, 60)
            notes[frame][key] = max(notes[frame][key], value)
            for beside in (key - 1, key + 1):
                if 0 <= beside < 88:
                    notes[frame][beside] = max(notes[frame][beside], value // 3)
            for away in range(-3, 4):
                column = 3 * key + away + n // 8 % 3
                if 0 <= column < 264:
                    contours[frame][column] = max(contours[frame][column], value - 20 * abs(away), 0)
        for n, part in ((-1, 2), (0, 1), (1, 2)):
            if 0 <= start + n < frames:
                onsets[start + n][key] = max(onsets[start + n][key], onset // part)
    return notes, onsets, contours


def numbers(rows):
    return np.array(rows, dtype=np.uint8).astype(np.float32) / np.float32(255)


def line(note):
    start, end, key, amplitude, bends = note
    bits = np.float32(amplitude).view(np.uint32)
    bends = hashlib.sha256(np.array(bends, dtype=np.int8).tobytes()).hexdigest()[:16]
    return f"{start} {end} {key} {bits} {bends}\n"


def decoded(name, outputs, onset=0.5, frame=0.3, length=11, low=None, high=None):
    notes, onsets, contours = (numbers(rows) for rows in outputs)
    found = note_creation.output_to_notes_polyphonic(
        notes.copy(), onsets.copy(), onset, frame, length, True, high, low
    )
    found = note_creation.get_pitch_bends(contours, found)
    (HERE / f"{name}.notes").write_text("".join(line(note) for note in sorted(found, key=lambda it: it[:3])))
    print(name, len(found), "notes")


def heard(path, model):
    """What the model says of a recording, window by window, as the package joins it."""
    import onnxruntime
    import soundfile

    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    assert rate == 22050
    sound = sound.mean(axis=1, dtype=np.float32)
    padded = np.concatenate([np.zeros(3840, np.float32), sound])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    names = ["StatefulPartitionedCall:1", "StatefulPartitionedCall:2", "StatefulPartitionedCall:0"]
    outputs = [[], [], []]
    for start in range(0, len(padded), 36164):
        window = padded[start : start + 43844]
        window = np.pad(window, (0, 43844 - len(window)))
        said = session.run(names, {"serving_default_input_2:0": window[None, :, None]})
        for output, values in zip(outputs, said):
            output.append(values[0, 15:-15])
    frames = int(np.floor(len(sound) * (86 / 22050)))
    return [np.concatenate(output)[:frames] for output in outputs]


def main():
    for seed, options in [
        (1, {}),
        (2, {"onset": 0.3, "frame": 0.2, "length": 5}),
        (3, {"low": 110.0, "high": 1760.0}),
        (4, {"onset": 0.7, "frame": 0.45, "length": 20}),
    ]:
        decoded(f"seed-{seed}", activations(seed, 1500), **options)
    for path in sys.argv[2:]:
        outputs = [np.round(output * 255).astype(np.uint8) for output in heard(path, str(PACKAGE / MODEL_FOLDER))]
        name = pathlib.Path(path).stem
        (HERE / f"{name}.u8").write_bytes(b"".join(output.tobytes() for output in outputs))
        decoded(name, outputs)


main()
