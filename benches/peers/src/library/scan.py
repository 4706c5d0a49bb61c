"""The ten vectors that are most like each question: one matrix product and a partial sort a question."""

import json
import sys

import numpy

vectors, questions, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
vectors = numpy.fromfile(vectors, "<f4").reshape(-1, 384)
questions = numpy.fromfile(questions, "<f4").reshape(-1, 384)
answers = []
for question in questions[:count]:
    scores = vectors @ question
    best = numpy.argpartition(-scores, 10)[:10]
    answers.append(best[numpy.argsort(-scores[best], kind="stable")].tolist())
print(json.dumps(answers))
