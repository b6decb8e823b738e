package dev.samediff.adapters.text.batch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.testing.ForkedJvm;
import dev.samediff.adapters.text.jsonl.BrokenLines;
import dev.samediff.adapters.text.jsonl.JsonlExamples;
import dev.samediff.adapters.text.jsonl.TextExample;
import dev.samediff.adapters.text.tokenizer.CharTokenizer;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A file of examples that is larger than the heap of the process that learns from it, tokens and all. */
class LargerThanMemoryTest {
    private static final int HEAP_MEGABYTES = 16;
    private static final int EXAMPLES = 40_000;
    private static final String FILLER = "and nothing more happens here, ".repeat(8);
    private static final SequenceEncoder ENCODER =
            SequenceEncoder.of(CharTokenizer.ofText("abcdefghijklmnopqrstuvwxyz0123456789 ,."), 600);
    private static final BatchPlan PLAN = BatchPlan.of(8, 600).shuffled(7).bucketed(20);

    @TempDir
    private Path folder;

    private static String prompt(int number) {
        return "number " + number + " " + FILLER;
    }

    private static String response(int number) {
        return "it is " + number * 31L % 1000;
    }

    /** Encodes a file and describes the batches, content included. */
    public static final class Learner {
        private Learner() {}

        public static void main(String... arguments) {
            Path file = Path.of(arguments[0]);
            EncodedExamples encoded = ENCODER.encodeAll(
                    sink -> JsonlExamples.read(file, Optional.empty(), BrokenLines.REFUSE, sink::accept));
            CausalLmIterator batches = new CausalLmIterator(
                    encoded.sequences(), ENCODER.tokenizer().padId(), PLAN.packed(Packing.valueOf(arguments[1])));
            System.out.println(Runtime.getRuntime().maxMemory() + " " + batches.batchesPerEpoch() + " "
                    + batches.description().get("content (SHA-256 of tokens and labels)"));
        }
    }

    private Path file(boolean table) throws IOException {
        Path file = folder.resolve(table ? "train.csv" : "train.jsonl");
        try (Writer writer = Files.newBufferedWriter(file)) {
            writer.write(table ? "prompt,response,note\n" : "");
            for (int i = 0; i < EXAMPLES; i++) {
                writer.write(
                        table
                                ? "\"" + prompt(i) + "\"," + response(i) + "," + FILLER.replace(",", "") + "\n"
                                : "{\"prompt\": \"" + prompt(i) + "\", \"response\": \"" + response(i)
                                        + "\", \"note\": \"" + FILLER + "\"}\n");
            }
        }
        return file;
    }

    /** Returns what the process printed: its heap, batches of an epoch, the hash. */
    private static String[] learn(Path file, Packing packing) throws IOException, InterruptedException {
        String[] printed = new ForkedJvm()
                .with("-Xmx" + HEAP_MEGABYTES + "m", "-XX:+UseSerialGC")
                .run(Learner.class, file.toString(), packing.name())
                .strip()
                .split(" ");
        assertThat(Files.size(file)).isGreaterThan(Long.parseLong(printed[0]));
        return printed;
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void lines_and_tables_beyond_the_heap_are_learned_token_by_token_as_small_ones(boolean table) throws Exception {
        String[] printed = learn(file(table), Packing.NONE);
        ContentHash hash = new ContentHash();
        hash.add(ENCODER.tokenizer().padId());
        for (int i = 0; i < EXAMPLES; i++) {
            for (TokenSequence sequence : ENCODER.encode(new TextExample(prompt(i), response(i)))) {
                hash.add(sequence.ids());
                hash.add(sequence.labelled());
            }
        }
        assertThat(printed[2]).isEqualTo(hash.text());
        assertThat(printed[1]).isEqualTo("" + EXAMPLES / 8);
    }

    @Test
    void packing_beyond_the_heap_fills_rows() throws Exception {
        Path file = file(false);
        for (Packing packing : new Packing[] {Packing.STREAM, Packing.BEST_FIT}) {
            assertThat(Integer.parseInt(learn(file, packing)[1])).isLessThan(EXAMPLES / 8);
        }
    }
}
