package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.compiled.CompiledEngine;
import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Whole numbers where ONNX Runtime is no measure: it ends the process, loses digits, or ONNX leaves it open. */
class WholeNumbersTest {
    private static final long BEYOND_DOUBLE = (1L << 53) + 1;

    @TempDir
    Path folder;

    private INDArray run(TinyModel model, Map<String, INDArray> inputs) {
        return OnnxImporter.load(model.output("y").write(folder)).graph().output(inputs, "y").get("y");
    }

    private static HostTensor longs(long... values) {
        return HostTensor.vector(values);
    }

    @Test
    void powers_of_whole_numbers_are_exact_where_a_double_is_not() {
        TinyModel stored = new TinyModel(13)
                .initializer("a", longs(3, -3, 2))
                .initializer("b", longs(39, 39, 62))
                .node("Pow", "a b", "y");
        assertThat(run(stored, Map.of()).toLongVector())
                .containsExactly(4052555153018976267L, -4052555153018976267L, 1L << 62);
        TinyModel computed = new TinyModel(13)
                .input("a", DataType.LONG, 2)
                .initializer("b", HostTensor.of(DataType.LONG, new long[0], new long[] {39}))
                .node("Pow", "a b", "y");
        assertThat(run(computed, Map.of("a", Nd4j.createFromArray(3L, -3L))).toLongVector())
                .containsExactly(4052555153018976267L, -4052555153018976267L);
    }

    @Test
    void folded_numbers_beyond_a_double_stay_exact() {
        for (String operator : new String[] {"ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd"}) {
            TinyModel model = new TinyModel(18)
                    .initializer("a", longs(BEYOND_DOUBLE))
                    .initializer("axes", longs(0))
                    .node(operator, "a axes", "y", "keepdims", 0);
            assertThat(run(model, Map.of()).getLong(0)).as(operator).isEqualTo(BEYOND_DOUBLE);
        }
        TinyModel negative =
                new TinyModel(13).initializer("a", longs(BEYOND_DOUBLE)).node("Neg", "a", "y");
        assertThat(run(negative, Map.of()).getLong(0)).isEqualTo(-BEYOND_DOUBLE);
        TinyModel triangle = new TinyModel(14)
                .initializer("a", HostTensor.of(DataType.LONG, new long[] {1, 1}, new long[] {BEYOND_DOUBLE}))
                .node("Trilu", "a", "y");
        assertThat(run(triangle, Map.of()).getLong(0)).isEqualTo(BEYOND_DOUBLE);
    }

    @Test
    void a_computed_divisor_of_zero_or_minus_one_ends_no_process() {
        for (DataType type : new DataType[] {DataType.LONG, DataType.INT}) {
            long least = type == DataType.LONG ? Long.MIN_VALUE : Integer.MIN_VALUE;
            INDArray dividends = Nd4j.createFromArray(7L, least, -7L, 5L).castTo(type);
            INDArray divisors = Nd4j.createFromArray(0L, -1L, -1L, 2L).castTo(type);
            TinyModel quotient = new TinyModel(13)
                    .input("a", type, -1)
                    .input("b", type, -1)
                    .node("Div", "a b", "y");
            assertThat(run(quotient, Map.of("a", dividends, "b", divisors)).toLongVector())
                    .containsExactly(0, least, 7, 2);
            TinyModel rest = new TinyModel(13)
                    .input("a", type, -1)
                    .input("b", type, -1)
                    .node("Mod", "a b", "y");
            assertThat(run(rest, Map.of("a", dividends, "b", divisors)).toLongVector())
                    .containsExactly(7, 0, 0, 1);
        }
    }

    @Test
    void a_known_divisor_of_zero_is_refused() {
        Path file = new TinyModel(13)
                .input("a", DataType.INT, -1)
                .initializer("b", HostTensor.of(DataType.INT, new long[0], new long[] {0}))
                .node("Div", "a b", "y")
                .output("y")
                .write(folder);
        assertThatThrownBy(() -> OnnxImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("divides whole numbers by zero");
    }

    @Test
    void a_chain_of_casts_cuts_once_where_the_file_does() {
        TinyModel model = new TinyModel(13)
                .input("a", DataType.LONG, 3)
                .node("Add", "a one", "more")
                .node("Cast", "more", "narrow", "to", 6)
                .node("Cast", "narrow", "wide", "to", 7)
                .node("Mul", "wide one", "y")
                .initializer("one", longs(1));
        INDArray numbers = Nd4j.createFromArray((1L << 40) + 5, -1L, (1L << 31));
        assertThat(run(model, Map.of("a", numbers)).toLongVector()).containsExactly(6, 0, Integer.MIN_VALUE + 1);
    }

    @Test
    void sums_of_bytes_wrap_in_every_step() {
        TinyModel model = new TinyModel(13)
                .input("a", DataType.INT, -1)
                .node("Cast", "a", "byte", "to", 2)
                .node("Add", "byte byte", "twice")
                .node("Mul", "twice twice", "square")
                .node("Cast", "square", "y", "to", 6);
        INDArray numbers = Nd4j.createFromArray(200, 5, 255);
        assertThat(run(model, Map.of("a", numbers)).toIntVector())
                .containsExactly((400 & 255) * (400 & 255) & 255, 100, (254 * 254) & 255);
    }

    @Test
    void the_compiled_engine_cuts_them_too() {
        ImportedModel model = OnnxImporter.load(new TinyModel(13)
                .input("a", DataType.FLOAT, -1)
                .node("Cast", "a", "byte", "to", 2)
                .node("Add", "byte byte", "twice")
                .node("Cast", "twice", "real", "to", 1)
                .node("Mul", "real a", "y")
                .output("y")
                .write(folder));
        Map<String, INDArray> inputs = Map.of("a", Nd4j.createFromArray(200f, 5f, 255.9f));
        try (CompiledEngine engine =
                new CompiledEngine(model.graph(), "y", List.of(), EngineOptions.defaults())) {
            float[] results = Objects.requireNonNull(engine.outputs(inputs, List.of("y")).get("y"))
                    .toFloatVector();
            assertThat(engine.fallback()).isEmpty();
            assertThat(results).containsExactly(144 * 200f, 10 * 5f, 254 * 255.9f);
        }
    }

    @Test
    void many_places_among_numbers_of_64_bits_are_refused() {
        Path file = new TinyModel(13)
                .input("a", DataType.DOUBLE, 1000)
                .initializer("k", longs(300))
                .node("TopK", "a k", "y places")
                .output("y")
                .write(folder);
        assertThatThrownBy(() -> OnnxImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("chooses 300 numbers of 64 bits; up to 256 can be imported");
    }
}
