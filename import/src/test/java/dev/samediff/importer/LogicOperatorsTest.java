package dev.samediff.importer;

import dev.samediff.importer.tensor.HostTensor;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;

class LogicOperatorsTest extends OperatorCases {
    @Override
    void define() {
        for (String operator : List.of("Equal", "Less", "Greater", "LessOrEqual", "GreaterOrEqual")) {
            plain("whole", 14, operator, wholes(2, 3), wholes(3));
            plain("whole number", 14, operator, wholes(2, 3), whole(2));
            plain("real", 14, operator, reals(2, 3), reals(3));
            plain("outer", 14, operator, wholes(4, 1), wholes(1, 3));
        }
        for (String operator : List.of("And", "Or", "Xor")) {
            plain("same", 14, operator, truths(2, 3), truths(3, 2).reshape(2, 3));
            plain("outer", 14, operator, truths(4, 1), truths(1, 3));
        }
        plain("", 14, "Not", truths(2, 3));
        plain("truths", 14, "Equal", truths(2, 3), truths(3));
        smooth("computed", 14, "Where", truths(2, 3), reals(2, 3), reals(3));
        smooth("broadcast condition", 14, "Where", truths(2, 1), reals(2, 3), reals(1, 3));
        smooth("fill", 14, "Where", truths(2, 3), real(-1e9), reals(2, 3));
        smooth("zero fill", 14, "Where", truths(2, 3), reals(2, 3), real(0));
        plain("two numbers", 14, "Where", truths(2, 3), real(0), real(-3.4028234663852886e38));
        plain("whole", 14, "Where", truths(2, 3), wholes(2, 3), whole(-1));
        smooth(
                "stored condition",
                14,
                "Where",
                HostTensor.of(DataType.BOOL, new long[] {1, 3}, new long[] {1, 0, 1}),
                reals(2, 3),
                reals(3));
        for (int to : new int[] {1, 6, 7, 9}) {
            plain("real to " + to, 14, "Cast", reals(2, 3), "to", to);
            plain("whole to " + to, 14, "Cast", wholes(2, 3), "to", to);
            plain("truth to " + to, 14, "Cast", truths(2, 3), "to", to);
        }
        plain("", 14, "IsNaN", reals(2, 3));
    }
}
