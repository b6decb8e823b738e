package dev.samediff.samples.cli;

import dev.samediff.adapters.AdapterState;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.AdapterFolder;
import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.adapters.text.chat.ChatTemplate;
import dev.samediff.adapters.text.tokenizer.Beginning;
import dev.samediff.samples.model.LanguageModel;
import dev.samediff.samples.serve.NamedAdapter;
import dev.samediff.samples.serve.ServedModels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which models answer: a base model and adapters of it. */
final class ServedOptions {
    @ArgGroup(validate = false, heading = "%nModel%n")
    ModelOptions model = new ModelOptions();

    @Option(
            names = "--adapter",
            paramLabel = "[NAME=]DIR",
            description =
                    "An adapter's folder, and the name that it is asked for by. Several are possible. Default: none.")
    @Nullable
    List<String> adapters;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            description = "Name of the base model. Default: that of its file, without what is behind the dot.")
    @Nullable
    String name;

    @Mixin
    ChatOptions chat = new ChatOptions();

    /** Opens them. */
    ServedModels open(PoolOptions options) throws IOException {
        List<NamedAdapter> named = adapters == null
                ? List.of()
                : adapters.stream().map(NamedAdapter::parse).toList();
        Optional<ChatTemplate> template = chat.findAny(model.tokenizer);
        ServedModels.requireDistinct(baseName(), named);
        List<AdapterState> states = new ArrayList<>();
        for (NamedAdapter each : named) {
            states.add(AdapterFolder.load(each.folder()));
        }
        LanguageModel base = model.load(states);
        return ServedModels.open(
                base,
                new ServedModels.Manner(baseName(), template, chat.isGiven(), model.bos != Beginning.AUTO),
                named,
                options);
    }

    /** Returns the base model's name. */
    String baseName() {
        if (name != null) {
            if (name.isBlank()) {
                throw new InvalidInputException("--name is empty; give a name, or leave it out");
            }
            return name;
        }
        Path file = model.model == null
                ? null
                : model.model.toAbsolutePath().normalize().getFileName();
        return file == null ? "bundled" : file.toString().replaceFirst("(?<=.)\\.[^.]*$", "");
    }
}
