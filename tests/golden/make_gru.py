#!/usr/bin/env python3
"""Makes tests/golden/gru/golden.safetensors: torch.nn.GRU in both directions over sentences of
different lengths.

Run `python3 tests/golden/make_gru.py` with PyTorch >= 1.10 and commit the result; the tests only read
the file.

  lengths [B], x [T, B, I], first [2, B, H], probe [T, B, 2H]
  weight_ih_l0, ..., bias_hh_l0_reverse
  states [T, B, 2H]    zero after a sentence's end
  last [2, B, H]
  grad.<name>          of sum(states * probe) by x, first and the weights

All is computed in double from exact floats and rounded once.
"""
import os

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import golden_tensors

LENGTHS = [6, 2, 1, 5, 6]
STEPS, BATCH, INPUT, HIDDEN = max(LENGTHS), len(LENGTHS), 7, 9


def main():
    torch.manual_seed(3)
    gru = nn.GRU(INPUT, HIDDEN, bidirectional=True)
    for p in gru.parameters():
        nn.init.normal_(p, std=0.5)
    inputs = {"x": torch.randn(STEPS, BATCH, INPUT), "first": torch.randn(2, BATCH, HIDDEN),
              "probe": torch.randn(STEPS, BATCH, 2 * HIDDEN)}
    gru.double()
    inputs = {name: tensor.double() for name, tensor in inputs.items()}
    x, first = inputs["x"].requires_grad_(), inputs["first"].requires_grad_()
    lengths = torch.tensor(LENGTHS)
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    states, last = gru(packed, first)
    states, _ = pad_packed_sequence(states)
    (states * inputs["probe"]).sum().backward()

    golden = {"lengths": lengths, **inputs, **dict(gru.named_parameters())}
    golden["states"], golden["last"] = states, last
    golden["grad.x"], golden["grad.first"] = x.grad, first.grad
    for name, p in gru.named_parameters():
        golden["grad." + name] = p.grad
    here = os.path.dirname(os.path.abspath(__file__))
    golden_tensors.write(os.path.join(here, "gru", "golden.safetensors"), golden)


if __name__ == "__main__":
    main()
