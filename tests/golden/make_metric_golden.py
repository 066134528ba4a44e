#!/usr/bin/env python3
"""Writes metric.json: hypotheses, references, their words and the scores they must get; and texts
with their lower case.

The scores come from the definitions, written here once more and in another way than in src/train:
regular expressions, Counter and fractions. Where a score was published by the makers of sacrebleu
(their README, version 2.0, and their own tests) it stands beside the case and is checked here.

    python3 tests/golden/make_metric_golden.py > tests/golden/metric.json
"""

import json
import math
import re
import string
import sys
import unicodedata
from collections import Counter
from fractions import Fraction

ENTITIES = [("<skipped>", ""), ("-\n", ""), ("\n", " "), ("&quot;", '"'), ("&amp;", "&"),
            ("&lt;", "<"), ("&gt;", ">")]
RULES = [(r"([ !-&(-+/:-@\[-`{-~])", r" \1 "), (r"([^0-9])([.,])", r"\1 \2 "),
         (r"([.,])([^0-9])", r" \1 \2"), (r"([0-9])(-)", r"\1 \2 ")]


def words(text):
    text = text.rstrip()
    for old, new in ENTITIES:
        text = text.replace(old, new)
    text = " " + text + " "
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    return text.split()


def grams(items, n):
    return Counter(tuple(items[i:i + n]) for i in range(len(items) - n + 1))


def bleu(segments, cut=words, smooth=True):
    matches, totals, length, wanted = [0] * 4, [0] * 4, 0, 0
    for hypothesis, references in segments:
        mine = cut(hypothesis)
        theirs = [cut(r) for r in references if r]
        length += len(mine)
        wanted += min((abs(len(t) - len(mine)), len(t)) for t in theirs)[1]
        for n in range(4):
            most = Counter()
            for t in theirs:
                most |= grams(t, n + 1)
            own = grams(mine, n + 1)
            matches[n] += sum((own & most).values())
            totals[n] += sum(own.values())
    if not any(matches) or not all(totals) or not smooth and not all(matches):
        return 0.0
    product, halves = Fraction(1), 0
    for match, total in zip(matches, totals):
        if match:
            product *= Fraction(match, total)
        else:
            halves += 1
            product *= Fraction(1, 2 ** halves * total)
    penalty = 1.0 if length >= wanted else math.exp(1 - wanted / length)
    return 100 * penalty * float(product) ** 0.25


def f_score(counts):
    used = [(m, h, r) for m, h, r in counts if h and r]
    if not any(m for m, _, _ in used):
        return 0.0
    precision = sum(Fraction(m, h) for m, h, _ in used) / len(used)
    recall = sum(Fraction(m, r) for m, _, r in used) / len(used)
    return float(100 * 5 * precision * recall / (4 * precision + recall))


def chrf_words(text):
    """Words of chrF++: one mark of punctuation at the end, or else one in front, is a word."""
    result = []
    for word in text.split():
        at_end = re.fullmatch("(.+)([" + re.escape(string.punctuation) + "])", word, re.DOTALL)
        in_front = re.fullmatch("([" + re.escape(string.punctuation) + "])(.+)", word, re.DOTALL)
        match = at_end or in_front
        result += match.groups() if match else [word]
    return result


def chrf(segments, word_orders=0):
    total = [[0, 0, 0] for _ in range(6 + word_orders)]
    for hypothesis, references in segments:
        best = None
        for reference in filter(None, references):
            counts = []
            for orders, cut in (6, lambda t: "".join(t.split())), (word_orders, chrf_words):
                mine, theirs = cut(hypothesis), cut(reference)
                for n in range(1, orders + 1):
                    own, other = grams(mine, n), grams(theirs, n)
                    counts.append((sum((own & other).values()), sum(own.values()) if other else 0,
                                   sum(other.values())))
            if best is None or f_score(counts) > f_score(best):
                best = counts
        for i, row in enumerate(best):
            total[i] = [a + b for a, b in zip(total[i], row)]
    return f_score(total)


def lowered(segments):
    return [(h.lower(), [r.lower() for r in references]) for h, references in segments]


SCORES = {
    "bleu": bleu,
    "bleu unsmoothed": lambda s: bleu(s, smooth=False),
    "bleu lower": lambda s: bleu(lowered(s)),
    "bleu tokenised": lambda s: bleu(s, cut=str.split),
    "bleu tokenised lower unsmoothed": lambda s: bleu(lowered(s), cut=str.split, smooth=False),
    "chrf": chrf,
    "chrf lower": lambda s: chrf(lowered(s)),
    "chrf words": lambda s: chrf(s, word_orders=2),
    "chrf words lower": lambda s: chrf(lowered(s), word_orders=2),
}


