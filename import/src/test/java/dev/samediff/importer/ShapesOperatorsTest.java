package dev.samediff.importer;

class ShapesOperatorsTest extends OperatorCases {
    @Override
    void define() {
        smooth("known", 14, "Reshape", reals(2, 4, 3), ints(4, 6));
        smooth("open", 14, "Reshape", reals(2, 4, 3), ints(-1, 3));
        smooth("copied", 14, "Reshape", reals(2, 4, 3), ints(0, 0, 3, 1));
        smooth("copied and open", 14, "Reshape", reals(2, 4, 6), ints(0, -1, 2, 3));
        smooth("default", 13, "Flatten", reals(2, 4, 3));
        smooth("2", 13, "Flatten", reals(2, 4, 3), "axis", 2);
        smooth("0", 13, "Flatten", reals(2, 4, 3), "axis", 0);
        smooth("11", 11, "Unsqueeze", reals(2, 3), "axes", new long[] {1, -1});
        smooth("13", 13, "Unsqueeze", reals(2, 3), ints(0));
        smooth("13 three", 13, "Unsqueeze", reals(2, 3), ints(0, 2, 4));
        smooth("11", 11, "Squeeze", reals(2, 1, 3), "axes", new long[] {1});
        smooth("13", 13, "Squeeze", reals(1, 2, 1, 3), ints(0, -2));
        smooth("default", 13, "Transpose", reals(2, 4, 3));
        smooth("heads", 13, "Transpose", reals(2, 4, 3, 2), "perm", new long[] {0, 2, 3, 1});
        plain("truths", 13, "Transpose", truths(2, 3));
        smooth("rows", 13, "Expand", reals(1, 3), ints(4, 3));
        smooth("more axes", 13, "Expand", reals(3), ints(2, 4, 3));
        smooth("one way back", 13, "Expand", reals(2, 1, 3), ints(1, 4, 1));
        plain("whole", 13, "Expand", wholes(1, 3), ints(4, 3));
        plain("truths", 13, "Expand", truths(1, 3), ints(4, 3));
        smooth("", 13, "Tile", reals(2, 3), ints(2, 1));
        smooth("all", 13, "Tile", reals(2, 3), ints(2, 3));
        plain("", 13, "Shape", reals(2, 3));
        plain("part", 15, "Shape", reals(2, 4, 3), "start", 1, "end", -1);
        plain("", 13, "Size", reals(2, 3));
        smooth("", 13, "Identity", reals(2, 3));
    }
}
