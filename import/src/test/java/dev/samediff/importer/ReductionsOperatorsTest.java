package dev.samediff.importer;

import java.util.List;

class ReductionsOperatorsTest extends OperatorCases {
    @Override
    void define() {
        for (String operator : List.of(
                "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceSumSquare", "ReduceL2")) {
            smooth("last kept", 11, operator, reals(2, 4, 3), "axes", new long[] {-1}, "keepdims", 1);
            smooth("last dropped", 11, operator, reals(2, 4, 3), "axes", new long[] {-1}, "keepdims", 0);
            smooth("two axes", 11, operator, reals(2, 4, 3), "axes", new long[] {0, -1});
            smooth("middle", 11, operator, reals(2, 4, 3), "axes", new long[] {1});
            smooth("all", 11, operator, reals(2, 4, 3), "keepdims", 0);
            smooth("as input", operator.equals("ReduceSum") ? 13 : 18, operator, reals(2, 4, 3), ints(-2));
        }
        plain("whole", 13, "ReduceSum", wholes(2, 3), ints(1));
        plain("whole", 13, "ReduceMax", wholes(2, 3), "axes", new long[] {1});
        plain("", 13, "ArgMax", reals(2, 3), "axis", 1, "keepdims", 0);
        plain("kept", 13, "ArgMax", reals(2, 3), "axis", -2);
        plain("whole", 13, "ArgMax", wholes(2, 3), "axis", 1);
        plain("whole", 13, "CumSum", wholes(2, 4), whole(1));
        plain("whole reverse exclusive", 13, "CumSum", wholes(2, 4), whole(1), "reverse", 1, "exclusive", 1);
        plain("whole first axis", 13, "CumSum", wholes(2, 4), whole(0));
    }
}
