package dev.samediff.importer;

import dev.samediff.importer.tensor.HostTensor;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;

class ConvolutionOperatorsTest extends OperatorCases {
    private static HostTensor kernel(long... shape) {
        int length = (int) HostTensor.length(shape);
        double[] values = IntStream.range(0, length)
                .mapToDouble(i -> Math.cos(2.3 * i + 0.4))
                .toArray();
        return HostTensor.of(DataType.FLOAT, shape, values);
    }

    private static long[] sizes(long... sizes) {
        return sizes;
    }

    @Override
    void define() {
        smooth("point", 14, "Conv", reals(2, 3, 4, 5), kernel(2, 3, 1, 1));
        smooth("point with stride", 14, "Conv", reals(2, 3, 4, 5), kernel(2, 3, 1, 1), "strides", sizes(2, 2));
        smooth("point, 1 axis, bias", 14, "Conv", reals(2, 3, 5), kernel(2, 3, 1), kernel(2));
        smooth("patches", 14, "Conv", reals(2, 3, 4, 6), kernel(5, 3, 2, 3), kernel(5), "strides", sizes(2, 3));
        smooth("patches that leave a rest", 14, "Conv", reals(1, 2, 5, 7), kernel(2, 2, 2, 3), "strides", sizes(2, 3));
        smooth("overlapping", 14, "Conv", reals(1, 2, 5, 4), kernel(3, 2, 3, 2));
        smooth("padded", 14, "Conv", reals(1, 2, 4, 4), kernel(3, 2, 3, 3), kernel(3), "pads", sizes(1, 0, 1, 2));
        smooth(
                "strided and padded",
                14,
                "Conv",
                reals(1, 2, 5, 6),
                kernel(3, 2, 3, 3),
                "pads",
                sizes(1, 1, 1, 1),
                "strides",
                sizes(2, 2));
        smooth("dilated", 14, "Conv", reals(1, 2, 7, 6), kernel(2, 2, 2, 3), "dilations", sizes(3, 2));
        smooth("3 axes", 14, "Conv", reals(1, 2, 3, 3, 2), kernel(2, 2, 2, 2, 1));
        smooth("causal", 14, "Conv", reals(2, 3, 5), kernel(4, 3, 3), kernel(4), "pads", sizes(2, 0));
        smooth(
                "depthwise causal",
                14,
                "Conv",
                reals(2, 3, 5),
                kernel(3, 1, 4),
                kernel(3),
                "group",
                3,
                "pads",
                sizes(3, 0));
        smooth("depthwise", 14, "Conv", reals(1, 3, 4, 4), kernel(3, 1, 2, 2), "group", 3);
        smooth("depthwise, two each", 14, "Conv", reals(1, 3, 4, 4), kernel(6, 1, 2, 2), "group", 3);
        smooth("groups", 14, "Conv", reals(1, 4, 4, 3), kernel(6, 2, 2, 2), "group", 2);
        smooth("computed weight", 14, "Conv", reals(1, 2, 4), reals(3, 2, 2));
        smooth("same, stride 1", 14, "Conv", reals(1, 2, 5), kernel(2, 2, 4), "auto_pad", "SAME_UPPER");
        smooth("same lower, stride 1", 14, "Conv", reals(1, 2, 5), kernel(2, 2, 4), "auto_pad", "SAME_LOWER");
        smooth("valid", 14, "Conv", reals(1, 2, 5), kernel(2, 2, 4), "auto_pad", "VALID");
        smooth("", 14, "GlobalAveragePool", reals(2, 3, 4, 5));
        smooth("", 14, "GlobalMaxPool", reals(2, 3, 4, 5));
        smooth("tiles", 14, "AveragePool", reals(1, 2, 4, 6), "kernel_shape", sizes(2, 3), "strides", sizes(2, 3));
        smooth("padded", 14, "AveragePool", reals(1, 2, 4, 4), "kernel_shape", sizes(3, 3), "pads", sizes(1, 1, 1, 1));
        smooth(
                "counting pads",
                14,
                "AveragePool",
                reals(1, 2, 4, 4),
                "kernel_shape",
                sizes(3, 3),
                "pads",
                sizes(1, 1, 1, 1),
                "count_include_pad",
                1);
        smooth("", 14, "MaxPool", reals(1, 2, 4, 5), "kernel_shape", sizes(2, 2), "strides", sizes(2, 2));
        smooth("padded", 14, "MaxPool", reals(1, 2, 4, 5), "kernel_shape", sizes(3, 2), "pads", sizes(1, 0, 1, 0));
        for (long size : new long[] {5, 6, 7, 8}) {
            smooth(
                    "uneven, to the last place of " + size,
                    14,
                    "MaxPool",
                    reals(1, 2, size),
                    "kernel_shape",
                    sizes(2),
                    "strides",
                    sizes(3),
                    "pads",
                    sizes(1, 1),
                    "ceil_mode",
                    1);
            smooth(
                    "uneven, to the last place of " + size,
                    19,
                    "AveragePool",
                    reals(1, 2, size),
                    "kernel_shape",
                    sizes(3),
                    "strides",
                    sizes(2),
                    "ceil_mode",
                    1);
        }
        smooth("attributes", 9, "Pad", reals(2, 3), "pads", sizes(1, 0, 2, 1), "value", 0.5f);
        smooth("inputs", 13, "Pad", reals(2, 3), ints(0, 1, 1, 2), real(-1.5));
        smooth("zeros", 13, "Pad", reals(2, 3), ints(0, 1, 1, 2));
        smooth("axes", 18, "Pad", reals(2, 3), ints(1, 2), null, ints(-1));
        smooth("negative", 13, "Pad", reals(3, 4), ints(-1, 1, 0, -2));
        smooth("edge", 13, "Pad", reals(2, 3), ints(1, 2, 0, 1), "mode", "edge");
        smooth("reflect", 13, "Pad", reals(3, 4), ints(2, 1, 1, 3), "mode", "reflect");
        plain("whole", 13, "Pad", wholes(2, 3), ints(0, 1, 1, 2), whole(7));
    }
}
