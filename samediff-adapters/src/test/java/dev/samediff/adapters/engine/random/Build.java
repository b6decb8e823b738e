package dev.samediff.adapters.engine.random;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A graph while a {@link RandomGraph} is being built: its sizes, its variables, and random numbers of the step at work. */
final class Build {
    /** Rows of the table of embeddings. */
    static final int VOCABULARY = 11;

    final SameDiff sd = SameDiff.create();
    final int batch;
    final int length;
    final int width;
    final List<String> trained = new ArrayList<>();
    final Map<String, INDArray> inputs = new LinkedHashMap<>();
    Random random = new Random(0);
    private String step = "";
    private int names;

    Build(int batch, int length, int width) {
        this.batch = batch;
        this.length = length;
        this.width = width;
    }

    void start(String name, long seed) {
        step = name;
        names = 0;
        random = new Random(seed);
    }

    INDArray numbers(double scale, long... shape) {
        INDArray array = Nd4j.create(DataType.FLOAT, shape);
        for (long i = 0; i < array.length(); i++) {
            array.putScalar(i, scale * random.nextGaussian());
        }
        return array;
    }

    private String name() {
        return step + "_" + names++;
    }

    /** A trained variable, or a constant. */
    SDVariable weight(double scale, long... shape) {
        return random.nextInt(3) > 0 ? trainable(scale, shape) : constant(numbers(scale, shape));
    }

    SDVariable trainable(double scale, long... shape) {
        String name = name();
        trained.add(name);
        return sd.var(name, numbers(scale, shape));
    }

    SDVariable constant(INDArray array) {
        return sd.constant(name(), array);
    }

    /** One weight for all steps that ask for it. */
    SDVariable shared() {
        if (sd.hasVariable("shared")) {
            return sd.getVariable("shared");
        }
        trained.add("shared");
        return sd.var("shared", numbers(0.4, width, width));
    }

    SDVariable input(String name, INDArray value) {
        if (!sd.hasVariable(name)) {
            sd.placeHolder(name, value.dataType(), value.shape());
            inputs.put(name, value);
        }
        return sd.getVariable(name);
    }

    SDVariable flat(SDVariable x) {
        return sd.reshape(x, (long) batch * length, width);
    }

    SDVariable whole(SDVariable x) {
        return sd.reshape(x, batch, length, width);
    }

    /** [B,T,D] to [B,2,T,D/2]. */
    SDVariable heads(SDVariable x) {
        return sd.permute(sd.reshape(x, batch, length, 2, width / 2), 0, 2, 1, 3);
    }

    SDVariable joined(SDVariable heads) {
        return sd.reshape(sd.permute(heads, 0, 2, 1, 3), batch, length, width);
    }

    /** Numbers to be added to scores [..,T,T]: causal, padding, and rows of which nothing is seen. */
    INDArray mask(double hidden, boolean emptyRows, long... leading) {
        long[] shape = new long[leading.length + 2];
        System.arraycopy(leading, 0, shape, 0, leading.length);
        shape[leading.length] = length;
        shape[leading.length + 1] = length;
        INDArray mask = Nd4j.zeros(DataType.FLOAT, shape);
        boolean causal = random.nextBoolean();
        for (long i = 0; i < mask.length(); i++) {
            long row = i / length % length;
            long column = i % length;
            boolean hides = causal ? column > row : column != row && random.nextInt(4) == 0;
            if (hides || emptyRows && row == 1) {
                mask.putScalar(i, hidden);
            }
        }
        return mask;
    }
}
