#!/usr/bin/env python3
"""Makes tests/golden/seq2seq/<case>.safetensors: translation networks on one small batch.

Run `python3 tests/golden/make_seq2seq.py` with PyTorch >= 1.10 and commit the result; the tests
only read the files. Cells and stacks are those of make_recurrent.py, PyTorch's own modules where it
has them; attention, decoders and output are written in plain operations; the gradients are
autograd's, loss, clipping and Adam PyTorch's.

  <name>         first weights, in the bundle's names
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

import golden_tensors
import make_recurrent as recurrent

VOCABULARY, EMBEDDING = 24, 6
PAD, BOS, EOS = 0, 1, 2
SMOOTHING, RATE, CLIP = 0.1, 0.01, 0.25
SOURCE_LENGTHS = [7, 3, 1, 5, 7]
TARGET_LENGTHS = [4, 6, 2, 1, 5]

# The same settings stand in the table of tests/unit/test_seq2seq_golden.c. Adam's first updates
# depend on little more than a gradient's sign: the seeds are those of 60 whose smallest gradient is
# the largest.
CASES = {
    "plain": dict(seed=45, cell="gru", norm="none", encoder=(1, 5, 2), decoder=("plain", 1, 8),
                  residual=False, attention="general", bridge="last", deep=False,
                  tying="three-way"),
    "input-feeding": dict(seed=36, cell="lstm", norm="none", encoder=(2, 3, 2),
                          decoder=("input-feeding", 2, 5), residual=True, attention="general",
                          bridge="last", deep=False, tying="two-way"),
    "conditional": dict(seed=27, cell="gru", norm="separate", encoder=(1, 5, 2),
                        decoder=("conditional", 1, 7), residual=False, attention="additive",
                        bridge="mean", deep=True, tying="three-way"),
    "conditional-layers": dict(seed=50, cell="lstm", norm="none", encoder=(1, 4, 2),
                               decoder=("conditional", 2, 5), residual=True, attention="general",
                               bridge="mean", deep=True, tying="two-way"),
    "no-attention": dict(seed=13, cell="lstm", norm="none", encoder=(2, 5, 1),
                         decoder=("plain", 2, 5), residual=False, attention="none",
                         bridge="last", deep=False, tying="none"),
    "dot": dict(seed=18, cell="gru", norm="joint", encoder=(1, 4, 2), decoder=("plain", 1, 8),
                residual=False, attention="dot", bridge="mean", deep=True, tying="none"),
}


def random(*shape):
    return (0.4 * torch.randn(shape)).double().requires_grad_()


class Translator:
    def __init__(self, case):
        self.case = case
        layers, hidden, directions = case["encoder"]
        self.kind, upper, self.hidden = case["decoder"]
        self.memory, width = hidden * directions, EMBEDDING
        self.encoder_case = self.stack(EMBEDDING, hidden, layers, directions)
        self.encoder = recurrent.new_layers(self.encoder_case)
        self.cells = []
        if self.kind == "conditional":
            self.cells = [recurrent.new_layers(self.stack(size, self.hidden, 1, 1))[0][0]
                          for size in (EMBEDDING, self.memory)]
            upper, width = upper - 1, self.hidden
        elif self.kind == "input-feeding":
            width = 2 * EMBEDDING
        self.decoder_case = self.stack(width, self.hidden, upper, 1)
        self.decoder = recurrent.new_layers(self.decoder_case)
        self.state = (2 if case["cell"] == "lstm" else 1) * self.hidden
        self.weights = self.new_weights(case["decoder"][1])

    def stack(self, inputs, hidden, layers, directions):
        return {"kind": self.case["cell"], "norm": self.case["norm"], "input": inputs,
                "hidden": hidden, "layers": layers, "directions": directions,
                "residual": self.case["residual"]}

    def new_weights(self, layers):
        """All but the recurrent layers, in the bundle's names."""
        case, w = self.case, {"embedding.weight": random(VOCABULARY, EMBEDDING)}
        if case["tying"] != "three-way":
            w["target_embedding.weight"] = random(VOCABULARY, EMBEDDING)
        w["bridge.weight"] = random(layers * self.state, self.memory)
        w["bridge.bias"] = random(layers * self.state)
        if case["attention"] == "general":
            w["attention.weight"] = random(self.memory, self.hidden)
        if case["attention"] == "additive":
            w["attention.memory_weight"] = random(self.hidden, self.memory)
            w["attention.query_weight"] = random(self.hidden, self.hidden)
            w["attention.v"], w["attention.bias"] = random(self.hidden), random(self.hidden)
        combined = (self.memory if case["attention"] != "none" else 0) + self.hidden
        combined += EMBEDDING if case["deep"] else 0
        w["combine.weight"], w["combine.bias"] = random(EMBEDDING, combined), random(EMBEDDING)
        if case["tying"] == "none":
            w["output.weight"] = random(VOCABULARY, EMBEDDING)
        w["output.bias"] = random(VOCABULARY)
        return w

    def named_weights(self):
        """A shared tensor appears once."""
        named = dict(self.weights)
        for prefix, layers in (("encoder.", self.encoder), ("decoder.", self.decoder)):
            named.update((prefix + name, w) for name, w in recurrent.named(layers).items())
        for prefix, cell in zip(("query_cell.", "context_cell."), self.cells):
            named.update((prefix + name, w) for name, w in cell.items())
        return named

    def embeddings(self):
        """Of the source, of the target, and the output layer's weight."""
        source = self.weights["embedding.weight"]
        target = self.weights.get("target_embedding.weight", source)
        return source, target, self.weights.get("output.weight", target)

    def first_states(self, memory, last, lengths):
        """[(h, c)] of the decoder's layers from the encoder's states."""
        layers, _, directions = self.case["encoder"]
        if self.case["bridge"] == "last":
            summary = torch.cat([last[(layers - 1) * directions + d] for d in range(directions)],
                                dim=1)
        else:
            summary = memory.sum(dim=0) / lengths.unsqueeze(1)
        first = torch.tanh(summary @ self.weights["bridge.weight"].T + self.weights["bridge.bias"])
        states = []
        for flat in first.split(self.state, dim=1):
            h = flat[:, :self.hidden]
            states.append((h, flat[:, self.hidden:] if self.state > self.hidden else h * 0))
        return states

    def attend(self, query, memory, lengths):
        """query [B, H], memory [S, B, D] to the context [B, D], or None."""
        w, kind = self.weights, self.case["attention"]
        if kind == "none":
            return None
        if kind == "additive":
            scores = torch.tanh(memory @ w["attention.memory_weight"].T +
                                query @ w["attention.query_weight"].T +
                                w["attention.bias"]) @ w["attention.v"]
        else:
            if kind == "general":
                query = query @ w["attention.weight"].T
            scores = (memory * query).sum(dim=2)
        beyond = torch.arange(len(memory)).unsqueeze(1) >= lengths
        weights = scores.masked_fill(beyond, float("-inf")).softmax(dim=0)
        return (weights.unsqueeze(2) * memory).sum(dim=0)

    def combine(self, context, state, y):
        parts = [state] if context is None else [context, state]
        parts += [y] if self.case["deep"] else []
        return torch.tanh(torch.cat(parts, dim=1) @ self.weights["combine.weight"].T +
                          self.weights["combine.bias"])

    def upper_layers(self, x, lengths, states):
        """A stack over the whole target; its outputs [T, B, H]."""
        if not states:
            return x
        h, c = (torch.stack(parts) for parts in zip(*states))
        return recurrent.run(self.decoder_case, self.decoder, lengths, x, h, c)[0]

    def decode_plain(self, target, lengths, states, attend):
        outputs = self.upper_layers(target, lengths, states)
        return [self.combine(attend(s), s, y) for s, y in zip(outputs, target)]

    def decode_input_feeding(self, target, _, states, attend):
        outputs, previous = [], torch.zeros_like(target[0])
        for y in target:
            x = torch.cat([y, previous], dim=1)
            for l, ((h, c), layer) in enumerate(zip(states, self.decoder)):
                h, c = states[l] = recurrent.step(self.case["cell"], self.case["norm"], layer[0],
                                                  x, h, c)
                x = h + x if self.case["residual"] and h.shape == x.shape else h
            previous = self.combine(attend(x), x, y)
            outputs.append(previous)
        return outputs

    def decode_conditional(self, target, lengths, states, attend):
        (h, c), contexts, between = states[0], [], []
        cell, norm = self.case["cell"], self.case["norm"]
        for y in target:
            h, c = recurrent.step(cell, norm, self.cells[0], y, h, c)
            contexts.append(attend(h))
            h, c = recurrent.step(cell, norm, self.cells[1], contexts[-1], h, c)
            between.append(h)
        outputs = self.upper_layers(torch.stack(between), lengths, states[1:])
        return [self.combine(*parts) for parts in zip(contexts, outputs, target)]

    def logits(self, batch):
        lengths = batch["source_lengths"]
        source, target, output = self.embeddings()
        zero = torch.zeros(self.encoder_case["layers"] * self.encoder_case["directions"],
                           len(lengths), self.encoder_case["hidden"]).double()
        memory, last, _ = recurrent.run(self.encoder_case, self.encoder, lengths,
                                        source[batch["source"]], zero, zero)
        decode = {"plain": self.decode_plain, "input-feeding": self.decode_input_feeding,
                  "conditional": self.decode_conditional}[self.kind]
        outputs = decode(target[batch["target_input"]], batch["target_lengths"],
                         self.first_states(memory, last, lengths),
                         lambda query: self.attend(query, memory, lengths))
        return torch.stack(outputs) @ output.T + self.weights["output.bias"]


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


