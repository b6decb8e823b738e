package dev.samediff.importer;

class NormalisationOperatorsTest extends OperatorCases {
    @Override
    void define() {
        smooth("last", 17, "LayerNormalization", reals(2, 4, 3), positive(3), reals(3), "epsilon", 1e-3f);
        smooth("no shift", 17, "LayerNormalization", reals(2, 3), positive(3));
        smooth("two axes", 17, "LayerNormalization", reals(2, 4, 3), positive(4, 3), reals(4, 3), "axis", 1);
        smooth("last", 14, "SimplifiedLayerNormalization", reals(2, 4, 3), positive(3));
        for (int opset : new int[] {11, 13}) {
            for (int axis : new int[] {-1, 1, 2}) {
                smooth(opset + " axis " + axis, opset, "Softmax", reals(2, 4, 3), "axis", axis);
                smooth(opset + " axis " + axis, opset, "LogSoftmax", reals(2, 4, 3), "axis", axis);
            }
            smooth(opset + " default", opset, "Softmax", reals(2, 4, 3));
        }
    }
}
