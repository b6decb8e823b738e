package dev.samediff.importer.onnx;

import java.util.List;
import onnx.Onnx.NodeProto;

/**
 * ONNX Runtime's MatMulNBits, and what stands for it when its weight is one of real numbers.
 *
 * @param node the node
 */
record PackedProduct(NodeProto node) {
    private static final int BIAS = 5;

    String output() {
        return node.getOutput(0);
    }

    /** The bias that is added, empty if there is none. */
    String bias() {
        return node.getInputCount() > BIAS ? node.getInput(BIAS) : "";
    }

    /** Scales, zero points and the order of blocks, which only it reads. */
    List<String> numbers() {
        return node.getInputList().subList(2, Math.min(BIAS, node.getInputCount()));
    }

    /** The plain product; its weight is still to be replaced. */
    NodeProto product(String output) {
        return NodeProto.newBuilder()
                .setOpType("MatMul")
                .setName(node.getName())
                .addInput(node.getInput(0))
                .addInput(node.getInput(1))
                .addOutput(output)
                .build();
    }

    /** The sum with the bias. */
    NodeProto sum(String product) {
        return NodeProto.newBuilder()
                .setOpType("Add")
                .setName(output() + "/Add")
                .addInput(product)
                .addInput(bias())
                .addOutput(output())
                .build();
    }
}
