package dev.samediff.importer;

import dev.samediff.adapters.AdaptedModel;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterMethod;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.adapters.graph.TargetSelector;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.OLora;
import dev.samediff.adapters.method.Pissa;
import dev.samediff.adapters.method.Sorsa;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Prints what becomes of the files that {@code import/src/test/python/zoo.py} writes, as the table of docs/import.md: each is
 * verified, adapted, trained for two steps, merged, and the merged file is verified. The argument is the folder.
 */
final class ZooTable {
    private static final double TOLERANCE = 1e-4;
    private static final long LONGEST = 48;
    private static final double RATE = 1e-3;
    private static final int STEPS = 2;
    private static final List<AdapterMethod> METHODS =
            List.of(Lora.rank(2), OLora.rank(2), Pissa.rank(2), Sorsa.rank(2));

    private final Path folder;
    private final Map<String, List<Row>> rows = new LinkedHashMap<>();

    private ZooTable(Path folder) {
        this.folder = folder;
    }

    /** What one file came to: the largest differences of its verification, of the merged file, and of that from the graph. */
    private record Row(String form, int layers, double verified, double merged, double adapted) {
        double worst() {
            return Math.max(verified, merged);
        }
    }

    public static void main(String[] arguments) throws IOException {
        new ZooTable(Path.of(arguments[0])).run();
    }

    private void run() throws IOException {
        List<Path> files;
        try (Stream<Path> all = Files.list(folder)) {
            files = all.filter(file -> file.toString().endsWith(".onnx"))
                    .sorted()
                    .toList();
        }
        List<String> failures = new ArrayList<>();
        for (int i = 0; i < files.size(); i++) {
            Path file = files.get(i);
            String name = String.valueOf(file.getFileName()).replace(".onnx", "");
            try {
                Row row = measure(file, name, METHODS.get(i % METHODS.size()));
                rows.computeIfAbsent(architecture(name), key -> new ArrayList<>())
                        .add(row);
                System.err.println(row);
            } catch (RuntimeException e) {
                String message =
                        String.valueOf(e.getMessage()).split("\n", 2)[0].replace(file.toString(), "");
                failures.add(name + ": " + e.getClass().getSimpleName() + ": " + message);
                System.err.println(failures.get(failures.size() - 1));
            }
        }
        System.out.println(
                "| architecture | files | layers | verify | verify of the merged file | merged file and graph |");
        System.out.println("|---|---|---|---|---|---|");
        rows.forEach(ZooTable::print);
        failures.forEach(failure -> System.out.println("- " + failure));
    }

    private static String architecture(String name) {
        return name.replaceFirst("-op\\d+-.*$", "");
    }

    private static void print(String architecture, List<Row> rows) {
        System.out.printf(
                Locale.ROOT,
                "| %s | %d | %d | %.1e | %.1e | %.1e |%n",
                architecture,
                rows.size(),
                rows.get(0).layers(),
                rows.stream().mapToDouble(Row::verified).max().orElse(Double.NaN),
                rows.stream().mapToDouble(Row::merged).max().orElse(Double.NaN),
                rows.stream().mapToDouble(Row::adapted).max().orElse(Double.NaN));
        for (Row row : rows) {
            if (!(row.worst() <= TOLERANCE)) {
                System.out.printf(Locale.ROOT, "- %s %s: %.1e%n", architecture, row.form(), row.worst());
            }
        }
    }

    private Row measure(Path file, String name, AdapterMethod method) {
        double verified = verified(file);
        ImportedModel model = OnnxImporter.load(file);
        AdaptedModel adapted = AdaptedModel.inject(
                model.graph(),
                model.modulePaths(),
                AdapterConfig.of(method).withTargets(TargetSelector.allLinear().withHead()));
        RandomInputs inputs = new RandomInputs(model.model().getGraph());
        VerificationSizes sizes = new VerificationSizes(model, inputs, VerificationPlan.quick(TOLERANCE, 1));
        Map<String, INDArray> given = inputs.draw(sizes.chosen().get(0), new Random(3));
        train(model, adapted, given);
        Path merged = folder.resolve("merged").resolve(name + ".onnx");
        write(model, adapted, merged);
        Map<String, INDArray> expected = OnnxVerifier.run(model, given);
        double difference = 0;
        try (OnnxRuntimeModel written = new OnnxRuntimeModel(merged)) {
            for (Map.Entry<String, INDArray> output : written.run(given).entrySet()) {
                difference = Math.max(
                        difference,
                        Verification.Comparison.of(
                                        "", output.getKey(), output.getValue(), expected.get(output.getKey()))
                                .absolute());
            }
        }
        return new Row(name, model.linearLayers().size(), verified, verified(merged), difference);
    }

    private static double verified(Path file) {
        Verification verification =
                OnnxVerifier.verify(file, new VerificationPlan(TOLERANCE, 1, List.of(), LONGEST, false));
        return verification.worst().absolute();
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
            throw new IllegalStateException("the loss went from " + before + " to " + after);
        }
    }

    private static void write(ImportedModel model, AdaptedModel adapted, Path target) {
        try {
            Files.createDirectories(target.resolveSibling(""));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        OnnxWriter.writeMerged(model, adapted.mergedWeights(), target);
    }
}
