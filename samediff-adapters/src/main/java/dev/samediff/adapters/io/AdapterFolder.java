package dev.samediff.adapters.io;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.AdapterConfig;
import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.BaseModel;
import dev.samediff.adapters.InvalidInputException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Folders that hold one trained adapter, in the layout of Hugging Face PEFT.
 *
 * <pre>
 * adapter_config.json          a plain LoRA or AdaLoRA, which PEFT loads onto the original base model
 * adapter_model.safetensors
 * native/adapter.json          the method itself: trained and start tensors, hyper-parameters, base hashes
 * native/adapter.safetensors
 * text_recipe.json             how its texts became tokens, if the training was of texts (text.batch.TextRecipe)
 * .samediff-manifest.json      which of these files are ours
 * </pre>
 *
 * <p>Methods that PEFT has no form for (bottleneck adapters) are in {@code native} alone.
 *
 * <p>Methods that replace the base weight by a residual (OLoRA, PiSSA, SORSA) are written for PEFT as a LoRA of rank 2r
 * with the same weight change; what they need to go on training is in {@code native}. A folder is replaced as a whole,
 * see {@link DurableFiles#writeFolder}.
 */
public final class AdapterFolder {
    private static final Logger LOG = LoggerFactory.getLogger(AdapterFolder.class);

    private AdapterFolder() {}

    /**
     * What PEFT and transformers like to know and an adapter does not.
     *
     * @param baseModel {@code base_model_name_or_path}: the original model on the Hugging Face hub, or its folder
     * @param taskType {@code task_type}: {@code CAUSAL_LM}, {@code SEQ_CLS}, ...
     */
    public record Description(Optional<String> baseModel, Optional<String> taskType) {
        /** Says nothing. */
        public static final Description NONE = new Description(Optional.empty(), Optional.empty());

        /**
         * Describes an adapter of a model.
         *
         * @param model the base model, whose name is taken
         * @param taskType PEFT's word for what it was trained for: {@code CAUSAL_LM}, {@code SEQ_CLS}, {@code TOKEN_CLS}, {@code
         *     FEATURE_EXTRACTION}, {@code SEQ_2_SEQ_LM}, {@code QUESTION_ANS}
         */
        public static Description of(BaseModel model, String taskType) {
            return new Description(model.name(), Optional.of(taskType));
        }
    }

    /** Saves an adapter for PEFT and in its native form; see {@link #save(AdapterState, Path, Description)}. */
    public static void save(AdapterState state, Path folder) throws IOException {
        save(state, folder, Description.NONE);
    }

    /**
     * Saves an adapter for PEFT and in its native form. An adapter already in the folder is replaced.
     *
     * @throws InvalidInputException if the folder holds files that this library did not write ({@link Destination#folder}), or the
     *     adapter is not finite
     * @throws IOException if it cannot be written; an adapter already in the folder is untouched
     */
    public static void save(AdapterState state, Path folder, Description description) throws IOException {
        save(state, folder, description, Map.of());
    }

    /**
     * Saves an adapter as {@link #save(AdapterState, Path, Description)} does, and small texts beside it that say how it is used.
     *
     * @param beside the content by the name of the file, none of which is one of the adapter's own
     */
    public static void save(AdapterState state, Path folder, Description description, Map<String, String> beside)
            throws IOException {
        Optional<PeftForm> form = PeftForm.own(state, description);
        if (form.isEmpty()) {
            LOG.info(
                    "PEFT has no form of {}: {} has the native one alone",
                    state.config().method().name(),
                    folder);
        }
        DurableFiles.writeFolder(folder, temporary -> {
            if (form.isPresent()) {
                form.get().write(temporary);
            }
            NativeForm.write(state, form.map(PeftForm::config), temporary);
            for (Map.Entry<String, String> text : beside.entrySet()) {
                Files.writeString(temporary.resolve(text.getKey()), text.getValue(), StandardOpenOption.CREATE_NEW);
            }
        });
    }

    /** Returns where an adapter lies that {@link #load(Path)} finds in a folder: there, or in its only subfolder with one. */
    public static Path placeOf(Path folder) throws IOException {
        return locate(folder);
    }

    /**
     * Saves an adapter for PEFT only: a plain LoRA for the original base weights, whatever the method.
     *
     * @throws InvalidInputException if the folder holds files that this library did not write ({@link Destination#folder}), or the
     *     adapter is not finite
     * @throws IOException if it cannot be written; an adapter already in the folder is untouched
     */
    public static void saveAsLora(AdapterState state, Path folder) throws IOException {
        saveAsLora(state, folder, Description.NONE);
    }

    /** Saves an adapter for PEFT only, as {@link #saveAsLora(AdapterState, Path)}. */
    public static void saveAsLora(AdapterState state, Path folder, Description description) throws IOException {
        PeftForm plain = PeftForm.of(state, description);
        DurableFiles.writeFolder(folder, plain::write);
    }

    /**
     * Loads an adapter: its native form, or else a LoRA that PEFT saved. Of a folder whose subfolders hold adapters, as PEFT
     * saves named ones, the only one is loaded.
     *
     * <p>A PEFT folder does not say which base weights it was trained on; its hashes are empty and fit every weight of the
     * right shape.
     *
     * <p>Nothing is written. If somebody saves into the folder meanwhile, the old version or the new one is loaded.
     *
     * @throws InvalidInputException if there is no adapter, or it uses what is not supported
     * @throws IOException if reading fails
     */
    public static AdapterState load(Path folder) throws IOException {
        try {
            return FolderSnapshot.read(folder, AdapterFolder::loadNow);
        } catch (FileSystemException e) {
            if (!Files.isDirectory(folder)) { // a link that leads to itself
                throw missing(folder);
            }
            throw e;
        }
    }

    /** Loads an adapter under another name than it was saved with, see {@link #load(Path)}; PEFT's {@code load_adapter(path, name)}. */
    public static AdapterState load(Path folder, String name) throws IOException {
        return load(folder).withName(name);
    }

    /**
     * Reads what a saved adapter says of its model and task, to be kept when it is saved in another form.
     *
     * @throws InvalidInputException if there is no adapter
     * @throws IOException if reading fails
     */
    public static Description description(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw missing(folder);
        }
        return FolderSnapshot.read(folder, snapshot -> {
            Path config = locate(snapshot).resolve(PeftForm.CONFIG);
            if (!Files.isRegularFile(config)) {
                return Description.NONE;
            }
            JsonFile said = JsonFile.read(config);
            return new Description(text(said, PeftForm.BASE_MODEL), text(said, PeftForm.TASK));
        });
    }

    private static Optional<String> text(JsonFile config, String key) {
        JsonNode value = config.raw(key);
        return value != null && value.isTextual() ? Optional.of(value.textValue()) : Optional.empty();
    }

    private static AdapterState loadNow(Path folder) throws IOException {
        Path adapter = locate(folder);
        try {
            return read(adapter, adapter.equals(folder) ? AdapterConfig.DEFAULT_NAME : nameOf(adapter));
        } catch (InvalidInputException e) { // a bad value may be refused by a type that knows of no file
            String message = String.valueOf(e.getMessage());
            throw message.contains(adapter.toString())
                    ? e
                    : new InvalidInputException("cannot load the adapter in " + adapter + ": " + message, e);
        }
    }

    private static AdapterState read(Path adapter, String name) throws IOException {
        if (Files.isDirectory(adapter.resolve(NativeForm.FOLDER))) {
            return NativeForm.read(adapter);
        }
        LOG.info(
                "{} has no native form; it is loaded as a LoRA, and nothing tells whether the base model fits",
                adapter);
        return PeftReader.read(adapter, name);
    }

    private static String nameOf(Path path) {
        return String.valueOf(path.getFileName());
    }

    private static InvalidInputException missing(Path folder) {
        return new InvalidInputException("there is no adapter folder " + folder + "; check the path");
    }

    private static Path locate(Path folder) throws IOException {
        if (!Files.isDirectory(folder)) {
            throw missing(folder);
        }
        if (holdsAdapter(folder)) {
            return folder;
        }
        List<Path> named;
        try (Stream<Path> entries = Files.list(folder)) {
            named = entries.filter(AdapterFolder::holdsAdapter).sorted().toList();
        }
        if (named.size() == 1) {
            return named.get(0);
        }
        throw new InvalidInputException(
                named.isEmpty()
                        ? "the folder " + folder + " holds no adapter: there is no " + PeftForm.CONFIG + " in it"
                        : "the folder " + folder + " holds several adapters; name one of " + named);
    }

    private static boolean holdsAdapter(Path folder) {
        return Files.isRegularFile(folder.resolve(PeftForm.CONFIG))
                || Files.isRegularFile(folder.resolve(NativeForm.FOLDER).resolve(NativeForm.CONFIG));
    }
}
