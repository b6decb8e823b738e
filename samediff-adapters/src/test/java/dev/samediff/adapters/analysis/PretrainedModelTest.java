package dev.samediff.adapters.analysis;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.linalg.Decompositions;
import dev.samediff.adapters.linalg.LapackDecompositions;
import dev.samediff.adapters.method.Sorsa;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The figures of ../shared/findings/evidence.md (numpy, float64) that a pretrained model has before any training: the mean condition
 * number of its weights and of their principal parts.
 */
class PretrainedModelTest {
    private final AdapterAnalysis analysis = new AdapterAnalysis(new LapackDecompositions());

    @Test
    void the_page_of_evidence_is_reproduced_to_the_printed_digits() throws IOException {
        Map<String, INDArray> weights = weights();
        List<INDArray> queriesAndValues = weights.entrySet().stream()
                .filter(weight ->
                        weight.getKey().startsWith("q") || weight.getKey().startsWith("v"))
                .map(Map.Entry::getValue)
                .toList();
        assertThat(queriesAndValues).hasSize(10);
        assertThat(weights).hasSize(35);
        assertThat(condition(queriesAndValues.stream(), 0)).isEqualTo("779");
        assertThat(condition(weights.values().stream(), 0)).isEqualTo("711");
        assertThat(principal(queriesAndValues.stream(), 4)).isEqualTo("2.287");
        assertThat(principal(weights.values().stream(), 8)).isEqualTo("2.218");
    }

    private String condition(Stream<INDArray> weights, int decimals) {
        return mean(weights.map(weight -> analysis.spectrum(weight).condition()), decimals);
    }

    private String principal(Stream<INDArray> weights, int rank) {
        return mean(
                weights.map(weight -> {
                    Decompositions.Svd svd =
                            new LapackDecompositions().svd(weight).leading(rank);
                    return analysis.factors(
                                    Sorsa.rank(rank),
                                    Map.of("sorsa_A", svd.u(), "sorsa_S", svd.s(), "sorsa_B", svd.vt()))
                            .orElseThrow()
                            .conditionOfPart();
                }),
                3);
    }

    private static String mean(Stream<Double> numbers, int decimals) {
        return String.format(
                Locale.ROOT,
                "%." + decimals + "f",
                numbers.mapToDouble(Double::doubleValue).average().orElseThrow());
    }

    /** The linear layers of a llama2.c file, [out,in]: seven whole numbers, then float32, one kind of weight of all layers after another. */
    private static Map<String, INDArray> weights() throws IOException {
        Path file = Path.of(System.getProperty("shared.dir", "../../shared"), "models/babyllama-105/model5000.bin");
        Assumptions.assumeTrue(Files.exists(file), () -> "no pretrained model at " + file);
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int dim = bytes.getInt();
        int hidden = bytes.getInt();
        int layers = bytes.getInt();
        int heads = bytes.getInt();
        int keys = dim / heads * bytes.getInt();
        int vocabulary = Math.abs(bytes.getInt());
        bytes.getInt();
        Map<String, INDArray> weights = new LinkedHashMap<>();
        skip(bytes, vocabulary * dim + layers * dim);
        read(bytes, weights, "q", layers, dim, dim);
        read(bytes, weights, "k", layers, keys, dim);
        read(bytes, weights, "v", layers, keys, dim);
        read(bytes, weights, "o", layers, dim, dim);
        skip(bytes, layers * dim);
        read(bytes, weights, "gate", layers, hidden, dim);
        read(bytes, weights, "down", layers, dim, hidden);
        read(bytes, weights, "up", layers, hidden, dim);
        return weights;
    }

    private static void skip(ByteBuffer bytes, int floats) {
        bytes.position(bytes.position() + Float.BYTES * floats);
    }

    private static void read(
            ByteBuffer bytes, Map<String, INDArray> weights, String name, int layers, int rows, int columns) {
        for (int layer = 0; layer < layers; layer++) {
            float[] numbers = new float[rows * columns];
            bytes.asFloatBuffer().get(numbers);
            skip(bytes, numbers.length);
            weights.put(
                    name + layer,
                    Nd4j.createFromArray(numbers).reshape('c', rows, columns).castTo(DataType.DOUBLE));
        }
    }
}
