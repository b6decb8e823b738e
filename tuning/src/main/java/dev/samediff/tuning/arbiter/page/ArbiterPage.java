package dev.samediff.tuning.arbiter.page;

import dev.samediff.adapters.InvalidInputException;
import dev.samediff.adapters.io.ListenAddress;
import dev.samediff.tuning.LearningCurve;
import dev.samediff.tuning.SweepListener;
import dev.samediff.tuning.SweepPlan;
import dev.samediff.tuning.TrialResult;
import dev.samediff.tuning.TrialSpec;
import dev.samediff.tuning.TrialState;
import dev.samediff.tuning.space.AdapterSpace;
import dev.samediff.tuning.space.ParameterValues;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.deeplearning4j.arbiter.optimize.runner.CandidateStatus;
import org.deeplearning4j.core.storage.StatsStorage;
import org.deeplearning4j.ui.model.storage.InMemoryStatsStorage;

/**
 * Shows a sweep on Arbiter's page while it runs: status, scores over time, space, and each trial with its learning curve.
 * One page per process, as DL4J's server has it.
 *
 * <p>The server asks nobody who he is: whoever reaches its {@link ListenAddress} can look, and nobody can do more.
 */
public final class ArbiterPage implements SweepListener, AutoCloseable {
    private final AdapterSpace space;
    private final String session;
    private final PageServer server;
    private final ListenAddress address;
    private final StatsStorage storage = new InMemoryStatsStorage();
    private final Map<Integer, ParameterValues> trials = new ConcurrentHashMap<>();
    private final Map<Integer, List<LearningCurve.Point>> curves = new HashMap<>();
    private SweepStatus status;

    private ArbiterPage(String session, AdapterSpace space, PageServer server, ListenAddress address) {
        this.session = session;
        this.space = space;
        this.server = server;
        this.address = address;
        this.status = SweepStatus.of(session, SweepPlan.of(1), space, trials);
    }

    /**
     * Starts the server.
     *
     * @param address where
     * @param session the sweep's name on the page
     * @param space what is varied
     * @throws InvalidInputException if the libraries are not on the class path, or the port cannot be used
     */
    public static ArbiterPage start(ListenAddress address, String session, AdapterSpace space) {
        PageLibraries.require();
        return new ArbiterPage(session, space, PageServer.start(address), address);
    }

    /** Returns the page's address. */
    public String address() {
        return address.url(server.getPort()) + "/arbiter";
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
