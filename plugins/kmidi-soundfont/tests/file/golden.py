#!/usr/bin/env python3
"""Prints what tests/file/golden.rs compares with: SoundFonts as the Python package sf2utils reads them.

    pip install sf2utils; ./golden.py /usr/share/sounds/sf2/TimGM6mb.sf2

For each column of each table: the sum of (row + 1) * value over all rows, in 64 bits.
"""

import sys

from sf2utils.sf2parse import Sf2File

TABLES = {
    "Phdr": ["name", "preset", "bank", "bag"],
    "Pbag": ["gen", "mod"],
    "Pmod": ["src_oper", "dest_oper", "amount", "amount_src_oper", "trans_oper"],
    "Pgen": ["oper", "amount"],
    "Inst": ["name", "bag"],
    "Ibag": ["gen", "mod"],
    "Imod": ["src_oper", "dest_oper", "amount", "amount_src_oper", "trans_oper"],
    "Igen": ["oper", "amount"],
    "Shdr": ["sample_name", "start", "end", "start_loop", "end_loop", "sample_rate", "original_pitch",
             "pitch_correction", "sample_link", "sample_type"],
}


def number(value):
    if isinstance(value, bytes):
        return sum(value.split(b"\0")[0].strip())
    return int(value) % 2**16 if value < 0 else int(value)


def digest(values):
    return sum((row + 1) * number(value) for row, value in enumerate(values)) % 2**64


if __name__ == "__main__":
    with open(sys.argv[1], "rb") as file:
        raw = Sf2File(file).raw
        for name, columns in TABLES.items():
            rows = raw.pdta[name]
            digests = [digest(getattr(row, column) for row in rows) for column in columns]
            print(f'("{name.lower()}", {len(rows)}, &{digests}),')
