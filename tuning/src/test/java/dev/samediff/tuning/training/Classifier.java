package dev.samediff.tuning.training;

import dev.samediff.adapters.train.TrainingPlan;
import dev.samediff.adapters.train.loss.Losses;
import dev.samediff.adapters.train.loss.TaskLoss;
import dev.samediff.tuning.space.AdapterSpace;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.api.iterator.MultiDataSetIterator;
import org.nd4j.linalg.factory.Nd4j;

/** A small classifier of three linear layers, and data for it. */
final class Classifier {
    private static final int IN = 12;
    private static final int HIDDEN = 24;
    private static final int CLASSES = 4;

    private Classifier() {}

    static SameDiff graph() {
        Random random = new Random(7);
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, IN);
        SDVariable h = graph.math.tanh(x.mmul(weight(graph, "first", IN, HIDDEN, random)));
        SDVariable g = graph.math.tanh(h.mmul(weight(graph, "second", HIDDEN, HIDDEN, random)));
        g.mmul("logits", weight(graph, "head", HIDDEN, CLASSES, random));
        return graph;
    }

    private static SDVariable weight(SameDiff graph, String name, int rows, int columns, Random random) {
        float[][] values = new float[rows][columns];
        for (float[] row : values) {
            for (int i = 0; i < columns; i++) {
                row[i] = (float) (random.nextGaussian() / Math.sqrt(rows));
            }
        }
        return graph.var(name + ".weight", Nd4j.createFromArray(values));
    }

    static AdapterTrial trial(AdapterSpace space, int steps) {
        return trial(new BaseModels(graph(), Map.of()), space, steps);
    }

    static AdapterTrial trial(BaseModels models, AdapterSpace space, int steps) {
        AdapterDefaults defaults = defaults(steps);
        return new AdapterTrial(
                models, data(), Classifier::loss, new String[] {"x"}, defaults, AdapterTrial.cache(space, defaults));
    }

    static AdapterDefaults defaults(int steps) {
        return AdapterDefaults.of(
                () -> TrainingPlan.builder().steps(steps).learningRate(1e-2).evaluateEvery(2));
    }

    static TaskLoss loss(SameDiff graph) {
        return Losses.classification(graph, "logits");
    }

    static TrialData data() {
        return new TrialData() {
            @Override
            public MultiDataSetIterator train(int batch, long seed) {
                return batches(batch, 6, seed);
            }

            @Override
            public MultiDataSetIterator evaluation() {
                return batches(16, 1, 99);
            }
        };
    }

    private static MultiDataSetIterator batches(int batch, int count, long seed) {
        Random random = new Random(seed);
        List<org.nd4j.linalg.dataset.api.MultiDataSet> sets = new ArrayList<>();
        for (int b = 0; b < count; b++) {
            float[][] x = new float[batch][IN];
            int[] y = new int[batch];
            for (int row = 0; row < batch; row++) {
                for (int i = 0; i < IN; i++) {
                    x[row][i] = (float) random.nextGaussian();
                }
                y[row] = (x[row][0] > 0 ? 1 : 0) + (x[row][1] > 0 ? 2 : 0);
            }
            INDArray mask = Nd4j.ones(DataType.FLOAT, batch);
            sets.add(new org.nd4j.linalg.dataset.MultiDataSet(
                    new INDArray[] {Nd4j.createFromArray(x)},
                    new INDArray[] {Nd4j.createFromArray(y)},
                    null,
                    new INDArray[] {mask}));
        }
        return new ListIterator(sets);
    }
}
