package dev.samediff.importer;

import static dev.samediff.adapters.testing.Bits.assertThatBits;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.fixture.OnnxFiles;
import java.nio.file.Path;
import java.util.Map;
import onnx.Onnx;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** Files that have the size of their vocabulary among their numbers. */
class VocabularyNumbersTest {
    private static final int SIZE = 7;
    private static final int WIDTH = 3;

    @TempDir
    Path folder;

    private static INDArray numbers(int seed, long... shape) {
        Nd4j.getRandom().setSeed(seed);
        return Nd4j.randn(DataType.FLOAT, shape);
    }

    private static Onnx.TensorProto whole(String name, long... values) {
        Onnx.TensorProto.Builder tensor = Onnx.TensorProto.newBuilder()
                .setName(name)
                .setDataType(Onnx.TensorProto.DataType.INT64_VALUE)
                .addDims(values.length);
        for (long value : values) {
            tensor.addInt64Data(value);
        }
        return tensor.build();
    }

    /** Scores of tokens with a bias; {@code ids} is the name of what is looked up, {@code scores} of what comes out of the head. */
    private static Onnx.GraphProto.Builder model(String ids) {
        return Onnx.GraphProto.newBuilder()
                .setName("g")
                .addInput(OnnxFiles.longs("input_ids", "b", "t"))
                .addInitializer(OnnxFiles.tensor("emb.weight", numbers(1, SIZE, WIDTH)))
                .addInitializer(OnnxFiles.tensor("head.weight", numbers(2, WIDTH, SIZE)))
                .addInitializer(OnnxFiles.tensor("head.bias", numbers(3, SIZE)))
                .addNode(OnnxFiles.node("Gather", "rows", "emb.weight", ids))
                .addNode(OnnxFiles.node("MatMul", "product", "rows", "head.weight"))
                .addNode(OnnxFiles.node("Add", "scores", "product", "head.bias"));
    }

    private ImportedModel load(Onnx.GraphProto.Builder graph) {
        return OnnxImporter.load(OnnxFiles.write(OnnxFiles.model(graph), folder.resolve("m.onnx")));
    }

    private static INDArray run(ImportedModel model, long... ids) {
        return OnnxVerifier.run(model, Map.of("input_ids", Nd4j.createFromArray(new long[][] {ids})))
                .get("out");
    }

    @Test
    void a_size_in_a_shape_of_the_scores_and_in_a_bound_of_the_tokens_becomes_the_new_one() {
        Onnx.GraphProto.Builder graph = model("ids")
                .addNode(0, OnnxFiles.node("Mod", "ids", "input_ids", "bound"))
                .addInitializer(whole("bound", SIZE))
                .addInitializer(whole("flat", -1, SIZE))
                .addNode(OnnxFiles.node("Reshape", "out", "scores", "flat"))
                .addOutput(OnnxFiles.floats("out", "n", SIZE));
        ImportedModel small = load(graph);
        ImportedModel large = small.resizeTokenEmbeddings(SIZE + 2);
        assertThat(large.tokens()).hasValue(SIZE + 2);
        assertThat(run(large, SIZE + 1, 0).shape()).containsExactly(2, SIZE + 2);
        assertThatBits(run(large, 1, 6).get(NDArrayIndex.all(), NDArrayIndex.interval(0, SIZE)))
                .isEqualTo(run(small, 1, 6));
        Path file = folder.resolve("large.onnx");
        OnnxWriter.writeMerged(large, Map.of(), file);
        assertThatBits(run(OnnxImporter.load(file), 8, 3)).isEqualTo(run(large, 8, 3));
        ImportedModel less = small.resizeTokenEmbeddings(SIZE - 2);
        assertThat(run(less, 4).shape()).containsExactly(1, SIZE - 2);
        assertThat(small.tokens()).hasValue(SIZE);
    }

    @Test
    void tokens_that_are_cut_to_the_last_one_are_refused() {
        ImportedModel model = load(model("ids")
                .addNode(0, OnnxFiles.node("Min", "ids", "input_ids", "last"))
                .addInitializer(whole("last", SIZE - 1))
                .addNode(OnnxFiles.node("Relu", "out", "scores"))
                .addOutput(OnnxFiles.floats("out", "b", "t", SIZE)));
        assertThatThrownBy(() -> model.resizeTokenEmbeddings(SIZE + 2))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("the number 6 (`last`)");
    }

    @Test
    void a_matrix_of_the_vocabularys_size_behind_the_scores_is_refused_by_name() {
        ImportedModel model = load(model("input_ids")
                .addInitializer(OnnxFiles.tensor("mask", numbers(4, 2, SIZE)))
                .addNode(OnnxFiles.node("Add", "out", "scores", "mask"))
                .addOutput(OnnxFiles.floats("out", "b", 2, SIZE)));
        assertThatThrownBy(() -> model.resizeTokenEmbeddings(SIZE + 2))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("`mask` [2, 7]")
                .hasMessageContaining("resize_token_embeddings");
        assertThat(model.tokens()).isEmpty();
    }

    @Test
    void numbers_that_the_scores_share_with_something_else_are_refused() {
        ImportedModel model = load(model("input_ids")
                .addInput(OnnxFiles.floats("other", 2, SIZE))
                .addInitializer(whole("rest", -1))
                .addInitializer(whole("size", SIZE))
                .addNode(Onnx.NodeProto.newBuilder()
                        .setOpType("Concat")
                        .addInput("rest")
                        .addInput("size")
                        .addOutput("shape")
                        .addAttribute(Onnx.AttributeProto.newBuilder()
                                .setName("axis")
                                .setType(Onnx.AttributeProto.AttributeType.INT)
                                .setI(0)))
                .addNode(OnnxFiles.node("Reshape", "out", "scores", "shape"))
                .addNode(OnnxFiles.node("Reshape", "second", "other", "shape"))
                .addOutput(OnnxFiles.floats("out", "n", SIZE))
                .addOutput(OnnxFiles.floats("second", 2, SIZE)));
        assertThatThrownBy(() -> model.resizeTokenEmbeddings(SIZE + 2))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("shares with the scores");
    }
}
