package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import onnx.Onnx.AttributeProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Adds a low-rank branch beside the products that read a weight: {@code y = x W + (x down) up} for products with the
 * weight on the right, {@code W x + up' (down' x)} for those with it on the left, two convolutions for a convolution.
 */
public final class AdapterNodes {
    private final OnnxWeightEditor editor;
    private final String weight;
    private final String module;
    private final INDArray down;
    private final INDArray up;
    private final Map<String, String> tensors = new HashMap<>();

    /**
     * Prepares the branch.
     *
     * @param editor the model
     * @param weight name of the stored matrix, [in,out] or [out,in]; or a convolution's weight [out,in,...]
     * @param module module path, after which the new tensors are named
     * @param down [in,r]; of experts [experts,in,r]
     * @param up [r,out], scaling included; of experts [experts,r,out]
     */
    public AdapterNodes(OnnxWeightEditor editor, String weight, String module, INDArray down, INDArray up) {
        this.editor = editor;
        this.weight = weight;
        this.module = module;
        this.down = down;
        this.up = up;
    }

    /**
     * Adds the branch to every product.
     *
     * @throws InvalidInputException if an operator other than MatMul, Gemm, Conv and Einsum multiplies by the weight
     */
    public void addToProducts() {
        for (TensorReaders.Product product : editor.readers().products(editor.valueOf(weight), type())) {
            NodeProto node = product.node();
            switch (node.getOpType()) {
                case "MatMul", "MatMulNBits" -> addToMatMul(product);
                case "Einsum" -> addToEinsum(product);
                case "Gemm" -> addToGemm(product);
                case "Conv" -> addToConv(product);
                default -> throw refused(node);
            }
        }
    }

    /**
     * Adds the branch to every Gather of an embedding table: rows of {@code down}, times {@code up}.
     *
     * @throws InvalidInputException if no Gather looks rows of the table up
     */
    public void addToLookups() {
        List<TensorReaders.Product> lookups = editor.readers().lookups(editor.valueOf(weight), type());
        if (lookups.isEmpty()) {
            throw new InvalidInputException("no Gather looks rows of " + weight
                    + " up, so that no branch can be put beside it; merge the adapter into the weights instead");
        }
        for (TensorReaders.Product lookup : lookups) {
            String inner = editor.freshName(module + ".adapter");
            String change = editor.freshName(module + ".adapter_change");
            String ids = lookup.node().getInput(1);
            editor.addAfter(
                    lookup,
                    node("Gather", inner, tensor(lookup, "adapter_down", down), ids),
                    node("MatMul", change, inner, tensor(lookup, "adapter_up", up)));
            editor.addToOutput(lookup, change);
        }
    }

    private InvalidInputException refused(NodeProto node) {
        return new InvalidInputException(node.getOpType() + " '" + node.getName() + "' multiplies by " + weight
                + " in a way that no branch can be put beside; merge the adapter into the weights instead");
    }

    private void addToMatMul(TensorReaders.Product product) {
        String x = product.node().getInput(1 - product.input());
        String inner = editor.freshName(module + ".adapter");
        String change = editor.freshName(module + ".adapter_change");
        if (product.input() == 1) {
            editor.addAfter(
                    product,
                    node("MatMul", inner, x, tensor(product, "adapter_down", down)),
                    node("MatMul", change, inner, tensor(product, "adapter_up", up)));
        } else {
            editor.addAfter(
                    product,
                    node("MatMul", inner, tensor(product, "adapter_down", down.transpose()), x),
                    node("MatMul", change, tensor(product, "adapter_up", up.transpose()), inner));
        }
        editor.addToOutput(product, change);
    }

    /** {@code abc,cde->abde} becomes {@code abc,cr->abr} and {@code abr,rde->abde}. */
    private void addToEinsum(TensorReaders.Product product) {
        NodeProto node = product.node();
        if (down.rank() == 3) {
            EinsumStack stack =
                    EinsumStack.of(new OnnxNode(node), product.input()).orElseThrow(() -> refused(node));
            addEinsums(product, stack.downEquation(), stack.upEquation(), down, up);
            return;
        }
        EinsumLayer layer = EinsumLayer.of(new OnnxNode(node), product.input()).orElseThrow(() -> refused(node));
        long[] dims = editor.tensor(weight).getDimsList().stream()
                .mapToLong(Long::longValue)
                .toArray();
        INDArray downKernel = down.dup('c').reshape('c', layer.downShape(dims, down.size(1)));
        INDArray upKernel = up.dup('c').reshape('c', layer.upShape(dims, up.size(0)));
        addEinsums(product, layer.downEquation(), layer.upEquation(), downKernel, upKernel);
    }

