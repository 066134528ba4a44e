/*
 * Texts that text code gets wrong: a seeded generator of valid UTF-8 made of what Unicode has of
 * traps, among ordinary words.
 */
#ifndef DRAGOMAN_TESTS_NASTY_TEXT_H
#define DRAGOMAN_TESTS_NASTY_TEXT_H

#include <stddef.h>

#include "base/rng.h"

#define NASTY_TEXT_MAX 1024

/* Writes a text of up to NASTY_TEXT_MAX bytes, often empty or short; returns its length. */
size_t nasty_text(struct rng *rng, char text[NASTY_TEXT_MAX]);

#endif
