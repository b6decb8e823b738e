package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import onnx.Onnx.GraphProto;
import onnx.Onnx.NodeProto;
import onnx.Onnx.TensorProto;
import org.jspecify.annotations.Nullable;

/**
 * Computes with quantised activations as with the real numbers they are before they are rounded.
 *
 * <p>{@code QuantizeLinear(x) = clip(x / scale + zero point)}, clipped to the range of the type, because quantised models
 * rely on that (a Relu is often left to it), but not rounded; {@code DequantizeLinear(q) = (q - zero point) scale}. One
 * after the other is {@code clip(x)}. DynamicQuantizeLinear has the range of its data and never clips: it is x with a scale
 * of one and a zero point of zero, which gives every expression of the three the value it has apart from rounding.
 *
 * <p>So the result differs from the quantised graph's by the rounding only, and has a gradient.
 */
final class UnroundedActivations {
    private final GraphRewriting graph;
    private final int opset;
    private final Map<String, String> tables = new HashMap<>();

    private UnroundedActivations(GraphProto source, int opset) {
        this.graph = new GraphRewriting(source);
        this.opset = opset;
    }

    /** Returns the graph without quantised activations; stored weights are left to {@link QuantisedWeights}. */
    static GraphProto of(GraphProto source, int opset) {
        UnroundedActivations all = new UnroundedActivations(source, opset);
        for (NodeProto node : source.getNodeList()) {
            all.look(new OnnxNode(node), node);
        }
        return all.graph.result();
    }

    private void look(OnnxNode node, NodeProto proto) {
        switch (QuantisedModel.plain(node.operator())) {
            case "DynamicQuantizeLinear" -> dynamic(node);
            case "QuantizeLinear" -> quantise(node, proto);
            case "DequantizeLinear" -> dequantise(node, proto);
            default -> graph.keep(proto);
        }
    }

    private void dynamic(OnnxNode node) {
        graph.emit("Identity", node.name(), List.of(), node.output(0), node.input(0));
        for (int i = 1; i < 3; i++) {
            if (!node.output(i).isEmpty()) {
                graph.store(TensorProto.newBuilder()
                        .setName(node.output(i))
                        .setDataType(TensorProto.DataType.FLOAT_VALUE)
                        .addFloatData(i == 1 ? 1 : 0)
                        .build());
            }
        }
    }

    private void quantise(OnnxNode node, NodeProto proto) {
        if (graph.isOutput(node.output(0))) {
            throw new InvalidInputException(
                    "output '" + node.output(0) + "' is quantised; only graphs with real outputs can be"
                            + " imported: leave the last QuantizeLinear away");
        }
        Range range = range(node);
        if (isPerChannel(node.input(1)) || range == null) {
            graph.keep(proto);
            return;
        }
        String name = node.output(0);
        String scaled = graph.emit("Div", graph.fresh(name + "/scaled"), node.input(0), node.input(1));
        String moved = node.input(2).isEmpty()
                ? scaled
                : graph.emit("Add", graph.fresh(name + "/moved"), scaled, real(node.input(2), name));
        clip(node.name(), moved, range.low(), range.high(), name);
    }

    private void dequantise(OnnxNode node, NodeProto proto) {
        if (graph.isStored(node.input(0))) {
            graph.keep(proto);
            return;
        }
        OnnxNode writer = graph.writer(node.input(0));
        String from = writer == null ? "" : QuantisedModel.plain(writer.operator());
        if (writer != null
                && from.equals("DynamicQuantizeLinear")
                && node.input(1).equals(writer.output(1))) {
            graph.emit("Identity", node.name(), List.of(), node.output(0), writer.input(0));
        } else if (writer != null && from.equals("QuantizeLinear") && isInverse(node, writer)) {
            clipped(node, writer);
        } else if (writer != null
                && from.equals("Gather")
                && graph.isStored(writer.input(0))
                && !isPerChannel(node.input(1))) {
            lookUp(node, writer);
        } else if (isPerChannel(node.input(1))) {
            graph.keep(proto);
        } else {
            String name = node.output(0);
            String number = real(node.input(0), name);
            String moved = node.input(2).isEmpty()
                    ? number
                    : graph.emit("Sub", graph.fresh(name + "/moved"), number, real(node.input(2), name));
            graph.emit("Mul", node.name(), List.of(), name, moved, node.input(1));
        }
    }

