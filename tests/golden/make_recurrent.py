#!/usr/bin/env python3
"""Makes tests/golden/recurrent/<case>.safetensors: stacks of recurrent layers over sentences of
different lengths, with every gradient.

Run `python3 tests/golden/make_recurrent.py` with PyTorch >= 1.10 and commit the result; the tests
only read the files. The cells that PyTorch has are its own modules. The others, and layer
normalisation, are written here in plain operations from their equations; the same code must first
agree with PyTorch's modules on the cells that both have.

  lengths [B], x [T, B, I]
  first, last    [B, state]: before the first step and after the last one; layer by layer, in it
                 direction by direction, in it h, then c
  <weight>       weight_ih_l0, ..., and with _reverse; gates stacked as in the C code
  output         [T, B, directions * H]; zero after a sentence's end
  probe, probe_last   random, of the shapes of output (zero after a sentence's end) and last
  grad.<name>    of sum(output * probe) + sum(last * probe_last) by x, first and the weights
  rest.output, rest.last   output and last where first is zero

All is computed in double from exact floats and rounded once.
"""
import os

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import golden_tensors

LENGTHS = [5, 2, 1, 4, 5]
STEPS, BATCH = max(LENGTHS), len(LENGTHS)

# The gates whose products of the input and of the state a cell has, as they are stacked; a space
# divides what layer normalisation "separate" takes as one product: Nematus has r and z together in
# its GRU; all of an LSTM are one (Ba, Kiros, Hinton 2016).
INPUT_GATES = {"rnn-tanh": "h", "rnn-relu": "h", "lstm": "ifgo", "lstm-peephole": "ifgo",
               "gru": "rz n", "gru-cho": "rz n", "mut1": "rz", "mut2": "z n", "mut3": "rz n"}
STATE_GATES = dict(INPUT_GATES, mut1="r n", mut2="rz n", mut3="r z n")
# Those with a bias on the state's side: of both sides, or of the gate where x stands alone.
STATE_BIASES = {"rnn-tanh": "h", "rnn-relu": "h", "lstm": "ifgo", "gru": "rzn", "mut1": "n",
                "mut2": "r"}
