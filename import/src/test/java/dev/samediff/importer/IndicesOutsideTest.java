package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.Engine;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.Engines;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Indices below zero count from the end in every engine; those outside are refused, where ONNX Runtime refuses them, too. They
 * ended the process, or gave zeros.
 */
class IndicesOutsideTest {
    private static final int SIZE = 4;

    @TempDir
    Path folder;

    private static TinyModel model(String operator) {
        HostTensor table = HostTensor.of(
                DataType.FLOAT, new long[] {SIZE, SIZE}, new double[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15});
        HostTensor news = HostTensor.of(DataType.FLOAT, new long[] {2, SIZE}, new double[] {1, 2, 3, 4, 5, 6, 7, 8});
        TinyModel model = new TinyModel(17)
                .input("ids", DataType.LONG, 2)
                .input("x", DataType.FLOAT, SIZE, SIZE)
                .initializer("table", table)
                .initializer("news", news)
                .initializer("one", HostTensor.of(DataType.LONG, new long[] {1}, new long[] {1}))
                .initializer("zeros", HostTensor.of(DataType.LONG, new long[] {2, SIZE}, new long[2 * SIZE]))
                .node("Unsqueeze", "ids one", "column")
                .node("Add", "column zeros", "elements")
                .node("MatMul", "x table", "computed");
        switch (operator) {
            case "Gather rows" -> model.node("Gather", "table ids", "y", "axis", 0);
            case "Gather columns" -> model.node("Gather", "table ids", "y", "axis", 1);
            case "Gather of computed rows" -> model.node("Gather", "computed ids", "y", "axis", 0);
            case "Gather of computed columns" -> model.node("Gather", "computed ids", "y", "axis", 1);
            case "GatherND" -> model.node("GatherND", "table column", "y");
            case "GatherND of computed" -> model.node("GatherND", "computed column", "y");
            case "GatherElements" -> model.node("GatherElements", "table elements", "y", "axis", 0);
            case "GatherElements of computed" -> model.node("GatherElements", "computed elements", "y", "axis", 0);
            case "ScatterND" -> model.node("ScatterND", "computed column news", "y");
            default -> model.node("ScatterElements", "computed elements news", "y", "axis", 0);
        }
        return model.output("y", DataType.FLOAT, -1, -1);
    }

    static Stream<Arguments> cases() {
        return Stream.of(
                        "Gather rows",
                        "Gather columns",
                        "Gather of computed rows",
                        "Gather of computed columns",
                        "GatherND",
                        "GatherND of computed",
                        "GatherElements",
                        "GatherElements of computed",
                        "ScatterND",
                        "ScatterElements")
                .flatMap(operator -> Stream.of(EngineOptions.Kind.values()).map(kind -> Arguments.of(operator, kind)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void indices_count_from_both_ends_and_no_further(String operator, EngineOptions.Kind kind) {
        ImportedModel model = OnnxImporter.load(model(operator).write(folder));
        EngineOptions options =
                kind == EngineOptions.Kind.COMPILED ? EngineOptions.defaults() : EngineOptions.reference();
        try (Engine engine = Engines.open(model.graph(), "", List.of(), options)) {
            for (int i = 1; i <= SIZE; i++) {
                assertThat(run(engine, -i).toStringFull()).isEqualTo(run(engine, SIZE - i).toStringFull());
            }
            for (long bad : new long[] {SIZE, -SIZE - 1, 100_000, Integer.MAX_VALUE, Integer.MIN_VALUE, (1L << 32) + 1}) {
                assertThatThrownBy(() -> run(engine, bad))
                        .as("%d", bad)
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("is " + bad)
                        .hasMessageContaining("allowed is -4 to 3");
            }
        }
    }

    private static INDArray run(Engine engine, long last) {
        Map<String, INDArray> inputs =
                Map.of("ids", Nd4j.createFromArray(SIZE == last + 1 || last == -1 ? 0L : SIZE - 1L, last), "x", Nd4j.eye(SIZE));
        return engine.outputs(inputs, List.of("y")).get("y");
    }
}
