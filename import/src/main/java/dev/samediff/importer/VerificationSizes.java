package dev.samediff.importer;

import dev.samediff.adapters.InvalidInputException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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

    /** Arrays of the size of the activations that are alive at once, in both runtimes. */
    private static final long ALIVE = 32;

    private final Onnx.GraphProto graph;
    private final List<Onnx.ValueInfoProto> inputs;
    private final VerificationPlan plan;
    private final List<InputSizes> chosen = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final List<Edge> edges = new ArrayList<>();
    private @Nullable InputSizes longest;

    /**
     * Inputs at the edge of what a model takes.
     *
     * @param title what is special about them
     * @param leniency the tolerance is so many times larger
     */
    record Edge(String title, InputSizes sizes, RandomInputs.Hiding hiding, double leniency) {}

    VerificationSizes(Onnx.GraphProto graph, RandomInputs inputs, VerificationPlan plan) {
        this.graph = graph;
        this.inputs = inputs.inputs();
        this.plan = plan;
        if (!plan.shapes().isEmpty()) {
            plan.shapes().forEach(shape -> chosen.add(sizes(shape)));
        } else if (InputSizes.anyOpen(this.inputs)) {
            OptionalLong limit = limit();
            InputSizes.SAMPLES.forEach(sample -> chosen.add(within(sample, limit)));
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
        if (drawing.hasMask()) {
            if (chosen.size() == 1) {
                edges.add(new Edge("padded on the left", last, RandomInputs.Hiding.LEFT, 1));
            }
            // the kernel of grouped queries counts visible tokens, and reads outside of its memory if there are none
            boolean counts = graph.getNodeList().stream()
                    .anyMatch(node -> node.getOpType().equals("GroupQueryAttention"));
            if (!counts) {
                double leniency = Verification.Comparison.HIDDEN_LENIENCY;
                edges.add(new Edge("whole rows hidden", last, RandomInputs.Hiding.ROWS, leniency));
            }
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

    List<InputSizes> chosen() {
        return List.copyOf(chosen);
    }

    /** One text of the longest length, if that is asked for. */
    Optional<InputSizes> longest() {
        return Optional.ofNullable(longest);
    }

    List<String> notes() {
        return List.copyOf(notes);
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

    /** Tables of positions, looked up by an input or cut to the length of the text, end where texts must. */
    private OptionalLong limit() {
        Set<String> names = inputs.stream().map(Onnx.ValueInfoProto::getName).collect(Collectors.toSet());
        return new IndexBounds(graph).longestText(names);
    }

    private void addLongest(OptionalLong limit) {
        InputSizes first = InputSizes.SAMPLES.get(0);
        long most = Math.min(limit.orElse(plan.longest()), plan.longest());
        long fits = most;
        long budget = Runtime.getRuntime().maxMemory() / 2;
        while (fits > 1 && estimate(fits) > budget) {
            fits /= 2;
        }
        long sequence = Math.max(1, fits - first.past());
        boolean cached = inputs.stream().anyMatch(input -> input.getName().contains("past"));
        longest = new InputSizes(1, cached ? sequence : Math.max(1, fits), first.past());
        String found = limit.isPresent()
                ? "the model takes up to " + limit.getAsLong() + " tokens"
                : "the file sets no limit to the number of tokens";
        String tried = fits < most
                ? fits + " were tried, because more may not fit into memory"
                : fits + " were tried" + (limit.orElse(Long.MAX_VALUE) > fits ? ", as many as was asked for" : "");
        notes.add("longest text: " + found + "; " + tried);
    }

    /** Bytes of activations for one text: as wide as the widest matrix, and scores of all pairs of tokens. */
    private long estimate(long tokens) {
        long width = graph.getInitializerList().stream()
                .filter(tensor -> tensor.getDimsCount() == 2)
                .mapToLong(tensor -> Math.min(1L << 20, Math.max(tensor.getDims(0), tensor.getDims(1))))
                .max()
                .orElse(1);
        return ALIVE * Float.BYTES * tokens * (width + tokens);
    }
}