README = [
    ("The dog bit the man.", ["The dog bit the man.", "The dog had bit the man."]),
    ("It wasn't surprising.", ["It was not unexpected.", "No one was surprised."]),
    ("The man had just bitten him.", ["The man bit him first.", "The man had bitten the dog."]),
]
FRENCH = [
    ("Pourquoi te sens-tu ainsi\u202f?", ["Pourquoi te sens-tu ainsi ?"]),
    ("«\u00a0Je sais\u00a0», dit-il.", ["« Je sais », dit-elle."]),
    ("L'été dernier, j'ai vu 3,5 millions d'étoiles…", ["L'été dernier j'ai vu 3.5 millions d'étoiles..."]),
    ("C’est l’œuvre de Noël\u00a0!", ["C'est l'œuvre de Noël !"]),
]

# What sacrebleu's own tests expect of the README's example with other settings.
README_SCORES = {"bleu tokenised": 49.1919566, "bleu unsmoothed": 48.530827}

# name, segments, published BLEU, published chrF, tolerance of both
CASES = [
    ("two references, from the README", README, 48.530827, 59.73, 0.005),
    ("a reference left out, from the README",
     [(README[0][0], ["", README[0][1][1]])] + README[1:], 29.44, None, 0.005),
    ("nothing translated", [("", r) for _, r in README], 0.0, 0.0, 1e-8),
    ("smoothing", [("Producția de zahăr primă va fi exprimată în ceea ce privește zahărul alb;",
                    ["producţia de zahăr brut se exprimă în zahăr alb;"])], 8.493, None, 0.001),
    ("no match at all", [("this is a cat", ["okay thanks"])], 0.0, None, 1e-8),
    ("one character", [("a", ["a"])], 0.0, 100.0, 1e-4),
    ("spaces don't count for chrF", [("a b c", ["abc"])], 0.0, 100.0, 1e-4),
    ("chrF sums counts over sentences", [("a", ["a"]), ("b", ["c"])], None, 50.0, 1e-4),
    ("orders that are missing", [("aa", ["ab"])], None, 25.0, 1e-4),
    ("empty against text", [("", ["reference"])], 0.0, 0.0, 1e-4),
    ("identical", [("Niemand hat die Absicht, eine Mauer zu errichten",
                    ["Niemand hat die Absicht, eine Mauer zu errichten"])], 100.0, 100.0, 1e-4),
    ("some empty hypotheses", [README[0], ("", README[1][1]), README[2]], None, None, 0),
    ("only empty words", [("\u00a0 \t\u3000", ["It was not."])], 0.0, 0.0, 1e-8),
    ("French spaces, quotes and apostrophes", FRENCH, None, None, 0),
    ("numbers", [("It costs $1,234.56-1,300 (5.5% off), item 3.a; 1990-95, No.7.",
                  ["It costs 1,234.56 - 1,300$ (5.5 % off); item 3.a, 1990-95, no. 7."])],
     None, None, 0),
    ("points in a row", [("Wait... what?! 5..6 ,,3 .5 5. a.b.c. ...", ["Wait . . . what ? ! 5.6"])],
     None, None, 0),
    ("entities", [("R&amp;D said &quot;x &lt; y&quot; &amp;lt; &amp;quot; &apos; &#39; <skipped>ok",
                   ["R&D said \"x < y\" < &quot; ' ' ok"])], None, None, 0),
    ("lines joined", [("A well-\nknown line\nof text-\n", ["A wellknown line of text-"])],
     None, None, 0),
    ("case", [("THE CAT SAT ON THE MAT.", ["The cat sat on the mat."])], None, None, 0),
    ("case but for one word", [("The Cat sat on the mat.", ["The cat sat on the mat."])],
     None, None, 0),
    ("repeated words are clipped", [("the the the the the the the",
                                     ["the cat is on the mat", "there is a cat on the mat"])],
     None, None, 0),
    ("equally close lengths: the shorter", [("a b c d e", ["a b c d e f", "a b c d"])],
     None, None, 0),
    ("much too long", [("a b c d e f g h i j k l m n o p", ["a b c d"])], None, None, 0),
    ("much too short", [("a b c d", ["a b c d e f g h i j k l m n o p"])], None, None, 0),
    ("odd separators", [("a\x1cb\x1dc\x1ed\x1fe\x85f\u1680g\u2000h\u2028i\u2029j\u202fk\u205fl\u3000m",
                         ["a b c d e f g h i j k l m"]), ("a\u200bb\ufeffc\u180ed", ["a b c d"])],
     None, None, 0),
    ("every ASCII character", [("".join(chr(c) for c in range(1, 128)),
                                ["".join(chr(c) + "x" for c in range(1, 128))])], None, None, 0),
    ("digits of other scripts are no digits", [("٣.٥ ３．５ x².y 5.² ٣-٥", ["٣ . ٥ ３．５ x² . y 5 . ² ٣-٥"])],
     None, None, 0),
    ("other planes and combining marks", [("😀😃 cafe\u0301. 𝒜,𝒷 日本語。", ["😀 café. 𝒜, 𝒷 日本。"])],
     None, None, 0),
    ("three references", [("the quick brown fox jumps over dogs",
                           ["a quick brown fox jumped over the dog", "the fast brown fox jumps over dogs",
                            "the quick fox jumps over a lazy dog"]),
                          ("hello , world .", ["hello, world.", "Hello world", "hello there, world!"])],
     None, None, 0),
    ("Moses tokens", [("ein mann in blau hält eine leiter - während ein &quot; anderer &quot; zu@-@ sieht .",
                       ["ein mann in einem blauen hemd hält eine leiter - und ein &quot; anderer &quot; "
                        "sieht zu ."]),
                      ("zwei  hunde\trennen\u00a0durch gras . ", ["zwei hunde rennen durch das gras ."])],
     None, None, 0),
    ("a long match missing", [("a b c x d e f y", ["a b c z d e f w"])], None, None, 0),
    ("capitals that become longer, and final sigmas",
     [("ΟΔΥΣΣΕΥΣ ΤΗΣ ΟΔΟΥ, İSTANBUL ΚΑΛΟΣ. ΠΟΛΥΣ", ["Οδυσσευς της οδου, i\u0307stanbul καλος. πολυς"])],
     None, None, 0),
    ("marks around words", [("(hi) 'quote' \"x\" -- don't \u00abguillemets\u00bb . !a! ab.. \u00a1Hola!",
                             ["( hi ) 'quote' \"x\" - - don't \u00abguillemets\u00bb. !a ! ab . . \u00a1Hola !"])],
     None, None, 0),
    ("the best reference differs with words", [("a b c d e f g h", ["abcdefgh", "a b c d e f g h i"])],
     None, None, 0),
]

