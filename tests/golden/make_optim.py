#!/usr/bin/env python3
"""Makes tests/golden/optim.safetensors: the optimisers of torch.optim on a small vector.

Run `python3 tests/golden/make_optim.py` with PyTorch >= 1.10 and commit the result; the tests only
read the file.

  weights [N], gradients [20, N]   where all begin, and the gradient of each update; entry 0 of the
                                   gradients is always zero, the others' sizes differ widely
  <name> [20, N]                   the weights after each update

All is computed in double from exact floats and rounded once.
"""
import os

import torch
from torch import optim

import golden_tensors

SIZE, UPDATES = 13, 20

# The same settings stand in the table of tests/unit/test_optim_golden.c.
OPTIMISERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "sgd-momentum": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=0.02),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1, eps=1e-8),
    "adagrad-decay": lambda p: optim.Adagrad(p, lr=0.1, eps=1e-8, weight_decay=0.02),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.002, alpha=0.95, eps=1e-8),
    "rmsprop-decay": lambda p: optim.RMSprop(p, lr=0.002, alpha=0.99, eps=1e-4, weight_decay=0.02),
    "adam": lambda p: optim.Adam(p, lr=0.01),
    "adam-decay": lambda p: optim.Adam(p, lr=0.01, betas=(0.8, 0.98), eps=1e-4, weight_decay=0.02),
    "adamw": lambda p: optim.AdamW(p, lr=0.01, betas=(0.9, 0.98), eps=1e-6, weight_decay=0.1),
}


def main():
    torch.manual_seed(11)
    start = 0.05 * torch.randn(SIZE)
    gradients = torch.randn(UPDATES, SIZE) * torch.logspace(-3, 2, SIZE)
    gradients[:, 0] = 0
    golden = {"weights": start, "gradients": gradients}
    for name, make in OPTIMISERS.items():
        weights = torch.nn.Parameter(start.double())
        optimiser = make([weights])
        path = []
        for gradient in gradients:
            weights.grad = gradient.double()
            optimiser.step()
            path.append(weights.detach().clone())
        golden[name] = torch.stack(path)
    here = os.path.dirname(os.path.abspath(__file__))
    golden_tensors.write(os.path.join(here, "optim.safetensors"), golden)


if __name__ == "__main__":
    main()
