package dev.samediff.samples.bench.init;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import dev.samediff.adapters.linalg.SideBySide;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.OnnxImporter;
import dev.samediff.samples.bench.network.Workload;
import dev.samediff.samples.machine.Memory;
import dev.samediff.samples.output.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The process that starts SORSA adapters on every linear layer: {@code InitProbe FOLDER ITERATIONS}, 0 for exact. Decompositions
 * run as in the product, several matrices at a time.
 */
final class InitProbe {
    private InitProbe() {}

    /**
     * What it found.
     *
     * @param seconds all adapters from the imported graph to the graph that can be trained
     * @param decompositionSeconds the decompositions alone, done once more
     * @param wholeSeconds whole decompositions of the same weights, which nobody needs to start; 0 if not exact
     * @param matrices number of weights
     * @param peakBytes peak resident memory of the process
     */
    record Result(double seconds, double decompositionSeconds, double wholeSeconds, int matrices, long peakBytes) {}

    public static void main(String[] arguments) {
        Workload workload = new Workload(Path.of(arguments[0]));
        int iterations = Integer.parseInt(arguments[1]);
        ImportedModel imported = OnnxImporter.load(workload.model());
        Sorsa sorsa = Sorsa.rank(Workload.RANK);
        AdapterConfig config = AdapterConfig.of(iterations == 0 ? sorsa : sorsa.withFastStart(iterations))
                .withTargets(TargetSelector.allLinear().withHead());
        long start = System.nanoTime();
        AdaptedModel model = AdaptedModel.inject(imported, config);
        double seconds = (System.nanoTime() - start) / 1e9;
        List<INDArray> weights = model.sites().stream()
                .map(site -> model.graph().getArrForVarName(site.layer().weight()))
                .toList();
        Decompositions linalg = new LapackDecompositions();
        double decompositions = seconds(
                weights,
                weight -> iterations == 0
                        ? linalg.svd(weight, Workload.RANK)
                        : linalg.randomizedSvd(weight, Workload.RANK, iterations, 1));
        double whole = iterations == 0 ? seconds(weights, linalg::svd) : 0;
        System.out.println(Json.line(new Result(seconds, decompositions, whole, weights.size(), Memory.peak())));
    }

    private static double seconds(List<INDArray> weights, Function<INDArray, Decompositions.Svd> decompose) {
        long start = System.nanoTime();
        SideBySide.map(weights, INDArray::length, decompose);
        return (System.nanoTime() - start) / 1e9;
    }
}
