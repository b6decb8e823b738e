package dev.samediff.importer;

import dev.samediff.importer.tensor.HostTensor;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;

class ElementwiseOperatorsTest extends OperatorCases {
    @Override
    void define() {
        for (String operator : List.of("Add", "Sub", "Mul", "Div")) {
            smooth("same shape", 14, operator, reals(2, 3), positive(2, 3));
            smooth("row", 14, operator, reals(2, 3), positive(3));
            smooth("both broadcast", 14, operator, reals(4, 1, 3), positive(2, 1));
            smooth("number right", 14, operator, reals(2, 3), real(1.5));
            smooth("number left", 14, operator, real(1.5), positive(2, 3));
            smooth(
                    "stored matrix",
                    14,
                    operator,
                    reals(2, 3),
                    HostTensor.of(DataType.FLOAT, new long[] {1, 3}, new double[] {1, 2, 3}));
            plain("whole numbers", 14, operator, wholes(2, 3), whole(3));
        }
        plain(
                "whole numbers computed",
                14,
                "Div",
                wholes(2, 3),
                wholes(2, 3).mul(2).add(1));
        for (double power : new double[] {1, 2, 3, 0.5, -1, 1.7}) {
            smooth("" + power, 14, "Pow", positive(2, 3), real(power));
        }
        smooth("of whole exponent", 14, "Pow", reals(2, 3), whole(2));
        smooth("computed exponent", 14, "Pow", positive(2, 3), reals(3));
        plain("whole", 14, "Mod", wholes(2, 3), whole(3));
        smooth("two", 14, "Max", reals(2, 3), reals(3).mul(-1));
        smooth("two", 14, "Min", reals(2, 3), reals(3).mul(-1));
        smooth("three", 14, "Max", reals(2, 3), reals(3).mul(-1), real(0.2));
        plain("whole", 14, "Max", wholes(2, 3), wholes(3));
        plain("whole", 14, "Min", wholes(2, 3), whole(2));
        smooth("three", 14, "Sum", reals(2, 3), reals(3), real(0.2));
        smooth("inputs", 14, "Clip", reals(2, 3), real(-0.5), real(0.7));
        smooth("no upper", 14, "Clip", reals(2, 3), real(-0.5));
        smooth("attributes", 9, "Clip", reals(2, 3), "min", -0.5f, "max", 0.7f);
        plain("whole", 14, "Clip", wholes(2, 3), whole(0), whole(4));
        for (String operator :
                List.of("Neg", "Abs", "Exp", "Sin", "Cos", "Tanh", "Erf", "Sigmoid", "Relu", "Softplus")) {
            smooth("", 14, operator, reals(2, 3));
        }
        for (String operator : List.of("Sqrt", "Reciprocal", "Log")) {
            smooth("", 14, operator, positive(2, 3));
        }
        for (String operator : List.of("Floor", "Ceil", "Sign")) {
            plain("", 14, operator, reals(2, 3));
        }
        plain("whole", 14, "Neg", wholes(2, 3));
        plain("whole", 14, "Abs", wholes(2, 3));
        smooth("alpha", 14, "LeakyRelu", reals(2, 3), "alpha", 0.2f);
        smooth("", 14, "Elu", reals(2, 3));
        smooth("", 14, "com.microsoft:Gelu", reals(2, 3));
        smooth("", 14, "com.microsoft:FastGelu", reals(2, 3));
        smooth("bias", 14, "com.microsoft:FastGelu", reals(2, 3), reals(3));
        smooth("", 14, "Dropout", reals(2, 3));
    }
}
