package dev.samediff.samples.model;

import dev.samediff.adapters.memory.FileBackedArrays;
import dev.samediff.importer.ImportOptions;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.ModelImporter;
import dev.samediff.importer.TensorFlowOptions;
import dev.samediff.importer.onnx.WeightPlace;
import java.nio.file.Path;

/** Imports models, those of many weights without having them all in memory. */
public final class LargeModels {
    /** Bytes of weights as float32 from which on they lie in files: 268 million weights. */
    public static final long LARGE = 1L << 30;

    private LargeModels() {}

    /** Returns the place that nobody chose: files in the usual folder, if the model is large. */
    public static WeightPlace place() {
        return place(FileBackedArrays.usualDirectory());
    }

    /**
     * Returns a chosen place.
     *
     * @param directory folder of the files in which weights of large models lie
     */
    public static WeightPlace place(Path directory) {
        return WeightPlace.in(directory, LARGE);
    }

    /** Imports a model of any kind. */
    public static ImportedModel load(Path model, WeightPlace place) {
        return ModelImporter.load(
                model,
                TensorFlowOptions.defaults()
                        .withGraph(ImportOptions.defaults().withWeights(place)));
    }
}