IN_TORCH = {"rnn-tanh": nn.RNN, "rnn-relu": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def gates_of(table, kind):
    return table[kind].replace(" ", "")


def new_weights(kind, norm, inputs, hidden):
    """Of one layer in one direction; name -> tensor."""
    rows = {"ih": hidden * len(gates_of(INPUT_GATES, kind)),
            "hh": hidden * len(gates_of(STATE_GATES, kind))}
    w = {"weight_ih": torch.randn(rows["ih"], inputs), "weight_hh": torch.randn(rows["hh"], hidden),
         "bias_ih": torch.randn(rows["ih"])}
    if kind in STATE_BIASES:
        w["bias_hh"] = torch.randn(hidden * len(STATE_BIASES[kind]))
    if kind in ("mut1", "mut2") and inputs != hidden:
        w["projection"] = torch.randn(hidden, inputs)
    if kind == "lstm-peephole":
        w["peephole"] = torch.randn(3 * hidden)
    w = {name: 0.5 * tensor for name, tensor in w.items()}
    if norm != "none":
        for side in ("ih", "hh"):
            w["gain_" + side] = 1 + 0.3 * torch.randn(rows[side])
            if norm == "separate":
                w["shift_" + side] = 0.3 * torch.randn(rows[side])
    return w


def new_layers(case):
    """layers[l][d]: the weights of a stack."""
    width = case["hidden"] * case["directions"]
    return [[{name: tensor.double().requires_grad_() for name, tensor in
              new_weights(case["kind"], case["norm"], width if l else case["input"],
                          case["hidden"]).items()}
             for _ in range(case["directions"])] for l in range(case["layers"])]


def named(layers):
    """The weights of a stack with PyTorch's names."""
    return {"%s_l%d%s" % (name, l, "_reverse" if d else ""): tensor
            for l, layer in enumerate(layers) for d, w in enumerate(layer)
            for name, tensor in w.items()}


def normalise(product, gain, epsilon):
    centred = product - product.mean(dim=-1, keepdim=True)
    variance = (centred * centred).mean(dim=-1, keepdim=True)
    return centred / torch.sqrt(variance + epsilon) * gain


class Products:
    """One side's products with their weights, biases and normalisation."""

    def __init__(self, kind, norm, w, side):
        table, hidden = INPUT_GATES if side == "ih" else STATE_GATES, w["weight_hh"].shape[1]
        gates = gates_of(table, kind)
        biased = gates if side == "ih" else STATE_BIASES.get(kind, "")
        self.norm, self.groups = norm, table[kind].split()

        def by_gate(name, gates):
            return dict(zip(gates, w[name + "_" + side].split(hidden))) if gates else {}
        self.weight, self.bias = by_gate("weight", gates), by_gate("bias", biased)
        self.gain = by_gate("gain", gates if norm != "none" else "")
        self.shift = by_gate("shift", gates if norm == "separate" else "")

    def normalised(self, parts, epsilon):
        """parts: gate -> product; all of them together."""
        whole = normalise(torch.cat(list(parts.values()), dim=-1),
                          torch.cat([self.gain[gate] for gate in parts]), epsilon)
        return dict(zip(parts, whole.chunk(len(parts), dim=-1)))

    def of(self, gates, value):
        """gate -> W value + b, for gates whose products are made together."""
        parts = {gate: value @ self.weight[gate].T for gate in gates}
        if self.norm == "joint":
            parts = self.normalised(parts, 1e-9)
        parts = {gate: part + self.bias.get(gate, 0) for gate, part in parts.items()}
        if self.norm == "separate":
            for group in self.groups:
                together = {gate: parts[gate] for gate in group if gate in parts}
                if together:
                    parts.update(self.normalised(together, 1e-5))
            parts = {gate: part + self.shift[gate] for gate, part in parts.items()}
        return parts


def step(kind, norm, w, x, h, c):
    """One step of a cell as the textbooks write it; returns h' and c'."""
    a = Products(kind, norm, w, "ih").of(gates_of(INPUT_GATES, kind), x)
    state = Products(kind, norm, w, "hh")
    s, tanh = torch.sigmoid, torch.tanh
    if kind.startswith("rnn"):
        return (tanh if kind == "rnn-tanh" else torch.relu)(a["h"] + state.of("h", h)["h"]), c
    if kind.startswith("lstm"):
        u = state.of("ifgo", h)
        pi, pf, po = w["peephole"].split(h.shape[1]) if kind == "lstm-peephole" else (0, 0, 0)
        i, f = s(a["i"] + u["i"] + pi * c), s(a["f"] + u["f"] + pf * c)
        g = tanh(a["g"] + u["g"])
        c = f * c + i * g
        return s(a["o"] + u["o"] + po * c) * tanh(c), c
    if kind.startswith("gru"):
        u = state.of("rzn" if kind == "gru" else "rz", h)
        r, z = s(a["r"] + u["r"]), s(a["z"] + u["z"])
        n = tanh(a["n"] + (r * u["n"] if kind == "gru" else state.of("n", r * h)["n"]))
        return (1 - z) * n + z * h, c
    alone = x @ w["projection"].T if "projection" in w else x
    if kind == "mut1":
        z = s(a["z"])
        r = s(a["r"] + state.of("r", h)["r"])
        n = tanh(state.of("n", r * h)["n"] + tanh(alone))
    elif kind == "mut2":
        u = state.of("rz", h)
        z = s(a["z"] + u["z"])
        r = s(alone + u["r"])
        n = tanh(state.of("n", r * h)["n"] + a["n"])
    else:
        z = s(a["z"] + state.of("z", tanh(h))["z"])
        r = s(a["r"] + state.of("r", h)["r"])
        n = tanh(state.of("n", r * h)["n"] + a["n"])
    return z * n + (1 - z) * h, c


def run_direction(case, w, lengths, x, h, c, reverse):
    states = [None] * len(x)
    for t in reversed(range(len(x))) if reverse else range(len(x)):
        inside = (t < lengths).unsqueeze(1)
        next_h, next_c = step(case["kind"], case["norm"], w, x[t], h, c)
        h, c = torch.where(inside, next_h, h), torch.where(inside, next_c, c)
        states[t] = h * inside
    return torch.stack(states), h, c


def run_plain(case, layers, lengths, x, h, c):
    """layers[l][d]: weights; h, c [layers * directions, B, H]."""
    last_h, last_c = [], []
    for layer in layers:
        outputs = []
        for direction, w in enumerate(layer):
            at = len(last_h)
            states, h_end, c_end = run_direction(case, w, lengths, x, h[at], c[at], direction == 1)
            outputs.append(states)
            last_h.append(h_end)
            last_c.append(c_end)
        output = torch.cat(outputs, dim=2)
        x = output + x if case["residual"] and output.shape == x.shape else output
    return x, torch.stack(last_h), torch.stack(last_c)


def run_torch(case, layers, lengths, x, h, c):
    """The same by PyTorch's module, whose parameters become the tensors in `layers`."""
    extra = {"nonlinearity": case["kind"][4:]} if case["kind"].startswith("rnn") else {}
    net = IN_TORCH[case["kind"]](case["input"], case["hidden"], num_layers=len(layers),
                                 bidirectional=len(layers[0]) == 2, **extra).double()
    for name, tensor in named(layers).items():
        delattr(net, name)
        setattr(net, name, tensor)
    net._flat_weights = [getattr(net, name) for name in net._flat_weights_names]
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    output, last = net(packed, (h, c) if case["kind"] == "lstm" else h)
    last_h, last_c = last if case["kind"] == "lstm" else (last, c)
    return pad_packed_sequence(output)[0], last_h, last_c


def run(case, layers, lengths, x, h, c):
    """Output [T, B, directions * H], of any value after a sentence's end, and h and c after the
    last step."""
    plain = run_plain(case, layers, lengths, x, h, c)
    if case["kind"] not in IN_TORCH or case["norm"] != "none" or case["residual"]:
        return plain
    result = run_torch(case, layers, lengths, x, h, c)
    for ours, theirs in zip(plain, result):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-13)
    return result


