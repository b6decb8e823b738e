package dev.samediff.adapters.train.optimizer;

import dev.samediff.adapters.PenalizedSites;
import dev.samediff.adapters.Penalty;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.method.OrthonormalPenalty;
import dev.samediff.adapters.train.AdapterTrainer;
import dev.samediff.adapters.train.Binding;
import dev.samediff.adapters.train.Trainable;
import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.TrainingResult;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.MultiDataSet;
import org.nd4j.linalg.dataset.adapter.SingletonMultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The part of a training step that is not the engine's: sum and norm of the gradients, SORSA's regulariser, AdamW. The
 * adapters are of rank 16 on every linear layer of a GPT of width 768 with 4 layers and a head of 2000 words; the engine
 * is a stand-in that always gives the same gradients.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class UpdateBenchmark {
    private static final int STEPS = 50;
    private static final int RANK = 16;
    private static final int LAYERS = 4;
    private static final int[][] BLOCK = {{768, 2304}, {768, 768}, {768, 3072}, {3072, 768}};
    private static final int[] HEAD = {768, 2000};

    /** The adapters. */
    @Param({"lora", "sorsa"})
    public String method = "";

    /** Threads. */
    @Param({"1", "2"})
    public int threads;

    private final SameDiff graph = SameDiff.create();
    private final List<Map<String, String>> sites = new ArrayList<>();
    private final Map<String, INDArray> gradients = new LinkedHashMap<>();

    @SuppressWarnings("NullAway.Init") // set before every training
    private AdapterTrainer trainer;

    @SuppressWarnings("NullAway.Init") // set before all
    private TaskLoss loss;

    /** Makes the adapters and their gradients. */
    @Setup
    public void variables() {
        Nd4j.getRandom().setSeed(1);
        for (int layer = 0; layer < LAYERS; layer++) {
            for (int i = 0; i < BLOCK.length; i++) {
                site("h." + layer + "." + i, BLOCK[i]);
            }
        }
        site("head", HEAD);
        graph.placeHolder("x", DataType.FLOAT, -1, HEAD[0])
                .mmul(graph.getVariable("head.A"))
                .rename("logits");
        loss = Losses.classification(graph, "logits");
    }

    private void site(String name, int[] size) {
        variable(name + ".A", size[0], RANK);
        if (method.equals("sorsa")) {
            variable(name + ".S", 1, RANK);
        }
        variable(name + ".B", RANK, size[1]);
        sites.add(Map.of("A", name + ".A", "B", name + ".B"));
    }

    private void variable(String name, int rows, int columns) {
        double scale = 1 / Math.sqrt(Math.max(rows, columns));
        graph.var(name, Nd4j.randn(DataType.FLOAT, rows, columns).muli(scale));
        // a view: the trainer must not close what the engine gives again
        INDArray block = Nd4j.randn(DataType.FLOAT, rows + 1, columns).muli(1e-3);
        gradients.put(name, block.get(NDArrayIndex.interval(0, rows), NDArrayIndex.all()));
    }

    /** A new training. */
    @Setup(Level.Invocation)
    public void start() {
        TrainingPlan plan = TrainingPlan.builder()
                .steps(STEPS)
                .learningRate(1e-4)
                .clipNorm(1)
                .engine(EngineOptions.defaults().withThreads(threads))
                .build();
        trainer = new AdapterTrainer(model(), loss, plan, Binding.of(loss, "x"), new StandIn());
    }

    /** Its end. */
    @TearDown(Level.Invocation)
    public void end() {
        trainer.close();
    }

    /** Trains. */
    @Benchmark
    @OperationsPerInvocation(STEPS)
    public TrainingResult update() {
        return trainer.fit(
                new SingletonMultiDataSetIterator(new MultiDataSet(
                        new INDArray[] {Nd4j.zeros(DataType.FLOAT, 4, HEAD[0])},
                        new INDArray[] {Nd4j.zeros(DataType.INT32, 4)})),
                null);
    }

    private Trainable model() {
        List<String> names = List.copyOf(gradients.keySet());
        return new Trainable() {
            @Override
            public SameDiff graph() {
                return graph;
            }

            @Override
            public List<String> trainableNames() {
                return names;
            }

            @Override
            public List<PenalizedSites> penalties() {
                Penalty penalty = new OrthonormalPenalty(OrthonormalPenalty.Form.SUMSQ, 4e-4, "A", "B");
                return method.equals("sorsa") ? List.of(new PenalizedSites(penalty, sites)) : List.of();
            }
        };
    }

    /** Gives the same gradients in every step. */
    private final class StandIn implements Engine {
        @Override
        public Gradients gradients(Map<String, INDArray> placeholders) {
            return new Gradients(1, gradients);
        }

        @Override
        public Map<String, INDArray> outputs(Map<String, INDArray> placeholders, Collection<String> outputs) {
            throw new IllegalStateException("only gradients are measured");
        }

        @Override
        public void close() {}
    }
}
