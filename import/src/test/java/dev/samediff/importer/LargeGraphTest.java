package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.tensor.HostTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * SameDiff M2.1 looks for a free name of an operation from the first number on, each time. So in a large graph no number may grow with the
 * graph.
 */
class LargeGraphTest {
    private static final int NODES = 2100;

    @TempDir
    Path folder;

    /** Operations of two kinds. */
    private ImportedModel chain(int nodes) throws IOException {
        TinyModel model = new TinyModel(17)
                .input("x", DataType.FLOAT, -1, 4)
                .initializer("c", HostTensor.filled(DataType.FLOAT, new long[] {4}, 0.5))
                .initializer("w", HostTensor.filled(DataType.FLOAT, new long[] {4, 4}, 0.25));
        for (int i = 0; i < nodes; i++) {
            String last = i == 0 ? "x" : "s" + (i - 1);
            if (i % 2 == 0) {
                model.node("Add", last + " c", "s" + i);
            } else {
                model.node("LeakyRelu", last, "s" + i);
            }
        }
        model.node("MatMul", "s" + (nodes - 1) + " w", "y");
        return OnnxImporter.load(Files.write(
                folder.resolve("chain.onnx"),
                model.output("y", DataType.FLOAT, -1, 4).proto().toByteArray()));
    }

    private static long largestNumber(SameDiff graph) {
        return graph.getOps().keySet().stream()
                .filter(name -> name.matches(".*_\\d{1,9}"))
                .mapToLong(name -> Long.parseLong(name.replaceAll(".*_", "")))
                .max()
                .orElse(0);
    }

    @Test
    void numbers_in_names_do_not_grow_with_the_graph() throws IOException {
        ImportedModel large = chain(NODES);
        assertThat(large.graph().getOps()).hasSizeGreaterThan(NODES);
        assertThat(largestNumber(large.graph())).isLessThan(200);
        assertThat(large.graph().getVariables().keySet()).contains("s0", "s" + (NODES - 1), "y");
    }

    @Test
    void graphs_of_usual_size_keep_plain_names() throws IOException {
        assertThat(chain(20).graph().getOps().keySet()).noneMatch(name -> name.contains("part"));
    }

    @Test
    void a_large_graph_computes_what_the_file_says_also_when_it_was_saved() throws IOException {
        ImportedModel large = chain(NODES);
        INDArray x = Nd4j.ones(DataType.FLOAT, 1, 4);
        double expected = 1 + 0.5 * NODES / 2; // of each of four equal columns, times four quarters
        assertThat(large.graph().output(Map.of("x", x), "y").get("y").getDouble(0))
                .isEqualTo(expected);
        Path file = folder.resolve("large.fb");
        large.graph().save(file.toFile(), false);
        assertThat(SameDiff.load(file.toFile(), false)
                        .output(Map.of("x", x), "y")
                        .get("y")
                        .getDouble(0))
                .isEqualTo(expected);
    }
}
