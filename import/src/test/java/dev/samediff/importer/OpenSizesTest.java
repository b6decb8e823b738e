package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;

import dev.samediff.importer.tensor.HostTensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What an operator makes of sizes that fit, and of sizes that do not, is the same whether the file knows them or leaves them open:
 * the result of ONNX Runtime, or an exception where it has none.
 */
class OpenSizesTest {
    @TempDir
    Path folder;

    private static Map<String, INDArray> arrays(Object... namesAndArrays) {
        Map<String, INDArray> arrays = new LinkedHashMap<>();
        for (int i = 0; i < namesAndArrays.length; i += 2) {
            arrays.put((String) namesAndArrays[i], (INDArray) namesAndArrays[i + 1]);
        }
        return arrays;
    }

    private static INDArray reals(long... shape) {
        return OperatorCases.reals(shape);
    }

    /** Every place is the number of its column. */
    private static INDArray columns(long... shape) {
        INDArray places = org.nd4j.linalg.factory.Nd4j.create(DataType.LONG, shape);
        for (long i = 0; i < places.length(); i++) {
            places.putScalar(i, i % shape[1]);
        }
        return places;
    }

    private static Arguments of(String title, int opset, Map<String, INDArray> inputs, UnaryOperator<TinyModel> nodes) {
        return Arguments.of(title, opset, inputs, nodes);
    }

    private static HostTensor ints(long[] shape, long... values) {
        return HostTensor.of(DataType.LONG, shape, values);
    }

    static Stream<Arguments> cases() {
        return Stream.of(scatters(), splits(), reshapes(), repetitions(), joins(), pads())
                .flatMap(cases -> cases);
    }

    private static Stream<Arguments> scatters() {
        Stream.Builder<Arguments> cases = Stream.builder();
        for (String reduction : new String[] {"none", "add", "mul", "max", "min"}) {
            for (long[] x : new long[][] {{3, 4}, {1, 4}, {5, 4}}) {
                cases.add(of(
                        "ScatterElements " + reduction + " of a row of " + x[0],
                        18,
                        arrays("x", reals(x)),
                        m -> m.initializer("at", ints(new long[] {1, 2}, 0, 3))
                                .initializer("u", OperatorCases.stored(1, 2))
                                .node("ScatterElements", "x at u", "y", "axis", 1, "reduction", reduction)));
            }
        }
        for (long rows : new long[] {1, 2, 3, 4}) {
            cases.add(of(
                    "ScatterElements of three columns in " + rows,
                    16,
                    arrays("x", reals(4, rows, 2)),
                    m -> m.initializer("at", ints(new long[] {1, 3, 1}, 3, 0, 1))
                            .initializer("u", OperatorCases.stored(1, 3, 1))
                            .node("ScatterElements", "x at u", "y", "axis", 0)));
        }
        for (long[] places : new long[][] {{1, 1}, {2, 4}, {3, 2}, {4, 1}}) {
            cases.add(of(
                    "ScatterElements at open places " + Arrays.toString(places),
                    16,
                    arrays("x", reals(3, 4), "at", columns(places), "u", reals(places)),
                    m -> m.node("ScatterElements", "x at u", "y", "axis", 1)));
        }
        return cases.build();
    }

    private static Stream<Arguments> splits() {
        Stream.Builder<Arguments> cases = Stream.builder();
        for (long size : new long[] {2, 3, 5, 6, 7, 9}) {
            for (int parts : new int[] {2, 3, 4}) {
                String names = String.join(
                        " ", java.util.List.of("p0", "p1", "p2", "p3").subList(0, parts));
                cases.add(of(
                        "Split of " + size + " into " + parts,
                        18,
                        arrays("x", reals(2, size)),
                        m -> m.node("Split", "x", names, "axis", 1, "num_outputs", parts)
                                .node("Concat", "p1 p0", "y", "axis", 1)));
                cases.add(of(
                        "Split of " + size + " into " + parts + " equal ones",
                        13,
                        arrays("x", reals(2, size)),
                        m -> m.node("Split", "x", names, "axis", 1).node("Concat", "p1 p0", "y", "axis", 1)));
            }
            cases.add(of(
                    "Split of " + size + " into 2 and 3",
                    13,
                    arrays("x", reals(2, size)),
                    m -> m.initializer("sizes", HostTensor.vector(2, 3))
                            .node("Split", "x sizes", "p0 p1", "axis", 1)
                            .node("Concat", "p1 p0", "y", "axis", 1)));
        }
        return cases.build();
    }