    private void addEinsums(
            TensorReaders.Product product, String first, String second, INDArray lower, INDArray upper) {
        String inner = editor.freshName(module + ".adapter");
        String change = editor.freshName(module + ".adapter_change");
        String x = product.node().getInput(1 - product.input());
        editor.addAfter(
                product,
                einsum(first, inner, x, tensor(product, "adapter_down", lower)),
                einsum(second, change, inner, tensor(product, "adapter_up", upper)));
        editor.addToOutput(product, change);
    }

    private static NodeProto einsum(String equation, String output, String... inputs) {
        return node("Einsum", output, inputs).toBuilder()
                .addAttribute(AttributeProto.newBuilder()
                        .setName("equation")
                        .setType(AttributeProto.AttributeType.STRING)
                        .setS(org.nd4j.shade.protobuf.ByteString.copyFromUtf8(equation)))
                .build();
    }

    private void addToGemm(TensorReaders.Product product) {
        NodeProto gemm = product.node();
        if (product.input() != 1) {
            throw refused(gemm);
        }
        String inner = editor.freshName(module + ".adapter");
        String change = editor.freshName(module + ".adapter_change");
        NodeProto first =
                copied(node("Gemm", inner, gemm.getInput(0), tensor(product, "adapter_down", down)), gemm, "transA");
        NodeProto second = copied(node("Gemm", change, inner, tensor(product, "adapter_up", up)), gemm, "alpha");
        editor.addAfter(product, first, second);
        editor.addToOutput(product, change);
    }

    private void addToConv(TensorReaders.Product product) {
        NodeProto conv = product.node();
        boolean grouped =
                conv.getAttributeList().stream().anyMatch(each -> each.getName().equals("group") && each.getI() != 1);
        if (grouped) {
            throw refused(conv);
        }
        long[] kernel = editor.tensor(weight).getDimsList().stream()
                .mapToLong(Long::longValue)
                .toArray();
        kernel[0] = down.size(1);
        long[] point = new long[kernel.length];
        Arrays.fill(point, 1);
        point[0] = up.size(1);
        point[1] = up.size(0);
        String inner = editor.freshName(module + ".adapter");
        String change = editor.freshName(module + ".adapter_change");
        INDArray downKernel = down.transpose().dup('c').reshape('c', kernel);
        INDArray upKernel = up.transpose().dup('c').reshape('c', point);
        NodeProto first = copied(
                node("Conv", inner, conv.getInput(0), tensor(product, "adapter_down", downKernel)),
                conv,
                "auto_pad",
                "dilations",
                "kernel_shape",
                "pads",
                "strides");
        editor.addAfter(product, first, node("Conv", change, inner, tensor(product, "adapter_up", upKernel)));
        editor.addToOutput(product, change);
    }

    private int type() {
        return editor.tensor(weight).getDataType();
    }

    /** Adds a tensor of the type that a product multiplies, once for all that read it in this shape. */
    private String tensor(TensorReaders.Product product, String part, INDArray values) {
        List<Long> shape = Arrays.stream(values.shape()).boxed().toList();
        return tensors.computeIfAbsent(part + shape + product.type(), key -> {
            TensorProto.Builder tensor =
                    TensorProto.newBuilder().setDataType(product.type()).addAllDims(shape);
            return editor.addTensor(module + "." + part, tensor.build(), values.dup('c'));
        });
    }

    private static NodeProto node(String operator, String output, String... inputs) {
        return NodeProto.newBuilder()
                .setOpType(operator)
                .setName(output + "/" + operator)
                .addAllInput(List.of(inputs))
                .addOutput(output)
                .build();
    }

    private static NodeProto copied(NodeProto node, NodeProto from, String... names) {
        NodeProto.Builder copy = node.toBuilder();
        for (AttributeProto attribute : from.getAttributeList()) {
            if (List.of(names).contains(attribute.getName())) {
                copy.addAttribute(attribute);
            }
        }
        return copy.build();
    }
}
