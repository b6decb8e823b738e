package dev.samediff.adapters.engine.compiled;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.TinyGpt;
import dev.samediff.adapters.engine.kernel.OneDnn;
import dev.samediff.adapters.memory.NativeBlock;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.Map;
import org.assertj.core.data.Percentage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What an engine says of its memory, against what is allocated. */
class PlanMemoryTest {
    @BeforeEach
    void needs_onednn() {
        assumeTrue(OneDnn.isAvailable(), OneDnn::reason);
    }

    @ParameterizedTest
    @CsvSource({
        "12, 512, 1, 64",
        "12, 512, 2, 64",
        "12, 512, 16, 64",
        "2, 2048, 1, 64",
        "2, 2048, 2, 64",
        "2, 256, 2, 256"
    })
    void the_memory_of_a_step_is_what_is_said_of_it(int layers, int length, int count, int width) throws Exception {
        TinyGpt gpt = TinyGpt.ofZeros(width, layers, 4, 100, 4);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        Map<String, INDArray> batch = gpt.batch(1, length, 1);
        EngineOptions options = EngineOptions.defaults().withThreads(count);
        long before = collected();
        try (CompiledEngine engine = new CompiledEngine(gpt.graph, loss.loss(), gpt.trainables, options)) {
            long said = engine.stepBytes(batch).orElseThrow();
            engine.gradients(batch);
            engine.gradients(batch);
            long taken = NativeBlock.totalBytes() - before - engine.weightBytes();
            assertThat(said).isCloseTo(taken, Percentage.withPercentage(10));
            assertThat(engine.arenaBytes()).isEqualTo(said);
            assertThat(engine.weightBytes() > 0).as("packed copies").isEqualTo(width == 256);
        }
        assertThat(NativeBlock.totalBytes()).as("after close").isCloseTo(before, within(4096L));
    }

    @Test
    void each_thread_more_takes_a_few_tiles_of_scores_and_not_a_share_of_every_layer() {
        long one = said(2, 1024, 1);
        long each = (said(2, 1024, 9) - one) / 8;
        assertThat(each).isBetween(1L, 3L << 20);
        long eachOfMany = (said(8, 1024, 9) - said(8, 1024, 1)) / 8;
        assertThat(eachOfMany).isCloseTo(each, within(4096L));
    }

    private static long said(int layers, int length, int threads) {
        TinyGpt gpt = TinyGpt.ofZeros(64, layers, 4, 100, 4);
        TaskLoss loss = Losses.causalLm(gpt.graph, gpt.logits);
        EngineOptions options = EngineOptions.defaults().withThreads(threads);
        try (CompiledEngine engine = new CompiledEngine(gpt.graph, loss.loss(), gpt.trainables, options)) {
            return engine.stepBytes(gpt.batch(1, length, 1)).orElseThrow();
        }
    }

    /** Waits until what earlier tests have left is freed, and returns what there is. */
    private static long collected() throws InterruptedException {
        long before = -1;
        for (int i = 0; i < 20 && before != NativeBlock.totalBytes(); i++) {
            before = NativeBlock.totalBytes();
            System.gc();
            Thread.sleep(100);
        }
        return NativeBlock.totalBytes();
    }
}
