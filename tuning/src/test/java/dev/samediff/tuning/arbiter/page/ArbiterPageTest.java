package dev.samediff.tuning.arbiter.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.LocalTrials;
import dev.samediff.tuning.Search;
import dev.samediff.tuning.Spaces;
import dev.samediff.tuning.Sweep;
import dev.samediff.tuning.SweepListener;
import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.SweepResult;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialSpec;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.journal.Journal;
import dev.samediff.tuning.pruning.Pruning;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ArbiterPageTest {
    private static final int FAILING = 2;

    @TempDir
    Path folder;

    @Test
    void a_running_sweep_and_its_trials_can_be_looked_at() throws Exception {
        SweepPlan plan = SweepPlan.of(16).withSearch(Search.RANDOM).withPruning(new Pruning.Median(3, 2));
        AtomicReference<String> whileRunning = new AtomicReference<>("");
        try (ArbiterPage page = ArbiterPage.start(0, "sorsa", Spaces.MIXED);
                Journal journal = Journal.open(folder.resolve("journal"))) {
            SweepListener looking = new SweepListener() {
                @Override
                public void onReport(TrialSpec spec, LearningCurve.Point report) {
                    if (spec.index() == 9) {
                        whileRunning.set(json(page, "/results"));
                    }
                }
            };
            SweepResult result = new Sweep(Spaces.MIXED, plan, new LocalTrials(context -> {
                        if (context.index() == FAILING) {
                            throw new IllegalStateException("no luck");
                        }
                        if (context.index() == 9) {
                            Thread.sleep(1500); // the server takes over sessions in a thread of its own
                        }
                        return Spaces.curve(context);
                    }))
                    .run(journal, page, looking);
            TrialResult best = result.best().orElseThrow();

            assertThat(whileRunning.get()).contains("[\"9\",\"\",\"Running\"]").doesNotContain("[\"10\"");
            assertThat(json(page, "/summary"))
                    .contains("Models Completed\",\"15\"", "Models Failed\",\"1\"", "16 trials")
                    .contains("\"" + best.score() + "\"", "Model " + best.index() + ",", "random, 1 at a time");
            assertThat(json(page, "/config"))
                    .contains("[\"eta\",\"{\\\"log_uniform\\\":", "lower is better", "journal.jsonl");
            String results = json(page, "/results");
            assertThat(results).contains("[\"" + best.index() + "\",\"" + best.score() + "\",\"Complete\"]");
            assertThat(results).contains("[\"2\",\"\",\"Failed\"]");
            TrialResult pruned = result.trials().stream()
                    .filter(trial -> trial.state() == TrialState.PRUNED)
                    .findFirst()
                    .orElseThrow();
            assertThat(results).contains("[\"" + pruned.index() + "\",\"" + pruned.score() + "\",\"Cancelled\"]");
            assertThat(json(page, "/candidateInfo/" + FAILING)).contains("no luck");
            requireTrial(json(page, "/candidateInfo/" + best.index()), best);
        }
    }

    private static void requireTrial(String shown, TrialResult trial) throws IOException {
        trial.parameters().values().forEach((name, value) -> assertThat(shown).contains("\"" + name + "\",\"" + value));
        JsonNode chart = new ObjectMapper().readTree(shown).findParent("seriesNames");
        assertThat(chart.path("x").path(0)).hasSize(trial.curve().points().size());
        assertThat(chart.path("y").path(0).path(0).asDouble())
                .isEqualTo((float) trial.curve().points().get(0).value());
    }

    @Test
    void everything_that_the_page_loads_is_there() throws Exception {
        try (ArbiterPage page = ArbiterPage.start(0, "sorsa", Spaces.MIXED)) {
            page.onStart(SweepPlan.of(3));
            String html = get(page, "");
            Matcher reference =
                    Pattern.compile("(?:src|href)=\"(/assets/[^\"]*)\"").matcher(html);
            int references = 0;
            while (reference.find()) {
                URI asset = URI.create(page.address()).resolve(reference.group(1));
                assertThat(fetch(asset).statusCode()).as(reference.group(1)).isEqualTo(200);
                references++;
            }
            assertThat(references).isEqualTo(7);
        }
    }

    @Test
    void a_port_in_use_and_a_missing_library_are_said_in_a_sentence() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            assertThatThrownBy(() -> ArbiterPage.start(socket.getLocalPort(), "sorsa", Spaces.MIXED))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("port " + socket.getLocalPort() + ": it is in use");
        }
        assertThatThrownBy(() -> ArbiterPage.start(70_000, "sorsa", Spaces.MIXED))
                .hasMessageContaining("port 70000: give one from 1 to 65535");
        assertThatThrownBy(() -> PageLibraries.require(ClassLoader.getPlatformClassLoader()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("SAMEDIFF_MAVEN_ARGS=-Pui");
    }

    private static String json(ArbiterPage page, String path) {
        try {
            return new ObjectMapper().readTree(get(page, path)).toString();
        } catch (IOException e) {
            throw new IllegalStateException(path + " is no JSON", e);
        }
    }

    private static String get(ArbiterPage page, String path) {
        try {
            URI address = URI.create(page.address() + path);
            HttpResponse<String> response = fetch(address);
            for (int i = 0; i < 50 && response.body().isEmpty(); i++) { // the server has not taken over the session yet
                Thread.sleep(100);
                response = fetch(address);
            }
            assertThat(response.statusCode()).as(path).isEqualTo(200);
            return response.body();
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static HttpResponse<String> fetch(URI address) throws IOException, InterruptedException {
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString());
    }
}
