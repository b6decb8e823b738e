package dev.samediff.importer.cells;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.TensorFlowImporter;
import dev.samediff.importer.TensorFlowOptions;
import dev.samediff.importer.tensorflow.TensorFlowRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Stream;
import onnx.Onnx.TensorProto.DataType;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * TensorFlow's operators on every element type against TensorFlow itself: right, or refused with the reason, with open sizes, on
 * FLOAT and INT32 with known sizes too. {@code -Dcells=Div,Cast} tries some operators only.
 */
class TensorFlowCellsTest {
    private static final @Nullable String CHOSEN = System.getProperty("cells");
    private static final AtomicInteger COMPARED = new AtomicInteger();

    @TempDir
    Path folder;

    @BeforeAll
    static void tensorflow() {
        TensorFlowRuntime.require();
    }

    @AfterAll
    static void hundreds_of_cells_are_compared() {
        if (CHOSEN == null && COMPARED.get() > 0) {
            assertThat(COMPARED.get()).isGreaterThan(900);
        }
    }

    @TestFactory
    Stream<DynamicTest> every_cell_is_right_or_refused_with_a_reason() {
        return TensorFlowRows.rows().entrySet().stream()
                .filter(row -> CHOSEN == null || List.of(CHOSEN.split(",")).contains(row.getKey()))
                .map(row -> DynamicTest.dynamicTest(row.getKey(), () -> {
                    List<String> faults = faults(row.getValue());
                    assertThat(faults).as(String.join("\n", faults)).isEmpty();
                }));
    }

    private List<String> faults(Function<DataType, List<TensorFlowCell>> row) throws IOException {
        List<String> faults = new ArrayList<>();
        for (DataType type : OperatorCells.TYPES) {
            for (TensorFlowCell cell : row.apply(type)) {
                Numbers expected = TensorFlowReference.of(cell);
                boolean both = type == DataType.FLOAT || type == DataType.INT32;
                for (boolean open : both ? new boolean[] {true, false} : new boolean[] {true}) {
                    String fault = expected == null ? null : fault(cell, open, expected);
                    if (fault != null) {
                        faults.add(cell.title() + (open ? ", open sizes: " : ", known sizes: ") + fault);
                    }
                }
            }
        }
        return faults;
    }

    private @Nullable String fault(TensorFlowCell cell, boolean open, Numbers expected) throws IOException {
        Path file = Files.write(folder.resolve("cell.pb"), cell.graph(open).toByteArray());
        ImportedModel model;
        try {
            model = TensorFlowImporter.load(
                    file, TensorFlowOptions.defaults().withOutputs("y"));
        } catch (InvalidInputException e) {
            return String.valueOf(e.getMessage()).contains("cannot be translated") ? "INTERNAL " + e.getMessage() : null;
        }
        COMPARED.incrementAndGet();
        Map<String, INDArray> actual;
        try {
            actual = model.graph().output(cell.feeds(), "y");
        } catch (RuntimeException e) {
            return "fails when it runs: " + e;
        }
        boolean half = Stream.of(cell.type(), expected.type())
                .anyMatch(type -> type == DataType.FLOAT16 || type == DataType.BFLOAT16);
        double tolerance = half ? 2e-2 : 1e-5;
        return Numbers.of(actual.get("y")).difference(expected, tolerance, tolerance);
    }
}
