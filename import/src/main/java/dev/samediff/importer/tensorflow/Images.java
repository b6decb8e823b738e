package dev.samediff.importer.tensorflow;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Convolutions, pooling and batch normalisation of images [N,H,W,C] or [N,C,H,W]. ONNX has channels second and filters
 * [out,in,H,W]: activations are transposed around the operator, filters once, while they are translated.
 */
final class Images {
    private final TensorFlowCall call;
    private final boolean channelsLast;
    private final Map<String, Object> attributes = new HashMap<>();

    private Images(TensorFlowCall call) {
        this.call = call;
        this.channelsLast = call.node().text("data_format", "NHWC").equals("NHWC");
    }

    static void register(Map<String, TensorFlowOp> operators) {
        operators.put("Conv2D", call -> new Images(call).convolution());
        operators.put("DepthwiseConv2dNative", call -> new Images(call).depthwise());
        operators.put("MaxPool", call -> new Images(call).pooling("MaxPool"));
        operators.put("AvgPool", call -> new Images(call).pooling("AveragePool"));
        for (String norm : new String[] {"FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"}) {
            operators.put(norm, call -> new Images(call).batchNorm());
        }
    }

    /** The two numbers for height and width of an attribute with one number per axis. */
    private long[] spatial(String attribute) {
        long[] all = call.node().integers(attribute);
        if (all.length != 4) {
            return new long[] {1, 1};
        }
        int first = channelsLast ? 1 : 2;
        return Arrays.copyOfRange(all, first, first + 2);
    }

    private void windows() {
        attributes.put("strides", spatial("strides"));
        switch (call.node().text("padding", "VALID")) {
            case "SAME" -> attributes.put("auto_pad", "SAME_UPPER");
            case "VALID" -> attributes.put("auto_pad", "VALID");
            default -> {
                long[] pads = call.node().integers("explicit_paddings");
                int height = channelsLast ? 2 : 4;
                if (pads.length < 8) {
                    throw call.damaged("pads explicitly but does not say how much");
                }
                attributes.put("pads", new long[] {pads[height], pads[height + 2], pads[height + 1], pads[height + 3]});
            }
        }
    }

    private String channelsSecond(String value) {
        return channelsLast ? call.emit("Transpose", Map.of("perm", new long[] {0, 3, 1, 2}), value) : value;
    }

    private void result(String operator, String... inputs) {
        if (channelsLast) {
            call.result("Transpose", Map.of("perm", new long[] {0, 2, 3, 1}), call.emit(operator, attributes, inputs));
        } else {
            call.result(operator, attributes, inputs);
        }
    }

    private void convolution() {
        windows();
        StoredTensor filter = stored("filter");
        attributes.put("dilations", spatial("dilations"));
        attributes.put("kernel_shape", new long[] {filter.shape()[0], filter.shape()[1]});
        String weight = call.translation().value(call.tensor(1), "oihw", filter.permuted(3, 2, 0, 1));
        result("Conv", channelsSecond(call.in(0)), weight);
    }

    private void depthwise() {
        windows();
        StoredTensor filter = stored("filter");
        long[] sizes = filter.shape();
        attributes.put("dilations", spatial("dilations"));
        attributes.put("kernel_shape", new long[] {sizes[0], sizes[1]});
        attributes.put("group", sizes[2]);
        StoredTensor perChannel = filter.permuted(2, 3, 0, 1).reshaped(sizes[2] * sizes[3], 1, sizes[0], sizes[1]);
        result("Conv", channelsSecond(call.in(0)), call.translation().value(call.tensor(1), "depthwise", perChannel));
    }

    private StoredTensor stored(String what) {
        @Nullable StoredTensor found = call.stored(1).orElse(null);
        if (found == null || found.shape().length != 4) {
            throw call.refused(
                    "computes its " + what + " '" + call.tensor(1) + "'; only stored ones of four axes can be imported",
                    "freeze the graph, so that it is stored");
        }
        return found;
    }

    private void pooling(String operator) {
        windows();
        attributes.put("kernel_shape", spatial("ksize"));
        result(operator, channelsSecond(call.in(0)));
    }

    /** {@code (x - mean) / sqrt(variance + epsilon) * scale + offset}, with the stored mean and variance. */
    private void batchNorm() {
        if (call.node().truth("is_training", true)) {
            throw call.refused(
                    "normalises with the statistics of the batch (is_training = true)",
                    "export the model for inference, with training=False");
        }
        String deviation = call.emit(
                "Sqrt", call.emit("Add", perChannel(4), call.number(call.node().real("epsilon", 1e-4f))));
        String normal = call.emit("Div", call.emit("Sub", call.in(0), perChannel(3)), deviation);
        call.result("Add", call.emit("Mul", normal, perChannel(1)), perChannel(2));
    }

    private String perChannel(int index) {
        return channelsLast ? call.in(index) : call.emit("Unsqueeze", call.in(index), call.vector(1, 2));
    }
}
