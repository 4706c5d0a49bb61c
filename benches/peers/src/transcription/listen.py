"""The notes that basic-pitch hears in IN.wav, as one JSON object: the package's own `predict`, on one thread of onnxruntime."""

import contextlib
import functools
import io
import json
import sys

import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
onnxruntime.InferenceSession = functools.partial(onnxruntime.InferenceSession, sess_options=options)

# What it says about itself is no result.
with contextlib.redirect_stdout(io.StringIO()):
    from basic_pitch import ICASSP_2022_MODEL_PATH
    from basic_pitch.inference import predict

    _, _, notes = predict(sys.argv[1], ICASSP_2022_MODEL_PATH)

heard = [
    {"start_seconds": float(start), "end_seconds": float(end), "key": int(key), "velocity": int(round(127 * float(amplitude)))}
    for start, end, key, amplitude, _ in notes
]
print(json.dumps({"heard": heard, "model": str(ICASSP_2022_MODEL_PATH)}))