def flat_state(case, h, c):
    """[B, state] from h and c [layers * directions, B, H]."""
    parts = [h, c] if case["kind"].startswith("lstm") else [h]
    return torch.cat([part[at] for at in range(len(h)) for part in parts], dim=1)


def make_case(folder, number, case):
    torch.manual_seed(number)
    case = dict({"norm": "none", "layers": 1, "directions": 1, "residual": False}, **case)
    layers = new_layers(case)
    x = torch.randn(STEPS, BATCH, case["input"]).double().requires_grad_()
    shape = case["layers"] * case["directions"], BATCH, case["hidden"]
    h, c = (torch.randn(shape).double().requires_grad_() for _ in range(2))
    lengths = torch.tensor(LENGTHS)
    inside = (torch.arange(STEPS).unsqueeze(1) < lengths).unsqueeze(2)

    output, last_h, last_c = run(case, layers, lengths, x, h, c)
    rest, rest_h, rest_c = run(case, layers, lengths, x, torch.zeros_like(h), torch.zeros_like(c))
    first, last = flat_state(case, h, c), flat_state(case, last_h, last_c)
    probe = torch.randn(output.shape).double() * inside
    probe_last = torch.randn(last.shape).double()
    ((output * probe).sum() + (last * probe_last).sum()).backward()

    tensors = {"lengths": lengths, "x": x, "first": first, "output": output * inside, "last": last,
               "rest.output": rest * inside, "rest.last": flat_state(case, rest_h, rest_c),
               "probe": probe, "probe_last": probe_last, "grad.x": x.grad,
               "grad.first": flat_state(case, h.grad, c.grad)}
    for name, tensor in named(layers).items():
        tensors[name], tensors["grad." + name] = tensor, tensor.grad
    golden_tensors.write(os.path.join(folder, case["name"] + ".safetensors"), tensors)


def cases():
    for kind in ("rnn-tanh", "rnn-relu", "lstm", "gru"):
        yield {"name": kind, "kind": kind, "input": 7, "hidden": 9, "directions": 2}
        yield {"name": kind + "-3-layers", "kind": kind, "input": 4, "hidden": 5, "layers": 3,
               "directions": 2}
    yield {"name": "gru-residual", "kind": "gru", "input": 6, "hidden": 3, "layers": 3,
           "directions": 2, "residual": True}
    for kind in ("lstm-peephole", "gru-cho", "mut1", "mut2", "mut3"):
        yield {"name": kind, "kind": kind, "input": 7, "hidden": 9}
        yield {"name": kind + "-2-layers", "kind": kind, "input": 5, "hidden": 5, "layers": 2,
               "directions": 2}
    for kind in ("rnn-tanh", "lstm", "lstm-peephole", "gru", "gru-cho", "mut1", "mut2", "mut3"):
        for norm in ("separate", "joint"):
            yield {"name": "%s-norm-%s" % (kind, norm), "kind": kind, "norm": norm, "input": 5,
                   "hidden": 7}


if __name__ == "__main__":
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "recurrent")
    for number, case in enumerate(cases()):
        make_case(here, number, case)
