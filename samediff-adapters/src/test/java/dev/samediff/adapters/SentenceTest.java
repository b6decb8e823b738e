package dev.samediff.adapters;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SentenceTest {
    @Test
    void a_sentence_stays_as_it_is() {
        String sentence = "the file `m.onnx` is no model; name an ONNX file\tor a graph";
        assertThat(Sentence.of(sentence)).isSameAs(sentence);
        assertThat(new InvalidInputException(sentence)).hasMessage(sentence);
    }

    @Test
    void a_long_word_is_shown_by_its_ends_and_its_length() {
        String sentence = Sentence.of("there is no `a" + "x".repeat(3000) + "b`; there are c and d");
        assertThat(sentence)
                .startsWith("there is no `axxx")
                .endsWith("xb`; there are c and d")
                .contains("(3005 characters)")
                .hasSizeLessThan(300);
    }

    @Test
    void a_long_sentence_keeps_what_to_do_at_its_end() {
        String sentence = Sentence.of("there is no `a`; there are " + "layer ".repeat(1000) + "; give one of them");
        assertThat(sentence)
                .startsWith("there is no `a`; there are layer")
                .endsWith("layer ; give one of them")
                .contains("(6045 characters)")
                .hasSizeBetween(1900, Sentence.LONGEST);
    }

    @Test
    void characters_of_two_parts_are_not_cut() {
        for (int shift = 0; shift < 2; shift++) {
            String sentence = Sentence.of("x".repeat(shift) + "\ud83d\ude00".repeat(500));
            assertThat(sentence.codePoints()).noneMatch(c -> Character.getType(c) == Character.SURROGATE);
        }
    }

    @Test
    void lines_become_one_and_terminals_are_told_nothing() {
        assertThat(Sentence.of(" no such\r\n  file \u2028\n\u001b]0;owned\u0007\u009b1m\n"))
                .isEqualTo("no such file \\u001b]0;owned\\u0007\\u009b1m");
        assertThat(Sentence.plain("a\tb\n\u001b[31mc\u0000")).isEqualTo("a\tb\n\\u001b[31mc\\u0000");
    }
}