# Capital letters of Unicode 3.2, whose lower case no table will ever change, and sigmas.
CAPITALS = [c for c in map(chr, range(0x110000))
            if c.lower() != c and unicodedata.ucd_3_2_0.category(c) != "Cn"]
LOWER = ["".join(CAPITALS[i:i + 64]) for i in range(0, len(CAPITALS), 64)] + [
    "Σ", "ΑΣ", "ΑΣ Α", "Α Σ", "ΑΣΑ", "ΑΣ.Α", "ΑΣ. Α", "ΑΣ'", "ΑΣ'Α", "ΑΣ\u0301", "ΑΣ\u0301Α", "1Σ", "Α\u00adΣ",
    "ªΣ", "ⅫΣ", "ⓐΣ", "Α\u2019Σ", "\u0301Σ", "ΣΣΣ", "ΑΣ日", "日Σ", "ᾼΣ", "ΑΣ:Β", "ΑΣ·Β", "ΑΣ，Β", "ʰΣ", "İΣ", "Α^Σ`Α",
]


def main():
    cases = []
    for name, segments, known_bleu, known_chrf, tolerance in CASES:
        case = {"name": name, "scores": {key: score(segments) for key, score in SCORES.items()},
                "segments": [{"hypothesis": h, "words": " ".join(words(h)),
                              "tokens": " ".join(h.split()), "chrf words": " ".join(chrf_words(h)),
                              "references": r} for h, r in segments]}
        published = {"bleu": known_bleu, "chrf": known_chrf}
        if segments is README:
            published.update(README_SCORES)
        for key, known in published.items():
            if known is not None and abs(case["scores"][key] - known) > tolerance:
                sys.exit(f"{name}: {key} is {case['scores'][key]}, published is {known}")
        cases.append(case)
    json.dump({"cases": cases, "lower": [[text, text.lower()] for text in LOWER]}, sys.stdout,
              indent=1)
    print()


main()
