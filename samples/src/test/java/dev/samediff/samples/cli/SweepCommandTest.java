package dev.samediff.samples.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.adapters.io.LockFile;
import dev.samediff.samples.finetune.RunFolder;
import dev.samediff.samples.output.Json;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SweepCommandTest {
    private static final String[] SMALL = {
        "--trials", "4", "--steps", "4", "--batch", "2", "--eval-every", "2", "--eval-count", "0", "--prune", "none"
    };

    @TempDir
    Path folder;

    private String[] own = {};

    @Test
    void a_sweep_leaves_journal_table_and_report_and_a_command_that_gives_the_same_score() throws IOException {
        own = sums();
        Path out = folder.resolve("sweep");
        Run run = sweep(out, "--json");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).contains("trial  state", "complete", "<< best");
        assertThat(run.json().path("trials").asInt()).isEqualTo(4);
        assertThat(run.json().path("complete").asInt()).isEqualTo(4);
        List<JsonNode> journal = journal(out);
        assertThat(journal).hasSize(4).allSatisfy(trial -> {
            assertThat(trial.path("state").asText()).isEqualTo("complete");
            assertThat(trial.path("curve")).hasSize(2);
            assertThat(trial.path("parameters").path("method").asText()).isEqualTo("sorsa");
        });
        assertThat(out.resolve("trials.csv"))
                .content()
                .startsWith("index,state,score")
                .hasLineCount(5);
        assertThat(out.resolve("report.html"))
                .content()
                .contains("Score by trial", "Importance", "by gamma and rank", "by eta and gamma", "Learning curves")
                .contains("Parameters and loss of every trial", "best so far")
                .contains("samples/run finetune --method sorsa");

        String command = run.json().path("finetune").asText();
        List<String> words = new ArrayList<>(Arrays.asList(command.split(" ")));
        words.subList(0, 1).clear();
        words.addAll(List.of("--out", folder.resolve("tuned").toString(), "--json"));
        Run tuned = Run.of(words.toArray(String[]::new));
        assertThat(tuned.exitCode()).as(tuned.err()).isZero();
        assertThat(tuned.json().path("eval_loss_after").asDouble())
                .isEqualTo(run.json().path("best_score").asDouble());
    }

    @Test
    void a_sweep_goes_on_where_it_was_and_can_get_more_trials() throws IOException {
        Path out = folder.resolve("sweep");
        own = sums();
        assertThat(sweep(out).exitCode()).isZero();
        List<String> before = Files.readAllLines(out.resolve("journal.jsonl"));
        Files.write(out.resolve("journal.jsonl"), before.subList(0, 2));
        Run resumed = Run.of("sweep", "--out", out.toString(), "--resume", "--json");
        assertThat(resumed.exitCode()).as(resumed.err()).isZero();
        assertThat(resumed.err()).contains("from the journal");
        assertThat(journal(out).stream().map(SweepCommandTest::timeless).toList())
                .isEqualTo(before.stream()
                        .map(Json::parse)
                        .map(SweepCommandTest::timeless)
                        .toList());
        Run more = Run.of(arguments(out, "--resume", "--trials", "5", "--json"));
        assertThat(more.json().path("trials").asInt()).isEqualTo(5);
        Run other = Run.of(arguments(out, "--resume", "--seed", "2"));
        assertThat(other.exitCode()).isEqualTo(2);
        assertThat(other.error()).contains("seed was 1 and is 2");
    }

    @Test
    void a_space_of_ones_own_is_searched() throws IOException {
        own = sums();
        Path space = Files.writeString(folder.resolve("space.json"), """
                {"schema": 1, "parameters": {"method": ["lora", "olora"], "rank": [2], "schedule": "linear",
                 "batch": [2, 3], "targets": "c_attn", "alpha": 4, "eta": 0.01}}
                """);
        Run run = sweep(folder.resolve("own"), "--space", space.toString(), "--search", "grid", "--json");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.json().path("complete").asInt()).isEqualTo(4);
        assertThat(run.json().path("finetune").asText()).contains("--targets c_attn", "--alpha 4", "--schedule linear");
    }

    @Test
    void a_second_sweep_in_a_folder_is_told_who_has_it_and_leaves_the_journal_alone() throws IOException {
        Path out = folder.resolve("held");
        Path journal = Files.writeString(Files.createDirectories(out).resolve("journal.jsonl"), "");
        try (LockFile lock = new RunFolder(out).lock()) {
            Run run = sweep(out, "--trials", "2", "--overwrite");
            assertThat(run.exitCode()).isEqualTo(2);
            assertThat(run.error())
                    .contains(
                            "is in use by another run",
                            "process " + ProcessHandle.current().pid());
        }
        assertThat(journal).exists();
    }

    @Test
    void overwrite_leaves_what_a_person_put_beside_the_ranks() throws IOException {
        Path out = folder.resolve("mine");
        new RunFolder(out).create(RunFolder.Existing.REFUSE);
        Path note = Files.writeString(
                Files.createDirectories(out.resolve("olora-ranks")).resolve("note"), "rank 8");
        Run run = sweep(out, "--trials", "2", "--overwrite");
        assertThat(run.exitCode()).isEqualTo(2);
        assertThat(run.error()).contains("`note`", "--out");
        assertThat(note).hasContent("rank 8");
    }

    @Test
    void without_space_and_trials_the_sweeps_of_both_papers_run() throws IOException {
        Path out = folder.resolve("papers");
        List<String> arguments = new ArrayList<>(List.of("sweep", "--steps", "1", "--batch", "1", "--prune", "none"));
        arguments.addAll(List.of("--out", out.toString()));
        arguments.addAll(Arrays.asList(sums()));
        Run run = Run.of(arguments.toArray(String[]::new));
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(journal(out))
                .hasSize(24)
                .allSatisfy(trial -> assertThat(
                                trial.path("parameters").properties().stream().map(Map.Entry::getKey))
                        .containsExactly("method", "rank", "gamma", "eta"));
        assertThat(journal(out.resolve("olora-ranks"))).hasSize(10);
        assertThat(out.resolve("report.html")).content().contains("OLoRA and LoRA by rank", "by rank and method");
    }

    @Test
    void a_sweep_can_be_looked_at_in_the_browser() throws Exception {
        own = sums();
        int port;
        try (ServerSocket socket = new ServerSocket(0)) {
            port = socket.getLocalPort();
        }
        URI results = URI.create("http://localhost:" + port + "/arbiter/results");
        CompletableFuture<String> seen = CompletableFuture.supplyAsync(() -> shown(results, "Complete"));
        Run run = sweep(folder.resolve("shown"), "--ui=" + port, "--trials", "8");
        assertThat(run.exitCode()).as(run.err()).isZero();
        assertThat(run.err()).contains("page: http://localhost:" + port + "/arbiter");
        assertThat(run.err()).doesNotContain("warning: the page");
        assertThat(seen.get(20, TimeUnit.SECONDS)).contains("\"0\"", "Complete");
    }

    @Test
    void a_page_for_other_machines_comes_with_a_warning_and_an_address_without_a_page_is_refused() throws IOException {
        own = sums();
        Run open = sweep(folder.resolve("open"), "--ui=0", "--ui-host", "0.0.0.0", "--trials", "1");
        assertThat(open.exitCode()).as(open.err()).isZero();
        assertThat(open.err())
                .contains("warning: the page is shown on 0.0.0.0: anybody who reaches this machine there can look");
        Run without = sweep(folder.resolve("without"), "--ui-host", "0.0.0.0", "--trials", "1");
        assertThat(without.exitCode()).isEqualTo(2);
        assertThat(without.err()).contains("--ui-host needs --ui");
        Run foreign = sweep(folder.resolve("foreign"), "--ui=0", "--ui-host", "240.0.0.1", "--trials", "1");
        assertThat(foreign.exitCode()).isEqualTo(2);
        assertThat(foreign.err()).contains("this machine has no such address");
    }

    /** Asks again and again until the answer has a word; the server goes away with the sweep. */
    private static String shown(URI address, String word) {
        HttpClient client = HttpClient.newHttpClient();
        String answer = "";
        for (int i = 0; i < 400 && !answer.contains(word); i++) {
            try {
                Thread.sleep(50);
                answer = client.send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString())
                        .body();
            } catch (IOException e) {
                answer = "no answer: " + e;
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        return answer;
    }

    @Test
    void a_sweep_in_which_nothing_succeeds_ends_with_1_and_says_why() throws IOException {
        own = sums();
        Run run = sweep(
                folder.resolve("late"), "--trials", "2", "--retries", "0", "--trial-limit", "1", "--steps", "900");
        assertThat(run.exitCode()).isEqualTo(1);
        assertThat(run.err()).contains("failed", "longer than PT1S");
    }

    /** A few examples, which are evaluated faster than the bundled ones. */
    private String[] sums() throws IOException {
        Path file = folder.resolve("sums.jsonl");
        Files.writeString(file, "{\"prompt\": \"1+1=\", \"response\": \"2\"}\n".repeat(12));
        return new String[] {"--train", file.toString(), "--eval", file.toString()};
    }

    private static JsonNode timeless(JsonNode trial) {
        return ((com.fasterxml.jackson.databind.node.ObjectNode) trial).without("seconds");
    }

    private static List<JsonNode> journal(Path out) throws IOException {
        return Files.readAllLines(out.resolve("journal.jsonl")).stream()
                .map(Json::parse)
                .toList();
    }

    private Run sweep(Path out, String... more) {
        return Run.of(arguments(out, more));
    }

    /** Small options, those given after them instead of the same ones. */
    private String[] arguments(Path out, String... more) {
        List<String> given = Arrays.asList(more);
        Stream<String> small = java.util.stream.IntStream.range(0, SMALL.length)
                .filter(i -> !given.contains(SMALL[i - i % 2]))
                .mapToObj(i -> SMALL[i]);
        return Stream.of(Stream.of("sweep"), small, Stream.of(own), Stream.of("--out", out.toString()), Stream.of(more))
                .flatMap(words -> words)
                .toArray(String[]::new);
    }
}
