package dev.samediff.adapters.engine.fusion;

import java.util.Random;
import java.util.stream.Stream;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** Graphs for {@link FormsTest}. Trained variables are called {@code w...}, {@code x} is a trained input of a layer. */
final class FormExamples {
    private FormExamples() {}

    static Stream<FormExample> all() {
        return Stream.concat(LayerExamples.all(), ProductExamples.all());
    }

    static INDArray random(long seed, long... shape) {
        Random random = new Random(seed);
        INDArray array = Nd4j.create(DataType.FLOAT, shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, random.nextGaussian());
        }
        return array;
    }

    static INDArray zeros(SDVariable placeholder) {
        return Nd4j.zeros(placeholder.dataType(), placeholder.getShape());
    }

    static SDVariable var(SameDiff sd, String name, long... shape) {
        return sd.var(name, random(name.hashCode(), shape));
    }
}
