package dev.samediff.importer.tensorflow;

import dev.samediff.adapters.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.tensorflow.framework.MetaGraphDef;
import org.tensorflow.framework.SavedModel;
import org.tensorflow.framework.SignatureDef;

/** A SavedModel: {@code saved_model.pb} with graphs and signatures, and the checkpoint in {@code variables}. */
final class SavedModelFolder {
    private static final String DEFAULT = "serving_default";
    private static final String INTERNAL = "__saved_model_";

    private SavedModelFolder() {}

    /**
     * Reads a folder.
     *
     * @param signature the signature wanted; null: serving_default, or the only one
     * @throws InvalidInputException if the folder is incomplete or has no such signature
     */
    static Source read(Path folder, @Nullable String signature) {
        Path file = folder.resolve("saved_model.pb");
        if (!Files.isRegularFile(file)) {
            throw new InvalidInputException(folder + " has no saved_model.pb; give the folder that"
                    + " tf.saved_model.save(model, folder) or model.export(folder) wrote, or a frozen graph (.pb)");
        }
        SavedModel.Builder model = SavedModel.newBuilder();
        Source.parse(file, model);
        MetaGraphDef graph = serving(file, model.build());
        SignatureDef chosen = signature(file, graph, signature);
        Path variables = folder.resolve("variables");
        boolean stored = Files.isRegularFile(variables.resolve("variables.index"));
        return new Source(
                folder,
                ("TensorFlow " + graph.getMetaInfoDef().getTensorflowVersion()).trim(),
                graph.getGraphDef(),
                new TreeMap<>(chosen.getInputsMap()),
                new TreeMap<>(chosen.getOutputsMap()),
                stored ? new TensorBundle(variables.resolve("variables")) : null);
    }

    private static MetaGraphDef serving(Path file, SavedModel model) {
        List<MetaGraphDef> graphs = model.getMetaGraphsList();
        if (graphs.isEmpty()) {
            throw new InvalidInputException(file + " holds no graph; export the model again");
        }
        return graphs.stream()
                .filter(graph -> graph.getMetaInfoDef().getTagsList().contains("serve"))
                .findFirst()
                .orElse(graphs.get(0));
    }

    private static SignatureDef signature(Path file, MetaGraphDef graph, @Nullable String wanted) {
        Map<String, SignatureDef> all = new TreeMap<>(graph.getSignatureDefMap());
        all.keySet().removeIf(name -> name.startsWith(INTERNAL));
        if (wanted == null && all.size() == 1) {
            return all.values().iterator().next();
        }
        String name = wanted == null ? DEFAULT : wanted;
        SignatureDef found = all.get(name);
        if (found == null) {
            throw new InvalidInputException(file + " has no signature '" + name + "'; it has "
                    + Names.some(all.keySet()) + ": name one of them, or save the model with"
                    + " tf.saved_model.save(model, folder, signatures=...)");
        }
        return found;
    }
}
