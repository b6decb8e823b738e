package dev.samediff.importer;

import dev.samediff.importer.tensor.HostTensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Reading and writing at places that are given as data. */
class PlacesOperatorsTest extends OperatorCases {
    @Override
    void define() {
        smooth("points", 13, "GatherND", reals(2, 3, 4), Nd4j.createFromArray(new long[][] {{0, 1, 3}, {1, -1, 0}}));
        smooth("rows", 13, "GatherND", reals(3, 4), Nd4j.createFromArray(new long[][] {{2}, {0}, {2}}));
        smooth("stored", 13, "GatherND", reals(2, 3, 4), HostTensor.of(DataType.LONG, new long[] {2, 2}, new long[] {
            0, 2, 1, 1
        }));
        smooth("batch", 13, "GatherND", reals(2, 3, 4), Nd4j.createFromArray(new long[][] {{1}, {2}}), "batch_dims", 1);
        smooth(
                "batch of several",
                13,
                "GatherND",
                reals(2, 3, 4),
                Nd4j.createFromArray(new long[][][] {{{1, 0}, {2, 3}}, {{0, 0}, {1, -1}}}),
                "batch_dims",
                1);
        plain("whole", 13, "GatherND", wholes(3, 4), Nd4j.createFromArray(new long[][] {{2, 1}, {0, 3}}));
        smooth(
                "rows",
                13,
                "GatherElements",
                reals(3, 2),
                Nd4j.createFromArray(new long[][] {{2, 0}, {-1, 1}}),
                "axis",
                0);
        smooth(
                "columns",
                13,
                "GatherElements",
                reals(2, 3),
                Nd4j.createFromArray(new long[][] {{2, 0, 0, 1}, {-1, 1, 2, 2}}),
                "axis",
                1);
        smooth(
                "inner",
                13,
                "GatherElements",
                reals(2, 3, 2),
                Nd4j.createFromArray(new long[][][] {{{2, 0}}, {{1, 1}}}),
                "axis",
                1);
        plain(
                "whole",
                13,
                "GatherElements",
                wholes(2, 3),
                Nd4j.createFromArray(new long[][] {{2, 0}, {-1, 1}}),
                "axis",
                1);
        smooth(
                "rows",
                16,
                "ScatterND",
                reals(4, 3),
                Nd4j.createFromArray(new long[][] {{2}, {0}}),
                reals(2, 3).mul(2));
        plain(
                "points",
                16,
                "ScatterND",
                reals(2, 3),
                Nd4j.createFromArray(new long[][] {{1, 2}, {0, -1}}),
                reals(2).mul(2));
        smooth(
                "adding",
                16,
                "ScatterND",
                reals(4, 3),
                Nd4j.createFromArray(new long[][] {{2}, {2}}),
                reals(2, 3).mul(2),
                "reduction",
                "add");
        smooth(
                "columns",
                16,
                "ScatterElements",
                reals(2, 3),
                Nd4j.createFromArray(new long[][] {{2, 0}, {-1, 1}}),
                reals(2, 2).mul(3),
                "axis",
                1);
        smooth(
                "rows",
                16,
                "ScatterElements",
                reals(3, 2),
                Nd4j.createFromArray(new long[][] {{2, 0}, {1, 1}}),
                reals(2, 2).mul(3),
                "axis",
                0);
        smooth(
                "adding",
                16,
                "ScatterElements",
                reals(2, 3),
                Nd4j.createFromArray(new long[][] {{2, 2}, {0, 1}}),
                reals(2, 2).mul(3),
                "axis",
                1,
                "reduction",
                "add");
        for (String reduction : new String[] {"mul", "max", "min"}) {
            smooth(
                    reduction,
                    18,
                    "ScatterElements",
                    reals(2, 3),
                    Nd4j.createFromArray(new long[][] {{2, 2}, {0, 1}}),
                    reals(2, 2).mul(0.7).add(0.2),
                    "axis",
                    1,
                    "reduction",
                    reduction);
            smooth(
                    reduction,
                    18,
                    "ScatterND",
                    reals(4, 3),
                    Nd4j.createFromArray(new long[][] {{2}, {2}}),
                    reals(2, 3).mul(0.7).add(0.2),
                    "reduction",
                    reduction);
        }
        add("largest", 13, "TopK", 2, true, distinct(2, 5), ints(3));
        add("smallest", 13, "TopK", 2, true, distinct(2, 5), ints(2), "largest", 0);
        add("first axis", 13, "TopK", 2, true, distinct(4, 2), ints(2), "axis", 0);
        plain("", 13, "OneHot", Nd4j.createFromArray(new long[][] {{1, 3}, {-1, 0}}), whole(4), pair(0, 1));
        plain("values, first axis", 13, "OneHot", Nd4j.createFromArray(2L, 0L), whole(3), pair(-1, 2.5), "axis", 0);
        smooth(
                "rows",
                13,
                "Compress",
                reals(3, 4),
                HostTensor.of(DataType.BOOL, new long[] {3}, new long[] {1, 0, 1}),
                "axis",
                0);
        smooth("flat", 13, "Compress", reals(2, 3), HostTensor.of(DataType.BOOL, new long[] {4}, new long[] {0, 1, 1, 1
        }));
        plain("", 13, "EyeLike", reals(3, 4));
        plain("diagonal", 13, "EyeLike", reals(3, 4), "k", 1, "dtype", 7);
        smooth("reversed", 13, "Slice", reals(2, 4, 3), ints(-1), ints(Long.MIN_VALUE + 1), ints(1), ints(-1));
        smooth("backwards", 13, "Slice", reals(2, 5, 3), ints(3), ints(0), ints(1), ints(-2));
        smooth("backwards from behind", 13, "Slice", reals(2, 5), ints(-2), ints(-5), ints(-1), ints(-1));
        smooth("backwards from beyond", 13, "Slice", reals(2, 5), ints(100), ints(1), ints(-1), ints(-2));
        plain("whole backwards", 13, "Slice", wholes(2, 4), ints(-1), ints(-100), ints(1), ints(-1));
    }

    private static INDArray distinct(long rows, long columns) {
        return Nd4j.linspace(-1, 1, rows * columns, DataType.FLOAT)
                .mul(Nd4j.linspace(0, rows * columns - 1, rows * columns, DataType.FLOAT)
                        .fmod(3)
                        .sub(1.2))
                .reshape(rows, columns);
    }

    private static HostTensor pair(double off, double on) {
        return HostTensor.of(DataType.FLOAT, new long[] {2}, new double[] {off, on});
    }
}
