package dev.samediff.importer;

import java.util.List;
import org.nd4j.linalg.factory.Nd4j;

/** Operators that are formulas in others. */
class ComposedOperatorsTest extends OperatorCases {
    @Override
    void define() {
        for (String operator :
                List.of("HardSigmoid", "Softsign", "Elu", "Celu", "Selu", "Sinh", "Cosh", "Asinh", "Atan", "Shrink")) {
            smooth("", 14, operator, reals(2, 3));
        }
        smooth("", 14, "HardSwish", reals(2, 3));
        smooth("", 18, "Mish", reals(2, 3));
        smooth("alpha", 14, "Elu", reals(2, 3), "alpha", 0.3f);
        smooth("alpha", 14, "Celu", reals(2, 3), "alpha", 0.3f);
        smooth("attributes", 14, "Selu", reals(2, 3), "alpha", 1.2f, "gamma", 0.7f);
        smooth("attributes", 14, "HardSigmoid", reals(2, 3), "alpha", 0.3f, "beta", 0.4f);
        smooth("alpha", 14, "ThresholdedRelu", reals(2, 3), "alpha", 0.3f);
        smooth("attributes", 14, "Shrink", reals(2, 3), "bias", 0.2f, "lambd", 0.4f);
        smooth("", 14, "PRelu", reals(2, 3), positive(3));
        for (String operator : List.of("Tan", "Asin", "Acos", "Atanh")) {
            smooth("", 14, operator, reals(2, 3).mul(0.5));
        }
        smooth("", 14, "Acosh", positive(2, 3).add(1));
        plain("", 13, "Hardmax", reals(2, 4), "axis", -1);
        plain("first axis", 13, "Hardmax", reals(3, 4), "axis", 0);
        plain("ties", 14, "Round", Nd4j.createFromArray(-2.5f, -1.5f, -0.5f, 0.5f, 1.5f, 2.5f, 0.49f, -3.7f));
        plain("real", 14, "Mod", reals(2, 3), positive(3), "fmod", 1);
        plain("negative whole", 14, "Mod", wholes(2, 3), whole(3), "fmod", 1);
        plain("", 14, "IsInf", reals(2, 3));
        smooth("three", 14, "Mean", reals(2, 3), reals(3), real(0.5));
        smooth("computed bounds", 14, "Clip", reals(2, 3), Nd4j.scalar(-0.4f), Nd4j.scalar(0.6f));
        for (String operator : List.of("ReduceL1", "ReduceLogSum", "ReduceLogSumExp")) {
            smooth("last", 13, operator, positive(2, 3), "axes", new long[] {-1});
            smooth("last dropped", 13, operator, positive(2, 3), "axes", new long[] {-1}, "keepdims", 0);
            smooth("all", 13, operator, positive(2, 3));
            smooth("as input", 18, operator, positive(2, 3), ints(0));
        }
        plain("", 13, "ArgMin", reals(2, 3), "axis", 1, "keepdims", 0);
        plain(
                "last of equals",
                13,
                "ArgMax",
                Nd4j.createFromArray(new float[][] {{1, 3, 3}, {2, 2, 0}}),
                "axis",
                1,
                "select_last_index",
                1);
        plain(
                "last of equals",
                13,
                "ArgMin",
                Nd4j.createFromArray(new float[][] {{1, 1, 3}, {2, 0, 0}}),
                "axis",
                1,
                "select_last_index",
                1);
        smooth("", 13, "CumSum", reals(2, 4), whole(1));
        smooth("reverse", 13, "CumSum", reals(2, 4), whole(0), "reverse", 1);
        smooth("exclusive", 13, "CumSum", reals(2, 4, 3), whole(1), "exclusive", 1);
        smooth("reverse exclusive", 13, "CumSum", reals(2, 4), whole(-1), "exclusive", 1, "reverse", 1);
        smooth("of a vector", 13, "CumSum", reals(4), whole(0));
        smooth("rows first", 13, "DepthToSpace", reals(1, 8, 2, 3), "blocksize", 2);
        smooth("columns first", 13, "DepthToSpace", reals(1, 8, 2, 3), "blocksize", 2, "mode", "CRD");
        plain("", 15, "CastLike", wholes(2, 3), reals(1));
        plain("to whole", 15, "CastLike", reals(2, 3), wholes(1));
        smooth("", 13, "SpaceToDepth", reals(1, 2, 4, 6), "blocksize", 2);
        smooth("", 15, "BatchNormalization", reals(2, 3, 4), positive(3), reals(3), reals(3), positive(3));
        smooth(
                "epsilon",
                9,
                "BatchNormalization",
                reals(2, 3),
                positive(3),
                reals(3),
                reals(3),
                positive(3),
                "epsilon",
                0.1f);
        smooth("", 14, "InstanceNormalization", reals(2, 3, 4), positive(3), reals(3), "epsilon", 1e-2f);
        smooth(
                "of groups",
                18,
                "GroupNormalization",
                reals(2, 4, 3),
                positive(2),
                reals(2),
                "num_groups",
                2,
                "epsilon",
                1e-2f);
        smooth(
                "of channels",
                21,
                "GroupNormalization",
                reals(2, 4, 3),
                positive(4),
                reals(4),
                "num_groups",
                2,
                "epsilon",
                1e-2f);
        smooth("", 13, "MeanVarianceNormalization", reals(2, 3, 2, 2));
        smooth("", 14, "LpNormalization", reals(2, 3));
        smooth("1", 14, "LpNormalization", reals(2, 3), "p", 1, "axis", 0);
        smooth("erf", 20, "Gelu", reals(2, 3));
        smooth("tanh", 20, "Gelu", reals(2, 3), "approximate", "tanh");
        smooth("number of outputs", 18, "ReduceMax", reals(2, 3), ints(1), "keepdims", 0);
        add("uneven outputs", 18, "Split", 2, true, reals(2, 5), "axis", 1, "num_outputs", 2);
    }
}
