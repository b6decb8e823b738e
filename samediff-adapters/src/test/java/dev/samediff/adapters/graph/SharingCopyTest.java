package dev.samediff.adapters.graph;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class SharingCopyTest {
    private static final int WIDE = 512;

    @Test
    void a_copy_computes_the_same_from_the_same_arrays() {
        SameDiff graph = graph();
        Map<String, INDArray> input = Map.of("x", Nd4j.rand(DataType.FLOAT, 3, WIDE));
        INDArray expected = graph.output(input, "y").get("y").dup();
        SameDiff copy = SharingCopy.of(graph);
        assertThatBits(copy.output(input, "y").get("y")).isEqualTo(expected);
        assertThatBits(graph.output(input, "y").get("y")).isEqualTo(expected);
        for (String name : List.of("frozen", "trained", "shape")) {
            assertThat(address(copy, name)).as(name).isEqualTo(address(graph, name));
        }
        assertThat(copy.getVariable("trained").getVariableType())
                .isEqualTo(graph.getVariable("trained").getVariableType());
    }

    @Test
    void a_weight_of_its_own_leaves_the_original_alone() {
        SameDiff graph = graph();
        INDArray before = graph.getVariable("frozen").getArr().dup();
        SameDiff copy = SharingCopy.of(graph);
        new GraphEditor(copy).replaceArray("frozen", Nd4j.ones(DataType.FLOAT, WIDE, WIDE));
        assertThatBits(graph.getVariable("frozen").getArr()).isEqualTo(before);
        assertThatBits(copy.getVariable("frozen").getArr()).isEqualTo(Nd4j.ones(DataType.FLOAT, WIDE, WIDE));
    }

    @Test
    void copies_take_no_memory_for_weights() {
        SameDiff graph = graph();
        long before = Pointer.totalBytes();
        List<SameDiff> copies = List.of(SharingCopy.of(graph), SharingCopy.of(graph), SharingCopy.of(graph));
        assertThat(Pointer.totalBytes() - before)
                .as("bytes outside the Java heap")
                .isLessThan(WIDE * WIDE);
        assertThat(copies).noneMatch(copy -> copy == graph);
    }

    private static SameDiff graph() {
        SameDiff graph = SameDiff.create();
        SDVariable x = graph.placeHolder("x", DataType.FLOAT, -1, WIDE);
        SDVariable frozen = graph.constant("frozen", Nd4j.rand(DataType.FLOAT, WIDE, WIDE));
        SDVariable trained = graph.var("trained", Nd4j.rand(DataType.FLOAT, WIDE, WIDE));
        SDVariable sum = x.mmul(frozen).add(x.mmul(trained));
        graph.reshape("y", sum, graph.constant("shape", Nd4j.createFromArray(3, WIDE / 2, 2)));
        return graph;
    }

    private static long address(SameDiff graph, String name) {
        return graph.getVariable(name).getArr().data().platformAddress();
    }
}