    private static Stream<Arguments> reshapes() {
        Stream.Builder<Arguments> cases = Stream.builder();
        long[][] targets = {
            {3, 4}, {-1, 4}, {-1, 5}, {0, 2, 2}, {0, -1}, {4, 3, 1}, {0, 0}, {0, 3}, {2, -1}, {12}, {-1}, {0, 0, 1},
            {0, 0, 0}
        };
        for (long[] target : targets) {
            for (long[] x : new long[][] {{3, 4}, {1, 4}, {5, 4}}) {
                cases.add(of(
                        "Reshape of " + Arrays.toString(x) + " to " + Arrays.toString(target),
                        14,
                        arrays("x", reals(x)),
                        m -> m.initializer("shape", HostTensor.vector(target)).node("Reshape", "x shape", "y")));
            }
        }
        for (long width : new long[] {1, 2, 3, 4}) {
            cases.add(of(
                    "Reshape to the sizes of another of width " + width,
                    14,
                    arrays("x", reals(3, 4), "z", reals(3, width)),
                    m -> m.node("Shape", "z", "shape").node("Reshape", "x shape", "y")));
            cases.add(of(
                    "Reshape to half of " + width,
                    14,
                    arrays("x", reals(3, width)),
                    m -> m.node("Shape", "x", "shape")
                            .initializer("half", HostTensor.vector(1, 2))
                            .node("Div", "shape half", "less")
                            .initializer("more", HostTensor.vector(2))
                            .node("Concat", "less more", "all", "axis", 0)
                            .node("Reshape", "x all", "y")));
        }
        return cases.build();
    }

    private static Stream<Arguments> repetitions() {
        Stream.Builder<Arguments> cases = Stream.builder();
        for (long[] x : new long[][] {{1, 4}, {3, 4}, {1, 1}, {3, 1}, {2, 4}}) {
            for (long[] target : new long[][] {{3, 4}, {1, 4}, {2, 3, 4}, {4}, {1}, {3, 1}}) {
                cases.add(of(
                        "Expand of " + Arrays.toString(x) + " to " + Arrays.toString(target),
                        13,
                        arrays("x", reals(x)),
                        m -> m.initializer("shape", HostTensor.vector(target)).node("Expand", "x shape", "y")));
            }
            for (long[] other : new long[][] {{3, 4}, {1, 4}, {3, 1}, {1, 1}}) {
                cases.add(of(
                        "Expand of " + Arrays.toString(x) + " to the sizes of another of " + Arrays.toString(other),
                        13,
                        arrays("x", reals(x), "z", reals(other)),
                        m -> m.node("Shape", "z", "shape").node("Expand", "x shape", "y")));
            }
            for (String operator : new String[] {"Add", "Max", "Where"}) {
                cases.add(of(
                        operator + " of " + Arrays.toString(x) + " and another",
                        13,
                        arrays("x", reals(x), "z", reals(3, 4)),
                        m -> operator.equals("Where")
                                ? m.node("Greater", "x z", "c").node("Where", "c x z", "y")
                                : m.node(operator, "x z", "y")));
            }
            cases.add(of(
                    "Tile of " + Arrays.toString(x),
                    13,
                    arrays("x", reals(x)),
                    m -> m.initializer("times", HostTensor.vector(2, 3)).node("Tile", "x times", "y")));
            cases.add(of(
                    "Tile of " + Arrays.toString(x) + " as often as another is long",
                    13,
                    arrays("x", reals(x), "z", reals(3, 2)),
                    m -> m.node("Shape", "z", "times").node("Tile", "x times", "y")));
        }
        return cases.build();
    }

