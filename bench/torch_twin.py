#!/usr/bin/env python3
"""The translation network in PyTorch, beside Dragoman's own (bench/seq2seq).

    torch_twin.py compare PROGRAM BUNDLE [--sentences N]
        Loads BUNDLE's weights, draws pairs of random sentences of ids, and compares the logits of
        both (largest difference / largest value, at most 1e-4) and the log probability of
        Dragoman's greedy translations. Exit code 1 where they differ, 77 without PyTorch.

    torch_twin.py speed PROGRAM [--updates N]
        Target tokens a second in training, the best of N updates of each, on one core and on the
        same sizes: a batch of 200 pairs of 10 ids, dropout 0.2, label smoothing 0.1, clipping, Adam.
"""
import argparse
import json
import os
import random
import struct
import subprocess
import sys
import tempfile
import time

for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[variable] = "1"
try:
    import numpy
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
except ImportError:
    print("PyTorch is not installed: nothing to compare with")
    sys.exit(77)

PAD, BOS, EOS, FIRST = 0, 1, 2, 4
TOLERANCE = 1e-4


def read_tensors(path):
    """safetensors: 8 bytes of header length, a JSON header, the data."""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8:8 + size]), data[8 + size:]
    header.pop("__metadata__", None)
    return {name: torch.from_numpy(numpy.frombuffer(body[slice(*entry["data_offsets"])], "<f4")
                                   .reshape(entry["shape"]).copy())
            for name, entry in header.items()}


class Translator(nn.Module):
    def __init__(self, vocabulary, embedding, encoder, decoder, bidirectional, tied, dropout=0.0):
        super().__init__()
        memory = encoder * (2 if bidirectional else 1)
        self.embedding = nn.Embedding(vocabulary, embedding)
        self.encoder = nn.GRU(embedding, encoder, bidirectional=bidirectional)
        self.bridge = nn.Linear(memory, decoder)
        self.decoder = nn.GRU(embedding, decoder)
        self.attention = nn.Linear(decoder, memory, bias=False)
        self.combine = nn.Linear(memory + decoder, embedding)
        self.output = nn.Linear(embedding, vocabulary)
        self.dropout = nn.Dropout(dropout)
        if tied:
            self.output.weight = self.embedding.weight

    def forward(self, source, lengths, target):
        packed = pack_padded_sequence(self.dropout(self.embedding(source)), lengths,
                                      enforce_sorted=False)
        memory, last = self.encoder(packed)
        memory = pad_packed_sequence(memory)[0].transpose(0, 1)
        first = torch.tanh(self.bridge(torch.cat(list(last), dim=1)))
        states = self.decoder(self.dropout(self.embedding(target)), first.unsqueeze(0))[0]
        states = states.transpose(0, 1)
        scores = self.attention(states) @ memory.transpose(1, 2)
        padded = torch.arange(len(source)).unsqueeze(0) >= lengths.unsqueeze(1)
        weights = scores.masked_fill(padded.unsqueeze(1), float("-inf")).softmax(dim=2)
        output = torch.tanh(self.combine(torch.cat([weights @ memory, states], dim=2)))
        return self.output(self.dropout(output)).transpose(0, 1)


def load(bundle):
    with open(os.path.join(bundle, "model.json"), encoding="utf-8") as file:
        shape = json.load(file)["architecture"]
    if shape["decoder"]["kind"] != "plain" or shape["attention"] != "general" or \
            shape["encoder"]["cell"] != "gru" or shape["decoder"]["layers"] != 1:
        raise SystemExit(f"{bundle}: the twin is a plain GRU decoder with general attention")
    model = Translator(shape["vocabulary"], shape["embedding"], shape["encoder"]["hidden"],
                       shape["decoder"]["hidden"], shape["encoder"]["bidirectional"],
                       shape["tying"] == "three-way")
    tensors = read_tensors(os.path.join(bundle, "weights.safetensors"))
    if shape["tying"] == "three-way":
        tensors["output.weight"] = tensors["embedding.weight"]
    model.load_state_dict(tensors)
    return model.double().eval(), shape["vocabulary"]


def logits_of(model, source, target):
    """[target + 1, V] for one pair; the source ends with EOS, the target starts with BOS."""
    with torch.no_grad():
        return model(torch.tensor([source + [EOS]]).t(), torch.tensor([len(source) + 1]),
                     torch.tensor([[BOS] + target]).t())[:, 0]


def compare(program, bundle, sentences):
    model, vocabulary = load(bundle)
    generator = random.Random(1)

    def sentence():
        return [generator.randrange(FIRST, vocabulary) for _ in range(generator.randint(1, 25))]

    pairs = [(sentence(), sentence()) for _ in range(sentences)]
    lines = "".join("%s\t%s\n" % (" ".join(map(str, s)), " ".join(map(str, t))) for s, t in pairs)
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "logits.safetensors")
        run = subprocess.run([program, "logits", bundle, out], input=lines, text=True, check=True,
                             stdout=subprocess.PIPE)
        ours = read_tensors(out)
    worst = worst_score = 0.0
    for i, (source, target) in enumerate(pairs):
        theirs = logits_of(model, source, target)
        worst = max(worst, ((ours[str(i)] - theirs).abs().max() / theirs.abs().max()).item())
        ids, score = run.stdout.split("\n")[i].split("\t")
        ids = list(map(int, ids.split()))
        ending = ids if score.startswith("truncated") else ids + [EOS]
        steps = logits_of(model, source, ids)[:len(ending)].log_softmax(dim=1)
        expected = sum(steps[t, token].item() for t, token in enumerate(ending))
        difference = abs(float(score.split()[-1]) - expected)
        worst_score = max(worst_score, difference / max(1.0, abs(expected)))
    print("%d pairs: logits differ by %.1e, log probabilities by %.1e (relative)"
          % (sentences, worst, worst_score))
    return 0 if worst <= TOLERANCE and worst_score <= TOLERANCE else 1


def speed(program, updates):
    vocabulary, batch, steps = 8260, 200, 10
    torch.manual_seed(1)
    torch.set_num_threads(1)
    model = Translator(vocabulary, 256, 256, 512, True, True, dropout=0.2)
    optimiser = torch.optim.Adam(model.parameters())
    criterion = nn.CrossEntropyLoss(label_smoothing=0.1, ignore_index=-1)
    source, target, output = (torch.randint(FIRST, 8004, (steps, batch)) for _ in range(3))
    lengths, best = torch.full((batch,), steps), float("inf")
    for _ in range(updates):
        start = time.monotonic()
        optimiser.zero_grad()
        logits = model(source, lengths, target)
        criterion(logits.reshape(-1, vocabulary), output.flatten()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        best = min(best, time.monotonic() - start)
    ours = subprocess.run([program, "train", str(updates)], text=True, check=True,
                          stdout=subprocess.PIPE)
    ours, share = ours.stdout.strip().split(" tokens/s, ")
    ours, theirs = float(ours), batch * steps / best
    print("target tokens/s on one core: Dragoman %.0f, PyTorch %s %.0f (%.2f times); Dragoman %s"
          % (ours, torch.__version__, theirs, ours / theirs, share))
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    sub = commands.add_parser("compare")
    sub.add_argument("program")
    sub.add_argument("bundle")
    sub.add_argument("--sentences", type=int, default=6)
    sub = commands.add_parser("speed")
    sub.add_argument("program")
    sub.add_argument("--updates", type=int, default=10)
    given = parser.parse_args()
    if given.command == "compare":
        return compare(given.program, given.bundle, given.sentences)
    return speed(given.program, given.updates)


if __name__ == "__main__":
    sys.exit(main())