    /** What was quantised with the same numbers; stored numbers are left as they are, rounding them is for the user. */
    private void clipped(OnnxNode node, OnnxNode quantised) {
        Range range = range(quantised);
        TensorProto scale = graph.stored(quantised.input(1));
        TensorProto zero = graph.stored(quantised.input(2));
        boolean known = scale != null && (zero != null || quantised.input(2).isEmpty()) && range != null;
        if (graph.isStored(quantised.input(0))) {
            graph.emit("Identity", node.name(), List.of(), node.output(0), quantised.input(0));
        } else if (known && scale != null && range != null && !isPerChannel(node.input(1))) {
            double unit = single(node, scale);
            double origin = zero == null ? 0 : single(node, zero);
            clip(
                    node.name(),
                    quantised.input(0),
                    (range.low() - origin) * unit,
                    (range.high() - origin) * unit,
                    node.output(0));
        } else {
            throw new InvalidInputException(
                    node + " has a scale per channel of activations, or one that is computed; one"
                            + " stored scale can be imported: quantise activations per tensor");
        }
    }

    /** Rows of a quantised table: the table is dequantised, and looked up then. */
    private void lookUp(OnnxNode node, OnnxNode gather) {
        String key = gather.input(0) + " " + node.input(1);
        String table = tables.computeIfAbsent(key, unknown -> {
            String name = graph.fresh(gather.input(0) + "::dequantised");
            return node.input(2).isEmpty()
                    ? graph.emit("DequantizeLinear", name, gather.input(0), node.input(1))
                    : graph.emit("DequantizeLinear", name, gather.input(0), node.input(1), node.input(2));
        });
        graph.emit("Gather", gather.name(), gather.attributes(), node.output(0), table, gather.input(1));
    }

    private boolean isInverse(OnnxNode node, OnnxNode quantised) {
        return isSame(node.input(1), quantised.input(1)) && isSame(node.input(2), quantised.input(2));
    }

    /** Equal values: one name, or stored tensors of equal numbers. */
    private boolean isSame(String a, String b) {
        TensorProto left = graph.stored(a);
        TensorProto right = graph.stored(b);
        return a.equals(b)
                || left != null
                        && right != null
                        && left.toBuilder()
                                .clearName()
                                .build()
                                .equals(right.toBuilder().clearName().build());
    }

    private boolean isPerChannel(String scale) {
        TensorProto tensor = graph.stored(scale);
        return tensor != null && tensor.getDimsList().stream().anyMatch(size -> size > 1);
    }

    private static double single(OnnxNode node, TensorProto tensor) {
        return OnnxTensor.inline(node + "'s scale", tensor).asDouble(0);
    }

    /** A value as a real number: a stored whole number in another tensor, everything else by Cast. */
    private String real(String value, String owner) {
        TensorProto tensor = graph.stored(value);
        if (tensor != null && tensor.getDimsList().stream().allMatch(size -> size == 1)) {
            return graph.number(
                    owner + "/zero", OnnxTensor.inline(value, tensor).asDouble(0));
        }
        return graph.emit(
                "Cast",
                graph.fresh(owner + "/real"),
                List.of(GraphRewriting.attribute("to", TensorProto.DataType.FLOAT_VALUE)),
                graph.fresh(owner + "/float"),
                value);
    }

    private void clip(String name, String value, double low, double high, String output) {
        if (opset < 11) {
            String below =
                    graph.emit("Min", graph.fresh(output + "/below"), value, graph.number(output + "/high", high));
            graph.emit("Max", name, List.of(), output, below, graph.number(output + "/low", low));
        } else {
            graph.emit(
                    "Clip",
                    name,
                    List.of(),
                    output,
                    value,
                    graph.number(output + "/low", low),
                    graph.number(output + "/high", high));
        }
    }

    /** Smallest and largest number of a quantised type. */
    private record Range(double low, double high) {}

    /** The range of what QuantizeLinear makes; null if its type is not known or has none of whole numbers. */
    private @Nullable Range range(OnnxNode node) {
        TensorProto zero = graph.stored(node.input(2));
        int named = (int) node.integer("output_dtype", TensorProto.DataType.UINT8_VALUE);
        if (zero == null && !node.input(2).isEmpty()) {
            return null;
        }
        return switch (zero == null ? named : zero.getDataType()) {
            case TensorProto.DataType.UINT8_VALUE -> new Range(0, 255);
            case TensorProto.DataType.INT8_VALUE -> new Range(-128, 127);
            case TensorProto.DataType.UINT16_VALUE -> new Range(0, 65535);
            case TensorProto.DataType.INT16_VALUE -> new Range(-32768, 32767);
            case PackedIntegers.UINT4 -> new Range(0, 15);
            case PackedIntegers.INT4 -> new Range(-8, 7);
            default -> null;
        };
    }
}
