package dev.samediff.importer.onnx;

import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/** Tells the data files of models: with another content, the models that name them could not be read any more. */
public final class DataOfModels {
    private DataOfModels() {}

    /**
     * Checks that a file may be replaced by something else.
     *
     * @param target a file, which need not be there
     * @throws InvalidInputException if a model beside it, other than itself, keeps its numbers in it
     * @throws IOException if its folder cannot be listed
     */
    public static void requireNone(Path target) throws IOException {
        Path file = target.toAbsolutePath().normalize();
        if (!Files.isRegularFile(file)) {
            return;
        }
        if (isOfFolder(file)) {
            throw new InvalidInputException(target + " is a part of the model in the folder " + file.getParent()
                    + ", which could not be read any more; name another file");
        }
        List<Path> models;
        try (Stream<Path> siblings = Files.list(file.resolveSibling(""))) {
            models = siblings.filter(sibling -> String.valueOf(sibling.getFileName())
                            .toLowerCase(Locale.ROOT)
                            .endsWith(".onnx"))
                    .filter(sibling -> !sibling.equals(file) && Files.isRegularFile(sibling))
                    .sorted()
                    .toList();
        }
        for (Path model : models) {
            if (names(model, file)) {
                throw new InvalidInputException(target + " holds the data of the model " + model
                        + ", which could not be read any more; name another file");
            }
        }
    }

    /** Whether a file is the configuration or the weights of a Hugging Face folder. */
    private static boolean isOfFolder(Path file) {
        String name = String.valueOf(file.getFileName());
        boolean weights =
                name.startsWith("model") && name.endsWith(".safetensors") || name.endsWith(".safetensors.index.json");
        return weights && Files.exists(file.resolveSibling("config.json"))
                || name.equals("config.json")
                        && (Files.exists(file.resolveSibling("model.safetensors"))
                                || Files.exists(file.resolveSibling("model.safetensors.index.json")));
    }

    private static boolean names(Path model, Path file) {
        try {
            return LeanModel.read(model).getGraph().getInitializerList().stream()
                    .filter(ExternalData::isElsewhere)
                    .flatMap(tensor -> tensor.getExternalDataList().stream())
                    .filter(entry -> entry.getKey().equals("location"))
                    .anyMatch(entry -> isFile(model, entry.getValue(), file));
        } catch (InvalidInputException noModel) {
            return false;
        }
    }

    private static boolean isFile(Path model, String location, Path file) {
        try {
            Path data = model.resolveSibling(location);
            return data.normalize().equals(file) || Files.isSameFile(data, file);
        } catch (IOException | java.nio.file.InvalidPathException noSuchFile) {
            return false;
        }
    }
}
