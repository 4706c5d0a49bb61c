#!/usr/bin/env python3
"""How often `kmidi analyze` hears the chord that musicians hear: chorales by J. S. Bach with Roman numerals by musicians.

    pip install music21
    python3 measure_chords.py target/release/kmidi

Both the scores and the analyses (`bach/choraleAnalyses/*.rntxt`) are read from music21's corpus and are not kept: the corpus has
no licence of its own. Each chorale is written as a MIDI file of its notes alone at 60 quarter notes a minute, so that seconds
are quarters. Every half of a quarter is asked for its chord; printed are the shares of time with the same root, with the same root
and third, and with the same root, third and fifth ("triad"). The control asks with the chords moved by four beats.

Some analyses are of the chorale in another key than the score has; they are transposed to where their chords have most of what
sounds. Where that is less than 80 % of it, score and analysis have not the same bars (repeats), and the chorale is left out.
"""
import json
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from music21 import corpus, roman

TICKS = 480
STEP = 0.5


def number(value):
    out = [value & 0x7F]
    while value := value >> 7:
        out.append(0x80 | (value & 0x7F))
    return bytes(reversed(out))


def midi(notes, meter, upbeat):
    """A file of (start, end, key) in quarters, with an upbeat that is a bar of its own."""
    events = [(0, 0, b"\xff\x51\x03" + (1_000_000).to_bytes(3, "big"))]
    beats, unit = meter
    power = unit.bit_length() - 1
    if upbeat > 0:
        events.append((0, 0, bytes([0xFF, 0x58, 4, max(1, round(upbeat * unit / 4)), power, 24, 8])))
    events.append((round(upbeat * TICKS), 0, bytes([0xFF, 0x58, 4, beats, power, 24, 8])))
    for start, end, key in notes:
        events.append((round(start * TICKS), 2, bytes([0x90, key, 80])))
        events.append((round(end * TICKS), 1, bytes([0x80, key, 0])))
    events.sort(key=lambda event: event[:2])
    track, last = b"", 0
    for tick, _, data in events:
        track += number(tick - last) + data
        last = tick
    track += b"\x00\xff\x2f\x00"
    return b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS) + b"MTrk" + struct.pack(">I", len(track)) + track


def labels(analysis, score):
    """(start in the score, root, pitch classes) of each numeral."""
    measures = {m.number: m for m in score.parts[0].getElementsByClass("Measure")}
    found = []
    for measure in analysis.recurse().getElementsByClass("Measure"):
        at = measures.get(measure.number)
        if at is None:
            continue
        for numeral in measure.getElementsByClass(roman.RomanNumeral):
            offset = float(numeral.offset) + measure.paddingLeft - at.paddingLeft
            found.append((float(at.offset) + offset, numeral.root().pitchClass, set(numeral.pitchClasses)))
    return sorted(found, key=lambda label: label[0])


def share_of_chord_tones(truth, notes, end, semitones):
    """The part of the sounding time that the numerals' chords explain."""
    inside = total = 0.0
    for (start, _, classes), until in zip(truth, [label[0] for label in truth[1:]] + [end]):
        chord = {(pitch + semitones) % 12 for pitch in classes}
        for note_start, note_end, key in notes:
            sounding = max(0.0, min(until, note_end) - max(start, note_start))
            total += sounding
            inside += sounding * (key % 12 in chord)
    return inside / total if total else 0.0


def in_the_scores_key(truth, notes, end):
    """The labels, transposed to the score; `None` if they are of other bars."""
    shares = [share_of_chord_tones(truth, notes, end, semitones) for semitones in range(12)]
    best = max(range(12), key=lambda semitones: shares[semitones])
    if shares[best] < 0.8:
        return None
    return [(at, (root + best) % 12, {(pitch + best) % 12 for pitch in chord}) for at, root, chord in truth]


LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def heard(symbol):
    """Root, third and fifth of a chord symbol, as far as it has them."""
    if symbol == "N.C.":
        return None
    root, rest = LETTERS[symbol[0]], symbol[1:]
    while rest[:1] in ("b", "#"):
        root += 1 if rest[0] == "#" else -1
        rest = rest[1:]
    rest = rest.split("/")[0] if not rest.startswith("6/9") else rest
    minor = rest.startswith("m") and not rest.startswith("maj") or rest.startswith("dim")
    third = None if rest.startswith(("sus", "5")) or "sus" in rest else 3 if minor else 4
    fifth = 6 if rest.startswith("dim") or "b5" in rest else 8 if rest.startswith("aug") or "#5" in rest else 7
    return root % 12, third, fifth


def at(spans, time):
    earlier = [span for span in spans if span[0] <= time + 1e-6]
    return earlier[-1] if earlier else None


def main():
    kmidi = sys.argv[1]
    bwv = corpus.chorales.ChoraleListRKBWV().byRiemenschneider
    total = {"root": 0.0, "third": 0.0, "triad": 0.0, "control": 0.0, "time": 0.0}
    pieces = 0
    for path in sorted(corpus.getPaths()):
        if "choraleAnalyses" not in str(path) or Path(path).suffix != ".rntxt":
            continue
        digits = "".join(c for c in Path(path).stem if c.isdigit())
        try:
            analysis = corpus.parse(f"bach/choraleAnalyses/{Path(path).name}")
            score = corpus.parse("bach/bwv" + str(bwv[int(digits)]["bwv"]))
        except Exception as error:  # a chorale that the corpus lacks
            print(f"{Path(path).name}: {error}", file=sys.stderr)
            continue
        truth = labels(analysis, score)
        notes, end = [], 0.0
        for part in score.parts:
            for it in part.stripTies().flatten().notes:
                for pitch in it.pitches:
                    notes.append((float(it.offset), float(it.offset + it.quarterLength), pitch.midi))
                    end = max(end, float(it.offset + it.quarterLength))
        truth = in_the_scores_key(truth, notes, end)
        if truth is None:
            print(f"{Path(path).name}: its bars are not those of the score", file=sys.stderr)
            continue
        first = score.parts[0].getElementsByClass("Measure")[0]
        signature = score.parts[0].flatten().getElementsByClass("TimeSignature")[0]
        bar = signature.barDuration.quarterLength
        upbeat = float(first.duration.quarterLength) if first.duration.quarterLength < bar else 0.0
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "chorale.mid"
            file.write_bytes(midi(notes, (signature.numerator, signature.denominator), upbeat))
            told = subprocess.run([kmidi, "analyze", file, "--json"], capture_output=True, check=True)
        spans = [(span["start_seconds"], span["chord"]) for span in json.loads(told.stdout)["chords"]]
        pieces += 1
        time = truth[0][0]
        here = dict.fromkeys(total, 0.0)
        while time < end:
            want, got, other = at(truth, time), at(spans, time), at(spans, (time + 4) % end)
            here["time"] += STEP
            chord = heard(got[1]) if got else None
            if chord:
                root, third, fifth = chord
                same = root == want[1]
                has = lambda step: step is not None and (want[1] + step) % 12 in want[2]
                here["root"] += STEP * same
                here["third"] += STEP * (same and has(third))
                here["triad"] += STEP * (same and has(third) and has(fifth))
            moved = heard(other[1]) if other else None
            here["control"] += STEP * (moved is not None and moved[0] == want[1])
            time += STEP
        for key, value in here.items():
            total[key] += value
        share = here["root"] / here["time"]
        print(f"{Path(path).stem:24} bwv {bwv[int(digits)]['bwv']:>6}  root {share:.2f}  triad {here['triad'] / here['time']:.2f}")
    print(f"{pieces} chorales, {total['time']:.0f} quarters")
    for key in ("root", "third", "triad", "control"):
        print(f"  {key:8} {total[key] / total['time']:.3f}")


main()
