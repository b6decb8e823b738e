/**
 * Conversations as the text a model was trained with: templates of Hugging Face tokenizers, in the part of Jinja that they use. A template comes
 * from strangers: it sees strings, numbers, lists and maps, and nothing of Java.
 */
@org.jspecify.annotations.NullMarked
package dev.samediff.adapters.text.chat;
