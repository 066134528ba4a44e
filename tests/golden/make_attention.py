#!/usr/bin/env python3
"""Makes tests/golden/attention/golden.safetensors: dot, general and additive attention in PyTorch
over memories of different lengths.

Run `python3 tests/golden/make_attention.py` with PyTorch >= 1.10 and commit the result; the tests
only read the file. Each name but lengths [B] is preceded by the kind and a point:

  memory [S, B, D], queries [T, B, H], probe [T, B, D]
  weight [D, H], or memory_weight [A, D], query_weight [A, H], v [A], bias [A]
  weights [B, T, S]    zero beyond a memory's end
  context [T, B, D]
  grad.<name>          of sum(context * probe) by memory, queries and the weights

All is computed in double from exact floats and rounded once.
"""
import os

import torch
from torch import nn

import golden_tensors

LENGTHS = [8, 3, 1, 6, 8]
STEPS, BATCH, MEMORY_STEPS = 6, len(LENGTHS), max(LENGTHS)
MEMORY, QUERY, HIDDEN = 18, 11, 21


class Dot(nn.Module):
    query = MEMORY

    def forward(self, memory, queries):
        return torch.einsum("tbd,sbd->bts", queries, memory)


class General(nn.Module):
    query = QUERY

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(MEMORY, QUERY))

    def forward(self, memory, queries):
        return torch.einsum("tbd,sbd->bts", nn.functional.linear(queries, self.weight), memory)


class Additive(nn.Module):
    query = QUERY

    def __init__(self):
        super().__init__()
        self.memory_weight = nn.Parameter(torch.empty(HIDDEN, MEMORY))
        self.query_weight = nn.Parameter(torch.empty(HIDDEN, QUERY))
        self.v = nn.Parameter(torch.empty(HIDDEN))
        self.bias = nn.Parameter(torch.empty(HIDDEN))

    def forward(self, memory, queries):
        keys = nn.functional.linear(memory, self.memory_weight, self.bias)
        projected = nn.functional.linear(queries, self.query_weight)
        return torch.tanh(keys.unsqueeze(0) + projected.unsqueeze(1)).matmul(self.v).permute(2, 0, 1)


def make_kind(scores):
    for p in scores.parameters():
        nn.init.normal_(p, std=0.4)
    memory = torch.randn(MEMORY_STEPS, BATCH, MEMORY).double().requires_grad_()
    queries = torch.randn(STEPS, BATCH, scores.query).double().requires_grad_()
    probe = torch.randn(STEPS, BATCH, MEMORY).double()
    scores.double()
    padded = torch.arange(MEMORY_STEPS).unsqueeze(0) >= torch.tensor(LENGTHS).unsqueeze(1)
    masked = scores(memory, queries).masked_fill(padded.unsqueeze(1), float("-inf"))
    weights = masked.softmax(dim=2)
    context = torch.einsum("bts,sbd->tbd", weights, memory)
    (context * probe).sum().backward()

    golden = {"memory": memory, "queries": queries, "probe": probe, **dict(scores.named_parameters()),
              "weights": weights, "context": context}
    golden["grad.memory"], golden["grad.queries"] = memory.grad, queries.grad
    for name, p in scores.named_parameters():
        golden["grad." + name] = p.grad
    return golden


def main():
    torch.manual_seed(4)
    golden = {"lengths": torch.tensor(LENGTHS)}
    for kind, scores in {"dot": Dot(), "general": General(), "additive": Additive()}.items():
        for name, tensor in make_kind(scores).items():
            golden[kind + "." + name] = tensor
    here = os.path.dirname(os.path.abspath(__file__))
    golden_tensors.write(os.path.join(here, "attention", "golden.safetensors"), golden)


if __name__ == "__main__":
    main()
