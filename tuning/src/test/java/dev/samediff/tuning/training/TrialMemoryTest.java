package dev.samediff.tuning.training;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.memory.NativeBlock;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.tuning.LocalTrials;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialSpec;
import dev.samediff.tuning.pruning.Pruning;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.Parameter;
import dev.samediff.tuning.space.ParameterValues;
import dev.samediff.tuning.space.Range;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class TrialMemoryTest {
    private static final int IN = 256;
    private static final int WIDE = 1024;
    private static final int CLASSES = 32;
    private static final int BATCH = 1024;
    private static final double FACTOR = 2;

    private static final AdapterSpace SPACE = AdapterSpace.of(
            Parameter.of("method", new Range.Choice(List.of("sorsa"))),
            Parameter.of("rank", new Range.Choice(List.of(4L, 16L))),
            Parameter.of("batch", new Range.Choice(List.of(16L, (long) BATCH))));

    @Test
    void the_estimate_is_within_a_factor_of_two_of_what_a_trial_takes() throws InterruptedException {
        AdapterDefaults defaults = AdapterDefaults.of(
                () -> TrainingPlan.builder().steps(6).learningRate(1e-3).evaluateEvery(3));
        AdapterTrial trial = new AdapterTrial(
                new BaseModels(graph(), Map.of()),
                data(),
                graph -> Losses.classification(graph, "logits"),
                new String[] {"x"},
                defaults,
                AdapterTrial.cache(SPACE, defaults));
        long estimate = trial.memory(SPACE, 3).bytes();
        run(trial); // what is computed once for all trials is not a trial's
        long before = collected();
        AtomicBoolean running = new AtomicBoolean(true);
        long[] peak = {before};
        Thread looking = new Thread(() -> {
            while (running.get()) {
                peak[0] = Math.max(peak[0], nativeBytes());
                Thread.onSpinWait();
            }
        });
        looking.start();
        TrialResult result = run(trial);
        running.set(false);
        looking.join();
        assertThat(result.error()).isEmpty();
        long taken = peak[0] - before;
        assertThat((double) estimate)
                .as("estimate beside %d bytes taken", taken)
                .isBetween(taken / FACTOR, taken * FACTOR);
    }

    @Test
    void too_many_trials_at_a_time_are_refused_with_how_many_fit() {
        TrialMemory memory = new TrialMemory(2_000_000_000L);
        memory.requireFits(3, 6_000_000_000L);
        assertThatThrownBy(() -> memory.requireFits(4, 6_500_000_000L))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage(
                        "4 trials at the same time take about 2.00 GB each and 6.50 GB are free; give --parallel 3 or"
                                + " smaller batches");
        assertThatThrownBy(() -> memory.requireFits(1, 1_000_000_000L)).hasMessageContaining("shorter texts");
    }

    private static TrialResult run(AdapterTrial trial) {
        ParameterValues largest = new ParameterValues(Map.of("method", "sorsa", "rank", 16L, "batch", (long) BATCH));
        return new LocalTrials(trial)
                .execute(
                        new TrialSpec(0, largest, 3, 1, Duration.ZERO, 0, new Pruning.None(), List.of()), report -> {});
    }

    private static long collected() throws InterruptedException {
        for (int i = 0; i < 5; i++) {
            System.gc();
            Thread.sleep(100);
        }
        return nativeBytes();
    }

    private static long nativeBytes() {
        return Pointer.totalBytes() + NativeBlock.totalBytes();
    }

    private static SameDiff graph() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, IN);
        SDVariable h = graph.math.tanh(x.mmul(graph.var("first.weight", weight(IN, WIDE))));
        SDVariable g = graph.math.tanh(h.mmul(graph.var("second.weight", weight(WIDE, IN))));
        g.mmul("logits", graph.var("head.weight", weight(IN, CLASSES)));
        return graph;
    }

    private static INDArray weight(int rows, int columns) {
        return Nd4j.randn(DataType.FLOAT, rows, columns).divi(Math.sqrt(rows));
    }

    /** Batches that are there before a trial starts. */
    private static TrialData data() {
        MultiDataSet large = batch(BATCH);
        MultiDataSet two = batch(2);
        return new TrialData() {
            @Override
            public MultiDataSetIterator train(int batch, long seed) {
                return new ListIterator(List.of(batch == BATCH ? large : two));
            }

            @Override
            public MultiDataSetIterator evaluation() {
                return new ListIterator(List.of(two));
            }
        };
    }

    private static MultiDataSet batch(int size) {
        return new MultiDataSet(
                new INDArray[] {Nd4j.randn(DataType.FLOAT, size, IN)},
                new INDArray[] {Nd4j.createFromArray(new int[size])},
                null,
                new INDArray[] {Nd4j.ones(DataType.FLOAT, size)});
    }
}
