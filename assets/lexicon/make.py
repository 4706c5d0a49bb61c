"""Makes vader.tsv and emoji.tsv of this folder from vaderSentiment 3.3.2, unpacked:

    pip download vaderSentiment==3.3.2 --no-deps && unzip vaderSentiment-3.3.2-*.whl
    python3 make.py vaderSentiment

vader.tsv: each word with the mean of its ratings. Of a word that stands there twice the last counts, as in the package.
emoji.tsv: each emoji of one code point with its description, without the skin tones.
Both are sorted by bytes, for they are searched by bisection.
"""

import pathlib
import sys


def pairs(path):
    lines = path.read_text(encoding="utf-8").split("\n")
    return dict(line.strip().split("\t")[:2] for line in lines if line)


def write(path, rows):
    rows = sorted(rows, key=lambda row: row[0].encode())
    path.write_text("".join(f"{word}\t{value}\n" for word, value in rows), encoding="utf-8")


source, here = pathlib.Path(sys.argv[1]), pathlib.Path(__file__).parent
words = pairs(source / "vader_lexicon.txt")
write(here / "vader.tsv", [(word, f"{float(mean):g}") for word, mean in words.items()])
emoji = pairs(source / "emoji_utf8_lexicon.txt")
tones = range(0x1F3FB, 0x1F400)
write(here / "emoji.tsv", [it for it in emoji.items() if len(it[0]) == 1 and ord(it[0]) not in tones])
