package dev.samediff.adapters.text.generation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class WrittenTextTest {
    /** A token per byte of UTF-8. */
    private static final class Bytes implements Tokenizer {
        @Override
        public int[] encode(String text) {
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            int[] ids = new int[bytes.length];
            Arrays.setAll(ids, i -> bytes[i] & 255);
            return ids;
        }

        @Override
        public String decode(int[] ids) {
            byte[] bytes = new byte[ids.length];
            for (int i = 0; i < ids.length; i++) {
                bytes[i] = (byte) ids[i];
            }
            return new String(bytes, StandardCharsets.UTF_8);
        }

        @Override
        public int padId() {
            return 0;
        }

        @Override
        public int eosId() {
            return 256;
        }

        @Override
        public int vocabularySize() {
            return 257;
        }

        @Override
        public String describe() {
            return "bytes";
        }
    }

    private static List<String> pieces(String text, String... stops) {
        Bytes bytes = new Bytes();
        int[] ids = bytes.encode(text);
        WrittenText written = new WrittenText(bytes, List.of(stops));
        List<String> pieces = new ArrayList<>();
        boolean stopped = false;
        for (int i = 1; i <= ids.length && !stopped; i++) {
            stopped = written.read(Arrays.copyOf(ids, i));
            pieces.add(written.next(stopped || i == ids.length));
        }
        pieces.removeIf(String::isEmpty);
        assertThat(String.join("", pieces)).isEqualTo(written.text());
        return pieces;
    }

    @Test
    void a_character_is_told_when_all_its_bytes_are_there() {
        assertThat(pieces("a\u00e9b")).containsExactly("a", "\u00e9", "b");
        assertThat(pieces("\ud83d\ude00!")).containsExactly("\ud83d\ude00", "!");
        assertThat(pieces("a\ufffd")).containsExactly("a", "\ufffd");
    }

    @Test
    void what_may_become_a_stop_string_is_held_back_until_it_is_decided() {
        assertThat(pieces("one\n\ntwo", "\n\n")).containsExactly("o", "n", "e");
        assertThat(pieces("one\ntwo", "\n\n")).containsExactly("o", "n", "e", "\nt", "w", "o");
        assertThat(pieces("aab", "aac")).containsExactly("aab");
        assertThat(pieces("aaac", "aac")).containsExactly("a");
        assertThat(pieces("one", "nex")).containsExactly("o", "ne");
    }

    @Test
    void a_text_ends_before_the_first_of_its_stop_strings() {
        assertThat(String.join("", pieces("a cat, a dog", "dog", "cat"))).isEqualTo("a ");
        assertThat(pieces("stop", "stop")).isEmpty();
    }
}
