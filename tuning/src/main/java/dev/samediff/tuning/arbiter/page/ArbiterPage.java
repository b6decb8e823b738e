package dev.samediff.tuning.arbiter.page;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.SweepListener;
import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialSpec;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.ParameterValues;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.deeplearning4j.arbiter.optimize.runner.CandidateStatus;
import org.deeplearning4j.core.storage.StatsStorage;
import org.deeplearning4j.exception.DL4JException;
import org.deeplearning4j.ui.VertxUIServer;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;

/**
 * Shows a sweep on Arbiter's page while it runs: status, scores over time, space, and each trial with its learning curve.
 * One page per process, as DL4J's server has it.
 *
 * <p>The server listens on all network interfaces and asks nobody who he is; that cannot be changed in M2.1.
 */
public final class ArbiterPage implements SweepListener, AutoCloseable {
    private static final int LAST_PORT = 65535;

    private final AdapterSpace space;
    private final String session;
    private final VertxUIServer server;
    private final StatsStorage storage = new InMemoryStatsStorage();
    private final Map<Integer, ParameterValues> trials = new ConcurrentHashMap<>();
    private final Map<Integer, List<LearningCurve.Point>> curves = new HashMap<>();
    private SweepStatus status;

    private ArbiterPage(String session, AdapterSpace space, VertxUIServer server) {
        this.session = session;
        this.space = space;
        this.server = server;
        this.status = SweepStatus.of(session, SweepPlan.of(1), space, trials);
    }

    /**
     * Starts the server.
     *
     * @param port its port; 0 for any that is free
     * @param session the sweep's name on the page
     * @param space what is varied
     * @throws InvalidInputException if the libraries are not on the class path, or the port cannot be used
     */
    public static ArbiterPage start(int port, String session, AdapterSpace space) {
        PageLibraries.require();
        if (port < 0 || port > LAST_PORT) {
            throw new InvalidInputException(
                    "no page for the browser on port " + port + ": give one from 1 to " + LAST_PORT + ", or 0 for any");
        }
        int chosen = port == 0 ? freePort() : port;
        try {
            return new ArbiterPage(session, space, VertxUIServer.getInstance(chosen, false, null));
        } catch (DL4JException e) {
            throw new InvalidInputException("no page for the browser on port " + chosen
                    + ": it is in use or not allowed; give another port, or 0 for any that is free");
        }
    }

    private static int freePort() {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the page's address. */
    public String address() {
        return server.getAddress() + "/arbiter";
    }

    @Override
    public void onStart(SweepPlan plan) {
        status = SweepStatus.of(session, plan, space, trials);
        storage.putStaticInfo(status);
        server.attach(storage);
    }

    @Override
    public void onKnown(TrialResult result) {
        show(result);
    }

    @Override
    public void onTrialStart(TrialSpec spec) {
        curves.put(spec.index(), new ArrayList<>());
        show(status.started(), running(spec));
    }

    @Override
    public void onReport(TrialSpec spec, LearningCurve.Point report) {
        curves.computeIfAbsent(spec.index(), index -> new ArrayList<>()).add(report);
        show(status, running(spec));
    }

    @Override
    public void onTrialEnd(TrialResult result) {
        show(result);
    }

    private ShownTrial running(TrialSpec spec) {
        LearningCurve curve = new LearningCurve(curves.getOrDefault(spec.index(), List.of()));
        return new ShownTrial(spec.index(), spec.parameters(), CandidateStatus.Running, null, 0, curve, "");
    }

    private void show(TrialResult result) {
        boolean wasRunning = curves.remove(result.index()) != null;
        Double score = Double.isFinite(result.score()) ? result.score() : null;
        show(
                status.ended(wasRunning, result.state() == TrialState.FAILED),
                new ShownTrial(
                        result.index(),
                        result.parameters(),
                        status(result.state()),
                        score,
                        result.seconds(),
                        result.curve(),
                        result.error()));
    }

    private static CandidateStatus status(TrialState state) {
        return switch (state) {
            case COMPLETE -> CandidateStatus.Complete;
            case PRUNED -> CandidateStatus.Cancelled;
            case FAILED -> CandidateStatus.Failed;
        };
    }

    private void show(SweepStatus next, ShownTrial trial) {
        status = next;
        trials.put(trial.index(), trial.parameters());
        storage.putStaticInfo(next);
        storage.putUpdate(trial.onPage(session));
    }

    @Override
    public void close() {
        try {
            server.detach(storage);
            server.stop();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
