package dev.samediff.importer;

class JoiningOperatorsTest extends OperatorCases {
    @Override
    void define() {
        smooth("last", 13, "Concat", reals(2, 3), reals(2, 1), "axis", -1);
        smooth("three", 13, "Concat", reals(2, 3), reals(1, 3), reals(4, 3), "axis", 0);
        plain("whole", 13, "Concat", wholes(2, 3), wholes(2, 2), "axis", 1);
        plain("truths", 13, "Concat", truths(2, 3), truths(2, 2), "axis", 1);
        add("equal 11", 11, "Split", 3, true, reals(2, 6), "axis", 1);
        add("equal 13", 13, "Split", 3, true, reals(2, 6), ints(2, 2, 2), "axis", -1);
        add("unequal 11", 11, "Split", 2, true, reals(2, 6), "axis", 1, "split", new long[] {4, 2});
        add("unequal 13", 13, "Split", 3, true, reals(2, 6), ints(1, 3, 2), "axis", 1);
        add("first axis", 13, "Split", 2, true, reals(4, 3));
    }
}
