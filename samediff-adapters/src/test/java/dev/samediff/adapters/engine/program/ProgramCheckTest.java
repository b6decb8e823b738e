package dev.samediff.adapters.engine.program;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.buffer.DataType;

/** Programs that break a rule of the specification are named with the node and the rule. */
class ProgramCheckTest {
    private static final Op ADD = new Op.Binary(BinaryKind.ADD);

    private static Tensor leaf(DataType type, long... shape) {
        return new Tensor("x", type, shape);
    }

    private static Tensor floats(long... shape) {
        return leaf(DataType.FLOAT, shape);
    }

    /** A program of one node whose inputs are leaves. */
    private static Arguments of(String name, Op op, List<Tensor> inputs, Tensor... outputs) {
        Map<String, Tensor> leaves = new LinkedHashMap<>();
        inputs.forEach(input -> leaves.put("x" + leaves.size(), input));
        Node node = new Node(op, inputs, List.of(outputs));
        return Arguments.of(name, new Program(List.of(node), leaves, Map.of(), Map.of("y", outputs[0])));
    }

    static Stream<Arguments> broken() {
        Tensor x = floats(3, 4);
        return Stream.of(
                of("reshape to more", new Op.Reshape(), List.of(x), floats(3, 5)),
                of("reshape to another type", new Op.Reshape(), List.of(x), leaf(DataType.INT, 12)),
                of("permute twice", new Op.Permute(List.of(0, 0)), List.of(x), floats(3, 3)),
                of("slice behind the end", new Op.Slice(1, 3), List.of(x), floats(3, 2)),
                of("slice of no axis", new Op.Slice(2, 0), List.of(x), floats(3, 2)),
                of("expand of 4", new Op.Expand(), List.of(x), floats(3, 8)),
                of("concat too long", new Op.Concat(0), List.of(x, floats(2, 4)), floats(6, 4)),
                of("binary of two ranks", ADD, List.of(x, floats(4)), floats(3, 4)),
                of("binary that does not broadcast", ADD, List.of(x, floats(3, 3)), floats(3, 4)),
                of("binary of integers", ADD, List.of(x, leaf(DataType.INT, 3, 4)), floats(3, 4)),
                of("reduce to 2", new Op.Reduce(ReduceKind.SUM), List.of(x), floats(3, 2)),
                of("matmul", new Op.MatMul(1, false, false), List.of(x, floats(3, 5)), floats(3, 5)),
                of("bias per row", new Op.MatMul(1, true, false), List.of(x, floats(4, 5), floats(3)), floats(3, 5)),
                of("another sum", new Op.MatMul(1, false, true), List.of(x, floats(4, 5), floats(1, 5)), floats(3, 5)),
                of("another mask", new Op.MaskedMatMul(1), List.of(x, floats(4, 5), floats(2, 5)), floats(3, 5)),
                of("gather by numbers", new Op.Gather(), List.of(x, floats(2)), floats(2, 4)),
                of("one output of a norm", new Op.RmsNorm(1e-5, false), List.of(x), floats(3, 4)),
                of(
                        "labels of another count",
                        new Op.CrossEntropy(),
                        List.of(x, leaf(DataType.INT, 4), floats(3)),
                        floats(),
                        floats(3)),
                of(
                        "heads that do not share",
                        new Op.Attention(1, false),
                        List.of(floats(1, 3, 4, 2), floats(1, 2, 4, 2), floats(1, 2, 4, 2)),
                        floats(1, 3, 4, 2)));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("broken")
    void a_node_that_breaks_its_rule_is_named(String name, Program program) {
        assertThatThrownBy(() -> ProgramCheck.check(program, "a rewrite"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("wrong after a rewrite")
                .hasMessageContaining(program.nodes().get(0).op().getClass().getSimpleName());
    }

    @Test
    void what_is_read_is_defined_before_and_once() {
        Tensor x = floats(2);
        Tensor y = floats(2);
        Tensor z = floats(2);
        Node first = new Node(new Op.Unary(UnaryKind.TANH, 0, 0), List.of(x), List.of(y));
        Node second = new Node(new Op.Unary(UnaryKind.EXP, 0, 0), List.of(y), List.of(z));
        Map<String, Tensor> leaves = Map.of("x", x);
        Map<String, Tensor> outputs = Map.of("z", z);
        Program right = new Program(List.of(first, second), leaves, Map.of(), outputs);
        assertThat(ProgramCheck.check(right, "t")).isSameAs(right);
        for (List<Node> nodes : List.of(List.of(second, first), List.of(first, first, second), List.of(first))) {
            Program wrong = new Program(nodes, leaves, Map.of(), outputs);
            assertThatThrownBy(() -> ProgramCheck.check(wrong, "t"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("defined");
        }
    }

    @Test
    void what_is_overwritten_is_read_by_nothing_else() {
        Tensor cache = floats(1, 4, 2);
        Tensor rows = floats(1, 1, 2);
        Tensor positions = leaf(DataType.LONG, 1);
        Tensor written = floats(1, 4, 2);
        Tensor y = floats(1, 4, 2);
        Node write = new Node(new Op.WriteRows(), List.of(cache, rows, positions), List.of(written));
        Node read = new Node(new Op.Unary(UnaryKind.TANH, 0, 0), List.of(cache), List.of(y));
        Map<String, Tensor> leaves = Map.of("cache", cache, "rows", rows, "positions", positions);
        Program program = new Program(List.of(write, read), leaves, Map.of(), Map.of("w", written, "y", y));
        assertThatThrownBy(() -> ProgramCheck.check(program, "t")).hasMessageContaining("which is overwritten");
    }
}
