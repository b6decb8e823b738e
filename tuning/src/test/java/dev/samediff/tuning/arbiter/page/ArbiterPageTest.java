package dev.samediff.tuning.arbiter.page;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.ListenAddress;
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
import java.net.ConnectException;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ArbiterPageTest {
    private static final int FAILING = 2;

    @TempDir
    Path folder;

    @Test
    void a_running_sweep_and_its_trials_can_be_looked_at() throws Exception {
        SweepPlan plan = SweepPlan.of(16).withSearch(Search.RANDOM).withPruning(new Pruning.Median(3, 2));
        AtomicReference<String> whileRunning = new AtomicReference<>("");
        try (ArbiterPage page = page(ListenAddress.ofThisMachine(0));
                Journal journal = Journal.open(folder.resolve("journal"))) {
            SweepListener looking = new SweepListener() {
                @Override
                public void onReport(TrialSpec spec, LearningCurve.Point report) {
                    if (spec.index() == 9) {
                        whileRunning.set(results(page, 9));
                    }
                }
            };
            SweepResult result = new Sweep(Spaces.MIXED, plan, new LocalTrials(context -> {
                        if (context.index() == FAILING) {
                            throw new IllegalStateException("no luck");
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
        try (ArbiterPage page = page(ListenAddress.ofThisMachine(0))) {
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
            assertThatThrownBy(() -> page(ListenAddress.ofThisMachine(socket.getLocalPort())))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("port " + socket.getLocalPort() + ": it is in use");
        }
        assertThatThrownBy(() -> ListenAddress.ofThisMachine(70_000))
                .hasMessageContaining("port 70000: give one from 1 to 65535");
        assertThatThrownBy(() -> PageLibraries.require(ClassLoader.getPlatformClassLoader()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("SAMEDIFF_MAVEN_ARGS=-Pui");
    }

    @Test
    void only_this_machine_reaches_the_page_unless_another_address_is_given() throws IOException {
        try (ArbiterPage page = page(ListenAddress.ofThisMachine(0))) {
            int port = URI.create(page.address()).getPort();
            assertThat(page.address()).isEqualTo("http://localhost:" + port + "/arbiter");
            assertThat(answer("127.0.0.1", port, "GET", "localhost:" + port)).startsWith("HTTP/1.1 200");
            for (InetAddress other : otherAddresses()) {
                assertThatThrownBy(() -> answer(other.getHostAddress(), port, "GET", "localhost"))
                        .as("%s", other)
                        .isInstanceOf(ConnectException.class);
            }
        }
    }

    @Test
    void an_address_of_this_machine_or_all_of_them_can_be_asked_for() throws IOException {
        try (ArbiterPage page = page(new ListenAddress("0.0.0.0", 0))) {
            int port = URI.create(page.address()).getPort();
            for (InetAddress other : otherAddresses()) {
                assertThat(answer(other.getHostAddress(), port, "GET", "any.name"))
                        .startsWith("HTTP/1.1 200");
            }
        }
        for (InetAddress other : otherAddresses()) {
            try (ArbiterPage page = page(new ListenAddress(other.getHostAddress(), 0))) {
                URI shown = URI.create(page.address());
                assertThat(shown.getHost()).isEqualTo(other.getHostAddress());
                assertThat(answer(shown.getHost(), shown.getPort(), "GET", shown.getAuthority()))
                        .startsWith("HTTP/1.1 200");
            }
        }
        assertThat(new ListenAddress("0.0.0.0", 0).isOfThisMachineOnly()).isFalse();
        assertThat(new ListenAddress("::1", 0).isOfThisMachineOnly()).isTrue();
        for (String foreign : new String[] {"240.0.0.1", "no such host", ""}) {
            assertThatThrownBy(() -> new ListenAddress(foreign, 0))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("listen to `" + foreign + "`: this machine has no such address");
        }
    }

    @Test
    void a_page_of_this_machine_is_not_shown_under_a_foreign_name_and_takes_no_uploads() throws IOException {
        try (ArbiterPage page = page(ListenAddress.ofThisMachine(0))) {
            int port = URI.create(page.address()).getPort();
            for (String name : new String[] {"127.0.0.1:" + port, "[::1]:" + port, "localhost"}) {
                assertThat(answer("127.0.0.1", port, "GET", name)).startsWith("HTTP/1.1 200");
            }
            assertThat(answer("127.0.0.1", port, "GET", "evil.example:" + port))
                    .startsWith("HTTP/1.1 403")
                    .contains("ask for it as localhost");
            assertThat(answer("127.0.0.1", port, "POST", "localhost")).startsWith("HTTP/1.1 405");
        }
    }

    private static ArbiterPage page(ListenAddress address) {
        return ArbiterPage.start(address, "sorsa", Spaces.MIXED);
    }

    /** Addresses that are this machine's, and not 127.0.0.1. */
    private static List<InetAddress> otherAddresses() throws IOException {
        List<InetAddress> addresses = new ArrayList<>();
        for (NetworkInterface one : Collections.list(NetworkInterface.getNetworkInterfaces())) {
            Collections.list(one.getInetAddresses()).stream()
                    .filter(address -> address instanceof Inet4Address && !address.isLoopbackAddress())
                    .forEach(addresses::add);
        }
        if (System.getProperty("os.name").equals("Linux")) { // there all of 127.0.0.0/8 is this machine's
            addresses.add(InetAddress.getByName("127.0.0.2"));
        }
        return addresses;
    }

    /** The head and the beginning of what a server answers to a request with a header {@code Host}. */
    private static String answer(String address, int port, String method, String host) throws IOException {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(address, port), 5000);
            socket.setSoTimeout(5000);
            String request = method + " /arbiter HTTP/1.1\r\nHost: " + host
                    + "\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readNBytes(400), StandardCharsets.UTF_8);
        }
    }

    private static String json(ArbiterPage page, String path) {
        try {
            return new ObjectMapper().readTree(get(page, path)).toString();
        } catch (IOException e) {
            throw new IllegalStateException(path + " is no JSON", e);
        }
    }

    /** The results when a trial is among them: the server takes them over in a thread of its own. */
    private static String results(ArbiterPage page, int trial) {
        String results = json(page, "/results");
        while (!results.contains("[\"" + trial + "\"")) {
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            results = json(page, "/results");
        }
        return results;
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
