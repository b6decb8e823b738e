package dev.samediff.dl4j.testing;

import static org.bytedeco.hdf5.global.hdf5.H5F_ACC_TRUNC;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Random;
import org.bytedeco.hdf5.Attribute;
import org.bytedeco.hdf5.DataSet;
import org.bytedeco.hdf5.DataSpace;
import org.bytedeco.hdf5.DataType;
import org.bytedeco.hdf5.Group;
import org.bytedeco.hdf5.H5File;
import org.bytedeco.hdf5.H5Location;
import org.bytedeco.hdf5.PredType;
import org.bytedeco.hdf5.StrType;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.PointerScope;

/** Writes the HDF5 file that Keras 2 saves of a sequential model of two dense layers, 8 to 10 to 3. */
public final class KerasFile {
    private static final String MODEL = """
            {"class_name": "Sequential", "config": {"name": "sequential", "layers": [
            {"class_name": "Dense", "config": {"name": "hidden", "trainable": true, "batch_input_shape": [null, 8],
            "dtype": "float32", "units": 10, "activation": "tanh", "use_bias": true, "kernel_initializer":
            {"class_name": "GlorotUniform", "config": {"seed": null}}, "bias_initializer": {"class_name": "Zeros",
            "config": {}}, "kernel_regularizer": null, "bias_regularizer": null, "activity_regularizer": null,
            "kernel_constraint": null, "bias_constraint": null}},
            {"class_name": "Dense", "config": {"name": "top", "trainable": true, "dtype": "float32", "units": 3,
            "activation": "softmax", "use_bias": true, "kernel_initializer": {"class_name": "GlorotUniform", "config":
            {"seed": null}}, "bias_initializer": {"class_name": "Zeros", "config": {}}, "kernel_regularizer": null,
            "bias_regularizer": null, "activity_regularizer": null, "kernel_constraint": null,
            "bias_constraint": null}}]}}
            """;

    private static final String TRAINING = """
            {"loss": "categorical_crossentropy", "metrics": ["accuracy"], "weighted_metrics": null, "loss_weights": null,
            "optimizer_config": {"class_name": "Adam", "config": {"name": "Adam", "learning_rate": 0.01, "decay": 0.0,
            "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-07, "amsgrad": false}}}
            """;

    private KerasFile() {}

    /**
     * Writes the file with random weights. Every native object dies in the scope, in this thread: HDF5 is not safe
     * for use by several threads, and an object left to the garbage collector is deleted by another one while the
     * next file is written or read, which ends the process now and then.
     */
    public static void write(Path path) {
        try (PointerScope scope = new PointerScope()) {
            H5File file = new H5File(path.toString(), H5F_ACC_TRUNC());
            attribute(file, "keras_version", "2.2.4");
            attribute(file, "backend", "tensorflow");
            attribute(file, "model_config", MODEL);
            attribute(file, "training_config", TRAINING);
            Group weights = file.createGroup("model_weights");
            layer(weights, "hidden", 8, 10, 1);
            layer(weights, "top", 10, 3, 2);
            weights.close();
            file.close();
        }
    }

    private static void layer(Group weights, String name, int in, int out, long seed) {
        Random random = new Random(seed);
        Group group = weights.createGroup(name);
        attribute(group, "weight_names", name + "/kernel:0");
        Group inner = group.createGroup(name);
        data(inner, "kernel:0", random, in, out);
        data(inner, "bias:0", random, out);
        inner.close();
        group.close();
    }

    private static void data(Group group, String name, Random random, long... shape) {
        int length = 1;
        for (long size : shape) {
            length *= (int) size;
        }
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) (0.4 * random.nextGaussian());
        }
        DataType type = new DataType(PredType.NATIVE_FLOAT());
        DataSet set = group.createDataSet(name, type, new DataSpace(shape.length, shape));
        set.write(new FloatPointer(values), type);
        set.close();
    }

    private static void attribute(H5Location place, String name, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        StrType type = new StrType(PredType.C_S1(), bytes.length);
        Attribute attribute = place instanceof Group group
                ? group.createAttribute(name, type, new DataSpace(1, new long[] {1}))
                : ((H5File) place).createAttribute(name, type, new DataSpace(1, new long[] {1}));
        attribute.write(type, new BytePointer(bytes));
        attribute.close();
    }
}