def losses(model, batch):
    logits = model.logits(batch)
    flat, targets = logits.flatten(0, 1), batch["target_output"].flatten()
    smoothed = nn.CrossEntropyLoss(ignore_index=-1, label_smoothing=SMOOTHING, reduction="sum")
    plain = nn.CrossEntropyLoss(ignore_index=-1, reduction="sum")
    return logits, smoothed(flat, targets), plain(flat, targets)


def make_case(folder, name):
    torch.manual_seed(CASES[name]["seed"])
    model, batch = Translator(CASES[name]), make_batch()
    weights = model.named_weights()
    golden = {key: w.detach().clone() for key, w in weights.items()}
    golden.update(("batch." + key, ids) for key, ids in batch.items())
    logits, *loss = losses(model, batch)
    golden["logits"] = logits * (batch["target_output"] >= 0).unsqueeze(2)
    golden["loss"] = torch.stack(loss)
    optimiser = torch.optim.Adam(weights.values(), lr=RATE)
    for step in (1, 2):
        optimiser.zero_grad()
        (losses(model, batch)[1] / sum(TARGET_LENGTHS)).backward()
        if step == 1:
            golden.update(("grad." + key, w.grad.clone()) for key, w in weights.items())
        norm = nn.utils.clip_grad_norm_(weights.values(), CLIP)
        if step == 1:
            golden["grad_norm"] = norm
            assert norm > CLIP
        optimiser.step()
        golden.update(("step%d.%s" % (step, key), w.detach().clone()) for key, w in weights.items())
    golden_tensors.write(os.path.join(folder, name + ".safetensors"), golden)


if __name__ == "__main__":
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "seq2seq")
    for name in CASES:
        make_case(here, name)
