package dev.samediff.adapters.text.batch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.text.generation.RandomSequences;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TokenStoreTest {
    /** More tokens than two pieces of a file hold, and one sequence that is longer than a piece. */
    private static List<TokenSequence> many() {
        List<TokenSequence> many = new ArrayList<>(RandomSequences.of(40_000, 120, 5));
        many.add(many.get(3).continuing());
        many.add(new TokenSequence(
                new int[] {5, 6, 7, 8}, new boolean[] {true, true, false, true}, false, new int[] {0, 2}));
        many.add(TokenSequence.allLabelled(
                IntStream.range(0, TokenStore.CHUNK + 7).map(i -> i % 50).toArray()));
        many.add(TokenSequence.allLabelled(0, Integer.MAX_VALUE));
        many.add(new TokenSequence(new int[] {-1, -4096, 0, (1 << 30) - 1}, new boolean[] {false, false, true, true}));
        return many;
    }

    private static TokenStore store(List<TokenSequence> sequences, Path folder) {
        try (TokenStoreBuilder builder = new TokenStoreBuilder(folder)) {
            sequences.forEach(builder::add);
            return builder.store();
        }
    }

    @Test
    void a_store_is_what_was_added_and_leaves_no_file(@TempDir Path folder) throws IOException {
        List<TokenSequence> many = many();
        TokenStore store = store(many, folder);
        assertThat(many.stream().mapToLong(TokenSequence::length).sum()).isGreaterThan(3L * TokenStore.CHUNK);
        assertThat(store).isEqualTo(many);
        assertThat(IntStream.range(0, store.size()).map(store::length))
                .containsExactlyElementsOf(
                        many.stream().map(TokenSequence::length).toList());
        assertThat(IntStream.range(0, store.size()).filter(store::hasStarts)).containsExactly(many.size() - 4);
        try (var files = Files.list(folder)) {
            assertThat(files).isEmpty(); // the open file has lost its name
        }
    }

    @Test
    void every_nth_sequence_is_a_view() {
        List<TokenSequence> some = RandomSequences.of(11, 20, 2);
        TokenStore store = TokenStore.of(some);
        assertThat(store.every(2, 4)).containsExactly(some.get(2), some.get(6), some.get(10));
        assertThat(store.every(3, 4)).containsExactly(some.get(3), some.get(7));
        assertThat(store.every(0, 1)).isEqualTo(some);
    }

    @Test
    void an_iterator_over_a_store_goes_through_the_same_batches_after_serialisation() throws Exception {
        CausalLmIterator iterator = new CausalLmIterator(
                RandomSequences.of(50, 20, 2), 0, BatchPlan.of(4, 32).shuffled(3));
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
            out.writeObject(iterator);
        }
        CausalLmIterator copy;
        try (ObjectInputStream in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            copy = (CausalLmIterator) in.readObject();
        }
        assertThat(copy.description()).isEqualTo(iterator.description());
        while (iterator.hasNext()) {
            assertThat(copy.next()).isEqualTo(iterator.next());
        }
    }

    /** Packing by lists of sequences, as its definition has it. */
    @Test
    void packed_rows_are_those_of_the_definition() {
        List<TokenSequence> data = new ArrayList<>(RandomSequences.of(300, 40, 9));
        for (int i = 5; i < 300; i += 7) { // windows of one text
            TokenSequence before = data.get(i - 1);
            int[] ids = data.get(i).ids().clone();
            ids[0] = before.ids()[before.length() - 1];
            data.set(i, new TokenSequence(ids, data.get(i).labelled(), true));
        }
        List<TokenSequence> longestFirst = new ArrayList<>(data);
        longestFirst.sort(Comparator.comparingInt(TokenSequence::length).reversed());
        List<List<TokenSequence>> rows = new ArrayList<>();
        for (TokenSequence sequence : longestFirst) {
            rows.stream()
                    .filter(row -> room(row) >= sequence.length())
                    .min(Comparator.comparingInt(TokenStoreTest::room))
                    .map(row -> row.add(sequence))
                    .orElseGet(() -> rows.add(new ArrayList<>(List.of(sequence))));
        }
        List<TokenSequence> packed = Packing.BEST_FIT.pack(data, 63);
        assertThat(packed).hasSize(rows.size());
        assertThat(packed.stream().mapToInt(TokenSequence::labels).sum())
                .isEqualTo(data.stream().mapToInt(TokenSequence::labels).sum());
        assertThat(Packing.ISOLATED.pack(data, 63).stream().mapToInt(row -> row.starts().length))
                .containsExactlyElementsOf(rows.stream().map(List::size).toList());
        assertThat(Packing.ISOLATED.pack(data, 63).stream().map(TokenSequence::length))
                .containsExactlyElementsOf(
                        rows.stream().map(row -> 64 - room(row)).toList());
    }

    private static int room(List<TokenSequence> row) {
        return 64 - row.stream().mapToInt(TokenSequence::length).sum();
    }

    @Test
    void a_folder_that_takes_no_file_and_negative_ids_are_told(@TempDir Path folder) {
        Path none = folder.resolve("none");
        List<TokenSequence> many = many();
        assertThatThrownBy(() -> store(many, none))
                .isInstanceOf(UncheckedIOException.class)
                .hasMessageContaining(
                        "cannot keep the tokens of the examples, 4 bytes each, in a temporary file in " + none)
                .hasMessageContaining("java.io.tmpdir");
        List<TokenSequence> negative = List.of(TokenSequence.allLabelled(1, -3));
        assertThatThrownBy(() -> TokenStore.of(negative))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage("token 1 of sequence 0 has the id -3; expected ids of at least 0");
        List<TokenSequence> large = List.of(new TokenSequence(new int[] {-1, 1 << 30}, new boolean[] {false, true}));
        assertThatThrownBy(() -> TokenStore.of(large))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("less than 1073741824 beside virtual tokens");
    }
}
