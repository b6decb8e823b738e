package dev.samediff.adapters.text.tokenizer;

/**
 * The tokenizers library with one {@code tokenizer.json}. It refuses what it notices with a {@link RuntimeException} in its own words;
 * a panic of it ends its process.
 */
interface NativeTokenizer extends AutoCloseable {
    /** Returns the ids of a text, in the frame of the post-processor or without. */
    int[] encode(String text, boolean framed);

    /** Returns the text of ids, without special tokens. */
    String decode(int[] ids);

    @Override
    void close();
}
