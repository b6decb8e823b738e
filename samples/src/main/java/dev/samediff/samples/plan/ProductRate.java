package dev.samediff.samples.plan;

import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import java.util.List;
import java.util.Map;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** How fast an engine multiplies by frozen weights here. */
final class ProductRate {
    private static final int WIDTH = 2048;
    private static final double SECONDS = 0.5;

    private ProductRate() {}

    /**
     * Measures for about half a second.
     *
     * @param options precision and threads
     * @param rows tokens of a batch
     * @return floating-point operations per second, in 10^9
     */
    static double gigaflops(EngineOptions options, long rows) {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, WIDTH);
        SDVariable weight = graph.constant("w", Nd4j.rand(DataType.FLOAT, WIDTH, WIDTH));
        x.mmul(weight).rename("y");
        Map<String, INDArray> input = Map.of("x", Nd4j.rand(DataType.FLOAT, rows, WIDTH));
        try (Engine engine = Engines.open(graph, "", List.of(), options)) {
            engine.outputs(input, List.of("y"));
            long begun = System.nanoTime();
            int times = 0;
            double seconds = 0;
            while (seconds < SECONDS) {
                engine.outputs(input, List.of("y"));
                times++;
                seconds = (System.nanoTime() - begun) / 1e9;
            }
            return 2.0 * rows * WIDTH * WIDTH * times / seconds / 1e9;
        }
    }
}
