package dev.samediff.importer;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.graph.TargetSelector;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** What {@link ZooTable} does with one file: verify, adapt, train for two steps, merge, verify the merged file. */
final class ZooRun {
    static final double TOLERANCE = 1e-4;

    private static final long LONGEST = 48;
    private static final double RATE = 1e-3;
    private static final int STEPS = 2;

    private final Path file;
    private final Path merged;
    private final AdapterMethod method;

    ZooRun(Path file, Path merged, AdapterMethod method) {
        this.file = file;
        this.merged = merged;
        this.method = method;
    }

    /** Does all of it. */
    ZooRow row(String name) {
        double verified = verified(file);
        ImportedModel model = OnnxImporter.load(file);
        List<String> layers = Stream.concat(model.linearLayers().stream(), model.experts().stream())
                .map(LinearLayer::module)
                .toList();
        Map<String, Integer> ranks = new LinkedHashMap<>();
        Stream.concat(model.linearLayers().stream(), model.experts().stream())
                .filter(layer -> Math.min(layer.in(), layer.out()) < method.rank())
                .forEach(layer -> ranks.put("^" + Pattern.quote(layer.module()), 1));
        AdaptedModel adapted = AdaptedModel.inject(
                model.graph(),
                model.modulePaths(),
                AdapterConfig.of(method)
                        .withTargets(TargetSelector.suffixes(layers).withRankPattern(ranks)));
        RandomInputs inputs = new RandomInputs(model.model().getGraph());
        VerificationSizes sizes = new VerificationSizes(model, inputs, VerificationPlan.quick(TOLERANCE, 1));
        Map<String, INDArray> given = inputs.draw(sizes.chosen().get(0), new Random(3));
        train(model, adapted, given);
        write(model, adapted);
        return new ZooRow(
                name, layers.size(), verified, verified(merged), difference(given, OnnxVerifier.run(model, given)), "");
    }

    private static double verified(Path file) {
        VerificationPlan plan = new VerificationPlan(TOLERANCE, 1, List.of(), LONGEST, false);
        Verification.Comparison worst = OnnxVerifier.verify(file, plan).worst();
        return worst.absolute() / worst.leniency();
    }

    /** Two steps of gradient descent on the mean square of the first output, which must fall. */
    private static void train(ImportedModel model, AdaptedModel adapted, Map<String, INDArray> given) {
        SDVariable output = model.graph().getVariable(model.outputs().get(0).variable());
        output.mul("zoo/square", output).mean("zoo/loss");
        Map<String, INDArray> placeholders = new LinkedHashMap<>();
        model.inputs().stream()
                .filter(input -> model.graph().hasVariable(input.variable()))
                .forEach(input -> placeholders.put(input.variable(), given.get(input.name())));
        double before = Double.NaN;
        double after = Double.NaN;
        try (Engine engine =
                Engines.open(model.graph(), "zoo/loss", adapted.trainableNames(), EngineOptions.defaults())) {
            for (int step = 0; step <= STEPS; step++) {
                Engine.Gradients gradients = engine.gradients(placeholders);
                before = step == 0 ? gradients.loss() : before;
                after = gradients.loss();
                if (step < STEPS) {
                    gradients
                            .byName()
                            .forEach((name, gradient) ->
                                    model.graph().getVariable(name).getArr().subi(gradient.mul(RATE)));
                }
            }
        }
        if (!(after < before)) {
            throw new IllegalStateException("two steps took the loss from " + before + " to " + after);
        }
    }

    private void write(ImportedModel model, AdaptedModel adapted) {
        try {
            Files.createDirectories(merged.resolveSibling(""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        OnnxWriter.writeMerged(model, adapted.mergedWeights(), merged);
    }

    /** The largest difference of the merged file in ONNX Runtime from the graph that was trained. */
    private double difference(Map<String, INDArray> given, Map<String, INDArray> expected) {
        double difference = 0;
        try (OnnxRuntimeModel written = new OnnxRuntimeModel(merged)) {
            for (Map.Entry<String, INDArray> output : written.run(given).entrySet()) {
                Verification.Comparison comparison = Verification.Comparison.of(
                        "", output.getKey(), output.getValue(), expected.get(output.getKey()));
                difference = Math.max(difference, comparison.absolute());
            }
        }
        return difference;
    }
}
