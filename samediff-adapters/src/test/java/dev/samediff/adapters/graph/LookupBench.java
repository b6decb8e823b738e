package dev.samediff.adapters.graph;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.reference.ReferenceEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Time and memory of looking rows of a trainable table up, forward and backward: {@code LookupBench
 * [onehot|steps|partition] [ids rows width]}. Not part of the build.
 */
final class LookupBench {
    private LookupBench() {}

    public static void main(String[] arguments) throws IOException {
        String how = arguments.length > 0 ? arguments[0] : "steps";
        int count = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 1024;
        int rows = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 50257;
        int width = arguments.length > 3 ? Integer.parseInt(arguments[3]) : 16;
        SameDiff graph = SameDiff.create();
        SDVariable table = graph.var("table", Nd4j.rand(DataType.FLOAT, rows, width));
        SDVariable ids = graph.placeHolder("ids", DataType.INT, -1);
        SDVariable found = switch (how) {
            case "onehot" -> graph.mmul(graph.oneHot(ids, rows, -1, 1, 0, DataType.FLOAT), table);
            case "partition" -> partition(graph, table, ids, rows);
            default -> new EmbeddingInput(ids, rows).times("rows", table);
        };
        found.mul(graph.constant("upstream", Nd4j.rand(DataType.FLOAT, count, width)))
                .sum("loss");
        graph.setLossVariables("loss");
        int[] values = new Random(3).ints(count, 0, rows).toArray();
        Map<String, INDArray> feeds = Map.of("ids", Nd4j.createFromArray(values));
        try (Engine engine = new ReferenceEngine(graph, "loss", List.of("table"))) {
            measure(how + ", engine", 10, () -> engine.gradients(feeds));
        }
        measure(how + ", calculateGradients", 5, () -> graph.calculateGradients(feeds, "table"));
    }

    /** The rows in use as a small table, and a one-hot matrix among them. */
    private static SDVariable partition(SameDiff graph, SDVariable table, SDVariable ids, int rows) {
        SDVariable none = graph.constant(Nd4j.zeros(DataType.FLOAT, rows));
        SDVariable ones = graph.onesLike(ids).castTo(DataType.FLOAT);
        SDVariable used = graph.scatterAdd(none, ids, ones).gt(0.5).castTo(DataType.INT);
        SDVariable numbers = graph.constant(Nd4j.arange(rows).castTo(DataType.INT));
        SDVariable names = graph.dynamicPartition(numbers, used, 2)[1];
        SDVariable oneHot =
                graph.expandDims(ids, 1).eq(graph.expandDims(names, 0)).castTo(DataType.FLOAT);
        return graph.mmul(oneHot, graph.dynamicPartition(table, used, 2)[1]);
    }

    private static void measure(String name, int steps, Runnable step) throws IOException {
        long start = 0;
        for (int i = -3; i < steps; i++) {
            start = i == 0 ? System.nanoTime() : start;
            step.run();
        }
        System.out.printf("%s: %.0f ms per step, peak %s%n", name, (System.nanoTime() - start) / 1e6 / steps, peak());
    }

    private static String peak() throws IOException {
        Path status = Path.of("/proc/self/status");
        return Files.exists(status)
                ? Files.readAllLines(status).stream()
                        .filter(line -> line.startsWith("VmHWM"))
                        .map(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024 + " MB")
                        .findFirst()
                        .orElse("unknown")
                : "unknown";
    }
}
