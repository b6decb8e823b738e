package dev.samediff.adapters.text.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.batch.SequenceEncoder.Labels;
import dev.samediff.adapters.text.batch.SequenceEncoder.LongResponses;
import dev.samediff.adapters.text.jsonl.TextExample;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import dev.samediff.adapters.text.tokenizer.Framing;
import dev.samediff.adapters.text.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SequenceEncoderTest {
    // pad 0, eos 1, unk 2, a 3, b 4, ... z 28
    private static final CharTokenizer LETTERS = CharTokenizer.ofText("abcdefghijklmnopqrstuvwxyz");

    private static TokenSequence only(SequenceEncoder encoder, String prompt, String response) {
        List<TokenSequence> sequences = encoder.encode(new TextExample(prompt, response));
        assertThat(sequences).hasSize(1);
        return sequences.get(0);
    }

    @Test
    void prompt_response_and_end_follow_each_other_and_the_response_counts() {
        TokenSequence sequence = only(SequenceEncoder.of(LETTERS, 10), "ab", "cd");
        assertThat(sequence.ids()).containsExactly(3, 4, 5, 6, 1);
        assertThat(sequence.labelled()).containsExactly(false, false, true, true, true);
    }

    @Test
    void the_prompt_counts_too_if_wanted() {
        TokenSequence sequence = only(SequenceEncoder.of(LETTERS, 10).withLabels(Labels.ALL), "ab", "c");
        assertThat(sequence.labelled()).containsExactly(true, true, true, true);
        assertThat(sequence.labels()).isEqualTo(3);
    }

    @Test
    void the_end_token_can_be_left_out() {
        assertThat(only(SequenceEncoder.of(LETTERS, 10).withEos(false), "ab", "c")
                        .ids())
                .containsExactly(3, 4, 5);
    }

    @Test
    void a_sequence_may_have_one_token_more_than_the_model_sees() {
        assertThat(only(SequenceEncoder.of(LETTERS, 4), "ab", "cd").ids()).containsExactly(3, 4, 5, 6, 1);
    }

    @Test
    void a_long_prompt_loses_its_beginning_and_the_response_stays_whole() {
        EncodedExamples encoded = SequenceEncoder.of(LETTERS, 4).encodeAll(List.of(new TextExample("abcdef", "gh")));
        assertThat(encoded.sequences().get(0).ids()).containsExactly(7, 8, 9, 10, 1);
        assertThat(encoded.sequences().get(0).labelled()).containsExactly(false, false, true, true, true);
        assertThat(encoded.report().cutPrompts()).isEqualTo(1);
    }

    @Test
    void an_example_whose_response_does_not_fit_is_dropped_and_counted() {
        EncodedExamples encoded = SequenceEncoder.of(LETTERS, 4)
                .encodeAll(List.of(new TextExample("ab", "cdef"), new TextExample("ab", "cde")));
        assertThat(encoded.sequences()).hasSize(1);
        assertThat(encoded.sequences().get(0).ids()).containsExactly(4, 5, 6, 7, 1);
        assertThat(encoded.report().dropped()).isEqualTo(1);
        assertThat(encoded.report().summary())
                .isEqualTo("2 examples -> 1 sequences, 5 tokens, 4 labelled, longest 5; 1 prompts cut on the left;"
                        + " 1 examples dropped (response too long)");
    }

    @Test
    void or_its_response_is_cut_and_has_no_end() {
        SequenceEncoder encoder = SequenceEncoder.of(LETTERS, 4).withLongResponses(LongResponses.CUT);
        TokenSequence sequence = only(encoder, "ab", "cdefg");
        assertThat(sequence.ids()).containsExactly(4, 5, 6, 7, 8);
        assertThat(sequence.labelled()).containsExactly(false, true, true, true, true);
    }

    @Test
    void if_every_example_is_dropped_the_message_says_what_to_do() {
        assertThatThrownBy(() -> SequenceEncoder.of(LETTERS, 2).encodeAll(List.of(new TextExample("a", "bcdef"))))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("1 have responses longer than the maximum length 2; raise the maximum length");
    }

    @Test
    void a_long_text_is_split_so_that_each_token_is_learned_once() {
        String text = "abcdefghijklmnopqrstuvwxyz";
        EncodedExamples encoded = SequenceEncoder.of(LETTERS, 7).encodeAll(List.of(TextExample.text(text)));
        List<Integer> learned = new ArrayList<>();
        for (TokenSequence sequence : encoded.sequences()) {
            assertThat(sequence.length()).isLessThanOrEqualTo(8);
            for (int i = 1; i < sequence.length(); i++) {
                learned.add(sequence.ids()[i]);
            }
        }
        int[] all = LETTERS.encode(text);
        List<Integer> expected = new ArrayList<>();
        for (int i = 1; i < all.length; i++) {
            expected.add(all[i]);
        }
        expected.add(LETTERS.eosId());
        assertThat(learned).isEqualTo(expected);
        assertThat(encoded.report().splitTexts()).isEqualTo(1);
    }

    @Test
    void unknown_tokens_are_counted() {
        assertThat(SequenceEncoder.of(LETTERS, 9)
                        .encodeAll(List.of(new TextExample("a?", "b!")))
                        .report()
                        .unknownTokens())
                .isEqualTo(2);
    }

    @Test
    void a_beginning_token_must_exist() {
        assertThatThrownBy(() -> SequenceEncoder.of(LETTERS, 9).withBos(true))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("has no beginning token");
    }

    @Test
    void a_prompt_to_generate_from_is_cut_on_the_left_like_those_of_training() {
        assertThat(SequenceEncoder.of(LETTERS, 4).encodePrompt("abcdef")).containsExactly(6, 7, 8);
        assertThat(SequenceEncoder.of(LETTERS, 4).encodePrompt("ab")).containsExactly(3, 4);
    }

    @Test
    void a_sequence_without_anything_to_learn_is_refused() {
        assertThatThrownBy(() -> new TokenSequence(new int[] {3, 4}, new boolean[] {true, false}))
                .hasMessageContaining("nothing to learn");
        assertThatThrownBy(() -> TokenSequence.allLabelled(3)).hasMessageContaining("has 1 tokens");
    }

    /** Ids of a: 3, b: 4, ...; in front of texts y (27) and z (28). */
    private static SequenceEncoder framed(int maxLength) {
        return SequenceEncoder.of(LETTERS, maxLength)
                .withFraming(LETTERS.framing()
                        .withBefore(List.of(new Framing.Mark(27, "y"), new Framing.Mark(28, "z")), "a test"));
    }

    @Test
    void what_the_tokenizer_puts_in_front_stands_there_once_and_is_not_learned() {
        TokenSequence sequence = only(framed(10), "ab", "c");
        assertThat(sequence.ids()).containsExactly(27, 28, 3, 4, 5, 1);
        assertThat(sequence.labelled()).containsExactly(false, false, false, false, true, true);
        assertThat(only(framed(10), "yzab", "c")).isEqualTo(sequence);
        assertThat(only(framed(10), "", "yzc").ids()).containsExactly(27, 28, 5, 1);
        assertThat(only(framed(10), "", "c").ids()).containsExactly(27, 28, 5, 1);
        assertThat(only(framed(10), "ab", "yzc").ids()).containsExactly(27, 28, 3, 4, 27, 28, 5, 1);
        assertThat(framed(10).encode(TextExample.text("abc")).get(0).ids()).containsExactly(27, 28, 3, 4, 5, 1);
        assertThat(framed(10).encode(TextExample.text("yzabc")).get(0).ids()).containsExactly(27, 28, 3, 4, 5, 1);
        assertThat(framed(10).encodePrompt("ab")).containsExactly(27, 28, 3, 4);
        assertThat(framed(10).encodePrompt("yzab")).containsExactly(27, 28, 3, 4);
    }

    @Test
    void virtual_tokens_stand_before_all_and_are_never_learned() {
        SequenceEncoder encoder = framed(12);
        SequenceEncoder behind = encoder.withFraming(encoder.framing().behind(2));
        for (SequenceEncoder.Labels labels : SequenceEncoder.Labels.values()) {
            TokenSequence plain = only(encoder.withLabels(labels), "ab", "c");
            TokenSequence prompted = only(behind.withLabels(labels), "ab", "c");
            assertThat(prompted.ids()).startsWith(-1, -2).endsWith(plain.ids()).hasSize(plain.length() + 2);
            assertThat(prompted.labelled()).startsWith(false, false).endsWith(plain.labelled());
        }
        int[] asked = behind.encodePrompt("abcdefghijklmnop");
        assertThat(asked).hasSize(11).startsWith(-1, -2).endsWith(framed(10).encodePrompt("abcdefghijklmnop"));
        assertThat(behind.framing().begin(encoder.framing().begin(7)))
                .isEqualTo(behind.framing().begin(7));
    }

    @Test
    void every_window_of_a_long_text_stands_behind_the_virtual_tokens_and_each_token_is_learned_once() {
        SequenceEncoder behind = SequenceEncoder.of(LETTERS, 9);
        String text = "abcdefghijklmnopqrstuvwxyz";
        for (int virtual = 1; virtual < 7; virtual++) {
            List<TokenSequence> windows =
                    behind.withFraming(behind.framing().behind(virtual)).encode(TextExample.text(text));
            List<Integer> learned = new ArrayList<>();
            for (TokenSequence window : windows) {
                assertThat(window.length()).isLessThanOrEqualTo(10);
                assertThat(window.continues()).isFalse();
                for (int t = 0; t < window.length(); t++) {
                    assertThat(window.ids()[t]).isEqualTo(t < virtual ? -1 - t : window.ids()[t]);
                    if (window.labelled()[t]) {
                        learned.add(window.ids()[t]);
                    }
                }
            }
            int[] expected = Arrays.copyOf(LETTERS.encode(text), 27);
            expected[26] = LETTERS.eosId();
            assertThat(learned)
                    .containsExactlyElementsOf(Arrays.stream(expected).boxed().toList());
        }
    }

    @Test
    void an_end_that_a_response_spells_out_is_not_doubled() {
        // the tokenizer of words spells special tokens: here a stands for the end
        CharTokenizer ended = CharTokenizer.ofText("ab");
        SequenceEncoder encoder = new SequenceEncoder(
                new Ending(ended, 3), 10, Labels.RESPONSE, LongResponses.DROP, Framing.plain(3), true);
        assertThat(only(encoder, "b", "ba").ids()).containsExactly(4, 4, 3);
        assertThat(only(encoder, "b", "b").ids()).containsExactly(4, 4, 3);
        assertThat(encoder.encode(TextExample.text("bba")).get(0).ids()).containsExactly(4, 4, 3);
    }

    @Test
    void cutting_leaves_what_is_in_front() {
        assertThat(only(framed(6), "abcdef", "g").ids()).containsExactly(27, 28, 6, 7, 8, 9, 1);
        assertThat(framed(6).encodePrompt("abcdef")).containsExactly(27, 28, 6, 7, 8);
        assertThatThrownBy(() -> framed(3))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("too small for the 2 tokens in front of every text");
    }

    /** Another end. */
    private record Ending(CharTokenizer letters, int eosId) implements Tokenizer {
        @Override
        public int[] encode(String text) {
            return letters.encode(text);
        }

        @Override
        public String decode(int[] ids) {
            return letters.decode(ids);
        }

        @Override
        public int padId() {
            return letters.padId();
        }

        @Override
        public int vocabularySize() {
            return letters.vocabularySize();
        }

        @Override
        public String describe() {
            return letters.describe();
        }
    }
}
