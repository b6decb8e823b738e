package dev.samediff.adapters.text.jsonl;

/** What a causal language model learns from: a prompt with its response, or a text of which parts are learned. */
public sealed interface Learnable permits TextExample, MaskedText {}
