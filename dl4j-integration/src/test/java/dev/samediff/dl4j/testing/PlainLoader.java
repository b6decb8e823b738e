package dev.samediff.dl4j.testing;

import java.io.File;
import java.io.IOException;
import java.util.Arrays;
import org.deeplearning4j.util.ModelSerializer;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/** A program of somebody who has DL4J and nothing else: loads a network and prints what it says about one example. */
public final class PlainLoader {
    private PlainLoader() {}

    /**
     * Loads and prints.
     *
     * @param args the file
     * @throws IOException if it cannot be read
     */
    public static void main(String[] args) throws IOException {
        System.out.println(describe(ModelSerializer.restoreMultiLayerNetwork(new File(args[0]), true)
                .output(features())));
    }

    /** Returns the example. */
    public static INDArray features() {
        return Nd4j.linspace(-1, 1, 8).reshape(1, 8).castTo(org.nd4j.linalg.api.buffer.DataType.FLOAT);
    }

    /** Returns the numbers as they are printed. */
    public static String describe(INDArray output) {
        return "output " + Arrays.toString(output.toFloatVector());
    }
}
