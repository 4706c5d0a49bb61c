"""One VST3 effect over one file in a Python host: HOST PLUGIN IN.wav OUT.f32 BLOCK [NAME=NORMALISED]...

Prints the processor time of the processing alone as JSON. The output is interleaved 32-bit floats.
"""

import json
import sys
import time
import wave

import numpy


def read(path):
    with wave.open(path, "rb") as file:
        samples = numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        sound = samples.reshape(-1, file.getnchannels()).T.astype(numpy.float32) / 32768
        return numpy.ascontiguousarray(sound), file.getframerate()


def in_pedalboard(plugin, sound, rate, block, settings):
    import pedalboard

    effect = pedalboard.VST3Plugin(plugin)
    by_name = {parameter.name: parameter for parameter in effect.parameters.values()}
    for name, value in settings:
        by_name[name].raw_value = value
    # The first call makes it ready.
    effect.process(numpy.zeros((len(sound), block), numpy.float32), rate, buffer_size=block)
    return pedalboard.__version__, lambda: effect.process(sound, rate, buffer_size=block)


def in_dawdreamer(plugin, sound, rate, block, settings):
    import dawdreamer

    engine = dawdreamer.RenderEngine(rate, block)
    effect = engine.make_plugin_processor("effect", plugin)
    by_name = {it["name"]: it["index"] for it in effect.get_parameters_description()}
    for name, value in settings:
        effect.set_parameter(by_name[name], value)
    source = engine.make_playback_processor("source", sound)
    engine.load_graph([(source, []), (effect, ["source"])])

    def process():
        engine.render(sound.shape[1] / rate)
        return engine.get_audio()[:, : sound.shape[1]]

    return getattr(dawdreamer, "__version__", "?"), process


def main(host, plugin, source, target, block, *settings):
    sound, rate = read(source)
    settings = [(name, float(value)) for name, value in (it.rsplit("=", 1) for it in settings)]
    make = {"pedalboard": in_pedalboard, "dawdreamer": in_dawdreamer}[host]
    version, process = make(plugin, sound, rate, int(block), settings)
    began = time.process_time()
    result = process()
    seconds = time.process_time() - began
    numpy.ascontiguousarray(result.T, dtype="<f4").tofile(target)
    print(json.dumps({"chain_cpu_seconds": seconds, "version": version}))


main(*sys.argv[1:])
