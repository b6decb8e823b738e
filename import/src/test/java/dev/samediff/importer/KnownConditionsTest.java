package dev.samediff.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** TensorFlow's conditions, orders of axes and data pipelines, as far as they are known while importing. */
class KnownConditionsTest {
    private static final String X = "node { name: 'x' op: 'Placeholder' attr { key: 'dtype' value { type: DT_FLOAT } }"
            + " attr { key: 'shape' value { shape { dim { size: -1 } dim { size: 2 } dim { size: 3 } } } } }\n";
    private static final String PLACEHOLDER = "node { name: 'keras_learning_phase' op: 'Placeholder'"
            + " attr { key: 'dtype' value { type: DT_BOOL } } attr { key: 'shape' value { shape { } } } }\n";

    @TempDir
    Path folder;

    private static String constant(String name, boolean value) {
        return "node { name: '" + name
                + "' op: 'Const' attr { key: 'dtype' value { type: DT_BOOL } } attr { key: 'value'"
                + " value { tensor { dtype: DT_BOOL tensor_shape { } bool_val: " + value + " } } } }\n";
    }

    private static String real(String name, double value) {
        return "node { name: '" + name
                + "' op: 'Const' attr { key: 'dtype' value { type: DT_FLOAT } } attr { key: 'value'"
                + " value { tensor { dtype: DT_FLOAT tensor_shape { } float_val: " + value + " } } } }\n";
    }

    private static String whole(String name, int value) {
        return "node { name: '" + name
                + "' op: 'Const' attr { key: 'dtype' value { type: DT_INT32 } } attr { key: 'value'"
                + " value { tensor { dtype: DT_INT32 tensor_shape { } int_val: " + value + " } } } }\n";
    }

    private static String node(String name, String operator, String inputs) {
        StringBuilder text = new StringBuilder("node { name: '" + name + "' op: '" + operator + "'");
        for (String input : inputs.split(" ")) {
            text.append(" input: '").append(input).append("'");
        }
        return text.append(" attr { key: 'T' value { type: DT_FLOAT } } }\n").toString();
    }

    /** {@code p ? x * 10 : x + 1}, as TensorFlow 1 writes it. */
    private static String switched(String predicate) {
        return X
                + predicate
                + real("ten", 10)
                + real("one", 1)
                + node("s", "Switch", "x p")
                + node("then", "Mul", "s:1 ten")
                + node("else", "AddV2", "s one")
                + node("m", "Merge", "else then")
                + node("y", "Identity", "m");
    }

    /** The same by a function for each branch. */
    private static String chosen(String operator, String predicate) {
        String call = "node { name: 'c' op: '" + operator + "' input: 'p' input: 'x'"
                + " attr { key: 'then_branch' value { func { name: 'times' } } }"
                + " attr { key: 'else_branch' value { func { name: 'plus' } } } }\n";
        return X + predicate + call + node("y", "Identity", "c") + "library { " + function("times", "Mul", 10)
                + function("plus", "AddV2", 1) + " }\n";
    }

    private static String function(String name, String operator, double number) {
        return "function { signature { name: '" + name + "' input_arg { name: 'a' type: DT_FLOAT }"
                + " output_arg { name: 'r' type: DT_FLOAT } } ret { key: 'r' value: 'o:z:0' }"
                + " node_def { name: 'k' op: 'Const' attr { key: 'dtype' value { type: DT_FLOAT } } attr { key: 'value' value"
                + " { tensor { dtype: DT_FLOAT tensor_shape { } float_val: " + number + " } } } }"
                + " node_def { name: 'o' op: '" + operator
                + "' input: 'a' input: 'k:output:0' attr { key: 'T' value { type:"
                + " DT_FLOAT } } } }";
    }

    private Path write(String graph) throws IOException {
        return Files.writeString(Files.createTempFile(folder, "graph", ".pbtxt"), graph.replace('\'', '"'));
    }

    private INDArray run(String graph) throws IOException {
        ImportedModel model = TensorFlowImporter.load(write(graph));
        assertThat(model.inputs()).extracting(TensorSpec::name).containsExactly("x");
        return OnnxVerifier.run(model, Map.of("x", Nd4j.ones(1, 2, 3).mul(2))).get("y");
    }

