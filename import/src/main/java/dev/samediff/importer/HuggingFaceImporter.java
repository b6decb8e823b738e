package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.importer.huggingface.Families;
import dev.samediff.importer.huggingface.HubFolder;
import dev.samediff.importer.onnx.OnnxFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Imports a model from its Hugging Face folder: {@code config.json} and {@code model.safetensors}, whole or in shards. No export, no Python.
 *
 * <p>An ONNX message is built from the configuration, by the family that {@code model_type} names; its weights stay where they are in the
 * folder's files. From there on everything is {@link OnnxImporter}'s, and {@link OnnxWriter} writes the result as an ONNX file.
 */
public final class HuggingFaceImporter {
    private HuggingFaceImporter() {}

    /** Returns the {@code model_type}s that can be imported. */
    public static List<String> modelTypes() {
        return Families.types();
    }

    /**
     * Imports a folder.
     *
     * @param folder a folder of the hub, of its cache, or of {@code save_pretrained}
     * @return the graph and what is known about it; its inputs are {@code input_ids}, {@code attention_mask}, and of decoders
     *     {@code position_ids}, of BERT {@code token_type_ids}
     * @throws InvalidInputException if files are missing or damaged, the model type is not known, or the configuration has fields or
     *     the files tensors that would change what the model computes in ways that are not supported
     */
    public static ImportedModel load(Path folder) {
        return load(folder, ImportOptions.defaults());
    }

    /** As {@link #load(Path)}, with options. */
    public static ImportedModel load(Path folder, ImportOptions options) {
        return new OnnxImporter(read(folder, options), options).build();
    }

    /** Looks at a folder without building a graph. */
    public static ImportReport inspect(Path folder) {
        ImportOptions options = ImportOptions.defaults();
        return new OnnxImporter(read(folder, options), options).inspect(Map.of());
    }

    static OnnxFile read(Path folder, ImportOptions options) {
        HubFolder hub = HubFolder.read(folder);
        return OnnxFile.of(Families.anchor(hub), Families.message(hub), options.floats());
    }
}
