package dev.samediff.samples.cli;

import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.samples.serve.Console;
import dev.samediff.samples.serve.ServedModels;
import dev.samediff.samples.serve.WritingDefaults;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code chat}: a conversation at the console. */
@CommandLine.Command(
        name = "chat",
        description = "Talks with a model and its adapters, line by line.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "Lines are what the user says; those that begin with / are commands, /help lists them.",
            "",
            "Examples:",
            "  samples/run chat --model m.onnx --tokenizer tokenizer.json --adapter a=run1/adapter --adapter b=run2/adapter",
            "  samples/run chat --model m.onnx --tokenizer tokenizer.json --chat-template chatml --temperature 0.7"
        })
final class ChatCommand extends Command {
    @Mixin
    ServedOptions served = new ServedOptions();

    @Option(names = "--system", paramLabel = "TEXT", description = "What stands before the conversation.")
    @Nullable
    String system;

    @ArgGroup(validate = false, heading = "%nWriting%n")
    SamplingOptions sampling = new SamplingOptions();

    @Override
    int run() throws IOException {
        WritingDefaults writing = sampling.defaults();
        try (ServedModels models =
                served.open(PoolOptions.defaults().withWorkers(1).withThreads(0))) {
            Console console = new Console(models, writing, out(), this::say);
            if (system != null) {
                console.system(system.replace("\\n", "\n"));
            }
            console.read(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)));
        }
        return 0;
    }
}
