package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.task.TaskHead;
import java.util.List;
import onnx.Onnx;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.NodeProto;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Appends a head to a model: pooling, product, sum, and its result as another output. All operators but those for the last token
 * have had one form since opset 8.
 */
public final class HeadNodes {
    private static final int COUNTS = 11;
    private static final int SELECTS_LAST = 12;

    private final OnnxWeightEditor editor;
    private final TaskHead head;
    private final int type;

    /**
     * Prepares it.
     *
     * @param editor the model
     * @param head the head
     * @param type element type of the features, FLOAT, DOUBLE, FLOAT16 or BFLOAT16
     */
    public HeadNodes(OnnxWeightEditor editor, TaskHead head, int type) {
        this.editor = editor;
        this.head = head;
        this.type = type;
    }

    /**
     * Appends it.
     *
     * @param output name of the result
     * @param features name of the features
     * @param mask name of the attention mask, empty if the pooling needs none
     * @param weight [width,outputs]
     * @param bias [outputs]
     * @throws InvalidInputException if the file's opset is too old for the pooling
     */
    public void append(String output, String features, String mask, INDArray weight, INDArray bias) {
        String w = number(head.module() + ".weight", weight);
        String b = number(head.module() + ".bias", bias);
        String product = node("MatMul", "product", pooled(features, mask), w);
        String name = editor.freshName(output);
        editor.append(NodeProto.newBuilder()
                .setOpType("Add")
                .setName(head.module() + "/Add")
                .addInput(product)
                .addInput(b)
                .addOutput(name)
                .build());
        editor.addOutput(
                name,
                type,
                switch (head.pooling()) {
                    case EACH -> List.of("batch", "sequence", Integer.toString(head.outputs()));
                    default -> List.of("batch", Integer.toString(head.outputs()));
                });
    }

    private String pooled(String features, String mask) {
        return switch (head.pooling()) {
            case EACH, GIVEN -> features;
            case FIRST -> node("Gather", "pooled", List.of(attribute("axis", 1)), features, whole("first", 0));
            case MEAN -> mean(features, real(mask));
            case LAST -> last(features, real(mask));
        };
    }

    private String real(String mask) {
        return node("Cast", "mask", List.of(attribute("to", type)), mask);
    }

    /** {@code m [b,1,t] features [b,t,w] / max(1, m [b,1,t] m [b,t,1])}, the mask being 0 and 1. */
    private String mean(String features, String mask) {
        String row = node("Reshape", "mask_row", mask, whole("row", 0, 1, -1));
        String column = node("Reshape", "mask_column", mask, whole("column", 0, -1, 1));
        String one = number(head.module() + ".one", Nd4j.ones(1));
        String count = node("Max", "count", node("MatMul", "counted", row, column), one);
        String mean = node("Div", "mean", node("MatMul", "summed", row, features), count);
        return node("Reshape", "pooled", mean, whole("matrix", 0, -1));
    }

    private String last(String features, String mask) {
        if (editor.opset() < COUNTS) {
            throw new InvalidInputException("the head `" + head.module() + "` takes the last token's features, which an"
                    + " ONNX file of opset " + editor.opset() + " cannot express; export the model with opset "
                    + COUNTS + " or later, or pool otherwise");
        }
        if (editor.opset() < SELECTS_LAST) {
            return lastByCounting(features, mask);
        }
        String place = node(
                "ArgMax",
                "last",
                List.of(attribute("axis", 1), attribute("keepdims", 1), attribute("select_last_index", 1)),
                mask);
        return node("GatherND", "pooled", List.of(attribute("batch_dims", 1)), features, place);
    }

    /** The token that counts and up to which as many count as in all: a row of zeros with a one, by which the features are multiplied. */
    private String lastByCounting(String features, String mask) {
        String counts = node("CumSum", "counts", mask, whole("axis", 1));
        List<AttributeProto> alongTokens = List.of(
                AttributeProto.newBuilder()
                        .setName("axes")
                        .setType(AttributeProto.AttributeType.INTS)
                        .addInts(1)
                        .build(),
                attribute("keepdims", 1));
        String all = node("ReduceMax", "all", alongTokens, counts);
        String reached = node("Cast", "reached", List.of(attribute("to", type)), node("Equal", "equal", counts, all));
        String row = node("Reshape", "last_row", node("Mul", "last", reached, mask), whole("row", 0, 1, -1));
        return node("Reshape", "pooled", node("MatMul", "picked", row, features), whole("matrix", 0, -1));
    }

    private String number(String name, INDArray values) {
        Onnx.TensorProto.Builder tensor = Onnx.TensorProto.newBuilder().setDataType(type);
        for (long size : values.shape()) {
            tensor.addDims(size);
        }
        return editor.addTensor(name, tensor.build(), values.dup('c'));
    }

    private String whole(String part, long... numbers) {
        Onnx.TensorProto.Builder tensor =
                Onnx.TensorProto.newBuilder().setDataType(Onnx.TensorProto.DataType.INT64_VALUE);
        if (numbers.length > 1) {
            tensor.addDims(numbers.length);
        }
        for (long number : numbers) {
            tensor.addInt64Data(number);
        }
        return editor.addWhole(head.module() + "." + part, tensor.build());
    }

    private String node(String operator, String part, String... inputs) {
        return node(operator, part, List.of(), inputs);
    }

    private String node(String operator, String part, List<AttributeProto> attributes, String... inputs) {
        String output = editor.freshName(head.module() + "/" + part);
        editor.append(NodeProto.newBuilder()
                .setOpType(operator)
                .setName(output + "/" + operator)
                .addAllInput(List.of(inputs))
                .addAllAttribute(attributes)
                .addOutput(output)
                .build());
        return output;
    }

    private static AttributeProto attribute(String name, long value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.AttributeType.INT)
                .setI(value)
                .build();
    }
}
