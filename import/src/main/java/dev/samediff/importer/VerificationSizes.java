package dev.samediff.importer;

import com.sun.management.OperatingSystemMXBean;
import dev.samediff.adapters.InvalidInputException;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import onnx.Onnx;
import org.jspecify.annotations.Nullable;

/** Chooses the sizes of a model's open dimensions that a verification runs at. */
final class VerificationSizes {
    private static final Set<String> GENERAL = Set.of("batch", "sequence", "past");

    /** Peaks of the activations that both runtimes take together: arrays are copied, and kept for reuse. */
    private static final int PEAKS = 3;

    /** The same with the graph in double precision beside it. */
    private static final int PEAKS_IN_DOUBLE = 7;

    private final List<Onnx.ValueInfoProto> inputs;
    private final VerificationPlan plan;
    private final SizeRoles roles;
    private final ActivationMemory memory;
    private final List<InputSizes> chosen = new ArrayList<>();
    private final List<Edge> edges = new ArrayList<>();
    private @Nullable InputSizes longest;
    private OptionalLong limitOfModel = OptionalLong.empty();
    private boolean shortenedForMemory;

    /**
     * Inputs at the edge of what a model takes.
     *
     * @param title what is special about them
     * @param leniency the tolerance is so many times larger
     */
    record Edge(String title, InputSizes sizes, RandomInputs.Hiding hiding, double leniency) {}

    VerificationSizes(ImportedModel model, RandomInputs inputs, VerificationPlan plan) {
        Onnx.GraphProto graph = model.model().getGraph();
        GraphIndex index = new GraphIndex(graph);
        this.inputs = inputs.inputs();
        this.plan = plan;
        this.roles = new SizeRoles(index, model.sizes());
        this.memory = new ActivationMemory(graph, new OpenSizes(index, model.sizes()));
        if (!plan.shapes().isEmpty()) {
            plan.shapes().forEach(shape -> chosen.add(checked(roles.at(sizes(shape)))));
        } else if (InputSizes.anyOpen(this.inputs)) {
            OptionalLong limit = model.longestText();
            samples(graph).forEach(sample -> chosen.add(roles.at(within(sample, limit))));
            if (plan.longest() > 0) {
                addLongest(limit);
            }
        } else {
            chosen.add(InputSizes.SAMPLES.get(0));
        }
        addEdges(inputs);
    }

    /** Rows that are hidden whole, padding on the left where no other sizes have it, and a past without tokens. */
    private void addEdges(RandomInputs drawing) {
        InputSizes last = chosen.get(chosen.size() - 1);
        if (drawing.hidesRows()) {
            if (chosen.size() == 1 && drawing.hasMask()) {
                edges.add(new Edge("padded on the left", last, RandomInputs.Hiding.LEFT, 1));
            }
            double leniency = Verification.Comparison.HIDDEN_LENIENCY;
            edges.add(new Edge("whole rows hidden", last, RandomInputs.Hiding.ROWS, leniency));
        }
        if (plan.shapes().isEmpty() && hasOpenPast()) {
            InputSizes empty = new InputSizes(last.batch(), last.sequence(), 0);
            edges.add(new Edge("an empty past", empty, RandomInputs.Hiding.RIGHT, 1));
        }
    }

    private boolean hasOpenPast() {
        InputSizes one = new InputSizes(1, 1, 1);
        InputSizes none = new InputSizes(1, 1, 0);
        return inputs.stream().anyMatch(input -> !Arrays.equals(one.shape(input), none.shape(input)));
    }

    /** Returns what is compared besides the chosen sizes. */
    List<Edge> edges() {
        return List.copyOf(edges);
    }

    /** ONNX Runtime's attention of grouped queries takes several tokens after a past in a batch of one only. */
    private static List<InputSizes> samples(Onnx.GraphProto graph) {
        boolean grouped = graph.getNodeList().stream()
                .anyMatch(node -> node.getOpType().equals("GroupQueryAttention")
                        && node.getInputCount() > 3
                        && !node.getInput(3).isEmpty());
        return grouped ? InputSizes.GROUPED_SAMPLES : InputSizes.SAMPLES;
    }

