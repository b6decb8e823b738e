package dev.samediff.adapters.text.generation;

/** Is told what is written, as it is written. */
@FunctionalInterface
public interface GenerationListener {
    /**
     * Takes the next piece of a text. The pieces of a text joined are the text of its {@link Generation}; characters of which only some bytes
     * are written yet, and what may become a stop string, are held back until that is decided.
     *
     * @param prompt number of the prompt
     * @param piece one or more characters
     * @return whether to go on; false ends the text ({@link Generation.End#CANCELLED})
     */
    boolean onText(int prompt, String piece);
}
