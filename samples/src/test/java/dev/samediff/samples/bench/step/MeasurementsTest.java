package dev.samediff.samples.bench.step;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.samediff.samples.bench.network.Network;
import dev.samediff.samples.bench.network.Workload;
import dev.samediff.samples.bench.step.StepJob.Configuration;
import dev.samediff.samples.bench.step.StepJob.Effort;
import dev.samediff.samples.output.Json;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class MeasurementsTest {
    private static final Contender SELF = contender("self", List.of(Precision.F32), false);
    private static final Contender PEER = contender("peer", List.of(Precision.values()), false);
    private static final Contender DENSE = contender("dense", List.of(Precision.values()), true);
    private static final Configuration ONE = new Configuration(Network.STANDARD.get(0), "sorsa", Precision.F32, 1);

    private final Measurements found = new Measurements();

    @Test
    void the_median_process_counts() {
        add(SELF, ONE, 10, 30, 20);
        add(PEER, ONE, 40, 50, 400);
        StepRow row = found.rows(ONE, SELF, List.of(PEER)).get(0);
        assertThat(row.ms()).isEqualTo(20);
        assertThat(row.peerMs()).isEqualTo(50);
        assertThat(row.timeRatio()).isEqualTo(0.4);
    }

    @Test
    void a_peer_that_is_slower_with_two_threads_is_given_one() {
        Configuration two = ONE.withThreads(2);
        add(SELF, two, 10);
        add(PEER, ONE, 40);
        add(PEER, two, 100);
        StepRow row = found.rows(two, SELF, List.of(PEER)).get(0);
        assertThat(row.threads()).isEqualTo(2);
        assertThat(row.peerThreads()).isEqualTo(1);
        assertThat(row.peerMs()).isEqualTo(40);
        add(PEER, two, 20, 20);
        assertThat(found.rows(two, SELF, List.of(PEER)).get(0).peerThreads()).isEqualTo(2);
    }

    /** A machine that slows down for a round slows both: the ratio of the medians would be 30 / 20. */
    @Test
    void a_method_is_beside_lora_round_by_round() {
        add(SELF, ONE.withMethod("lora"), 10, 20, 100);
        add(SELF, ONE, 30, 22, 110);
        MethodRatio ratio = found.besideLora(ONE, SELF).orElseThrow();
        assertThat(ratio.time()).isEqualTo(1.1);
        assertThat(ratio.rss()).isEqualTo(1);
        assertThat(ratio.rounds()).isEqualTo(3);
        assertThat(ratio.method()).isEqualTo("sorsa");
        assertThat(found.besideLora(ONE.withMethod("lora"), SELF)).isEmpty();
        StepBench.Result result = new StepBench.Result(found.rows(ONE, SELF, List.of()), List.of(ratio), List.of());
        assertThat(StepTables.describe(result)).contains("the step of sorsa takes 1.10 of LoRA's time");
    }

    @Test
    void a_round_without_lora_says_nothing_of_a_method() {
        found.add(SELF, ONE.withMethod("lora"), 2, new StepRun(10, 1, List.of(), "1"));
        found.add(SELF, ONE, 1, new StepRun(100, 1, List.of(), "1"));
        assertThat(found.besideLora(ONE, SELF)).isEmpty();
        found.add(SELF, ONE, 2, new StepRun(12, 1, List.of(), "1"));
        assertThat(found.besideLora(ONE, SELF).orElseThrow().time()).isEqualTo(1.2);
    }

    @Test
    void bfloat16_is_shown_beside_the_peers_bfloat16_and_float32() {
        Configuration half = ONE.withPrecision(Precision.BF16);
        assertThat(found.rows(half, SELF, List.of(PEER)))
                .extracting(StepRow::peerPrecision)
                .containsExactly("f32", "bf16");
    }

    @Test
    void the_dense_layer_is_a_peer_of_sorsa_only() {
        assertThat(found.rows(ONE, SELF, List.of(DENSE))).hasSize(1);
        assertThat(found.rows(new Configuration(ONE.network(), "lora", Precision.F32, 1), SELF, List.of(DENSE)))
                .extracting(StepRow::peer)
                .containsOnlyNulls();
    }

    @Test
    void without_a_peer_this_library_is_shown_alone() {
        add(SELF, ONE, 10, 30, 20);
        StepBench.Result result = new StepBench.Result(found.rows(ONE, SELF, List.of()), List.of(), List.of());
        JsonNode row = Json.parse(Json.line(result)).path("results").get(0);
        assertThat(row.path("ms").asDouble()).isEqualTo(20);
        assertThat(row.path("rss_mb").asDouble()).isEqualTo(500);
        for (String name : List.of(
                "peer", "peer_precision", "peer_threads", "peer_ms", "time_ratio", "peer_rss_mb", "rss_ratio")) {
            assertThat(row.has(name)).as(name).isTrue();
            assertThat(row.path(name).isNull()).as(name).isTrue();
        }
        assertThat(StepTables.describe(result)).contains("20.0  500  none");
    }

    @Test
    void the_line_of_json_has_the_agreed_names_and_null_for_what_was_not_measured() {
        add(PEER, ONE, 40);
        StepBench.Result result = new StepBench.Result(found.rows(ONE, SELF, List.of(PEER)), List.of(), List.of());
        JsonNode row = Json.parse(Json.line(result)).path("results").get(0);
        assertThat(row.path("network").asText()).isEqualTo("d=256 L=4 H=4 B=8 T=128 V=2000");
        assertThat(row.path("peer_ms").asDouble()).isEqualTo(40);
        assertThat(row.path("peer_rss_mb").asDouble()).isEqualTo(500);
        for (String name : List.of("ms", "time_ratio", "rss_mb", "rss_ratio")) {
            assertThat(row.has(name)).as(name).isTrue();
            assertThat(row.path(name).isNull()).as(name).isTrue();
        }
        assertThat(row.path("method").asText() + row.path("precision").asText() + row.path("threads"))
                .isEqualTo("sorsaf321");
    }

    @Test
    void a_contender_is_told_the_job_and_the_number_of_threads() throws Exception {
        String script =
                "echo \"{\\\"ms\\\":$OMP_NUM_THREADS$OPENBLAS_NUM_THREADS,\\\"peak_bytes\\\":7,\\\"losses\\\":[],"
                        + "\\\"version\\\":\\\"1\\\"}\"; case \"$0\" in *'\"method\":\"sorsa-dense\"'*) ;; *) exit 1;; esac";
        Contender shell = new Contender("shell", List.of("sh", "-c", script), Map.of(), List.of(Precision.F32), true);
        StepJob job = StepJob.of(ONE.withThreads(3), new Workload(Path.of("nowhere")), new Effort(1, 2));
        assertThat(shell.run(job)).isEqualTo(new StepRun(33, 7, List.of(), "1"));
    }

    @Test
    void first_losses_that_differ_are_found() {
        List<LossCheck> checks =
                LossCheck.of(Map.of("network", new TreeMap<>(Map.of("a", List.of(8.0, 7.0), "b", List.of(8.01, 7.0)))));
        assertThat(checks).extracting(LossCheck::passed).containsExactly(true, false);
    }

    private void add(Contender contender, Configuration measured, double... times) {
        for (double ms : times) {
            int round = found.runs(contender, measured).size() + 1;
            found.add(contender, measured, round, new StepRun(ms, 500_000_000, List.of(), "1"));
        }
    }

    private static Contender contender(String name, List<Precision> precisions, boolean dense) {
        return new Contender(name, List.of(), Map.of(), precisions, dense);
    }
}
