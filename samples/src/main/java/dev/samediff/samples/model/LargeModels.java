package dev.samediff.samples.model;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.engine.EngineOptions;
import dev.samediff.adapters.engine.compiled.Targets;
import dev.samediff.importer.ImportOptions;
import dev.samediff.importer.ImportedModel;
import dev.samediff.importer.ModelImporter;
import dev.samediff.importer.TensorFlowOptions;
import dev.samediff.importer.onnx.WeightPlace;
import dev.samediff.samples.machine.Memory;
import dev.samediff.samples.output.Numbers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** Imports models, those of many weights without having them all in memory. */
public final class LargeModels {
    /** Bytes of weights as float32 from which on they lie in files: 268 million weights. */
    public static final long LARGE = 1L << 30;

    private LargeModels() {}

    /** Returns the place that nobody chose: files in the usual folder, if the model is large. */
    public static WeightPlace place() {
        return place(WeightPlace.usualDirectory());
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
                TensorFlowOptions.defaults().withGraph(ImportOptions.defaults().withWeights(place)));
    }

    /**
     * Refuses a model whose frozen weights alone need more memory than there is, before hours are spent on it. What is not large is not
     * looked at.
     *
     * @param model the model
     * @param engine how its steps are to be executed
     * @throws InvalidInputException if it cannot be trained so on this machine now
     */
    public static void requireRoom(Path model, EngineOptions engine) {
        if (engine.kind() == EngineOptions.Kind.COMPILED && sizeOnDisk(model) >= LARGE / 2) {
            long weights = ModelImporter.inspect(model).linearLayers().stream()
                    .mapToLong(layer -> (long) layer.experts() * layer.in() * layer.out())
                    .sum();
            boolean rounded = Targets.roundsWeights(engine);
            requireRoom(model, weights, rounded, Memory.available());
        }
    }

    static void requireRoom(Path model, long weights, boolean rounded, OptionalLong available) {
        long least = (rounded ? Short.BYTES : Float.BYTES) * weights;
        if (available.isPresent() && least > available.getAsLong()) {
            long inBfloat16 = Short.BYTES * weights;
            String advice = rounded || inBfloat16 > available.getAsLong()
                    ? "a smaller model, or a machine with more, is needed"
                    : "--precision bf16 needs " + Numbers.bytes(inBfloat16);
            throw new InvalidInputException(model + " has " + Numbers.count(weights)
                    + " weights that every token is multiplied by; in " + (rounded ? "bfloat16" : "float32")
                    + " these alone take " + Numbers.bytes(least) + ", and " + Numbers.bytes(available.getAsLong())
                    + " of memory are left here: " + advice + ". `samples/run plan` says what a training needs");
        }
    }

    /** The bytes of a folder's files, or of a file and those beside it whose names go on with its name. */
    private static long sizeOnDisk(Path model) {
        Path folder = Files.isDirectory(model) ? model : model.toAbsolutePath().getParent();
        String start = Files.isDirectory(model) ? "" : String.valueOf(model.getFileName());
        if (folder == null || !Files.isDirectory(folder)) {
            return 0;
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> Files.isRegularFile(file)
                            && String.valueOf(file.getFileName()).startsWith(start))
                    .mapToLong(file -> file.toFile().length())
                    .sum();
        } catch (IOException e) {
            return 0; // who reads the model will say why
        }
    }
}