    @TestFactory
    Stream<DynamicTest> the_branch_that_is_taken_is_imported() {
        Map<String, Boolean> predicates = Map.of(
                constant("p", true),
                true,
                constant("p", false),
                false,
                constant("q", true) + node("p", "LogicalNot", "q"),
                false,
                constant("q", true) + constant("r", false) + node("p", "LogicalOr", "q r"),
                true,
                constant("q", false) + "node { name: 'p' op: 'PlaceholderWithDefault' input: 'q' }\n",
                false,
                PLACEHOLDER + node("p", "Identity", "keras_learning_phase"),
                false,
                PLACEHOLDER + constant("q", false) + node("p", "LogicalAnd", "keras_learning_phase q"),
                false);
        return predicates.entrySet().stream()
                .flatMap(entry -> Stream.of(
                                switched(entry.getKey()),
                                chosen("StatelessIf", entry.getKey()),
                                chosen("If", entry.getKey()))
                        .map(graph -> DynamicTest.dynamicTest(
                                graph.substring(X.length(), X.length() + 60),
                                () -> assertThat(run(graph).getDouble(0, 0, 0)).isEqualTo(entry.getValue() ? 20 : 3))));
    }

    @Test
    void conditions_on_data_are_refused_with_the_reason_by_load_and_inspect() throws IOException {
        String data =
                "node { name: 'p' op: 'Placeholder' attr { key: 'dtype' value { type: DT_BOOL } } attr { key: 'shape'"
                        + " value { shape { } } } }\n";
        for (String graph : new String[] {switched(data), chosen("StatelessIf", data)}) {
            Path file = write(graph);
            assertThatThrownBy(() -> TensorFlowImporter.load(file))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("a condition that is not constant");
            assertThat(TensorFlowImporter.inspect(file).unsupportedText()).contains("a condition that is not constant");
        }
    }

    @Test
    void an_order_of_axes_that_follows_from_their_number_is_known() throws IOException {
        String reversed = X
                + whole("zero", 0)
                + whole("one", 1)
                + node("rank", "Rank", "x")
                + node("range", "Range", "zero rank one")
                + node("last", "Sub", "rank one")
                + node("order", "Sub", "last range")
                + node("y", "Transpose", "x order");
        assertThat(run(reversed).shape()).containsExactly(3, 2, 1);
    }

    @Test
    void what_a_data_pipeline_hands_out_can_be_named_an_input() throws IOException {
        String types = " attr { key: 'output_types' value { list { type: DT_INT32 type: DT_FLOAT } } }"
                + " attr { key: 'output_shapes' value { list { shape { dim { size: -1 } dim { size: 5 } } shape { dim { size: -1"
                + " } dim { size: 5 } } } } } }\n";
        String pipeline = "node { name: 'IteratorV2' op: 'IteratorV2'" + types
                + "node { name: 'next' op: 'IteratorGetNext' input: 'IteratorV2'" + types
                + "node { name: 'cast' op: 'Cast' input: 'next' attr { key: 'SrcT' value { type: DT_INT32 } } attr { key:"
                + " 'DstT' value { type: DT_FLOAT } } }\n" + node("y", "Mul", "cast next:1");
        Path file = write(pipeline);
        assertThatThrownBy(() -> TensorFlowImporter.load(file))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("--inputs");
        ImportedModel model = TensorFlowImporter.load(
                file, TensorFlowOptions.defaults().withInputs("input_ids=next:0", "weights=next:1"));
        assertThat(model.inputs()).extracting(TensorSpec::name).containsExactly("input_ids", "weights");
        INDArray y = OnnxVerifier.run(
                        model,
                        Map.of(
                                "input_ids", Nd4j.createFromArray(new int[][] {{1, 2, 3, 4, 5}}),
                                "weights", Nd4j.ones(1, 5).mul(0.5)))
                .get("y");
        assertThat(y.getDouble(0, 4)).isEqualTo(2.5);
        assertThatThrownBy(() -> TensorFlowImporter.load(
                        file, TensorFlowOptions.defaults().withInputs("nothing:0")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("there is no tensor 'nothing'");
    }
}
