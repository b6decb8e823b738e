package dev.samediff.samples.bench.step;

import dev.samediff.adapters.method.AdapterMethods;
import dev.samediff.adapters.method.Lora;
import dev.samediff.adapters.method.Sorsa;
import dev.samediff.samples.bench.network.Network;
import dev.samediff.samples.bench.network.Workload;
import dev.samediff.samples.bench.step.StepJob.Configuration;
import dev.samediff.samples.bench.step.StepJob.Effort;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;

/** Compares training steps of this library with the peers', and methods with each other, in alternating fresh processes. */
public final class StepBench {
    /** Power iterations of the decomposition that SORSA starts from: how exact it is does not change a step's cost. */
    private static final int ITERATIONS = 4;

    private static final List<String> OF_PEERS = List.of(Lora.NAME, Sorsa.NAME);

    private final Plan plan;
    private final Contender self;
    private final List<Contender> peers;
    private final Consumer<String> say;
    private final List<String> notes = new ArrayList<>();

    /**
     * What to compare.
     *
     * @param networks networks
     * @param methods names of methods; peers have {@code lora} and {@code sorsa}
     * @param precisions precisions of this library
     * @param threads numbers of threads
     * @param rounds processes per contender and configuration
     * @param engine this library's engine
     * @param folder where the networks are written, 0.7 GB for the largest; what is there is used again
     */
    public record Plan(
            List<Network> networks,
            List<String> methods,
            List<Precision> precisions,
            List<Integer> threads,
            int rounds,
            EngineChoice engine,
            Path folder) {}

    /**
     * What was found.
     *
     * @param results this library beside each peer
     * @param ratios this library's methods beside its LoRA, where that was measured too
     * @param notes sentences: what could not be measured and why, which kernels were used
     */
    public record Result(List<StepRow> results, List<MethodRatio> ratios, List<String> notes) {}

    /**
     * Prepares a comparison.
     *
     * @param plan what to compare
     * @param peers with whom
     * @param say is told how it goes
     */
    public StepBench(Plan plan, Peers peers, Consumer<String> say) throws IOException, InterruptedException {
        this.plan = plan;
        this.peers = peers.found();
        this.say = say;
        BlasKernel kernel = BlasKernel.ofThisLibrary();
        notes.add(kernel.describe("samediff-adapters"));
        notes.addAll(peers.notes());
        this.self = Contender.self(plan.engine(), kernel.settings());
    }

    /** Measures. */
    public Result measure() throws IOException, InterruptedException {
        List<StepRow> rows = new ArrayList<>();
        List<MethodRatio> ratios = new ArrayList<>();
        for (Network network : plan.networks()) {
            Map<String, Workload> workloads = new LinkedHashMap<>();
            for (String method : plan.methods()) {
                workloads.put(method, prepare(network, method));
            }
            Measurements found = rounds(network, workloads);
            for (String method : workloads.keySet()) {
                for (Precision precision : plan.precisions()) {
                    for (int threads : plan.threads()) {
                        Configuration measured = new Configuration(network, method, precision, threads);
                        rows.addAll(found.rows(measured, self, peers));
                        found.besideLora(measured, self).ifPresent(ratios::add);
                    }
                }
            }
        }
        return new Result(List.copyOf(rows), List.copyOf(ratios), List.copyOf(notes));
    }

    /** The methods take turns within a round, in the other order in every second one. */
    private Measurements rounds(Network network, Map<String, Workload> workloads) throws InterruptedException {
        Measurements found = new Measurements();
        List<Configuration> order = new ArrayList<>(configurations(network, workloads.keySet()));
        for (int round = 1; round <= plan.rounds(); round++) {
            for (Configuration measured : order) {
                Workload workload = Objects.requireNonNull(workloads.get(measured.method()));
                say.accept("round " + round + " of " + plan.rounds() + ": " + measured);
                for (Contender contender : contenders(measured)) {
                    run(contender, measured, workload, Effort.of(network), round, found);
                }
            }
            Collections.reverse(order);
        }
        return found;
    }

    private void run(
            Contender contender,
            Configuration measured,
            Workload workload,
            Effort effort,
            int round,
            Measurements found)
            throws InterruptedException {
        try {
            StepRun run = contender.run(StepJob.of(measured, workload, effort));
            found.add(contender, measured, round, run);
            say.accept(String.format(
                    Locale.ROOT, "  %s: %.1f ms, %.0f MB", contender.name(), run.ms(), run.peakBytes() / 1e6));
        } catch (IOException e) {
            notes.add(contender.name() + " failed at " + measured + ": " + e.getMessage());
        }
    }

    /** The peers run in float32, and with one thread, too: they are compared at their best. */
    private Set<Configuration> configurations(Network network, Collection<String> methods) {
        Set<Configuration> all = new LinkedHashSet<>();
        for (Precision precision : plan.precisions()) {
            for (int threads : plan.threads()) {
                for (String method : methods) {
                    Configuration asked = new Configuration(network, method, precision, threads);
                    for (Configuration needed : List.of(asked, asked.withPrecision(Precision.F32))) {
                        all.add(needed);
                        all.add(needed.withThreads(1));
                    }
                }
            }
        }
        return all;
    }

    private List<Contender> contenders(Configuration measured) {
        List<Contender> running = new ArrayList<>();
        if (self.runs(measured)
                && plan.precisions().contains(measured.precision())
                && plan.threads().contains(measured.threads())) {
            running.add(self);
        }
        if (OF_PEERS.contains(measured.method())) {
            peers.stream().filter(peer -> peer.runs(measured)).forEach(running::add);
        }
        return running;
    }

    private Workload prepare(Network network, String method) throws IOException {
        say.accept("preparing " + network + ", " + method);
        Workload workload = Workload.write(network, plan.folder().resolve(network.fileName()));
        workload.writeStart(
                method.equals(Sorsa.NAME)
                        ? Sorsa.rank(Workload.RANK).withFastStart(ITERATIONS)
                        : AdapterMethods.named(method, Workload.RANK));
        return workload;
    }

    /**
     * Trains a few steps with everyone from the same weights on the same batch in float32.
     *
     * @return the losses of the first steps by network and method, then by contender
     */
    public Map<String, Map<String, List<Double>>> losses() throws IOException, InterruptedException {
        Map<String, Map<String, List<Double>>> losses = new LinkedHashMap<>();
        for (Network network : plan.networks()) {
            for (String method : plan.methods()) {
                Workload workload = prepare(network, method);
                Configuration measured = new Configuration(
                        network, method, Precision.F32, plan.threads().get(0));
                Measurements found = new Measurements();
                Map<String, List<Double>> byContender = new LinkedHashMap<>();
                say.accept("training with " + measured);
                for (Contender contender : contenders(measured)) {
                    run(contender, measured, workload, new Effort(2, 1), 1, found);
                    found.runs(contender, measured).forEach(run -> byContender.put(contender.name(), run.losses()));
                }
                losses.put(network + ", " + method, byContender);
            }
        }
        return losses;
    }
}