    private static Stream<Arguments> joins() {
        Stream.Builder<Arguments> cases = Stream.builder();
        for (long[] x : new long[][] {{3, 4}, {1, 4}, {3, 2}, {2, 2}}) {
            cases.add(of(
                    "Concat of " + Arrays.toString(x) + " and another",
                    13,
                    arrays("x", reals(x), "z", reals(3, 2)),
                    m -> m.node("Concat", "x z", "y", "axis", 1)));
            cases.add(of(
                    "MatMul of " + Arrays.toString(x) + " and another",
                    13,
                    arrays("x", reals(x), "z", reals(2, 3)),
                    m -> m.node("MatMul", "x z", "y")));
        }
        return cases.build();
    }

    private static Stream<Arguments> pads() {
        Stream.Builder<Arguments> cases = Stream.builder();
        for (long size : new long[] {1, 2, 3, 5}) {
            for (long[] pads : new long[][] {{0, 1, 0, 2}, {0, -1, 0, -1}, {0, -1, 0, 2}, {1, 0, 0, -2}}) {
                boolean cuts = pads[1] < 0 && size < 2;
                boolean mirrors = size > 3; // fewer elements than are mirrored: ONNX Runtime reads outside of them
                if (cuts) {
                    continue; // nothing is left, and M2.1 joins nothing and something wrongly
                }
                for (String mode : new String[] {"constant", "edge", mirrors ? "reflect" : "constant"}) {
                    cases.add(of(
                            "Pad " + mode + " of " + size + " by " + Arrays.toString(pads),
                            13,
                            arrays("x", reals(2, size)),
                            m -> m.initializer("pads", HostTensor.vector(pads))
                                    .node("Pad", "x pads", "y", "mode", mode)));
                }
            }
            cases.add(of(
                    "Pad of " + size + " to three",
                    13,
                    arrays("x", reals(size)),
                    m -> m.node("Shape", "x", "shape")
                            .initializer("three", HostTensor.vector(3))
                            .initializer("none", HostTensor.vector(0))
                            .node("Sub", "three shape", "more")
                            .node("Concat", "none more", "pads", "axis", 0)
                            .node("Pad", "x pads", "y")));
        }
        return cases.build();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("cases")
    void open_sizes_give_what_known_sizes_give(
            String title, int opset, Map<String, INDArray> inputs, UnaryOperator<TinyModel> nodes) {
        Path closed = write(opset, inputs, nodes, false);
        Path open = write(opset, inputs, nodes, true);
        Optional<INDArray> expected = inOnnxRuntime(open, inputs);
        for (Path file : new Path[] {open, closed}) {
            Optional<INDArray> actual = imported(file, inputs);
            String as = title + (file.equals(open) ? " with open sizes" : " with known sizes");
            assertThat(actual.isPresent()).as(as + " has a result " + actual).isEqualTo(expected.isPresent());
            expected.ifPresent(array -> {
                assertThat(actual.orElseThrow().shape()).as(as).containsExactly(array.shape());
                assertThat(actual.orElseThrow().distance2(array)).as(as).isLessThan(1e-5);
            });
        }
    }

    private Path write(int opset, Map<String, INDArray> inputs, UnaryOperator<TinyModel> nodes, boolean open) {
        TinyModel model = new TinyModel(opset);
        int symbol = 1;
        for (Map.Entry<String, INDArray> input : inputs.entrySet()) {
            long[] dims = input.getValue().shape().clone();
            for (int axis = 0; open && axis < dims.length; axis++) {
                dims[axis] = -(symbol++);
            }
            model.input(input.getKey(), input.getValue().dataType(), dims);
        }
        return nodes.apply(model).output("y").write(folder);
    }

    private static Optional<INDArray> inOnnxRuntime(Path file, Map<String, INDArray> inputs) {
        try (OnnxRuntimeModel runtime = new OnnxRuntimeModel(file)) {
            INDArray result = Objects.requireNonNull(runtime.run(inputs).get("y"));
            return result.isEmpty() ? Optional.empty() : Optional.of(result);
        } catch (RuntimeException e) {
            return Optional.empty();
        }
    }

    private static Optional<INDArray> imported(Path file, Map<String, INDArray> inputs) {
        try {
            return Optional.of(Objects.requireNonNull(
                            OnnxVerifier.run(OnnxImporter.load(file), inputs).get("y")))
                    .filter(result -> !result.isEmpty());
        } catch (RuntimeException e) {
            return Optional.empty();
        }
    }
}