    /** Sizes that somebody chose must fit into the machine, or the operating system ends the process. */
    private InputSizes checked(InputSizes sizes) {
        double bytes = bytes(sizes);
        long most = physicalMemory();
        if (bytes > most) {
            throw new InvalidInputException(String.format(
                    Locale.ROOT,
                    "a verification at %s takes about %.1f GB of memory and the machine has %.1f GB; choose a smaller batch"
                            + " or a shorter sequence",
                    sizes.describe(inputs),
                    bytes / 1e9,
                    most / 1e9));
        }
        return sizes;
    }

    private double bytes(InputSizes sizes) {
        return memory.peak(sizes) * (plan.inDouble() ? PEAKS_IN_DOUBLE : PEAKS);
    }

    private static long physicalMemory() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean system
                ? system.getTotalMemorySize()
                : Long.MAX_VALUE;
    }

    List<InputSizes> chosen() {
        return List.copyOf(chosen);
    }

    /** One text of the longest length, if that is asked for. */
    Optional<InputSizes> longest() {
        return Optional.ofNullable(longest);
    }

    private static InputSizes within(InputSizes sample, OptionalLong limit) {
        long most = limit.orElse(Long.MAX_VALUE);
        return sample.total() <= most
                ? sample
                : new InputSizes(sample.batch(), Math.max(1, most - sample.past()), sample.past());
    }

    /** Named sizes: a dimension of the file, or batch, sequence and past for all that mean that. */
    private InputSizes sizes(Map<String, Long> shape) {
        Set<String> open = new TreeSet<>();
        inputs.forEach(input -> input.getType().getTensorType().getShape().getDimList().stream()
                .filter(dim -> dim.getDimValue() <= 0 && !dim.getDimParam().isEmpty())
                .forEach(dim -> open.add(dim.getDimParam())));
        for (String name : shape.keySet()) {
            if (!GENERAL.contains(name) && !open.contains(name)) {
                throw new InvalidInputException("the model's inputs have no open dimension '" + name + "'; they have "
                        + (open.isEmpty() ? "none with a name" : String.join(", ", open))
                        + ", and batch, sequence and past stand for all that mean that");
            }
        }
        InputSizes first = InputSizes.SAMPLES.get(0);
        Map<String, Long> named = shape.entrySet().stream()
                .filter(entry -> open.contains(entry.getKey()))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
        return new InputSizes(
                shape.getOrDefault("batch", first.batch()),
                shape.getOrDefault("sequence", first.sequence()),
                shape.getOrDefault("past", first.past()),
                named);
    }

    private void addLongest(OptionalLong limit) {
        long most = Math.min(limit.orElse(plan.longest()), plan.longest());
        double budget = Math.min(Runtime.getRuntime().maxMemory(), physicalMemory()) / 2.0;
        long fits = most;
        while (fits > 1 && bytes(text(fits)) > budget) {
            fits /= 2;
        }
        longest = text(fits);
        limitOfModel = limit;
        shortenedForMemory = fits < most;
    }

    /** Sizes of one text of so many tokens, those of a past among them. */
    InputSizes text(long tokens) {
        boolean cached = inputs.stream().anyMatch(input -> input.getName().contains("past"));
        long past = cached ? Math.min(tokens - 1, InputSizes.SAMPLES.get(0).past()) : 0;
        long sequence = Math.max(1, tokens - past);
        return roles.at(new InputSizes(1, sequence, past, sequence, Map.of()));
    }

    /** Says what the longest text is and which was tried. */
    String noteOfLongest(long tried) {
        String found = limitOfModel.isPresent()
                ? "the model takes up to " + limitOfModel.getAsLong() + " tokens"
                : "the file sets no limit to the number of tokens";
        boolean asked = !shortenedForMemory && tried == plan.longest() && limitOfModel.orElse(Long.MAX_VALUE) > tried;
        return "longest text: " + found + "; " + tried + " were tried"
                + (shortenedForMemory ? ", because more may not fit into memory" : "")
                + (asked ? ", as many as was asked for" : "");
    }
}
