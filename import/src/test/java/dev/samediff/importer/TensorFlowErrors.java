package dev.samediff.importer;

import dev.samediff.importer.tensorflow.TensorFlowModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Prints the largest differences between TensorFlow and the import, in single and in double precision, as the table of
 * docs/import.md; a folder as argument keeps the frozen graphs.
 */
final class TensorFlowErrors {
    private TensorFlowErrors() {}

    public static void main(String[] arguments) throws IOException {
        Path folder = arguments.length > 0 ? Path.of(arguments[0]) : Files.createTempDirectory("tensorflow");
        for (TensorFlowModels model : TensorFlowModels.values()) {
            Path file = model.frozen(folder);
            System.out.printf(
                    Locale.ROOT,
                    "| %s | %.1e | %.1e |%n",
                    model,
                    largest(model, file, ImportOptions.defaults()),
                    largest(model, file, ImportOptions.inDoublePrecision()));
        }
    }

    private static double largest(TensorFlowModels model, Path file, ImportOptions options) {
        ImportedModel imported = TensorFlowImporter.load(
                file,
                TensorFlowOptions.defaults()
                        .withOutputs(model.outputs().toArray(new String[0]))
                        .withGraph(options));
        double largest = 0;
        for (Map<String, INDArray> inputs : model.inputs()) {
            Map<String, INDArray> given = options.floats() == null ? inputs : OnnxVerifier.inDouble(inputs);
            Map<String, INDArray> expected = model.run(inputs, Map.of());
            Map<String, INDArray> actual = imported.graph().output(given, List.copyOf(expected.keySet()));
            for (Map.Entry<String, INDArray> output : expected.entrySet()) {
                INDArray difference = output.getValue().castTo(DataType.DOUBLE);
                difference.subi(actual.get(output.getKey()).castTo(DataType.DOUBLE));
                largest = Math.max(largest, difference.amaxNumber().doubleValue());
            }
        }
        return largest;
    }
}
