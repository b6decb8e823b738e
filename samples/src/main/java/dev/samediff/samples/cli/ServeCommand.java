package dev.samediff.samples.cli;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.GivenFile;
import dev.samediff.adapters.io.ListenAddress;
import dev.samediff.adapters.serving.PoolOptions;
import dev.samediff.samples.learn.TaskRun;
import dev.samediff.samples.serve.ServedModels;
import dev.samediff.samples.serve.http.ApiServer;
import dev.samediff.samples.serve.http.Service;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code serve}: models answer over HTTP. */
@CommandLine.Command(
        name = "serve",
        description = "Answers over HTTP as OpenAI's API does: chat completions, completions, embeddings, models.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "",
            "A request names its model: the base model or an adapter. What it leaves out is as the options below say.",
            "Only this machine can ask, unless --host says otherwise. Ctrl-C or SIGTERM ends it, after the answers",
            "that are being written.",
            "",
            "Examples:",
            "  samples/run serve --model m.onnx --tokenizer tokenizer.json --adapter support=run1/adapter",
            "  curl http://localhost:8080/v1/chat/completions -H 'Content-Type: application/json' \\",
            "       -d '{\"model\": \"support\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}'",
            "  samples/run serve --run run2        what finetune --task embed has trained: /v1/embeddings"
        })
final class ServeCommand extends Command {
    private static final int LONGEST_KEY = 4096;

    @Mixin
    ServedOptions served = new ServedOptions();

    @Option(
            names = "--run",
            paramLabel = "DIR",
            description =
                    "The folder of a run of finetune with another task than lm: answers /v1/predict, and with embed"
                            + " /v1/embeddings. Without --model nothing else is answered.")
    @Nullable
    Path run;

    @Option(
            names = "--workers",
            paramLabel = "N",
            description = "Requests that are computed at the same time. Default: the number of processors.")
    @Nullable
    Integer workers;

    @ArgGroup(validate = false, heading = "%nServer%n")
    ServerOptions server = new ServerOptions();

    /** Where it listens, and to whom. */
    static final class ServerOptions {
        @Option(
                names = "--port",
                paramLabel = "N",
                defaultValue = "8080",
                description = "Port; 0 for any that is free. Default: ${DEFAULT-VALUE}.")
        int port = 8080;

        @Option(
                names = "--host",
                paramLabel = "ADDRESS",
                description =
                        "Address of this machine to listen to; 0.0.0.0 for all. Default: only this machine can ask.")
        @Nullable
        String host;

        @Option(
                names = "--api-key-file",
                paramLabel = "FILE",
                description = "File with the key that requests must have (Authorization: Bearer KEY). Default: none.")
        @Nullable
        Path key;

        ListenAddress address() {
            return host == null ? ListenAddress.ofThisMachine(port) : new ListenAddress(host, port);
        }

        Optional<String> key() throws IOException {
            if (key == null) {
                return Optional.empty();
            }
            String text = new String(GivenFile.bytes(key, LONGEST_KEY, "an API key"), StandardCharsets.UTF_8).strip();
            if (text.isEmpty() || !text.chars().allMatch(c -> c > ' ' && c < 127)) {
                throw new InvalidInputException(
                        key + " holds no API key; expected one line of ASCII letters without blanks");
            }
            return Optional.of(text);
        }
    }

    @ArgGroup(validate = false, heading = "%nWhat a request leaves out%n")
    SamplingOptions sampling = new SamplingOptions();

    @Override
    int run() throws IOException {
        ListenAddress address = server.address();
        Optional<String> key = server.key();
        if (workers != null && workers < 1) {
            throw new InvalidInputException("--workers " + workers + " is not possible; give 1 or more");
        }
        PoolOptions options = workers == null
                ? PoolOptions.defaults()
                : PoolOptions.defaults().withWorkers(workers);
        boolean texts = run == null || !served.model.isBundled();
        if (!texts && served.adapters != null) {
            throw new InvalidInputException("--adapter needs the --model that it adapts, beside --run");
        }
        var defaults = sampling.defaults();
        try (Opened opened = open(texts, options)) {
            Service service = new Service(opened.models(), defaults, opened.task());
            ApiServer api = ApiServer.start(address, key, service, this::say);
            announce(api, address, service.names());
            CountDownLatch ended = new CountDownLatch(1);
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                say("\nstopping: answers that are being written have some seconds to end");
                api.close();
                ended.countDown();
            }));
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return 0;
    }

    private record Opened(Optional<ServedModels> models, Optional<TaskRun.Service> service, Optional<Service.Task> task)
            implements AutoCloseable {
        @Override
        public void close() {
            models.ifPresent(ServedModels::close);
            service.ifPresent(TaskRun.Service::close);
        }
    }

    private Opened open(boolean texts, PoolOptions options) throws IOException {
        Optional<ServedModels> models = texts ? Optional.of(served.open(options)) : Optional.empty();
        if (run == null) {
            return new Opened(models, Optional.empty(), Optional.empty());
        }
        try {
            TaskRun<?> trained = TaskRun.of(run, Optional.empty(), Optional.empty());
            TaskRun.Service service = trained.answers();
            Path last = run.toAbsolutePath().normalize().getFileName();
            return new Opened(
                    models,
                    Optional.of(service),
                    Optional.of(new Service.Task(
                            last == null ? "run" : last.toString(),
                            trained.file().task(),
                            service.answers(),
                            service.tokenizer())));
        } catch (RuntimeException | IOException e) {
            models.ifPresent(ServedModels::close);
            throw e;
        }
    }

    private void announce(ApiServer api, ListenAddress address, List<String> models) {
        say("models: " + models);
        if (!address.isOfThisMachineOnly()) {
            say("warning: the models answer on " + address.host() + ": anybody who reaches this machine there can ask"
                    + (server.key == null ? ", without a key (--api-key-file)" : " who has the key")
                    + "; what is sent is not encrypted");
        }
        out().println("listening to " + address.url(api.port()) + "/v1");
        out().flush();
    }
}
