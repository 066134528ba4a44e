#!/usr/bin/env python3
"""Makes tests/golden/seq2seq/: the translation network in PyTorch on one small batch.

Run `python3 tests/golden/make_seq2seq.py` with PyTorch >= 1.10 and commit the result; the tests only
read the files. Two cases: "tied" (bidirectional encoder, output layer = embedding) and "untied"
(one direction). Each has weights.safetensors, in the bundle's names, and golden.safetensors:

  batch.*        source [S, B], target_input and target_output [T, B] (-1: masked), lengths [B]
  logits         [T, B, V]; zero where masked
  loss           sum over tokens of the smoothed loss, then of -log p(token)
  grad.<name>    gradient of (smoothed loss / tokens)
  grad_norm      its norm over all tensors
  step1.<name>, step2.<name>   weights after one and two updates on this batch by Adam, the gradient
                 clipped to CLIP

All is computed in double from weights that are exact floats, and rounded once.
"""
import os

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import golden_tensors

VOCABULARY, EMBEDDING, ENCODER, HIDDEN = 40, 8, 6, 10
PAD, BOS, EOS = 0, 1, 2
SMOOTHING, RATE, CLIP = 0.1, 0.01, 0.25
SOURCE_LENGTHS = [7, 3, 1, 5, 7]
TARGET_LENGTHS = [4, 6, 2, 1, 5]


class Translator(nn.Module):
    def __init__(self, bidirectional, tied):
        super().__init__()
        memory = ENCODER * (2 if bidirectional else 1)
        self.embedding = nn.Embedding(VOCABULARY, EMBEDDING)
        self.encoder = nn.GRU(EMBEDDING, ENCODER, bidirectional=bidirectional)
        self.bridge = nn.Linear(memory, HIDDEN)
        self.decoder = nn.GRU(EMBEDDING, HIDDEN)
        self.attention = nn.Linear(HIDDEN, memory, bias=False)
        self.combine = nn.Linear(memory + HIDDEN, EMBEDDING)
        self.output = nn.Linear(EMBEDDING, VOCABULARY)
        if tied:
            self.output.weight = self.embedding.weight

    def forward(self, source, source_lengths, target):
        packed = pack_padded_sequence(self.embedding(source), source_lengths, enforce_sorted=False)
        memory, last = self.encoder(packed)
        memory, _ = pad_packed_sequence(memory)
        first = torch.tanh(self.bridge(torch.cat(list(last), dim=1)))
        states, _ = self.decoder(self.embedding(target), first.unsqueeze(0))
        scores = torch.einsum("tbd,sbd->tbs", self.attention(states), memory)
        padded = torch.arange(len(source)).unsqueeze(0) >= source_lengths.unsqueeze(1)
        weights = scores.masked_fill(padded, float("-inf")).softmax(dim=2)
        context = torch.einsum("tbs,sbd->tbd", weights, memory)
        return self.output(torch.tanh(self.combine(torch.cat([context, states], dim=2))))


def sentences(lengths):
    """[steps, batch]: random words, the last one EOS, then PAD."""
    ids = torch.randint(3, VOCABULARY, (max(lengths), len(lengths)))
    for column, length in enumerate(lengths):
        ids[length - 1, column] = EOS
        ids[length:, column] = PAD
    return ids


def make_batch():
    source, target = sentences(SOURCE_LENGTHS), sentences(TARGET_LENGTHS)
    target_input = torch.full_like(target, PAD)
    for column, length in enumerate(TARGET_LENGTHS):
        target_input[0, column] = BOS
        target_input[1:length, column] = target[: length - 1, column]
        target[length:, column] = -1
    return {"source": source, "source_lengths": torch.tensor(SOURCE_LENGTHS),
            "target_input": target_input, "target_output": target,
            "target_lengths": torch.tensor(TARGET_LENGTHS)}


def named_weights(model):
    """As in the bundle; a tied output layer appears once, as the embedding."""
    return dict(model.named_parameters())


def losses(model, batch):
    logits = model(batch["source"], batch["source_lengths"], batch["target_input"])
    flat, targets = logits.flatten(0, 1), batch["target_output"].flatten()
    smoothed = nn.CrossEntropyLoss(ignore_index=-1, label_smoothing=SMOOTHING, reduction="sum")
    plain = nn.CrossEntropyLoss(ignore_index=-1, reduction="sum")
    return logits, smoothed(flat, targets), plain(flat, targets)


def make_case(folder, bidirectional, tied, seed):
    torch.manual_seed(seed)
    model = Translator(bidirectional, tied)
    for p in model.parameters():
        nn.init.normal_(p, std=0.4)
    batch = make_batch()
    golden_tensors.write(os.path.join(folder, "weights.safetensors"), named_weights(model))

    model.double()
    tokens = sum(TARGET_LENGTHS)
    logits, loss, negative_log = losses(model, batch)
    visible = (batch["target_output"] >= 0).unsqueeze(2)
    golden = {"batch." + name: ids for name, ids in batch.items()}
    golden["logits"] = logits * visible
    golden["loss"] = torch.stack([loss, negative_log])
    optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
    for step in (1, 2):
        optimiser.zero_grad()
        (losses(model, batch)[1] / tokens).backward()
        if step == 1:
            for name, p in named_weights(model).items():
                golden["grad." + name] = p.grad.clone()
        norm = nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        if step == 1:
            golden["grad_norm"] = norm
            assert norm > CLIP
        optimiser.step()
        for name, p in named_weights(model).items():
            golden["step%d.%s" % (step, name)] = p.detach().clone()
    golden_tensors.write(os.path.join(folder, "golden.safetensors"), golden)


if __name__ == "__main__":
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seq2seq")
    make_case(os.path.join(here, "tied"), bidirectional=True, tied=True, seed=1)
    make_case(os.path.join(here, "untied"), bidirectional=False, tied=False, seed=2)
