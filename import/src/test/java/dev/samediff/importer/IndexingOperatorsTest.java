package dev.samediff.importer;

import dev.samediff.importer.tensor.HostTensor;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.factory.Nd4j;

class IndexingOperatorsTest extends OperatorCases {
    @Override
    void define() {
        smooth("one", 13, "Gather", reals(2, 4, 3), whole(1), "axis", 1);
        smooth("last", 13, "Gather", reals(2, 4, 3), whole(-1), "axis", 1);
        smooth("before last", 13, "Gather", reals(2, 4, 3), whole(-2), "axis", 1);
        smooth("last by number", 13, "Gather", reals(2, 4, 3), whole(3), "axis", 1);
        smooth("first from the end", 13, "Gather", reals(2, 4, 3), whole(-4), "axis", 1);
        smooth("run from the end", 13, "Gather", reals(2, 4, 3), ints(-3, -2), "axis", 1);
        smooth("run over the end", 13, "Gather", reals(2, 4, 3), ints(-2, -1, 0, 1), "axis", 1);
        smooth("from both ends", 13, "Gather", reals(2, 4, 3), ints(3, -4, -1), "axis", 1);
        smooth("one kept", 13, "Gather", reals(2, 4, 3), ints(2), "axis", 1);
        smooth("run", 13, "Gather", reals(2, 4, 3), ints(1, 2), "axis", 1);
        smooth("scattered", 13, "Gather", reals(2, 4, 3), ints(3, 0, 3), "axis", 1);
        smooth("computed indices", 13, "Gather", reals(4, 3), Nd4j.createFromArray(new long[][] {{0, -1}, {3, 3}}));
        smooth(
                "computed indices, inner axis",
                13,
                "Gather",
                reals(2, 4, 3, 2),
                Nd4j.createFromArray(2L, -4L, 0L),
                "axis",
                2 - 1);
        smooth("computed index", 13, "Gather", reals(2, 4, 3), Nd4j.scalar(2L), "axis", 1);
        plain(
                "whole",
                13,
                "Gather",
                wholes(4, 3),
                wholes(2, 2).castTo(DataType.LONG).muli(0).addi(2));
        HostTensor table = HostTensor.of(DataType.FLOAT, new long[] {3, 2}, new double[] {1, -2, 3, 4, 0.5, 6});
        plain("table", 13, "Gather", table, Nd4j.createFromArray(new long[][] {{0, 2}, {1, 1}}));
        plain("table by int32", 13, "Gather", table, Nd4j.createFromArray(new int[][] {{0, 2}, {1, 1}}));
        smooth(
                "attributes",
                9,
                "Slice",
                reals(2, 4, 3),
                "starts",
                new long[] {1, 0},
                "ends",
                new long[] {3, 2},
                "axes",
                new long[] {1, 2});
        smooth("from", 13, "Slice", reals(2, 4, 3), ints(1), ints(Long.MAX_VALUE), ints(1));
        smooth("to", 13, "Slice", reals(2, 4, 3), ints(0), ints(2), ints(1));
        smooth("beyond", 13, "Slice", reals(2, 4, 3), ints(1), ints(100), ints(1));
        smooth("from behind", 13, "Slice", reals(2, 4, 3), ints(-2), ints(Long.MAX_VALUE), ints(1));
        smooth("to behind", 13, "Slice", reals(2, 4, 3), ints(0), ints(-1), ints(1));
        smooth("both behind", 13, "Slice", reals(2, 4, 3), ints(-3), ints(-1), ints(-2));
        smooth("steps", 13, "Slice", reals(2, 5, 3), ints(0), ints(Long.MAX_VALUE), ints(1), ints(2));
        smooth("odd", 13, "Slice", reals(2, 5, 3), ints(1), ints(Long.MAX_VALUE), ints(1), ints(2));
        smooth("without axes", 13, "Slice", reals(2, 4, 3), ints(0, 1), ints(1, 3));
        plain("whole", 13, "Slice", wholes(2, 4), ints(1), ints(3), ints(1));
        plain("truths", 13, "Slice", truths(2, 4), ints(1), ints(3), ints(1));
        plain("upper", 14, "Trilu", reals(3, 4));
        plain("lower", 14, "Trilu", reals(2, 3, 4), "upper", 0);
        plain("diagonal", 14, "Trilu", reals(4, 4), whole(1));
        plain("whole", 14, "Trilu", wholes(4, 4), whole(-1), "upper", 0);
    }
}
