package dev.samediff.adapters.text.batch;

import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.Arrays;

/** A token from 10 for each letter, in a frame of 1 and 2. Blanks are left out, or are part of the letter behind, which is 100 more. */
final class Letters implements Tokenizer {
    private final boolean blanks;

    Letters() {
        this(false);
    }

    Letters(boolean blanks) {
        this.blanks = blanks;
    }

    @Override
    public int[] encode(String text) {
        int[] ids = new int[text.length()];
        int count = 0;
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) != ' ') {
                boolean behind = blanks && i > 0 && text.charAt(i - 1) == ' ';
                ids[count++] = text.charAt(i) - 'a' + 10 + (behind ? 100 : 0);
            }
        }
        return Arrays.copyOf(ids, count);
    }

    @Override
    public int[] encodeFramed(String text) {
        int[] body = encode(text);
        int[] framed = new int[body.length + 2];
        System.arraycopy(body, 0, framed, 1, body.length);
        framed[0] = 1;
        framed[framed.length - 1] = 2;
        return framed;
    }

    @Override
    public String decode(int[] ids) {
        return "";
    }

    @Override
    public int padId() {
        return 0;
    }

    @Override
    public int eosId() {
        return 2;
    }

    @Override
    public int vocabularySize() {
        return 136;
    }

    @Override
    public String describe() {
        return "letters";
    }
}
