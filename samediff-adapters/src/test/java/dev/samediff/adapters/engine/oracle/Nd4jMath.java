package dev.samediff.adapters.engine.oracle;

import dev.samediff.adapters.engine.program.Node;
import dev.samediff.adapters.engine.program.Op;
import dev.samediff.adapters.engine.program.Tensor;
import java.util.ArrayList;
import java.util.List;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** What programs leave to ND4J is left to ND4J here, too, in the types of the program. */
final class Nd4jMath {
    private Nd4jMath() {}

    static List<Values> apply(Node node, Op.Nd4j op, List<Values> in) {
        INDArray[] inputs = new INDArray[in.size()];
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = array(node.input(i).type(), in.get(i));
        }
        op.call().bind(inputs, false);
        INDArray[] outputs = node.outputs().stream()
                .map(output -> Nd4j.zeros(output.type(), output.shape()))
                .toArray(INDArray[]::new);
        INDArray[] written = op.call().execute(outputs);
        List<Values> values = new ArrayList<>();
        for (int i = 0; i < written.length; i++) {
            Tensor output = node.outputs().get(i);
            values.add(values(output.shape(), written[i]));
        }
        return values;
    }

    static INDArray array(DataType type, Values values) {
        return Nd4j.createFromArray(values.data()).reshape(values.shape()).castTo(type);
    }

    static Values values(long[] shape, INDArray array) {
        return new Values(shape, array.castTo(DataType.DOUBLE).dup('c').data().asDouble());
    }
}
